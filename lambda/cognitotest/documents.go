package cognitotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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

// Risk returns a copy of the risk configuration of a pool, or of one of its clients, whether threat protection is on
// or not.
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
		return nil, "", &failure{Code: "UserPoolAddOnNotEnabledException",
			Message: "User pool does not have the required add-on enabled."}
	}
	client, _ := request["ClientId"].(string)
	if client != "" && p.more.clients[client] == nil {
		return nil, "", noClient(client)
	}
	return p, client, nil
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

// replacing returns what a request makes of a document, all of which it replaces.
func (s *Server) replacing(request map[string]any, document baseline.DocumentName) (map[string]any, error) {
	next := cloneObject(request)
	delete(next, "UserPoolId")
	delete(next, "ClientId")
	if s.validators {
		return next, validate(tableOf(document), next)
	}
	return next, nil
}

// setRisk replaces all of a risk configuration.
func (s *Server) setRisk(request map[string]any) (any, error) {
	p, client, err := s.threatened(request)
	if err != nil {
		return nil, err
	}
	next, err := s.replacing(request, baseline.RiskConfiguration)
	if err != nil {
		return nil, err
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
	return map[string]any{"LogDeliveryConfiguration": map[string]any{"UserPoolId": request["UserPoolId"],
		"LogConfigurations": clone(p.more.logs)}}, nil
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
			return constraint(source, fmt.Sprintf("logConfigurations.%d.member.eventSource", i+1),
				"Member must satisfy enum value set: [userNotification, userAuthEvents]")
		case seen[source]:
			return invalid("Duplicate event source %s", source)
		case source == "userAuthEvents" && p.userPool["UserPoolTier"] != nil && p.userPool["UserPoolTier"] != "" &&
			p.userPool["UserPoolTier"] != "PLUS":
			return &failure{Code: "FeatureUnavailableInTierException",
				Message: "The following features need to be disabled for the pricing tier configured: User activity logging"}
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
