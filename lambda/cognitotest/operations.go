package cognitotest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"poolkeeper/baseline"
)

// operations are the calls that the fake supports. Each runs under the server's lock; p is the pool of the call.
var operations = map[string]struct {
	category        string // the documented one, whose calls have a common limit; log delivery calls have none
	perSecond, pool int    // the limits of the category per account and Region, and of the call per pool; 0 is none
	run             func(s *Server, p *pool, request object) (any, error)
}{
	"CreateUserPool":              {"UserPoolUpdate", 15, 0, (*Server).createUserPool},
	"DeleteUserPool":              {"UserPoolUpdate", 15, 0, (*Server).deleteUserPool},
	"DescribeUserPool":            {"UserPoolRead", 15, 0, (*Server).describeUserPool},
	"UpdateUserPool":              {"UserPoolUpdate", 15, 0, (*Server).updateUserPool},
	"ListUserPools":               {"UserPoolRead", 15, 0, (*Server).listUserPools},
	"GetUserPoolMfaConfig":        {"UserPoolResourceRead", 20, 5, (*Server).getMfaConfig},
	"SetUserPoolMfaConfig":        {"UserPoolResourceUpdate", 15, 5, (*Server).setMfaConfig},
	"DescribeRiskConfiguration":   {"UserPoolResourceRead", 20, 5, (*Server).describeRisk},
	"SetRiskConfiguration":        {"UserPoolResourceUpdate", 15, 5, (*Server).setRisk},
	"GetLogDeliveryConfiguration": {"", 0, 0, (*Server).getLogs},
	"SetLogDeliveryConfiguration": {"", 0, 0, (*Server).setLogs},
	"ListUserPoolClients":         {"UserPoolClientRead", 15, 5, (*Server).listClients},
	"DescribeUserPoolClient":      {"UserPoolClientRead", 15, 5, (*Server).describeClient},
	"CreateUserPoolClient":        {"UserPoolClientUpdate", 15, 5, (*Server).createClient},
	"UpdateUserPoolClient":        {"UserPoolClientUpdate", 15, 5, (*Server).updateClient},
}

func (s *Server) perform(call *Call) (any, error) {
	name, request := call.Operation, decode(call.Body)
	o, ok := operations[name]
	switch {
	case call.PoolID != "" && !s.allows(name+" "+call.PoolID, o.pool), !s.allows(o.category, o.perSecond):
		return nil, &failure{Code: "TooManyRequestsException", Message: "Rate exceeded"}
	case request == nil:
		return nil, &failure{Code: "SerializationException", Message: "the body is not a JSON object"}
	case !ok:
		return nil, &failure{Code: "UnknownOperationException", Message: "no operation " + name}
	case name == "ListUserPools" || name == "CreateUserPool":
		return o.run(s, nil, request)
	}
	id := text(request, "UserPoolId")
	if !baseline.IsPoolID(id) {
		return nil, constraint(id, "userPoolId", "Member must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+")
	}
	p, ok := s.pools[id]
	if !ok {
		return nil, &failure{Code: "ResourceNotFoundException", Message: "User pool " + id + " does not exist."}
	}
	needsClient := name == "DescribeUserPoolClient" || name == onClient
	if client := text(request, "ClientId"); (client != "" || needsClient) && p.clients[client] == nil {
		return nil, &failure{Code: "ResourceNotFoundException", Message: "User pool client " + client + " does not exist."}
	}
	return o.run(s, p, request)
}

func arn(id string) string {
	return fmt.Sprintf("arn:aws:cognito-idp:%s:%s:userpool/%s", region, account, id)
}

// createUserPool creates a pool with the defaults, and then updates it.
func (s *Server) createUserPool(_ *pool, request object) (any, error) {
	if baseline.Empty(request["PoolName"]) {
		return nil, missing("poolName")
	}
	s.serial++
	id := fmt.Sprintf("%s_Fake%05d", region, s.serial)
	p := newPool(clone(resets))
	maps.Copy(p.userPool, object{"Id": id, "Arn": arn(id), "CreationDate": created})
	// Other calls cannot set these members. They are stored unchanged, without Schema.
	for _, only := range []string{"AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Schema"} {
		if v, given := request[only]; given && only != "Schema" {
			p.userPool[only] = v
		}
		delete(request, only)
	}
	p.mfaConfig["MfaConfiguration"] = cmp.Or(request["MfaConfiguration"], any("OFF"))
	if request["SmsConfiguration"] != nil && p.mfaConfig["MfaConfiguration"] != "OFF" {
		p.mfaConfig["SmsMfaConfiguration"] = object{}
	}
	if _, err := s.updateUserPool(p, request); err != nil {
		return nil, err
	}
	s.pools[id] = p
	return s.describeUserPool(p, nil)
}

func (s *Server) deleteUserPool(p *pool, request object) (any, error) {
	if p.userPool["DeletionProtection"] == "ACTIVE" {
		return nil, invalid("The user pool cannot be deleted because deletion protection is activated. Deletion " +
			"protection must be inactivated first.")
	}
	delete(s.pools, text(request, "UserPoolId"))
	return object{}, nil
}

func (s *Server) describeUserPool(p *pool, _ object) (any, error) {
	return object{"UserPool": clone(p.userPool)}, nil
}

func (s *Server) listUserPools(_ *pool, request object) (any, error) {
	if request["MaxResults"] == nil {
		return nil, missing("maxResults")
	}
	return page(s.pools, request, "UserPools", func(id string) object {
		pool := s.pools[id].userPool
		return object{"Id": id, "Name": pool["Name"], "CreationDate": pool["CreationDate"],
			"LastModifiedDate": pool["LastModifiedDate"]}
	})
}

func page[V any](all map[string]V, request object, name string, show func(id string) object) (any, error) {
	most := int64(60)
	if size, given := request["MaxResults"]; given {
		if err := validateValue(baseline.Member{Kind: baseline.Integer, Min: 1, Max: most}, size, "maxResults"); err != nil {
			return nil, err
		}
		most, _ = size.(json.Number).Int64()
	}
	ids := slices.Sorted(maps.Keys(all))
	start, _ := slices.BinarySearch(ids, text(request, "NextToken"))
	answer, ids := object{}, ids[start:]
	if int64(len(ids)) > most {
		answer["NextToken"], ids = ids[most], ids[:most]
	}
	shown := []any{}
	for _, id := range ids {
		shown = append(shown, show(id))
	}
	answer[name] = shown
	return answer, nil
}

func invalid(format string, args ...any) *failure {
	return &failure{Code: "InvalidParameterException", Message: fmt.Sprintf(format, args...)}
}

func missing(path string) *failure {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be "+
		"null", path)
}
