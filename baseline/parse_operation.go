package baseline

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// operated reports whether the entries of a mapping are operators and not member names. The keys of a map are free, so
// for a map all entries must be operators that a map allows.
func operated(all []entry, m Member) bool {
	if m.Kind == Map {
		return !slices.ContainsFunc(all, func(e entry) bool {
			return e.name != setKey && !slices.Contains(takes[Op(e.name)], Map)
		})
	}
	for _, e := range all {
		if slices.Contains(operators, Op(e.name)) || e.name == setKey {
			return true
		}
	}
	return false
}

func (p *parser) operation(n *yaml.Node, all []entry, m Member, path, setting string) []Requirement {
	var op Op
	var argument, set *yaml.Node
	for _, e := range all {
		switch {
		case e.name == setKey:
			set = e.value
		case !slices.Contains(operators, Op(e.name)):
			meant := ""
			if index(m.Members, e.name) < 0 {
				meant = p.didYouMean(e.name, opNames())
			}
			p.wrong(e.key, join(path, e.name), "a member cannot be combined with an operator%s", meant)
			return nil
		case op != "":
			p.wrong(e.key, join(path, e.name), "a second operator next to %s: a setting has only one", op)
			return nil
		default:
			op, argument = Op(e.name), e.value
		}
	}
	if op == "" {
		p.wrong(n, path, "set needs an operator next to it; to require a plain value, write only the value")
		return nil
	}
	if !slices.Contains(takes[op], m.Kind) {
		p.wrong(n, path, "%s cannot be used with %s: %s", op, kindNames[m.Kind], fitting(m.Kind))
		return nil
	}
	value, ok := p.argument(argument, op, m, join(path, string(op)))
	if !ok {
		return nil
	}
	r := Requirement{Setting: setting, Op: op, Value: value, Position: p.at(n)}
	if set != nil && !p.set(set, m, join(path, setKey), &r) {
		return nil
	}
	return []Requirement{r}
}

func (p *parser) argument(n *yaml.Node, op Op, m Member, path string) (any, bool) {
	switch op {
	case AtLeast, AtMost:
		return p.literal(n, m, path)
	case OneOf:
		return p.list(n, m, path, p.value)
	case Contains:
		return p.list(n, *m.Elem, path, p.sendable)
	case Without:
		return p.list(n, *m.Elem, path, p.value)
	case Exactly:
		return p.exactly(n, m, path)
	case Matches:
		glob := p.pattern(n, path, func(glob string) string { return neverMatches(m, glob) })
		return glob, glob != ""
	default: // Absent, Present
		return p.isTrue(n, op, m, path)
	}
}

func (p *parser) exactly(n *yaml.Node, m Member, path string) (any, bool) {
	empty := n.Kind == yaml.MappingNode && len(n.Content) == 0
	switch {
	case empty && m.Keep != "":
		p.wrong(n, path, "cannot be empty: %s", m.Keep)
		return nil, false
	case empty && m.NotEmpty:
		p.wrong(n, path, "cannot be empty, because the API rejects an empty one: use {absent: true}")
		return nil, false
	}
	return p.whole(n, m, path)
}

func (p *parser) isTrue(n *yaml.Node, op Op, m Member, path string) (any, bool) {
	switch {
	case n.Value != "true" || n.ShortTag() != "!!bool":
		p.wrong(n, path, "must be true: for the opposite, use absent instead of present or present instead of absent")
	case op == Absent && m.Keep != "":
		p.wrong(n, path, "cannot be absent: %s", m.Keep)
	case op == Absent && m.Required:
		p.wrong(n, path,
			"cannot be absent alone: the API rejects its object without it; require the object to be absent")
	default:
		return true, true
	}
	return nil, false
}

// set parses the value to write if the operator's requirement is not met. The value must meet the requirement.
func (p *parser) set(n *yaml.Node, m Member, path string, r *Requirement) bool {
	if !r.Op.TakesSet() {
		p.wrong(n, path, "%s already implies the value to write: remove set", r.Op)
		return false
	}
	v, ok := p.value(n, m, path)
	if !ok {
		return false
	}
	if !holds(m, *r, v) {
		p.wrong(n, path, "the value does not meet the requirement next to it")
		return false
	}
	r.Set = v
	return true
}

func (p *parser) list(n *yaml.Node, elem Member, path string,
	read func(n *yaml.Node, m Member, path string) (any, bool)) (any, bool) {
	before := p.found()
	list := each(p, n, path, func(n *yaml.Node, path string) any {
		v, _ := read(n, elem, path)
		return v
	})
	return list, p.found() == before
}
