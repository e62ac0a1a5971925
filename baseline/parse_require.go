package baseline

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// operators are the keys that say how a setting is required, in the order of the reference.
var operators = []Op{AtLeast, AtMost, OneOf, Contains, Without, Exactly, Absent, Present, Matches}

// setKey names the value to write, beside an operator that implies none.
const setKey = "set"

// takes says which kinds of member an operator fits.
var takes = map[Op][]Kind{
	AtLeast:  {Integer},
	AtMost:   {Integer},
	OneOf:    {String, Integer},
	Contains: {List},
	Without:  {List},
	Exactly:  {Object, Map},
	Absent:   {Object, Map, List, String, Integer, Boolean},
	Present:  {Object, Map, List, String, Integer, Boolean},
	Matches:  {String},
}

// takesSet are the operators beside which a value to write may be given.
var takesSet = []Op{AtLeast, AtMost, OneOf, Present, Matches}

// Operators returns the operators that fit a kind of member, in the order of the reference.
func (k Kind) Operators() []Op {
	var fit []Op
	for _, op := range operators {
		if slices.Contains(takes[op], k) {
			fit = append(fit, op)
		}
	}
	return fit
}

// TakesSet says whether a value to write may be given beside the operator.
func (o Op) TakesSet() bool { return slices.Contains(takesSet, o) }

// require reads the settings of a rule.
func (p *parser) require(n *yaml.Node, path string) []Requirement {
	all := p.entries(n, path, "settings by their API names")
	if len(all) == 0 && n.Kind == yaml.MappingNode {
		p.fault(n, path, "is empty: say which settings have to hold")
	}
	return p.members(all, Member{Kind: Object, Members: settings}, path, "")
}

// members reads the entries below an object or map, each a member by its name.
func (p *parser) members(all []entry, m Member, path, setting string) []Requirement {
	var required []Requirement
	for _, e := range all {
		at := join(path, e.name)
		below, ok := p.member(e, m, at)
		if ok {
			required = append(required, p.requirement(e.value, below, at, join(setting, e.name))...)
		}
	}
	return required
}

// member finds the member that an entry names.
func (p *parser) member(e entry, m Member, path string) (Member, bool) {
	if m.Kind == Map {
		p.key(e, m, path)
		return *m.Elem, true
	}
	if i := index(m.Members, e.name); i >= 0 {
		return m.Members[i], true
	}
	if m.Name == "" || m.Name == Clients {
		if message := unwritable(e.name, m.Name == Clients); message != "" {
			p.fault(e.key, path, "%s", message)
			return Member{}, false
		}
	}
	if slices.Contains(operators, Op(e.name)) || e.name == setKey {
		p.fault(e.key, path, "an operator cannot stand beside members")
		return Member{}, false
	}
	p.fault(e.key, path, "there is no such setting%s", didYouMean(e.name, names(m.Members)))
	return Member{}, false
}

// unwritable explains why a member that a pool shows cannot be required, or returns "".
func unwritable(name string, ofClient bool) string {
	for _, d := range documents {
		for _, m := range d.Members {
			switch {
			case d.PerClient != ofClient || d.Under != "":
			case m.ReadName == name:
				return fmt.Sprintf("is shown under this name and written as %s: say %s", m.Name, m.Name)
			case m.Name == name && m.Trip == ReadOnly:
				return "cannot be changed by any call that poolkeeper makes: remove it"
			}
		}
	}
	return ""
}

// key checks the key of a map.
func (p *parser) key(e entry, m Member, path string) {
	switch {
	case e.name == "":
		p.fault(e.key, path, "an empty key")
	case m.KeyMax > 0 && runes(e.name) > m.KeyMax:
		p.fault(e.key, path, "the key has %d characters: the API takes %d", runes(e.name), m.KeyMax)
	case m.KeyPat != "" && !wholly(m.KeyPat, e.name):
		p.fault(e.key, path, "the key has to match %s", m.KeyPat)
	case m.KeyReserved != "" && len(e.name) >= len(m.KeyReserved) && e.name[:len(m.KeyReserved)] == m.KeyReserved:
		p.fault(e.key, path, "keys that begin with %s are reserved: nobody but AWS can write them", m.KeyReserved)
	}
}

// requirement reads what is required of one member: leaves, each with an operator or a literal.
func (p *parser) requirement(n *yaml.Node, m Member, path, setting string) []Requirement {
	if n.Kind == yaml.MappingNode {
		all := p.entries(n, path, "")
		switch {
		case len(all) == 0:
			p.fault(n, path, "an empty mapping requires nothing: say {exactly: {}}, {absent: true} or {present: true}")
			return nil
		case operated(all, m):
			return p.operation(n, all, m, path, setting)
		case m.Kind == Object || m.Kind == Map:
			return p.members(all, m, path, setting)
		}
	}
	if m.Kind == Object || m.Kind == Map {
		p.fault(n, path, "is %s: it needs a mapping of its members%s", shapeOf(n), namesOf(m))
		return nil
	}
	v, ok := p.literal(n, m, path)
	if !ok {
		return nil
	}
	return []Requirement{{Setting: setting, Op: Equal, Value: v, Position: p.at(n)}}
}

// operated says whether the entries of a mapping say how the member is required, instead of naming members. The keys of a map are
// free, so there only a mapping of nothing but operators that fit a map does.
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

// operation reads a mapping that holds an operator.
func (p *parser) operation(n *yaml.Node, all []entry, m Member, path, setting string) []Requirement {
	var op Op
	var argument, set *yaml.Node
	for _, e := range all {
		switch {
		case e.name == setKey:
			set = e.value
		case !slices.Contains(operators, Op(e.name)):
			p.fault(e.key, join(path, e.name), "a member cannot stand beside an operator%s", didYouMean(e.name, opNames()))
			return nil
		case op != "":
			p.fault(e.key, join(path, e.name), "a second operator beside %s: one setting takes one", op)
			return nil
		default:
			op, argument = Op(e.name), e.value
		}
	}
	if op == "" {
		p.fault(n, path, "set needs an operator beside it; for a plain value write just the value")
		return nil
	}
	if !slices.Contains(takes[op], m.Kind) {
		p.fault(n, path, "%s does not fit %s: %s", op, kindNames[m.Kind], fitting(m.Kind))
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

// argument reads the argument of an operator.
func (p *parser) argument(n *yaml.Node, op Op, m Member, path string) (any, bool) {
	switch op {
	case AtLeast, AtMost:
		return p.literal(n, m, path)
	case OneOf:
		return p.list(n, m, path)
	case Contains, Without:
		return p.list(n, *m.Elem, path)
	case Exactly:
		if m.Keep != "" && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			p.fault(n, path, "cannot be empty: %s", m.Keep)
			return nil, false
		}
		if m.NotEmpty && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			p.fault(n, path, "cannot be empty, for the API takes no empty one: say {absent: true}")
			return nil, false
		}
		return p.whole(n, m, path)
	case Matches:
		glob := p.text(n, path)
		p.short(n, path)
		return glob, glob != ""
	default: // Absent, Present
		if n.Value != "true" || n.ShortTag() != "!!bool" {
			p.fault(n, path, "has to be true: for the opposite, use the other of absent and present")
			return nil, false
		}
		if op == Absent && m.Keep != "" {
			p.fault(n, path, "cannot be absent: %s", m.Keep)
			return nil, false
		}
		if op == Absent && m.Required {
			p.fault(n, path, "cannot be absent by itself: the API does not take its object without it; require the object to be absent")
			return nil, false
		}
		return true, true
	}
}

// set reads the value to write where the operator's requirement does not hold; it has to keep the requirement itself.
func (p *parser) set(n *yaml.Node, m Member, path string, r *Requirement) bool {
	if !r.Op.TakesSet() {
		p.fault(n, path, "%s says by itself what to write: remove set", r.Op)
		return false
	}
	v, ok := p.value(n, m, path)
	if !ok {
		return false
	}
	if !holds(m, *r, v) {
		p.fault(n, path, "the value would break the requirement beside it")
		return false
	}
	r.Set = v
	return true
}

// list reads a list of literals that is not empty.
func (p *parser) list(n *yaml.Node, elem Member, path string) (any, bool) {
	if n.Kind != yaml.SequenceNode {
		p.fault(n, path, "is %s: it has to be a list", shapeOf(n))
		return nil, false
	}
	if len(n.Content) == 0 {
		p.fault(n, path, "is an empty list: name something")
		return nil, false
	}
	list, good := []any{}, true
	for i, e := range n.Content {
		v, ok := p.value(e, elem, fmt.Sprintf("%s[%d]", path, i))
		list, good = append(list, v), good && ok
	}
	return list, good
}

func names(members []Member) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = m.Name
	}
	return all
}

func namesOf(m Member) string {
	if len(m.Members) == 0 {
		return ""
	}
	return fmt.Sprintf(", such as %s", m.Members[0].Name)
}

func opNames() []string {
	var all []string
	for _, op := range operators {
		all = append(all, string(op))
	}
	return append(all, setKey)
}

var kindNames = [...]string{Object: "an object", Map: "a map", List: "a list", String: "a text", Integer: "a number", Boolean: "true or false"}

// fitting names the operators that a kind of member takes.
func fitting(kind Kind) string {
	text := "it takes a plain value"
	for _, op := range kind.Operators() {
		text += ", " + string(op)
	}
	return text
}
