package cognitotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// Put plants a pool just as it is given, under the names of the read calls, and copies it. Id, Arn and Name are filled in where they are missing.
func (s *Server) Put(id string, userPool, mfaConfig map[string]any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p := &pool{userPool: cloneObject(userPool), mfaConfig: cloneObject(mfaConfig), more: newMore()}
	if p.mfaConfig == nil {
		p.mfaConfig = map[string]any{}
	}
	if p.userPool == nil {
		p.userPool = map[string]any{}
	}
	p.userPool["Id"] = id
	setDefault(p.userPool, "Arn", s.arn(id))
	setDefault(p.userPool, "Name", "pool")
	s.pools[id] = p
}

// Pool returns a copy of the raw state of a pool as the read calls show it.
func (s *Server) Pool(id string) (userPool, mfaConfig map[string]any, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p, ok := s.pools[id]
	if !ok {
		return nil, nil, false
	}
	return cloneObject(p.userPool), cloneObject(p.mfaConfig), true
}

// Edit changes a pool behind everybody's back, as a concurrent writer does.
func (s *Server) Edit(id string, edit func(userPool, mfaConfig map[string]any)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if p, ok := s.pools[id]; ok {
		p.change(edit)
	}
}

// change lets a function of somebody else's change the pool, and keeps nothing of what it planted but a copy.
func (p *pool) change(edit func(userPool, mfaConfig map[string]any)) {
	edit(p.userPool, p.mfaConfig)
	p.userPool, p.mfaConfig = cloneObject(p.userPool), cloneObject(p.mfaConfig)
}

func (s *Server) arn(id string) string {
	return fmt.Sprintf("arn:aws:cognito-idp:%s:%s:userpool/%s", s.region, s.account, id)
}

var poolID = regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`)

func (s *Server) pool(request map[string]any) (*pool, error) {
	id, _ := request["UserPoolId"].(string)
	if !poolID.MatchString(id) || len(id) > 55 {
		return nil, invalid("1 validation error detected: Value '%s' at 'userPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+", id)
	}
	p, ok := s.pools[id]
	if !ok {
		return nil, &failure{Code: "ResourceNotFoundException", Message: "User pool " + id + " does not exist."}
	}
	return p, nil
}

// createOnly are the members that a pool is created with and that no update has. They are taken as they are, except for Schema: every
// pool has the standard attributes.
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
	return cloneObject(p.mfaConfig), nil
}

func (s *Server) deleteUserPool(request map[string]any) (any, error) {
	p, err := s.pool(request)
	if err != nil {
		return nil, err
	}
	if p.userPool["DeletionProtection"] == "ACTIVE" {
		return nil, invalid("The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.")
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

func (s *Server) tagged(request map[string]any) (*pool, error) {
	return s.pool(map[string]any{"UserPoolId": named(request)})
}

func (s *Server) tagResource(request map[string]any) (any, error) {
	p, err := s.tagged(request)
	if err != nil {
		return nil, err
	}
	if request["Tags"] == nil {
		return nil, missing("tags")
	}
	tags := cloneObject(object(p.userPool["UserPoolTags"]))
	if tags == nil {
		tags = map[string]any{}
	}
	for k, v := range object(request["Tags"]) {
		tags[k] = v
	}
	if err := s.judgeTags(request["Tags"], tags); err != nil {
		return nil, err
	}
	p.userPool["UserPoolTags"] = tags
	return map[string]any{}, nil
}

func (s *Server) untagResource(request map[string]any) (any, error) {
	p, err := s.tagged(request)
	if err != nil {
		return nil, err
	}
	tags, _ := p.userPool["UserPoolTags"].(map[string]any)
	keys, ok := request["TagKeys"].([]any)
	if !ok {
		return nil, missing("tagKeys")
	}
	for _, k := range keys {
		if key, _ := k.(string); s.validators && strings.HasPrefix(key, systemTag) {
			return nil, invalid("Tag keys that begin with %s are reserved", systemTag)
		}
	}
	for _, k := range keys {
		key, _ := k.(string)
		delete(tags, key)
	}
	return map[string]any{}, nil
}

// judgeTags holds tags that are added, and all that the pool has then, against the table.
func (s *Server) judgeTags(given any, all map[string]any) error {
	if !s.validators {
		return nil
	}
	var broken *failure
	if errors.As(validate(userPoolTable(), map[string]any{"UserPoolTags": given}), &broken) {
		return invalid("%s", broken.Message)
	}
	own := 0
	for key := range all {
		if !strings.HasPrefix(key, systemTag) {
			own++
		}
	}
	if own > 50 {
		return invalid("A resource has at most 50 tags")
	}
	return nil
}

func (s *Server) listTags(request map[string]any) (any, error) {
	p, err := s.tagged(request)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Tags": clone(p.userPool["UserPoolTags"])}, nil
}

func invalid(format string, args ...any) *failure {
	return &failure{Code: "InvalidParameterException", Message: fmt.Sprintf(format, args...)}
}

func missing(path string) *failure {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", path)
}

func setDefault(object map[string]any, name string, v any) {
	if _, ok := object[name]; !ok {
		object[name] = v
	}
}

func cloneObject(o map[string]any) map[string]any {
	c, _ := clone(o).(map[string]any)
	return c
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return map[string]any(nil)
		}
		c := make(map[string]any, len(v))
		for k, e := range v {
			c[k] = clone(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = clone(e)
		}
		return c
	case int:
		return json.Number(strconv.Itoa(v)) // as a test may plant it
	default:
		return v
	}
}
