package baseline

import (
	"slices"
	"time"
)

// Policy returns the requirements of the baseline on the pool at the time now: the rules that select the pool, merged
// in file order so that a later rule wins setting by setting, and the active exemptions. It shares its values with the
// baseline; the caller must not change them.
func (b *Baseline) Policy(pool Identity, now time.Time) Policy {
	var p Policy
	var merged merger
	for _, r := range b.Rules {
		if !r.Pools.selects(pool) {
			continue
		}
		p.Rules = append(p.Rules, r.Name)
		merged.add(r, r.Require)
		merged.addClients(r, pool.Clients)
		for _, kind := range r.Watch {
			if p.Watch == nil {
				p.Watch = map[Watched]string{}
			}
			if p.Watch[kind] == "" {
				p.Watch[kind] = r.Name
			}
		}
	}
	p.Requirements = merged.left()
	for _, e := range b.Exemptions {
		if e.Pools.selects(pool) && now.Before(e.Until) {
			p.Exemptions = append(p.Exemptions, e)
		}
	}
	return p
}

func (s *Selector) selects(pool Identity) bool {
	if s == nil {
		return true
	}
	if len(s.IDs) > 0 && !slices.Contains(s.IDs, pool.ID) {
		return false
	}
	if len(s.Names) > 0 && !globAny(s.Names, pool.Name) {
		return false
	}
	for key, globs := range s.Tags {
		value, tagged := pool.Tags[key]
		if !tagged || !globAny(globs, value) {
			return false
		}
	}
	// An empty exception excludes nothing, but an empty selector selects everything.
	return s.Except.empty() || !s.Except.selects(pool)
}

func (s *Selector) empty() bool {
	return s == nil || len(s.IDs) == 0 && len(s.Names) == 0 && len(s.Tags) == 0 && s.Except.empty()
}

func (c ClientRule) of(id string) []Requirement {
	all := make([]Requirement, len(c.Require))
	for i, r := range c.Require {
		_, below, _ := ClientOf(r.Setting)
		r.Setting = ClientPath(id) + "." + below
		all[i] = r
	}
	return all
}

func (s *Selector) selectsClient(c ClientIdentity) bool {
	if s == nil {
		return true
	}
	named := len(s.IDs) == 0 && len(s.Names) == 0 || slices.Contains(s.IDs, c.ID) || globAny(s.Names, c.Name)
	return named && (s.Except.empty() || !s.Except.selectsClient(c))
}

// Only returns the policy with only the requirements on settings of the given documents.
func (p Policy) Only(counts func(DocumentName) bool) Policy {
	p.Requirements = slices.DeleteFunc(slices.Clone(p.Requirements), func(o Owned) bool {
		name, ok := DocumentOf(o.Setting)
		return !ok || !counts(name)
	})
	return p
}

// A merger merges the requirements of rules. It indexes them by name, so that a new requirement is not compared with
// all others.
type merger struct {
	all   []Owned
	gone  []bool           // by index in all: overruled
	named map[string][]int // indexes in all, by setting and by twin
}

// add adds the requirements of a rule to those of earlier rules, and removes those that it overrules. Requirements of
// one rule never overrule each other: Parse rejects contradictions within a rule.
//
// A later requirement replaces an earlier one on the same setting or its twin, or on a setting inside the later one's
// object.
//
// A requirement that an object is absent, present or has exactly some members can coexist with a requirement on a part
// of the object: Compare leaves that part to the other requirement.
func (m *merger) add(r Rule, require []Requirement) {
	earlier := len(m.all)
	for _, later := range require {
		m.overrule(m.named[later.Setting], earlier)
		if member, _ := Lookup(later.Setting); later.Op == Present || member.Kind != Object && member.Kind != Map {
			continue
		}
		for name, indexes := range m.named {
			if beneath(later.Setting, name) {
				m.overrule(slices.DeleteFunc(slices.Clone(indexes), func(i int) bool {
					return later.Op == Absent && apart(m.all[i].Setting, name)
				}), earlier)
			}
		}
	}
	for _, req := range require {
		m.name(req.Setting)
		if twin, ok := TwinOf(req.Setting); ok {
			m.name(twin)
		}
		m.all, m.gone = append(m.all, Owned{Requirement: req, Rule: r.Name, Mode: r.Mode}), append(m.gone, false)
	}
}

// apart reports whether a setting can be set while its twin is absent: a pool can have an SMS sender and SMS texts
// without the SMS factor, and the older of the two validity settings is ignored if the newer one is set.
func apart(setting, other string) bool {
	one, _ := DocumentOf(setting)
	two, _ := DocumentOf(other)
	m, _ := Lookup(other)
	return setting != other && (one != two || m.Superseded)
}

func (m *merger) addClients(r Rule, clients []ClientIdentity) {
	for _, client := range clients {
		for _, c := range r.Clients {
			if c.Select.selectsClient(client) {
				m.add(r, c.of(client.ID))
			}
		}
	}
}

func (m *merger) name(setting string) {
	if m.named == nil {
		m.named = map[string][]int{}
	}
	m.named[setting] = append(m.named[setting], len(m.all))
}

func (m *merger) overrule(indexes []int, earlier int) {
	for _, i := range indexes {
		m.gone[i] = m.gone[i] || i < earlier
	}
}

func (m *merger) left() []Owned {
	var left []Owned
	for i, o := range m.all {
		if !m.gone[i] {
			left = append(left, o)
		}
	}
	slices.SortStableFunc(left, func(a, b Owned) int { return Order(a.Setting, b.Setting) })
	return left
}
