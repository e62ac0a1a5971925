package cognitotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// more are the documents of a pool beside its first two, under the names of the read calls.
type more struct {
	risk    map[string]map[string]any // by client; "" is the pool's
	logs    []any                     // nil: the pool never had any
	clients map[string]map[string]any // by id, secrets and all
}

func newMore() *more {
	return &more{risk: map[string]map[string]any{}, clients: map[string]map[string]any{}}
}

// PutRisk plants the risk configuration of a pool, or of one of its clients.
func (s *Server) PutRisk(id, client string, risk map[string]any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.pools[id].more.risk[client] = cloneObject(risk)
}

// Risk returns a copy of the risk configuration of a pool, or of one of its clients, whether threat protection is on or not.
func (s *Server) Risk(id, client string) map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return cloneObject(s.pools[id].more.risk[client])
}

// PutLogs plants the log configurations of a pool.
func (s *Server) PutLogs(id string, logs []any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.pools[id].more.logs, _ = clone(logs).([]any)
}

// Logs returns a copy of the log configurations of a pool.
func (s *Server) Logs(id string) []any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	logs, _ := clone(s.pools[id].more.logs).([]any)
	return logs
}

// PutClient plants an app client just as it is given.
func (s *Server) PutClient(id, client string, document map[string]any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	document = cloneObject(document)
	document["UserPoolId"], document["ClientId"] = id, client
	s.pools[id].more.clients[client] = document
}

// Client returns a copy of an app client, or nil.
func (s *Server) Client(id, client string) map[string]any {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return cloneObject(s.pools[id].more.clients[client])
}

// RemoveClient takes an app client away, as somebody else does.
func (s *Server) RemoveClient(id, client string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.pools[id].more.clients, client)
	delete(s.pools[id].more.risk, client)
}

func tableOf(name baseline.DocumentName) []baseline.Member {
	table, _ := name.Table()
	return table.Members
}

// threatened returns the pool of a call that needs threat protection, and the client that the call names, or "".
func (s *Server) threatened(request map[string]any) (*pool, string, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, "", err
	}
	if mode, _ := at(p.userPool, "UserPoolAddOns.AdvancedSecurityMode").(string); mode == "" || mode == "OFF" {
		return nil, "", &failure{Code: "UserPoolAddOnNotEnabledException", Message: "User pool does not have the required add-on enabled."}
	}
	client, _ := request["ClientId"].(string)
	if client != "" && p.more.clients[client] == nil {
		return nil, "", noClient(client)
	}
	return p, client, nil
}

func noClient(id string) error {
	return &failure{Code: "ResourceNotFoundException", Message: "User pool client " + id + " does not exist."}
}

func (s *Server) describeRisk(request map[string]any) (any, error) {
	p, client, err := s.threatened(request)
	if err != nil {
		return nil, err
	}
	shown := map[string]any{"UserPoolId": request["UserPoolId"]}
	if client != "" && len(p.more.risk[client]) == 0 {
		client = "" // a client without a configuration of its own has the pool's
	}
	if client != "" {
		shown["ClientId"] = client
	}
	maps.Copy(shown, cloneObject(p.more.risk[client]))
	return map[string]any{"RiskConfiguration": shown}, nil
}

// setRisk replaces all of a risk configuration.
func (s *Server) setRisk(request map[string]any) (any, error) {
	p, client, err := s.threatened(request)
	if err != nil {
		return nil, err
	}
	next := cloneObject(request)
	delete(next, "UserPoolId")
	delete(next, "ClientId")
	if s.validators {
		if err := validate(tableOf(baseline.RiskConfiguration), next); err != nil {
			return nil, err
		}
	}
	if len(next) > 0 {
		next["LastModifiedDate"] = json.Number("1767225601.5")
	}
	p.more.risk[client] = next
	return s.describeRisk(request)
}

func (s *Server) getLogs(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil || p.more.logs == nil {
		return map[string]any{}, err
	}
	return map[string]any{"LogDeliveryConfiguration": map[string]any{"UserPoolId": request["UserPoolId"], "LogConfigurations": clone(p.more.logs)}}, nil
}

// setLogs replaces all log configurations.
func (s *Server) setLogs(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	entries, ok := request["LogConfigurations"].([]any)
	if !ok {
		return nil, missing("logConfigurations")
	}
	if s.validators {
		if err := judgeLogs(p, entries); err != nil {
			return nil, err
		}
	}
	p.more.logs, _ = clone(entries).([]any)
	return s.getLogs(request)
}

func judgeLogs(p *pool, entries []any) error {
	i := slices.IndexFunc(tableOf(baseline.LogDelivery), func(m baseline.Member) bool { return m.ByKey != "" })
	table := tableOf(baseline.LogDelivery)[i]
	seen := map[string]bool{}
	for i, e := range entries {
		entry := cloneObject(object(e))
		source, _ := entry[table.ByKey].(string)
		delete(entry, table.ByKey)
		at := slices.IndexFunc(table.Members, func(m baseline.Member) bool { return m.Name == source })
		switch {
		case at < 0:
			return constraint(source, fmt.Sprintf("logConfigurations.%d.member.eventSource", i+1), "Member must satisfy enum value set: [userNotification, userAuthEvents]")
		case seen[source]:
			return invalid("Duplicate event source %s", source)
		case source == "userAuthEvents" && p.userPool["UserPoolTier"] != nil && p.userPool["UserPoolTier"] != "" && p.userPool["UserPoolTier"] != "PLUS":
			return &failure{Code: "FeatureUnavailableInTierException", Message: "The following features need to be disabled for the pricing tier configured: User activity logging"}
		case source == "userNotification" && (entry["S3Configuration"] != nil || entry["FirehoseConfiguration"] != nil):
			return invalid("userNotification can only be delivered to CloudWatch Logs")
		}
		seen[source] = true
		if err := validateValue(table.Members[at], entry, fmt.Sprintf("logConfigurations.%d.member", i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) listClients(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	most := 60
	if size, ok := request["MaxResults"].(json.Number); ok {
		n, err := size.Int64()
		if err != nil || n < 1 || n > 60 {
			return nil, constraint(size, "maxResults", "Member must have value between 1 and 60")
		}
		most = int(n)
	}
	ids := slices.Sorted(maps.Keys(p.more.clients))
	if after, _ := request["NextToken"].(string); after != "" {
		i, _ := slices.BinarySearch(ids, after)
		ids = ids[i:]
	}
	answer := map[string]any{}
	if len(ids) > most {
		answer["NextToken"], ids = ids[most], ids[:most]
	}
	clients := []any{}
	for _, id := range ids {
		clients = append(clients, map[string]any{"ClientId": id, "UserPoolId": request["UserPoolId"], "ClientName": p.more.clients[id]["ClientName"]})
	}
	answer["UserPoolClients"] = clients
	return answer, nil
}

func (s *Server) client(request map[string]any) (*pool, string, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, "", err
	}
	id, _ := request["ClientId"].(string)
	if p.more.clients[id] == nil {
		return nil, "", noClient(id)
	}
	return p, id, nil
}

func (s *Server) describeClient(request map[string]any) (any, error) {
	p, id, err := s.client(request)
	if err != nil {
		return nil, err
	}
	return map[string]any{"UserPoolClient": cloneObject(p.more.clients[id])}, nil
}

// clientDefaults are what the members of a client become that a call leaves out, where that is not to be absent.
func clientDefaults() map[string]any {
	return map[string]any{
		"PreventUserExistenceErrors": "LEGACY", "RefreshTokenValidity": json.Number("30"), "AuthSessionValidity": json.Number("3"), "AllowedOAuthFlowsUserPoolClient": false,
		"ExplicitAuthFlows": []any{"ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
	}
}

func (s *Server) createClient(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	name, _ := request["ClientName"].(string)
	if name == "" {
		return nil, missing("clientName")
	}
	s.serial++
	id := fmt.Sprintf("fakeclient%06d", s.serial)
	client := cloneObject(request)
	if client["GenerateSecret"] == true {
		client["ClientSecret"] = fmt.Sprintf("CANARYsecret%020d", s.serial)
	}
	delete(client, "GenerateSecret")
	client["ClientId"], client["CreationDate"], client["LastModifiedDate"] = id, json.Number("1767225600.0"), json.Number("1767225600.0")
	for member, v := range clientDefaults() {
		setDefault(client, member, v)
	}
	p.more.clients[id] = client
	return map[string]any{"UserPoolClient": cloneObject(client)}, nil
}

// updateClient resets what is left out, in both modes: nothing else was measured.
func (s *Server) updateClient(request map[string]any) (any, error) {
	p, id, err := s.client(request)
	if err != nil {
		return nil, err
	}
	next := cloneObject(request)
	delete(next, "UserPoolId")
	delete(next, "ClientId")
	if s.validators {
		if err := validate(tableOf(baseline.AppClient), next); err != nil {
			return nil, err
		}
		if err := judgeClient(next); err != nil {
			return nil, err
		}
	}
	for _, m := range tableOf(baseline.AppClient) {
		if v := p.more.clients[id][m.Name]; v != nil && (m.Trip == baseline.ReadOnly || m.Name == "ClientName") {
			setDefault(next, m.Name, v)
		}
	}
	for member, v := range clientDefaults() {
		setDefault(next, member, v)
	}
	next["LastModifiedDate"] = json.Number("1767225601.5")
	p.more.clients[id] = next
	return s.describeClient(request)
}

func judgeClient(client map[string]any) error {
	flows, _ := client["ExplicitAuthFlows"].([]any)
	allow := func(e any) bool { flow, _ := e.(string); return strings.HasPrefix(flow, "ALLOW_") }
	if slices.ContainsFunc(flows, allow) && !allOf(flows, allow) {
		return invalid("Usage of ALLOW_ auth flows is not allowed with legacy auth flows")
	}
	urls, _ := client["CallbackURLs"].([]any)
	if to := client["DefaultRedirectURI"]; to != nil && !slices.Contains(urls, to) {
		return invalid("Default redirect URI must be one of the callback URLs")
	}
	return nil
}

func allOf(list []any, holds func(any) bool) bool {
	return !slices.ContainsFunc(list, func(e any) bool { return !holds(e) })
}

func (s *Server) deleteClient(request map[string]any) (any, error) {
	p, id, err := s.client(request)
	if err != nil {
		return nil, err
	}
	delete(p.more.clients, id)
	delete(p.more.risk, id)
	return map[string]any{}, nil
}
