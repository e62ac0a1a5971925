package cognitotest

import (
	_ "embed" // for rich.json
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"poolkeeper/baseline"
)

type object = map[string]any

// A pool is the raw state of one user pool, under the names of the read calls.
type pool struct {
	userPool, mfaConfig object
	risk                map[string]object // by client; "" is the pool's
	clients             map[string]object // by id, secrets and all
	logs                []any             // nil: the pool never had any
}

func newPool(userPool object) *pool {
	p := &pool{userPool: object{}, mfaConfig: object{}, risk: map[string]object{}, clients: map[string]object{}}
	maps.Copy(p.userPool, cloneObject(userPool))
	return p
}

// Put plants a pool just as it is given, under the names of the read calls, and copies it. Id, Arn and Name are filled
// in where they are missing.
func (s *Server) Put(id string, userPool, mfaConfig map[string]any) {
	defer s.lock()()
	p := newPool(userPool)
	maps.Copy(p.mfaConfig, cloneObject(mfaConfig))
	p.userPool["Id"] = id
	setDefault(p.userPool, "Arn", s.arn(id))
	setDefault(p.userPool, "Name", "pool")
	s.pools[id] = p
}

// Pool returns a copy of the raw state of a pool: what the read calls show, but for the SMS block that is no factor.
func (s *Server) Pool(id string) (userPool, mfaConfig map[string]any, ok bool) {
	defer s.lock()()
	p, ok := s.pools[id]
	if !ok {
		return nil, nil, false
	}
	return cloneObject(p.userPool), cloneObject(p.mfaConfig), true
}

// Edit changes a pool behind everybody's back, as a concurrent writer does.
func (s *Server) Edit(id string, edit func(userPool, mfaConfig map[string]any)) {
	defer s.lock()()
	if p, ok := s.pools[id]; ok {
		p.change(edit)
	}
}

// change lets a function of somebody else's change the pool, and keeps nothing of what it planted but a copy.
func (p *pool) change(edit func(userPool, mfaConfig map[string]any)) {
	edit(p.userPool, p.mfaConfig)
	p.userPool, p.mfaConfig = cloneObject(p.userPool), cloneObject(p.mfaConfig)
}

// PutClient plants an app client as it is given, with its secret in Secrets Manager if it says so.
func (s *Server) PutClient(id, client string, document map[string]any) {
	defer s.lock()()
	document = cloneObject(document)
	document["UserPoolId"], document["ClientId"] = id, client
	publish(document)
	s.pools[id].clients[client] = document
}

// Client returns a copy of an app client, or nil.
func (s *Server) Client(id, client string) map[string]any {
	defer s.lock()()
	return cloneObject(s.pools[id].clients[client])
}

// RemoveClient takes an app client away, as somebody else does.
func (s *Server) RemoveClient(id, client string) {
	defer s.lock()()
	delete(s.pools[id].clients, client)
	delete(s.pools[id].risk, client)
}

// PutRisk plants the risk configuration of a pool, or of one of its clients.
func (s *Server) PutRisk(id, client string, risk map[string]any) {
	defer s.lock()()
	s.pools[id].risk[client] = cloneObject(risk)
}

// Risk returns a copy of the risk configuration of a pool, or of one of its clients, whether threat protection is on
// or not.
func (s *Server) Risk(id, client string) map[string]any {
	defer s.lock()()
	return cloneObject(s.pools[id].risk[client])
}

// PutLogs plants the log configurations of a pool.
func (s *Server) PutLogs(id string, logs []any) {
	defer s.lock()()
	s.pools[id].logs, _ = clone(logs).([]any)
}

// Logs returns a copy of the log configurations of a pool.
func (s *Server) Logs(id string) []any {
	defer s.lock()()
	logs, _ := clone(s.pools[id].logs).([]any)
	return logs
}

func setDefault(o object, name string, v any) {
	if _, ok := o[name]; !ok {
		o[name] = v
	}
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}

func at(v any, path string) any {
	return baseline.At(v, strings.Split(path, "."))
}

func text(o object, path string) string {
	text, _ := at(o, path).(string)
	return text
}

func texts(v any) []string {
	values, _ := v.([]any)
	var all []string
	for _, v := range values {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func elements(o object, path string) []object {
	values, _ := at(o, path).([]any)
	var all []object
	for _, v := range values {
		all = append(all, asObject(v))
	}
	return all
}

func cloneObject(o object) object { return asObject(clone(o)) }

func clone(v any) any {
	switch v := v.(type) {
	case object:
		if v == nil {
			return object(nil)
		}
		c := make(object, len(v))
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

//go:embed rich.json
var richJSON []byte

// rich returns one of the documents of the rich pool, which is in a state that the fake takes when it is echoed.
func rich(name string) any {
	all, err := decode(richJSON)
	if err != nil {
		panic(err)
	}
	return all[name]
}

// Rich returns a pool of which every member is set to a value as production has it. Every message text and secret
// holds the word CANARY, so that a test can tell whether one leaked.
func Rich() (userPool, mfaConfig map[string]any) {
	return asObject(rich("userPool")), asObject(rich("mfaConfig"))
}

// RichClient is the id of the client web-app that PutRich plants.
const RichClient = "4rich2client8of0web"

// PutRich plants a pool with everything that there is: Rich, its risk configuration and logs, and two clients,
// RichClient and "mobile", of which the former has a risk configuration of its own.
func (s *Server) PutRich(id string) {
	pool, mfa := Rich()
	s.Put(id, pool, mfa)
	s.PutRisk(id, "", asObject(rich("risk")))
	s.PutRisk(id, RichClient, asObject(rich("risk")))
	logs, _ := rich("logs").([]any)
	s.PutLogs(id, logs)
	s.PutClient(id, RichClient, asObject(rich("client")))
	mobile := asObject(rich("client"))
	mobile["ClientName"] = "mobile-app"
	mobile["ExplicitAuthFlows"] = []any{"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
	mobile["PublishSecretsInAWSSecretsManager"] = true
	delete(mobile, "RefreshTokenRotation")
	s.PutClient(id, "mobile", mobile)
}
