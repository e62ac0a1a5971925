package cognitotest

import (
	"encoding/json"
	"strconv"
)

// Put plants a pool just as it is given, under the names of the read calls, and copies it. Id, Arn and Name are filled
// in where they are missing.
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

// Pool returns a copy of the raw state of a pool: what the read calls show, but for the SMS block that is no factor.
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
