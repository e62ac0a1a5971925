package userpool

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"poolkeeper/baseline"
)

// A State is everything that was read of one pool: each document as the raw JSON object of its answer.
type State struct {
	ID        string
	Documents map[baseline.DocumentName]map[string]any
}

// Identity returns what a baseline selects pools by.
func (s State) Identity() baseline.Identity {
	pool := s.Documents[baseline.UserPool]
	id := baseline.Identity{ID: s.ID, Tags: map[string]string{}}
	id.Name, _ = pool["Name"].(string)
	tags, _ := pool["UserPoolTags"].(map[string]any)
	for k, v := range tags {
		if text, ok := v.(string); ok {
			id.Tags[k] = text
		}
	}
	return id
}

// Settings returns the pool as one flat space of settings under the names that a baseline uses, ready for baseline.Compare. It
// shares its values with the state and must not be changed.
func (s State) Settings() map[string]any { return s.written().flat() }

// Lacks returns those of the debts whose setting the pool no longer has.
func (s State) Lacks(owed []baseline.Drift) []baseline.Drift {
	var lost []baseline.Drift
	for _, d := range owed {
		if baseline.Empty(s.written().get(d.Setting)) {
			lost = append(lost, d)
		}
	}
	return lost
}

// Leaves returns the normalised non-empty leaves of the state, by dotted path, for telling what moved between two states.
// Members that the table lacks are among them; those that no call writes are not.
func (s State) Leaves() map[string]string {
	return s.written().leaves()
}

// documents holds the documents of a pool under the names of the write calls, without the members that no call writes.
type documents map[baseline.DocumentName]map[string]any

// written returns the state under the names of the write calls: PoolName for Name, without Arn, Status and their like.
// Its top-level values are the state's own.
func (s State) written() documents {
	docs := documents{}
	for _, table := range baseline.Documents() {
		object := map[string]any{}
		known := map[string]bool{}
		for _, m := range table.Members {
			read := readName(m)
			known[read] = true
			if v, ok := s.Documents[table.Name][read]; ok && m.Trip == baseline.Echo && v != nil {
				object[m.Name] = v
			}
		}
		for name, v := range s.Documents[table.Name] {
			if !known[name] && v != nil {
				object[name] = v
			}
		}
		docs[table.Name] = object
	}
	docs[baseline.UserPool] = withoutSystemTags(docs[baseline.UserPool])
	return docs
}

// liveMFA is the pool's MfaConfiguration. GetUserPoolMfaConfig is the authority; DescribeUserPool is asked only where it is silent.
func (s State) liveMFA() string {
	for _, name := range []baseline.DocumentName{baseline.MfaConfig, baseline.UserPool} {
		if v, _ := s.Documents[name]["MfaConfiguration"].(string); v != "" {
			return v
		}
	}
	return ""
}

// withoutSystemTags leaves out the tags whose key AWS reserves: no caller can write or remove them.
func withoutSystemTags(pool map[string]any) map[string]any {
	tags, ok := pool["UserPoolTags"].(map[string]any)
	if !ok {
		return pool
	}
	own := make(map[string]any, len(tags))
	for k, v := range tags {
		if !strings.HasPrefix(k, "aws:") {
			own[k] = v
		}
	}
	pool["UserPoolTags"] = own
	return pool
}

func (d documents) clone() documents {
	c := documents{}
	for name, object := range d {
		c[name] = cloneObject(object)
	}
	return c
}

func (d documents) flat() map[string]any {
	all := map[string]any{}
	for _, table := range baseline.Documents() {
		for k, v := range d[table.Name] {
			all[k] = v
		}
	}
	return all
}

func (d documents) leaves() map[string]string {
	all := map[string]string{}
	for _, table := range baseline.Documents() {
		for path, v := range baseline.Leaves(table.Members, d[table.Name]) {
			all[path] = v
		}
	}
	return all
}

// at returns the document that holds the setting; a setting that no document has yields an empty one.
func (d documents) at(setting string) map[string]any {
	name, _ := baseline.DocumentOf(setting)
	return d[name]
}

func (d documents) get(setting string) any { return get(d.at(setting), setting) }

func readName(m baseline.Member) string {
	if m.ReadName != "" {
		return m.ReadName
	}
	return m.Name
}

// parts splits a setting's path; the key of a map is one part, dots and all.
func parts(setting string) []string {
	var split []string
	for rest, at := setting, ""; ; {
		name, below, more := strings.Cut(rest, ".")
		split = append(split, name)
		at = strings.TrimPrefix(at+"."+name, ".")
		if !more {
			return split
		}
		if m, ok := baseline.Lookup(at); ok && m.Kind == baseline.Map && m.Elem.Kind != baseline.Object {
			return append(split, below)
		}
		rest = below
	}
}

// Digest returns "sha256:" and the hash, in hex, of everything that a write could change of the pool, whatever the order of its members. What changes by itself,
// such as the estimated number of users, is no part of it.
func (s State) Digest() string {
	raw, err := json.Marshal(s.written()) // keys are sorted, numbers keep their text
	if err != nil {
		return "" // raw JSON always encodes
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}
