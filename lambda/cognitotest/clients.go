package cognitotest

import (
	"encoding/json"

	"poolkeeper/baseline"
)

func noClient(id string) error {
	return &failure{Code: "ResourceNotFoundException", Message: "User pool client " + id + " does not exist."}
}

func (s *Server) listClients(p *pool, request object) (any, error) {
	return page(p.clients, request, "UserPoolClients", func(id string) object {
		return object{"ClientId": id, "UserPoolId": request["UserPoolId"], "ClientName": p.clients[id]["ClientName"]}
	})
}

func (s *Server) describeClient(p *pool, request object) (any, error) {
	id, _ := request["ClientId"].(string)
	if p.clients[id] == nil {
		return nil, noClient(id)
	}
	return object{"UserPoolClient": cloneObject(p.clients[id])}, nil
}

// clientResets are what the members of a client become, or are shown as, that are left out.
var clientResets = object{
	"PreventUserExistenceErrors": "LEGACY", "RefreshTokenValidity": json.Number("30"),
	"AuthSessionValidity": json.Number("3"), "AllowedOAuthFlowsUserPoolClient": false,
	"ExplicitAuthFlows":    []any{"ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
	"RefreshTokenRotation": object{"Feature": "DISABLED", "RetryGracePeriodSeconds": json.Number("0")},
}

// updateClient resets what is left out, in both modes: nothing else was measured.
func (s *Server) updateClient(p *pool, request object) (any, error) {
	id, _ := request["ClientId"].(string)
	old := p.clients[id]
	if old == nil {
		return nil, noClient(id)
	}
	if request["RefreshTokenValidity"] == json.Number("0") {
		request["RefreshTokenValidity"] = clientDefaults()["RefreshTokenValidity"]
	}
	next, err := s.replacing(request, baseline.AppClient)
	if err == nil {
		err = s.judge(onClient, change{request: request, was: old, is: next})
	}
	if err != nil {
		return nil, err
	}
	for _, m := range tableOf(baseline.AppClient) {
		if v := old[m.Name]; v != nil && (m.Trip == baseline.ReadOnly || m.Name == "ClientName") {
			setDefault(next, m.Name, v)
		}
	}
	for member, v := range clientResets {
		setDefault(next, member, clone(v))
	}
	next["LastModifiedDate"] = modified
	p.clients[id] = next
	return s.describeClient(p, request)
}
