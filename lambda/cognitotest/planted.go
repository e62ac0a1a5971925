package cognitotest

import (
	_ "embed" // for rich.json
	"encoding/json"
	"maps"
	"strings"

	"poolkeeper/baseline"
)

type object = map[string]any

// A pool is the raw state of one user pool, with the member names of the read calls.
type pool struct {
	userPool, mfaConfig object
	risk                map[string]object // by client; "" is the pool's
	clients             map[string]object // by id, with secrets
	logs                []any             // nil if the pool never had any
}

func newPool(userPool object) *pool {
	return &pool{userPool: userPool, mfaConfig: object{}, risk: map[string]object{}, clients: map[string]object{}}
}

// Put stores a copy of a pool unchanged, with the member names of the read calls. It adds Id, Arn and Name if they are
// missing.
func (s *Server) Put(id string, userPool, mfaConfig map[string]any) {
	defer s.lock()()
	p := newPool(object{"Arn": arn(id), "Name": "pool"})
	maps.Copy(p.userPool, planted(userPool))
	maps.Copy(p.mfaConfig, planted(mfaConfig))
	p.userPool["Id"] = id
	s.pools[id] = p
}

// Pool returns a copy of the raw state of a pool: what the read calls return, except for an SMS block that is not a
// factor.
func (s *Server) Pool(id string) (userPool, mfaConfig map[string]any, ok bool) {
	defer s.lock()()
	p, ok := s.pools[id]
	if ok {
		userPool, mfaConfig = clone(p.userPool), clone(p.mfaConfig)
	}
	return userPool, mfaConfig, ok
}

// Edit changes a pool without a call, like a concurrent writer.
func (s *Server) Edit(id string, edit func(userPool, mfaConfig map[string]any)) {
	defer s.lock()()
	if p, ok := s.pools[id]; ok {
		p.change(edit)
	}
}

// change lets a caller's function change the pool, and stores a copy of the result.
func (p *pool) change(edit func(userPool, mfaConfig map[string]any)) {
	edit(p.userPool, p.mfaConfig)
	p.userPool, p.mfaConfig = planted(p.userPool), planted(p.mfaConfig)
}

// PutClient stores an app client unchanged, with its secret in Secrets Manager if the client says so.
func (s *Server) PutClient(id, client string, document map[string]any) {
	defer s.lock()()
	document = planted(document)
	document["UserPoolId"], document["ClientId"] = id, client
	publish(document)
	s.pools[id].clients[client] = document
}

// Client returns a copy of an app client, or nil.
func (s *Server) Client(id, client string) map[string]any {
	defer s.lock()()
	return clone(s.pools[id].clients[client])
}

// RemoveClient removes an app client without a call, like another caller.
func (s *Server) RemoveClient(id, client string) {
	defer s.lock()()
	delete(s.pools[id].clients, client)
	delete(s.pools[id].risk, client)
}

// PutRisk stores the risk configuration of a pool or of one of its clients.
func (s *Server) PutRisk(id, client string, risk map[string]any) {
	defer s.lock()()
	s.pools[id].risk[client] = planted(risk)
}

// Risk returns a copy of the risk configuration of a pool, or of one of its clients, whether threat protection is on
// or not.
func (s *Server) Risk(id, client string) map[string]any {
	defer s.lock()()
	return clone(s.pools[id].risk[client])
}

// PutLogs stores the log configurations of a pool.
func (s *Server) PutLogs(id string, logs []any) {
	defer s.lock()()
	s.pools[id].logs, _ = planted(object{"logs": logs})["logs"].([]any)
}

// Logs returns a copy of the log configurations of a pool.
func (s *Server) Logs(id string) []any {
	defer s.lock()()
	return clone(s.pools[id].logs)
}

// setDefaults sets copies of the members that an object does not have.
func setDefaults(o, defaults object) {
	for name, v := range defaults {
		if _, ok := o[name]; !ok {
			o[name] = clone(v)
		}
	}
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}

func at(v any, path string) any { return baseline.At(v, strings.Split(path, ".")) }

func text(o object, path string) string {
	text, _ := at(o, path).(string)
	return text
}

// elements returns the elements of a list that are of a type.
func elements[T any](list any) []T {
	values, _ := list.([]any)
	var all []T
	for _, v := range values {
		if one, ok := v.(T); ok {
			all = append(all, one)
		}
	}
	return all
}

func clone[T any](v T) T {
	copied, _ := baseline.Clone(v).(T)
	return copied
}

// planted returns a copy of what a test plants, with numbers as the wire has them.
func planted(o object) object {
	raw, err := json.Marshal(clone(o)) // in which a nil list is an empty one
	if err != nil {
		panic(err) // the test's value is no JSON
	}
	return decode(raw) // nil if o is nil
}

//go:embed rich.json
var richJSON []byte

// Rich returns a pool with every member set to a realistic value. Every message text and secret contains the word
// CANARY, so that tests can detect a leak. The fake accepts the documents if they are written back.
func Rich() (userPool, mfaConfig map[string]any) {
	rich := decode(richJSON)
	return asObject(rich["userPool"]), asObject(rich["mfaConfig"])
}

// RichClient is the id of the client web-app of PutRich.
const RichClient = "4rich2client8of0web"

// PutRich stores a pool with everything: Rich, its risk configuration and logs, and two clients, RichClient and
// "mobile". RichClient has its own risk configuration.
func (s *Server) PutRich(id string) {
	rich := decode(richJSON)
	s.Put(id, asObject(rich["userPool"]), asObject(rich["mfaConfig"]))
	s.PutRisk(id, "", asObject(rich["risk"]))
	s.PutRisk(id, RichClient, asObject(rich["risk"]))
	s.PutLogs(id, elements[any](rich["logs"]))
	s.PutClient(id, RichClient, asObject(rich["client"]))
	s.PutClient(id, "mobile", asObject(rich["mobile"]))
}
