package cognitotest

import (
	"encoding/json"
	"fmt"
	"maps"

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

// createClient makes a client with nothing but a name, and then updates it.
func (s *Server) createClient(p *pool, request object) (any, error) {
	if baseline.Empty(request["ClientName"]) {
		return nil, missing("clientName")
	}
	s.serial++
	id := fmt.Sprintf("fakeclient%06d", s.serial)
	client := object{"UserPoolId": request["UserPoolId"], "ClientId": id, "CreationDate": created}
	settings := object{"ClientId": id, "EnableTokenRevocation": true}
	maps.Copy(settings, request)
	if settings["GenerateSecret"] == true {
		client["ClientSecret"] = fmt.Sprintf("CANARYsecret%020d", s.serial)
	}
	delete(settings, "GenerateSecret")
	p.clients[id] = client
	answer, err := s.updateClient(p, settings)
	if err != nil {
		delete(p.clients, id)
	}
	return answer, err
}

// publish moves the secret of a client to Secrets Manager or back if the request says so. No call returns the member.
func publish(client object) {
	const member, arn, secret = "PublishSecretsInAWSSecretsManager", "ClientSecretArn", "ClientSecret"
	to := client[member]
	delete(client, member)
	switch {
	case to == true && client[secret] != nil:
		client[arn] = fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:111122223333:secret:%v-Ab12Cd", client["ClientName"])
		delete(client, secret)
	case to == false && client[arn] != nil:
		client[secret] = "CANARYclientsecret0123456789" // that of the rich client
		delete(client, arn)
	}
}

// updateClient resets what is left out, in both modes: nothing else was measured.
func (s *Server) updateClient(p *pool, request object) (any, error) {
	id, _ := request["ClientId"].(string)
	old := p.clients[id]
	if old == nil {
		return nil, noClient(id)
	}
	if request["RefreshTokenValidity"] == json.Number("0") {
		delete(request, "RefreshTokenValidity")
	}
	next, err := s.replacing(request, baseline.AppClient)
	if err == nil {
		err = s.check(onClient, change{request: request, was: old, is: next})
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
	publish(next)
	next["LastModifiedDate"] = modified
	p.clients[id] = next
	return s.describeClient(p, request)
}
