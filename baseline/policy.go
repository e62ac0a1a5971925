package baseline

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Policy returns the requirements of the baseline on the pool at the time now: the rules that select the pool, merged
// in file order so that a later rule wins setting by setting, and the active exemptions. It shares its values with the
// baseline; the caller must not change them.
func (b *Baseline) Policy(pool Identity, now time.Time) Policy {
	p := Policy{Watch: map[Watched]string{}}
	var rules []Rule // each with requirements of the same precedence
	for _, r := range b.Rules {
		if !r.Pools.selects(pool) {
			continue
		}
		p.Rules = append(p.Rules, r.Name)
		rules = append(rules, r)
		for _, client := range pool.Clients {
			for _, c := range r.Clients {
				if c.Select.selectsClient(client) {
					rules = append(rules, Rule{Name: r.Name, Mode: r.Mode, Require: c.of(client.ID)})
				}
			}
		}
		for _, kind := range r.Watch {
			p.Watch[kind] = cmp.Or(p.Watch[kind], r.Name)
		}
	}
	p.Requirements = merged(rules)
	for _, e := range b.Exemptions {
		if e.Pools.selects(pool) && now.Before(e.Until) {
			p.Exemptions = append(p.Exemptions, e)
		}
	}
	return p
}

// merged returns the requirements that no later rule overrules, in the order of the member table. Requirements of one
// rule never overrule each other: Parse rejects contradictions within a rule.
func merged(rules []Rule) []Owned {
	var left []Owned
	later := laterOps{}
	for _, rule := range slices.Backward(rules) {
		for _, r := range rule.Require {
			if !later.overrule(r) {
				left = append(left, Owned{Requirement: r, Rule: rule.Name, Mode: rule.Mode})
			}
		}
		later.add(rule.Require)
	}
	slices.SortStableFunc(left, func(a, b Owned) int { return Order(a.Setting, b.Setting) })
	return left
}

// laterOps are the operators of later requirements by setting: of several, the one that overrules most.
type laterOps map[string]Op

func (l laterOps) add(requirements []Requirement) {
	for _, r := range requirements {
		if op := l[r.Setting]; op == "" || op == Present || op == Absent && r.Op != Present {
			l[r.Setting] = r.Op
		}
	}
}

// overrule reports whether a later requirement replaces one: it is on the same setting, by this name or by that of its
// twin, or on an object around it. A requirement that an object is absent, present or has exactly some members can
// coexist with a later requirement on a part of the object: Compare leaves that part to the other requirement.
func (l laterOps) overrule(r Requirement) bool {
	twin, _ := TwinOf(r.Setting)
	for _, name := range []string{r.Setting, twin} {
		if l[name] != "" {
			return true
		}
		for i := range name {
			if name[i] != '.' || !beneath(name[:i], name) {
				continue
			}
			op := l[name[:i]]
			if op != "" && op != Present && (op != Absent || !apart(r.Setting, name)) {
				return true
			}
		}
	}
	return false
}

// apart reports whether a setting can be set while its twin is absent: a pool can have an SMS sender and SMS texts
// without the SMS factor, and the older of the two validity settings is ignored if the newer one is set.
func apart(setting, other string) bool {
	one, _ := DocumentOf(setting)
	two, _ := DocumentOf(other)
	m, _ := Lookup(other)
	return setting != other && (one != two || m.Superseded)
}

func (s *Selector) selects(pool Identity) bool {
	if s == nil {
		return true
	}
	for key, globs := range s.Tags {
		if value, tagged := pool.Tags[key]; !tagged || !globAny(globs, value) {
			return false
		}
	}
	named := (len(s.IDs) == 0 || slices.Contains(s.IDs, pool.ID)) && (len(s.Names) == 0 || globAny(s.Names, pool.Name))
	// An empty exception excludes nothing, but an empty selector selects everything.
	return named && (s.Except.empty() || !s.Except.selects(pool))
}

func (s *Selector) empty() bool {
	return s == nil || len(s.IDs) == 0 && len(s.Names) == 0 && len(s.Tags) == 0 && s.Except.empty()
}

func (c ClientRule) of(id string) []Requirement {
	return collect(c.Require, func(r Requirement) Requirement {
		r.Setting = ClientPath(id) + strings.TrimPrefix(r.Setting, Clients)
		return r
	})
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
