package cognitotest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// operations are the calls that the fake takes. They run under the server's lock.
var operations = map[string]func(*Server, map[string]any) (any, error){
	"CreateUserPool":       (*Server).createUserPool,
	"DescribeUserPool":     (*Server).describeUserPool,
	"UpdateUserPool":       (*Server).updateUserPool,
	"DeleteUserPool":       (*Server).deleteUserPool,
	"ListUserPools":        (*Server).listUserPools,
	"GetUserPoolMfaConfig": (*Server).getMfaConfig,
	"SetUserPoolMfaConfig": (*Server).setMfaConfig,
	"TagResource":          (*Server).tagResource,
	"UntagResource":        (*Server).untagResource,
	"ListTagsForResource":  (*Server).listTags,

	"DescribeRiskConfiguration":   (*Server).describeRisk,
	"SetRiskConfiguration":        (*Server).setRisk,
	"GetLogDeliveryConfiguration": (*Server).getLogs,
	"SetLogDeliveryConfiguration": (*Server).setLogs,
	"ListUserPoolClients":         (*Server).listClients,
	"DescribeUserPoolClient":      (*Server).describeClient,
	"CreateUserPoolClient":        (*Server).createClient,
	"UpdateUserPoolClient":        (*Server).updateClient,
	"DeleteUserPoolClient":        (*Server).deleteClient,
}

func (s *Server) arn(id string) string {
	return fmt.Sprintf("arn:aws:cognito-idp:%s:%s:userpool/%s", s.region, s.account, id)
}

var poolID = regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`)

func (s *Server) pool(request map[string]any) (*pool, error) {
	id, _ := request["UserPoolId"].(string)
	if !poolID.MatchString(id) || len(id) > 55 {
		return nil, invalid("1 validation error detected: Value '%s' at 'userPoolId' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+", id)
	}
	p, ok := s.pools[id]
	if !ok {
		return nil, &failure{Code: "ResourceNotFoundException", Message: "User pool " + id + " does not exist."}
	}
	return p, nil
}

// createOnly are the members that a pool is created with and that no update has. They are taken as they are, except
// for Schema: every pool has the standard attributes.
var createOnly = []string{"AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Schema"}

func (s *Server) createUserPool(request map[string]any) (any, error) {
	name, _ := request["PoolName"].(string)
	if name == "" {
		return nil, missing("poolName")
	}
	if s.validators {
		settings := cloneObject(request)
		for _, only := range createOnly {
			delete(settings, only)
		}
		if err := validate(userPoolTable(), settings); err != nil {
			return nil, err
		}
	}
	s.serial++
	id := fmt.Sprintf("%s_Fake%05d", s.region, s.serial)
	p := &pool{userPool: map[string]any{}, mfaConfig: map[string]any{}, more: newMore()}
	for k, v := range request {
		p.userPool[k] = clone(v)
	}
	delete(p.userPool, "PoolName")
	delete(p.userPool, "Schema")
	p.userPool["Id"], p.userPool["Arn"], p.userPool["Name"] = id, s.arn(id), name
	p.userPool["CreationDate"], p.userPool["LastModifiedDate"] = json.Number("1767225600.0"), json.Number("1767225600.0")
	p.userPool["SchemaAttributes"] = standardAttributes()
	setDefault(p.userPool, "MfaConfiguration", "OFF")
	setDefault(p.userPool, "DeletionProtection", "INACTIVE")
	setDefault(p.userPool, "UserPoolTier", "ESSENTIALS")
	setDefault(p.userPool, "LambdaConfig", map[string]any{})
	setDefault(p.userPool, "UserPoolTags", map[string]any{})
	setDefault(p.userPool, "Policies", resets("Policies"))
	setDefault(p.userPool, "VerificationMessageTemplate", resets("VerificationMessageTemplate"))
	setDefault(p.userPool, "EmailConfiguration", resets("EmailConfiguration"))
	setDefault(p.userPool, "AdminCreateUserConfig", resets("AdminCreateUserConfig"))
	p.mfaConfig["MfaConfiguration"] = p.userPool["MfaConfiguration"]
	if p.userPool["SmsConfiguration"] != nil && p.userPool["MfaConfiguration"] != "OFF" {
		p.mfaConfig["SmsMfaConfiguration"] = map[string]any{}
	}
	empty := &pool{userPool: map[string]any{}, mfaConfig: p.mfaConfig}
	mirrorPool(empty, p, request)
	if s.validators {
		if err := judge("CreateUserPool", change{request: request, old: empty, next: p}); err != nil {
			return nil, err
		}
	}
	s.pools[id] = p
	return map[string]any{"UserPool": cloneObject(p.userPool)}, nil
}

func (s *Server) describeUserPool(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	return map[string]any{"UserPool": cloneObject(p.userPool)}, nil
}

func (s *Server) getMfaConfig(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	return p.shownMFA(), nil
}

func (s *Server) deleteUserPool(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	if p.userPool["DeletionProtection"] == "ACTIVE" {
		return nil, invalid("The user pool cannot be deleted because deletion protection is activated. Deletion " +
			"protection must be inactivated first.")
	}
	delete(s.pools, request["UserPoolId"].(string))
	return map[string]any{}, nil
}

func (s *Server) listUserPools(request map[string]any) (any, error) {
	size, _ := request["MaxResults"].(json.Number)
	most, err := size.Int64()
	switch {
	case err != nil:
		return nil, missing("maxResults")
	case most < 1:
		return nil, constraint(size, "maxResults", "Member must have value greater than or equal to 1")
	case most > 60:
		return nil, constraint(size, "maxResults", "Member must have value less than or equal to 60")
	}
	var ids []string
	for id := range s.pools {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if after, _ := request["NextToken"].(string); after != "" {
		i, _ := slices.BinarySearch(ids, after)
		ids = ids[i:]
	}
	answer := map[string]any{}
	if int64(len(ids)) > most {
		answer["NextToken"], ids = ids[most], ids[:most]
	}
	pools := []any{}
	for _, id := range ids {
		pools = append(pools, map[string]any{"Id": id, "Name": s.pools[id].userPool["Name"]})
	}
	answer["UserPools"] = pools
	return answer, nil
}

func invalid(format string, args ...any) *failure {
	return &failure{Code: "InvalidParameterException", Message: fmt.Sprintf(format, args...)}
}

func missing(path string) *failure {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be "+
		"null", path)
}
