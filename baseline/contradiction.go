package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// contradictions finds requirements that the API cannot satisfy together: within each rule, and in the merged rules
// that select every pool. Rules that only some pools combine are checked at run time.
func (p *parser) contradictions(b *Baseline) {
	var common []Rule
	for _, rule := range b.Rules {
		w := wantedOf(rule.Require)
		p.contradictory(w)
		p.twins(w)
		for _, c := range rule.Clients {
			p.contradictory(wantedOf(c.Require))
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
	var merged []Requirement
	for _, owned := range (&Baseline{Rules: common}).Policy(Identity{Clients: []ClientIdentity{{}}}, noTime).Requirements {
		merged = append(merged, owned.Requirement)
	}
	p.contradictory(wantedOf(merged))
}

func (p *parser) contradictory(w wanted) {
	for _, c := range slices.Concat(conflicts, contradictions) {
		if c.Broken(w.know) {
			at, path := w.place(c.Settings)
			p.add(Error{Position: at, Path: path, Message: strings.TrimPrefix(c.Reason, path+" ")})
		}
	}
	p.lifetimes(w)
}

// lifetimes finds numbers that are out of range in every unit that they may have.
func (p *parser) lifetimes(w wanted) {
	for path, r := range w.said {
		m, _ := Lookup(path)
		if m.Lifetime == nil {
			continue
		}
		units := unitsOf(w, *m.Lifetime)
		for _, v := range r.values() {
			if !slices.ContainsFunc(units, func(unit string) bool { return m.Lifetime.takes(v, unit) }) {
				p.add(Error{Position: w.position(path), Path: path,
					Message: fmt.Sprintf("is %s %s: %s", canonical(v), strings.Join(units, " or "), m.Lifetime.Words)})
			}
		}
	}
}

func unitsOf(w wanted, l Lifetime) []string {
	path := Clients + "." + l.Unit
	unit, _ := Lookup(path)
	r, said := w.said[path]
	switch {
	case w.lacks(path):
		return []string{unit.Default}
	case said && (r.Op == Equal || r.Op == OneOf):
		var units []string
		for _, v := range r.values() {
			if text, ok := v.(string); ok {
				units = append(units, text)
			}
		}
		return units
	}
	return unit.Enum
}

func (l Lifetime) takes(v any, unit string) bool {
	n, ok := v.(json.Number)
	count, err := n.Int64()
	seconds := map[string]int64{"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}[unit]
	if !ok || err != nil || seconds == 0 {
		return true
	}
	return count >= (int64(l.Least.Seconds())+seconds-1)/seconds && count <= int64(l.Most.Seconds())/seconds
}

func (r Requirement) values() []any {
	var all []any
	switch r.Op {
	case Equal, AtLeast, AtMost:
		all = append(all, r.Value)
	case OneOf:
		all = append(all, list(r.Value)...)
	}
	if r.Set != nil {
		all = append(all, r.Set)
	}
	return all
}

// twins finds twins that one rule requires with different values. Between two rules, the later one wins.
func (p *parser) twins(w wanted) {
	for path, here := range w.said {
		other, ok := TwinOf(path)
		there, both := w.said[other]
		if ok && both && path < other && !agree(here, there) {
			p.add(Error{Position: w.position(path), Path: path,
				Message: "is the same setting as " + other + ", which is required with another value"})
		}
	}
}

// agree reports whether two requirements on twins can both be met: the value that one writes must satisfy the other. A
// requirement that writes nothing is not checked.
func agree(a, b Requirement) bool {
	satisfies := func(a, b Requirement) (agree, writes bool) {
		m, _ := Lookup(a.Setting)
		action, v := remedy(m, a, nil)
		return holds(m, b, v), action != Report
	}
	first, firstWrites := satisfies(a, b)
	second, secondWrites := satisfies(b, a)
	return first || second || !firstWrites && !secondWrites
}
