package cognitotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"poolkeeper/baseline"
)

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

func noClient(id string) error {
	return &failure{Code: "ResourceNotFoundException", Message: "User pool client " + id + " does not exist."}
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
		clients = append(clients, map[string]any{"ClientId": id, "UserPoolId": request["UserPoolId"],
			"ClientName": p.more.clients[id]["ClientName"]})
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
		"PreventUserExistenceErrors": "LEGACY", "RefreshTokenValidity": json.Number("30"),
		"AuthSessionValidity": json.Number("3"), "AllowedOAuthFlowsUserPoolClient": false,
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
	client["ClientId"], client["CreationDate"], client["LastModifiedDate"] = id, json.Number("1767225600.0"),
		json.Number("1767225600.0")
	for member, v := range clientDefaults() {
		setDefault(client, member, v)
	}
	setDefault(client, "EnableTokenRevocation", true)
	p.more.clients[id] = client
	return map[string]any{"UserPoolClient": cloneObject(client)}, nil
}

// updateClient resets what is left out, in both modes: nothing else was measured.
func (s *Server) updateClient(request map[string]any) (any, error) {
	p, id, err := s.client(request)
	if err != nil {
		return nil, err
	}
	if request["RefreshTokenValidity"] == json.Number("0") {
		request["RefreshTokenValidity"] = clientDefaults()["RefreshTokenValidity"]
	}
	next, err := s.replacing(request, baseline.AppClient)
	if err == nil && s.validators {
		err = judgeClient(p.more.clients[id], next)
	}
	if err != nil {
		return nil, err
	}
	for _, m := range tableOf(baseline.AppClient) {
		if v := p.more.clients[id][m.Name]; v != nil && (m.Trip == baseline.ReadOnly || m.Name == "ClientName") {
			setDefault(next, m.Name, v)
		}
	}
	for member, v := range clientDefaults() {
		setDefault(next, member, v)
	}
	setDefault(next, "RefreshTokenRotation", map[string]any{"Feature": "DISABLED",
		"RetryGracePeriodSeconds": json.Number("0")})
	next["LastModifiedDate"] = json.Number("1767225601.5")
	p.more.clients[id] = next
	return s.describeClient(request)
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
