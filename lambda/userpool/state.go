package userpool

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A State is what was read of one pool: each document as the raw JSON object of its answer, but for the secrets of clients, which stay behind. A document that was not
// asked for is missing; nil is one that the pool does not offer for now, such as the risk configuration while threat protection is off.
type State struct {
	ID        string
	Documents map[baseline.DocumentName]map[string]any
	Clients   []baseline.ClientIdentity // those of which documents were wanted
}

// Has says whether the document was read, and so far that it can be judged and written: of the pool itself, both documents are needed for that, as one carries what the
// other holds.
func (s State) Has(name baseline.DocumentName) bool {
	_, ok := s.Documents[name]
	if _, both := s.Documents[baseline.MfaConfig]; name == baseline.UserPool {
		return ok && both
	}
	return ok
}

// off says whether the pool does not offer the document for now.
func (s State) off(name baseline.DocumentName) bool {
	object, ok := s.Documents[name]
	return ok && object == nil
}

// Names returns the names of the documents that were read: those of the pool in the order of the table, then those of each client.
func (s State) Names() []baseline.DocumentName { return namesOf(s.Documents) }

func namesOf(docs map[baseline.DocumentName]map[string]any) []baseline.DocumentName {
	names := make([]baseline.DocumentName, 0, len(docs))
	for name := range docs {
		names = append(names, name)
	}
	place := func(n baseline.DocumentName) int {
		return slices.IndexFunc(baseline.Documents(), func(d baseline.Document) bool { return d.Name == n.Kind() })
	}
	slices.SortFunc(names, func(a, b baseline.DocumentName) int {
		return cmp.Or(strings.Compare(a.Client(), b.Client()), cmp.Compare(place(a), place(b)))
	})
	return names
}

// Offered returns the names of the documents that were read and that the pool offers.
func (s State) Offered() []baseline.DocumentName {
	return slices.DeleteFunc(s.Names(), s.off)
}

// Identity returns what a baseline selects pools and their clients by.
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
	id.Clients = s.Clients
	return id
}

// Settings returns the pool as one flat space of settings under the names that a baseline uses, ready for baseline.Compare. It
// shares its values with the state and must not be changed.
func (s State) Settings() map[string]any { return s.written().flat() }

// Own returns the settings as Settings does, but for what clients have only because the pool has it.
func (s State) Own() map[string]any {
	return s.written().only(func(name baseline.DocumentName) bool { return !s.inherited(name) }).flat()
}

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

// Debts returns the settings with the values that the state has for them, as what is owed to a pool that was in this state.
func (s State) Debts(settings []string) []baseline.Drift {
	var owed []baseline.Drift
	for _, setting := range settings {
		if v := s.written().get(setting); v != nil {
			owed = append(owed, baseline.Drift{Setting: setting, Action: baseline.Write, Value: baseline.Clone(v)})
		}
	}
	return owed
}

// Alike tells whether a setting has the same value in both states, or none.
func (s State) Alike(other State) func(setting string) bool {
	a, b := s.written(), other.written()
	return func(setting string) bool { return same(a.get(setting), b.get(setting)) }
}

// Leaves returns the normalised non-empty leaves of the state, by dotted path, for telling what moved between two states.
// Members that the table lacks are among them; those that no call writes are not.
func (s State) Leaves() map[string]string {
	return s.written().leaves()
}

// Still says whether a document that was read again is what it was.
func (s State) Still(name baseline.DocumentName, again map[string]any) bool {
	one := func(document map[string]any) State {
		return State{ID: s.ID, Documents: map[baseline.DocumentName]map[string]any{name: document}}
	}
	return maps.Equal(one(s.Documents[name]).Leaves(), one(again).Leaves())
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
