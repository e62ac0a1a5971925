package cognitotest

import (
	"encoding/json"
	"fmt"
	"maps"

	"poolkeeper/baseline"
)

func tableOf(name baseline.DocumentName) []baseline.Member {
	table, _ := name.Table()
	return table.Members
}

// threatened returns an error if a pool has no threat protection, without which there is no risk configuration.
func threatened(p *pool) error {
	if mode := text(p.userPool, "UserPoolAddOns.AdvancedSecurityMode"); mode == "" || mode == "OFF" {
		return &failure{Code: "UserPoolAddOnNotEnabledException",
			Message: "User pool does not have the required add-on enabled."}
	}
	return nil
}

func (s *Server) describeRisk(p *pool, request object) (any, error) {
	shown := object{"UserPoolId": request["UserPoolId"]}
	if client := text(request, "ClientId"); client != "" && len(p.risk[client]) > 0 {
		shown["ClientId"] = client
		maps.Copy(shown, clone(p.risk[client]))
	} else { // a client without its own configuration has the pool's
		maps.Copy(shown, clone(p.risk[""]))
	}
	return object{"RiskConfiguration": shown}, threatened(p)
}

// replacing returns the new document after a request that replaces it completely.
func (s *Server) replacing(request object, document baseline.DocumentName) (object, error) {
	next := clone(request)
	delete(next, "UserPoolId")
	delete(next, "ClientId")
	return next, s.validate(tableOf(document), next)
}

func (s *Server) setRisk(p *pool, request object) (any, error) {
	if err := threatened(p); err != nil {
		return nil, err
	}
	next, err := s.replacing(request, baseline.RiskConfiguration)
	if err != nil {
		return nil, err
	}
	if len(next) > 0 {
		next["LastModifiedDate"] = modified
	}
	p.risk[text(request, "ClientId")] = next
	return s.describeRisk(p, request)
}

func (s *Server) getLogs(p *pool, request object) (any, error) {
	if p.logs == nil {
		return object{}, nil
	}
	return object{"LogDeliveryConfiguration": object{"UserPoolId": request["UserPoolId"],
		"LogConfigurations": clone(p.logs)}}, nil
}

func (s *Server) setLogs(p *pool, request object) (any, error) {
	entries, ok := request["LogConfigurations"].([]any)
	if !ok {
		return nil, missing("logConfigurations")
	}
	if err := checkLogs(p, entries); err != nil && s.validators {
		return nil, err
	}
	p.logs = clone(entries)
	return s.getLogs(p, request)
}

func checkLogs(p *pool, entries []any) error {
	table := named(tableOf(baseline.LogDelivery), "LogConfigurations")
	seen := map[any]bool{}
	for i, e := range entries {
		entry := clone(asObject(e))
		source := text(entry, table.ByKey)
		delete(entry, table.ByKey)
		path := fmt.Sprintf("logConfigurations.%d.member", i+1)
		m, tier := named(table.Members, source), p.userPool["UserPoolTier"]
		switch {
		case m.Name == "":
			return constraint(source, path+".eventSource",
				"Member must satisfy enum value set: [userNotification, userAuthEvents]")
		case seen[source]:
			return invalid("Duplicate event source %s", source)
		case source == "userAuthEvents" && !baseline.Empty(tier) && tier != "PLUS":
			return &failure{Code: feature, Message: noPlan}
		case source == "userNotification" && (entry["S3Configuration"] != nil || entry["FirehoseConfiguration"] != nil):
			return invalid("userNotification can only be delivered to CloudWatch Logs")
		}
		seen[source] = true
		if err := validateValue(m, entry, path); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) listClients(p *pool, request object) (any, error) {
	return page(p.clients, request, "UserPoolClients", func(id string) object {
		return object{"ClientId": id, "UserPoolId": request["UserPoolId"], "ClientName": p.clients[id]["ClientName"]}
	})
}

func (s *Server) describeClient(p *pool, request object) (any, error) {
	return object{"UserPoolClient": clone(p.clients[text(request, "ClientId")])}, nil
}

// clientResets are the values of client members that an update leaves out.
var clientResets = object{
	"PreventUserExistenceErrors": "LEGACY", "RefreshTokenValidity": json.Number("30"),
	"AuthSessionValidity": json.Number("3"), "AllowedOAuthFlowsUserPoolClient": false,
	"ExplicitAuthFlows":    []any{"ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
	"RefreshTokenRotation": object{"Feature": "DISABLED", "RetryGracePeriodSeconds": json.Number("0")},
}

// createClient creates a client with only a name, and then updates it.
func (s *Server) createClient(p *pool, request object) (any, error) {
	if baseline.Empty(request["ClientName"]) {
		return nil, missing("clientName")
	}
	s.serial++
	id := fmt.Sprintf("fakeclient%06d", s.serial)
	p.clients[id] = object{"UserPoolId": request["UserPoolId"], "ClientId": id, "CreationDate": created}
	if request["GenerateSecret"] == true {
		p.clients[id]["ClientSecret"] = fmt.Sprintf("CANARYsecret%020d", s.serial)
	}
	delete(request, "GenerateSecret")
	setDefaults(request, object{"ClientId": id, "EnableTokenRevocation": true})
	answer, err := s.updateClient(p, request)
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
		client[secret] = "CANARYclientsecret0123456789" // the secret of the rich client
		delete(client, arn)
	}
}

// updateClient resets members that are left out, in both modes, because nothing else was measured.
func (s *Server) updateClient(p *pool, request object) (any, error) {
	id := text(request, "ClientId")
	old := p.clients[id]
	if request["RefreshTokenValidity"] == json.Number("0") {
		delete(request, "RefreshTokenValidity")
	}
	next, err := s.replacing(request, baseline.AppClient)
	if err == nil {
		err = s.check(onClient, request, &pool{userPool: old}, &pool{userPool: next})
	}
	if err != nil {
		return nil, err
	}
	for _, m := range tableOf(baseline.AppClient) {
		if v := old[m.Name]; v != nil && (m.Trip == baseline.ReadOnly || m.Name == "ClientName") {
			setDefaults(next, object{m.Name: v})
		}
	}
	setDefaults(next, clientResets)
	publish(next)
	next["LastModifiedDate"] = modified
	p.clients[id] = next
	return s.describeClient(p, request)
}
