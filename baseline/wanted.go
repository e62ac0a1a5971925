package baseline

import (
	"slices"
	"strings"
)

// wanted are requirements that must be met together.
type wanted []Requirement

// contradictions finds requirements that the API cannot satisfy together: within each rule, and in the merged rules
// that select every pool. Rules that only some pools combine are checked at run time.
func (p *parser) contradictions(b *Baseline) {
	var common []Rule
	for _, rule := range b.Rules {
		for _, part := range rule.parts() {
			p.contradictory(part.Require)
			p.twins(part.Require)
		}
		if rule.Pools == nil {
			rule.Clients = slices.DeleteFunc(slices.Clone(rule.Clients), func(c ClientRule) bool { return !c.Select.empty() })
			common = append(common, rule)
		}
	}
	if len(common) < 2 && (len(common) == 0 || len(common[0].Clients) < 2) {
		return // a single rule was already checked
	}
	// AnyClient represents the clients that every client rule selects.
	merged := (&Baseline{Rules: common}).Policy(Identity{Clients: []ClientIdentity{{}}}, noTime).Requirements
	p.contradictory(collect(merged, func(o Owned) Requirement { return o.Requirement }))
}

func (p *parser) contradictory(w wanted) {
	for _, c := range slices.Concat(conflicts, contradictions) {
		if c.Broken(w.know) {
			at, path := w.place(c.Settings)
			p.fault(at, path, "%s", strings.TrimPrefix(c.Reason, path+" "))
		}
	}
	for _, r := range w {
		m, _ := Lookup(r.Setting)
		if m.Lifetime == nil {
			continue
		}
		units := w.units(*m.Lifetime)
		for _, v := range append(slices.Clip(list(r.Value)), r.Value, r.Set) {
			if !slices.ContainsFunc(units, func(unit string) bool { return m.Lifetime.takes(v, unit) }) {
				p.fault(r.Position, r.Setting, "is %s %s: %s", canonical(v), strings.Join(units, " or "), m.Lifetime.Words)
			}
		}
	}
}

// units returns the units that a number may have.
func (w wanted) units(l Lifetime) []string {
	path := Clients + "." + l.Unit
	unit, _ := Lookup(path)
	switch k := w.know(path); {
	case k.Text != "":
		return []string{k.Text}
	case k.Absent:
		return []string{unit.Default}
	}
	if r := w.nearest(path); r.Op == OneOf {
		return Facts(func(string) Known { return Known{Elements: list(r.Value)} }).texts(path)
	}
	return unit.Enum
}

// twins finds twins that one rule requires with different values. Between two rules, the later one wins.
func (p *parser) twins(w wanted) {
	said := map[string]Requirement{}
	for _, r := range w {
		m, _ := Lookup(r.Setting)
		if r.Op != Exactly {
			said[r.Setting] = r
			continue
		}
		eachLeaf(m, r.Setting, r.Value, func(_ Member, path string, v any) {
			if w.nearest(path).Setting == r.Setting {
				said[path] = Requirement{Setting: path, Op: Equal, Value: v}
			}
		})
	}
	for path, here := range said {
		other, ok := TwinOf(path)
		there, both := said[other]
		if m, _ := Lookup(path); ok && both && path < other && m.Kind != Object && !agree(here, there) {
			at, _ := w.place([]string{path})
			p.fault(at, path, "is the same setting as %s, which is required with another value", other)
		}
	}
}

// agree reports whether requirements on twins can both be met: a value of one satisfies the other, or none is written.
func agree(a, b Requirement) bool {
	m, _ := Lookup(a.Setting)
	n, _ := Lookup(b.Setting)
	first, written := remedy(m, a, nil)
	second, other := remedy(n, b, nil)
	return holds(m, b, written) || holds(n, a, other) || first == Report && second == Report
}

// know returns what is certain about a setting that meets the requirements.
func (w wanted) know(setting string) Known {
	m, _ := Lookup(setting)
	r := w.nearest(setting)
	var k Known
	switch r.Op {
	case "":
	case Equal, Exactly:
		v := At(r.Value, Keys(setting)[len(Keys(r.Setting)):])
		if v != nil || m.Keep == "" { // a member that is always set keeps its value
			k = KnownOf(setting, v)
		}
	case Absent:
		k = KnownOf(setting, nil)
	case Contains:
		k.Elements = list(r.Value)
	case Without:
		k.Without = list(r.Value)
	default:
		k.Present = r.Setting == setting && !holds(m, r, nil) // the operator may also accept an absent setting
	}
	for _, part := range w {
		if part.Op != Absent && beneath(setting, part.Setting) {
			k.Present, k.Absent = k.Present || w.know(part.Setting).Present, false
		}
	}
	return k
}

// nearest returns the requirement that decides about a setting: the one on the setting itself, or otherwise the one on
// the nearest object around it that says something of its members. It has no operator if there is none.
func (w wanted) nearest(setting string) Requirement {
	var found Requirement
	for _, r := range w {
		says := r.Setting == setting || r.Op == Exactly || r.Op == Absent
		if says && len(r.Setting) >= len(found.Setting) && Covers(r.Setting, setting) {
			found = r
		}
	}
	return found
}

// place returns the first of the settings that the requirements name, by itself, in an object or by a part.
func (w wanted) place(settings []string) (at Position, path string) {
	for _, path = range settings {
		found := wanted{w.nearest(path)}
		if found[0].Op == "" {
			found = slices.DeleteFunc(slices.Clone(w), func(r Requirement) bool { return !Covers(path, r.Setting) })
		}
		if len(found) > 0 {
			return slices.MinFunc(found, func(a, b Requirement) int { return a.compare(b.Position) }).Position, path
		}
	}
	return at, path
}
