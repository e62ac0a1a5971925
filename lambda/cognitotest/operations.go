package cognitotest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"poolkeeper/baseline"
)

// A category of calls has a rate per account and Region, and possibly one per pool.
type category struct {
	name            string
	perSecond, pool int
}

// The documented categories. Log delivery calls have none.
var (
	poolRead       = category{"UserPoolRead", 15, 0}
	poolUpdate     = category{"UserPoolUpdate", 15, 0}
	resourceRead   = category{"UserPoolResourceRead", 20, 5}
	resourceUpdate = category{"UserPoolResourceUpdate", 15, 5}
	clientRead     = category{"UserPoolClientRead", 15, 5}
	clientUpdate   = category{"UserPoolClientUpdate", 15, 5}
)

// An operation is a call that the fake supports. It runs under the server's lock. p is the pool of the call.
type operation struct {
	category
	run func(s *Server, p *pool, request object) (any, error)
}

var operations = map[string]operation{
	"CreateUserPool":       {poolUpdate, (*Server).createUserPool},
	"DeleteUserPool":       {poolUpdate, (*Server).deleteUserPool},
	"DescribeUserPool":     {poolRead, (*Server).describeUserPool},
	"UpdateUserPool":       {poolUpdate, (*Server).updateUserPool},
	"ListUserPools":        {poolRead, (*Server).listUserPools},
	"GetUserPoolMfaConfig": {resourceRead, (*Server).getMfaConfig},
	"SetUserPoolMfaConfig": {resourceUpdate, (*Server).setMfaConfig},

	"DescribeRiskConfiguration":   {resourceRead, (*Server).describeRisk},
	"SetRiskConfiguration":        {resourceUpdate, (*Server).setRisk},
	"GetLogDeliveryConfiguration": {category{}, (*Server).getLogs},
	"SetLogDeliveryConfiguration": {category{}, (*Server).setLogs},
	"ListUserPoolClients":         {clientRead, (*Server).listClients},
	"DescribeUserPoolClient":      {clientRead, (*Server).describeClient},
	"CreateUserPoolClient":        {clientUpdate, (*Server).createClient},
	"UpdateUserPoolClient":        {clientUpdate, (*Server).updateClient},
}

var poolID = regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`)

func (s *Server) perform(name string, request object) (any, error) {
	operation, ok := operations[name]
	if !ok {
		return nil, &failure{Code: "UnknownOperationException", Message: "no operation " + name}
	}
	if name == "ListUserPools" || name == "CreateUserPool" {
		return operation.run(s, nil, request)
	}
	id := text(request, "UserPoolId")
	if !poolID.MatchString(id) || len(id) > 55 {
		return nil, constraint(id, "userPoolId", "Member must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+")
	}
	p, ok := s.pools[id]
	if !ok {
		return nil, notFound("User pool " + id)
	}
	needsClient := name == "DescribeUserPoolClient" || name == onClient
	if client := text(request, "ClientId"); (client != "" || needsClient) && p.clients[client] == nil {
		return nil, notFound("User pool client " + client)
	}
	return operation.run(s, p, request)
}

func notFound(what string) *failure {
	return &failure{Code: "ResourceNotFoundException", Message: what + " does not exist."}
}

func arn(id string) string {
	return fmt.Sprintf("arn:aws:cognito-idp:%s:%s:userpool/%s", region, account, id)
}

// createOnly are the members that can be set only when a pool is created. They are stored unchanged.
var createOnly = []string{"AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Schema"}

// createUserPool creates a pool with the defaults, and then updates it.
func (s *Server) createUserPool(_ *pool, request object) (any, error) {
	if baseline.Empty(request["PoolName"]) {
		return nil, missing("poolName")
	}
	s.serial++
	id := fmt.Sprintf("%s_Fake%05d", region, s.serial)
	settings := object{"UserPoolId": id}
	maps.Copy(settings, request)
	p := newPool(clone(resets))
	maps.Copy(p.userPool, object{"Id": id, "Arn": arn(id), "CreationDate": created})
	for _, only := range createOnly {
		if v, given := settings[only]; given && only != "Schema" {
			p.userPool[only] = clone(v)
		}
		delete(settings, only)
	}
	p.mfaConfig["MfaConfiguration"] = cmp.Or(request["MfaConfiguration"], any("OFF"))
	if request["SmsConfiguration"] != nil && p.mfaConfig["MfaConfiguration"] != "OFF" {
		p.mfaConfig["SmsMfaConfiguration"] = object{}
	}
	if _, err := s.updateUserPool(p, settings); err != nil {
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

func (s *Server) getMfaConfig(p *pool, _ object) (any, error) { return p.shownMFA(), nil }

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
	if after, _ := request["NextToken"].(string); after != "" {
		i, _ := slices.BinarySearch(ids, after)
		ids = ids[i:]
	}
	answer := object{}
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
