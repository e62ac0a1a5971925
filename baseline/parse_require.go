package baseline

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

func (p *parser) require(n *yaml.Node, path string) []Requirement {
	return p.requireOf(n, Member{Kind: Object, Members: settings}, path)
}

func (p *parser) requireOfClients(n *yaml.Node, path string) []Requirement {
	return p.requireOf(n, Member{Name: Clients, Kind: Object, Members: clientSettings}, path)
}

func (p *parser) requireOf(n *yaml.Node, m Member, path string) []Requirement {
	all := p.entries(n, path, "settings by their API names")
	section{parser: p, node: n, path: path}.notEmpty("name the required settings")
	return p.members(all, m, path, m.Name)
}

func (p *parser) members(all []entry, m Member, path, setting string) []Requirement {
	var required []Requirement
	for _, e := range all {
		at := join(path, e.name)
		if shown, ok := shownBy(m, e.name); ok {
			required = append(required, p.presence(e, shown, all, at, join(setting, shown.Name))...)
		} else if below, ok := p.member(e, m, at); ok {
			required = append(required, p.requirement(e.value, below, at, join(setting, e.name))...)
		}
	}
	return required
}

// shownBy returns the member of m that is true exactly while the named read-only member is present.
func shownBy(m Member, name string) (Member, bool) {
	i := slices.IndexFunc(m.Members, func(below Member) bool { return below.ShownBy != "" && below.ShownBy == name })
	if i < 0 {
		return Member{}, false
	}
	return m.Members[i], true
}

// presence turns a requirement on the presence of a read-only member into one on the member that it shows.
func (p *parser) presence(e entry, shown Member, all []entry, path, setting string) []Requirement {
	var required map[Op]bool
	err := e.value.Decode(&required)
	switch {
	case slices.ContainsFunc(all, func(other entry) bool { return other.name == shown.Name }):
		p.wrong(e.key, path, "is the same setting as %s: keep one of the two", shown.Name)
	case err != nil || len(required) != 1 || !required[Present] && !required[Absent]:
		p.wrong(e.value, path, "the service chooses its value: use {present: true} or {absent: true}")
	default:
		return []Requirement{{Setting: setting, Op: Equal, Value: required[Present], Position: p.at(e.value)}}
	}
	return nil
}

func (p *parser) member(e entry, m Member, path string) (Member, bool) {
	if m.Kind == Map {
		p.key(e, m, path)
		return *m.Elem, true
	}
	if i := Index(m.Members, e.name); i >= 0 {
		return m.Members[i], true
	}
	if m.Name == "" || m.Name == Clients {
		if message := unwritable(e.name, m.Name == Clients); message != "" {
			p.wrong(e.key, path, "%s", message)
			return Member{}, false
		}
	}
	if slices.Contains(operators, Op(e.name)) || e.name == setKey {
		p.wrong(e.key, path, "an operator cannot be combined with members")
		return Member{}, false
	}
	p.wrong(e.key, path, "there is no such setting%s", p.suggestion(e.name, m))
	return Member{}, false
}

func unwritable(name string, ofClient bool) string {
	for _, d := range documents {
		for _, m := range d.Members {
			switch {
			case d.PerClient != ofClient || d.Under != "":
			case m.ReadName == name:
				return fmt.Sprintf("is read under this name but written as %s: use %s", m.Name, m.Name)
			case m.ShownBy != "" && folded(m.ShownBy) == folded(name):
				return fmt.Sprintf("shows only whether %s is true: use that one", m.Name)
			case m.Trip == ReadOnly && folded(m.Name) == folded(name):
				return "cannot be changed by any call that poolkeeper makes: remove it"
			}
		}
	}
	return ""
}

func (p *parser) key(e entry, m Member, path string) {
	switch {
	case e.name == "":
		p.wrong(e.key, path, "an empty key")
	case m.KeyMax > 0 && runes(e.name) > m.KeyMax:
		p.wrong(e.key, path, "the key has %d characters: the API allows at most %d", runes(e.name), m.KeyMax)
	case m.KeyReserved != "" && len(e.name) >= len(m.KeyReserved) && e.name[:len(m.KeyReserved)] == m.KeyReserved:
		p.wrong(e.key, path, "keys that begin with %s are reserved: only AWS can write them", m.KeyReserved)
	}
}

func (p *parser) requirement(n *yaml.Node, m Member, path, setting string) []Requirement {
	if n.Kind == yaml.MappingNode {
		all := p.entries(n, path, "")
		switch {
		case len(all) == 0:
			p.wrong(n, path, "an empty mapping requires nothing: use {exactly: {}}, {absent: true} or {present: true}")
			return nil
		case operated(all, m):
			return p.operation(n, all, m, path, setting)
		case m.Kind == Object || m.Kind == Map:
			return p.members(all, m, path, setting)
		}
		for _, e := range all {
			p.wrong(e.key, join(path, e.name), "there is no such operator for %s: %s%s", kindNames[m.Kind], fitting(m.Kind),
				p.didYouMean(e.name, opNames()))
		}
		return nil
	}
	if m.Kind == Object || m.Kind == Map {
		p.wrong(n, path, "is %s: it needs a mapping of its members", shapeOf(n))
		return nil
	}
	v, ok := p.literal(n, m, path)
	if !ok {
		return nil
	}
	return []Requirement{{Setting: setting, Op: Equal, Value: v, Position: p.at(n)}}
}

func names(members []Member) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = m.Name
	}
	return all
}

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
			if Index(m.Members, e.name) < 0 {
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
		p.wrong(n, path, "must be true: absent and present are the opposites of each other")
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
	seen := map[string]bool{}
	list := each(p, n, path, func(n *yaml.Node, path string) any {
		v, ok := read(n, elem, path)
		if text := canonical(v); ok && seen[text] {
			p.wrong(n, path, "is in the list twice")
		} else {
			seen[text] = true
		}
		return v
	})
	return list, p.found() == before
}
