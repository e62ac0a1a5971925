package cognitotest

import (
	"fmt"
	"maps"
	"slices"

	"poolkeeper/baseline"
)

func tableOf(name baseline.DocumentName) []baseline.Member {
	table, _ := name.Table()
	return table.Members
}

// threatened returns the client that a call names which needs threat protection, or "".
func threatened(p *pool, request object) (string, error) {
	if mode, _ := at(p.userPool, "UserPoolAddOns.AdvancedSecurityMode").(string); mode == "" || mode == "OFF" {
		return "", &failure{Code: "UserPoolAddOnNotEnabledException",
			Message: "User pool does not have the required add-on enabled."}
	}
	client, _ := request["ClientId"].(string)
	if client != "" && p.clients[client] == nil {
		return "", noClient(client)
	}
	return client, nil
}

func (s *Server) describeRisk(p *pool, request object) (any, error) {
	client, err := threatened(p, request)
	if err != nil {
		return nil, err
	}
	shown := object{"UserPoolId": request["UserPoolId"]}
	if client != "" && len(p.risk[client]) > 0 {
		shown["ClientId"] = client
	} else {
		client = "" // a client without a configuration of its own has the pool's
	}
	maps.Copy(shown, cloneObject(p.risk[client]))
	return object{"RiskConfiguration": shown}, nil
}

// replacing returns what a request makes of a document, all of which it replaces.
func (s *Server) replacing(request object, document baseline.DocumentName) (object, error) {
	next := cloneObject(request)
	delete(next, "UserPoolId")
	delete(next, "ClientId")
	return next, s.validate(tableOf(document), next)
}

func (s *Server) setRisk(p *pool, request object) (any, error) {
	client, err := threatened(p, request)
	if err != nil {
		return nil, err
	}
	next, err := s.replacing(request, baseline.RiskConfiguration)
	if err != nil {
		return nil, err
	}
	if len(next) > 0 {
		next["LastModifiedDate"] = modified
	}
	p.risk[client] = next
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
	if s.validators {
		if err := checkLogs(p, entries); err != nil {
			return nil, err
		}
	}
	p.logs, _ = clone(entries).([]any)
	return s.getLogs(p, request)
}

func checkLogs(p *pool, entries []any) error {
	list := tableOf(baseline.LogDelivery)
	table := list[slices.IndexFunc(list, func(m baseline.Member) bool { return m.ByKey != "" })]
	seen := map[any]bool{}
	for i, e := range entries {
		entry := cloneObject(asObject(e))
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
