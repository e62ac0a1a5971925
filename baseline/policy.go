package baseline

import (
	"slices"
	"time"
)

// Policy returns what the baseline requires of the pool at the time now: the rules that select it, merged in the order of the
// file so that a later rule wins setting by setting, and the exemptions that are in force. It shares its values with the baseline,
// and the caller must not change them.
func (b *Baseline) Policy(pool Identity, now time.Time) Policy {
	var p Policy
	for _, r := range b.Rules {
		if !r.Pools.selects(pool) {
			continue
		}
		p.Rules = append(p.Rules, r.Name)
		p.Requirements = merge(p.Requirements, r, r.Require)
		for _, client := range pool.Clients {
			for _, c := range r.Clients {
				if c.Select.selects(client) {
					p.Requirements = merge(p.Requirements, r, c.of(client.ID))
				}
			}
		}
		for _, kind := range r.Watch {
			if p.Watch == nil {
				p.Watch = map[Watched]string{}
			}
			if p.Watch[kind] == "" {
				p.Watch[kind] = r.Name
			}
		}
	}
	slices.SortStableFunc(p.Requirements, func(a, b Owned) int { return Order(a.Setting, b.Setting) })
	for _, e := range b.Exemptions {
		if e.Pools.selects(pool) && now.Before(e.Until) {
			p.Exemptions = append(p.Exemptions, e)
		}
	}
	return p
}

// selects says whether the selector, which may be nil, selects the pool.
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
	// An exception that names nothing excepts nothing, where a selector that names nothing selects everything.
	return s.Except.empty() || !s.Except.selects(pool)
}

func (s *Selector) empty() bool {
	return s == nil || len(s.IDs) == 0 && len(s.Names) == 0 && len(s.Tags) == 0 && s.Except.empty()
}

// of returns the requirements as those of one client.
func (c ClientRule) of(id string) []Requirement {
	all := make([]Requirement, len(c.Require))
	for i, r := range c.Require {
		_, below, _ := ClientOf(r.Setting)
		r.Setting = ClientPath(id) + "." + below
		all[i] = r
	}
	return all
}

func (s ClientSelector) selects(c ClientIdentity) bool {
	named := len(s.IDs) == 0 && len(s.Names) == 0 || slices.Contains(s.IDs, c.ID) || globAny(s.Names, c.Name)
	return named && (s.Except.empty() || !s.Except.selects(c))
}

func (s *ClientSelector) empty() bool {
	return s == nil || len(s.IDs) == 0 && len(s.Names) == 0 && s.Except.empty()
}

// Only returns the policy without the requirements on settings whose document is not among those that count.
func (p Policy) Only(counts func(DocumentName) bool) Policy {
	p.Requirements = slices.DeleteFunc(slices.Clone(p.Requirements), func(o Owned) bool {
		name, ok := DocumentOf(o.Setting)
		return !ok || !counts(name)
	})
	return p
}

// merge adds the requirements of a rule to those of earlier rules, and takes away those that it overrules. Requirements of one rule
// never overrule each other: a file in which they contradict each other is not accepted.
func merge(earlier []Owned, r Rule, require []Requirement) []Owned {
	merged := slices.DeleteFunc(slices.Clone(earlier), func(o Owned) bool {
		return slices.ContainsFunc(require, func(later Requirement) bool { return overrules(later, o.Requirement) })
	})
	for _, req := range require {
		merged = append(merged, Owned{Requirement: req, Rule: r.Name, Mode: r.Mode})
	}
	return merged
}

// overrules says whether the later requirement takes the place of the earlier one. It does where both speak of the same fact, under
// whichever of its names, where the later one speaks of an object that holds the earlier one's setting, and where the earlier one wants an
// object absent in which the later one wants something.
//
// An object that has to be present, or to hold exactly some members, can live with a requirement on a part of it: Compare leaves that part
// of an exact object to the other requirement.
func overrules(later, earlier Requirement) bool {
	places := []string{earlier.Setting}
	if twin, ok := TwinOf(earlier.Setting); ok {
		places = append(places, twin)
	}
	for _, place := range places {
		switch {
		case place == later.Setting:
			return true
		case beneath(later.Setting, place) && later.Op != Present:
			return true
		case beneath(place, later.Setting) && earlier.Op == Absent && later.Op != Absent:
			return true
		}
	}
	return false
}
