package baseline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// require parses the requirements on the members of m: on those of all pools, or on those of all clients.
func (f field) require(m Member) []Requirement {
	f.notEmpty("name the required settings")
	return f.members(f.entries("settings by their API names"), m, m.Name)
}

func (p *parser) members(all []entry, m Member, setting string) []Requirement {
	var required []Requirement
	for _, e := range all {
		shows := func(below Member) bool { return below.ShownBy != "" && below.ShownBy == e.name }
		if i := slices.IndexFunc(m.Members, shows); i >= 0 {
			required = append(required, e.presence(m.Members[i], all, join(setting, m.Members[i].Name))...)
		} else if below, ok := e.member(m); ok {
			required = append(required, e.value.requirement(below, join(setting, e.name))...)
		}
	}
	return required
}

// presence turns a requirement on the presence of a read-only member into one on the member that it shows.
func (e entry) presence(shown Member, all []entry, setting string) []Requirement {
	var required map[Op]bool
	err := e.value.node.Decode(&required)
	switch {
	case slices.ContainsFunc(all, func(other entry) bool { return other.name == shown.Name }):
		e.key.wrong("is the same setting as %s: keep one of the two", shown.Name)
	case err != nil || len(required) != 1 || !required[Present] && !required[Absent]:
		e.value.wrong("the service chooses its value: use {present: true} or {absent: true}")
	default:
		return []Requirement{{Setting: setting, Op: Equal, Value: required[Present], Position: e.value.position()}}
	}
	return nil
}

// member returns the member of m that the entry names.
func (e entry) member(m Member) (Member, bool) {
	if m.Kind == Map {
		e.inMap(m)
		return *m.Elem, true
	}
	if i := Index(m.Members, e.name); i >= 0 {
		return m.Members[i], true
	}
	switch unwritable := notWritten(e.name, m.Name); {
	case unwritable != "":
		e.key.wrong("%s", unwritable)
	case operator(e):
		e.key.wrong("an operator cannot be combined with members")
	default:
		e.key.wrong("there is no such setting%s", suggestion(e.name, m))
	}
	return Member{}, false
}

// notWritten returns why no requirement can name a member that a read call shows, or "".
func notWritten(name, parent string) string {
	for _, d := range documents {
		within := d.Under == "" && parent == strings.TrimSuffix(d.Name.Prefix(), ".")
		for _, m := range d.Members {
			switch {
			case !within:
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

func (e entry) inMap(m Member) {
	switch {
	case e.name == "":
		e.key.wrong("an empty key")
	case m.KeyMax > 0 && runes(e.name) > m.KeyMax:
		e.key.wrong("the key has %d characters: the API allows at most %d", runes(e.name), m.KeyMax)
	case m.KeyReserved != "" && strings.HasPrefix(strings.ToLower(e.name), m.KeyReserved):
		e.key.wrong("keys that begin with %s are reserved: only AWS can write them", m.KeyReserved)
	case !Wholly(m.Elem.Pattern, e.name):
		e.key.wrong("the key must match %s", m.Elem.Pattern)
	}
}

func (f field) requirement(m Member, setting string) []Requirement {
	deep := m.Kind == Object || m.Kind == Map
	switch {
	case f.mapping() && len(f.node.Content) == 0:
		f.wrong("an empty mapping requires nothing: use {exactly: {}}, {absent: true} or {present: true}")
	case f.mapping():
		all := f.entries("")
		if operated(all, m) {
			return f.operation(all, m, setting)
		}
		if deep {
			return f.members(all, m, setting)
		}
		for _, e := range all {
			e.key.wrong("there is no such operator for %s%s", fitting(m.Kind), didYouMean(e.name, opNames))
		}
	case deep:
		f.wrong("is %s: it needs a mapping of its members", shapeOf(f.node))
	default:
		if v, ok := f.value(m); ok {
			return []Requirement{{Setting: setting, Op: Equal, Value: v, Position: f.position()}}
		}
	}
	return nil
}

func operator(e entry) bool { return slices.Contains(opNames, e.name) }

// operated reports whether the entries of a mapping are operators and not member names. The keys of a map are free, so
// for a map all entries must be operators that a map allows.
func operated(all []entry, m Member) bool {
	if m.Kind == Map {
		return !slices.ContainsFunc(all, func(e entry) bool {
			return e.name != setKey && !slices.Contains(operatorsOf[Map], Op(e.name))
		})
	}
	return slices.ContainsFunc(all, operator)
}

func (f field) operation(all []entry, m Member, setting string) []Requirement {
	var op Op
	var argument field
	set := field{node: &yaml.Node{}}
	for _, e := range all {
		switch {
		case e.name == setKey:
			set = e.value
		case !operator(e):
			near := opNames
			if Index(m.Members, e.name) >= 0 {
				near = nil
			}
			e.key.wrong("a member cannot be combined with an operator%s", didYouMean(e.name, near))
			return nil
		case op != "":
			e.key.wrong("a second operator next to %s: a setting has only one", op)
			return nil
		default:
			op, argument = Op(e.name), e.value
		}
	}
	r := Requirement{Setting: setting, Op: op, Position: f.position()}
	ok := false
	switch {
	case op == "":
		f.wrong("set needs an operator next to it; to require a plain value, write only the value")
	case !slices.Contains(operatorsOf[m.Kind], op):
		f.wrong("%s cannot be used with %s", op, fitting(m.Kind))
	default:
		r.Value, ok = argument.argument(op, m)
	}
	if ok && set.given() {
		r.Set, ok = set.set(m, r)
	}
	if !ok {
		return nil
	}
	return []Requirement{r}
}

func (f field) argument(op Op, m Member) (any, bool) {
	switch op {
	case AtLeast, AtMost:
		return f.value(m)
	case OneOf:
		return f.list(m, field.value)
	case Contains:
		return f.list(*m.Elem, field.sendable)
	case Without:
		return f.list(*m.Elem, field.value)
	case Exactly:
		return f.exactly(m)
	case Matches:
		glob := f.pattern(func(glob string) string { return neverMatches(m, glob) })
		return glob, glob != ""
	default: // Absent, Present
		return f.isTrue(op, m)
	}
}

func (f field) exactly(m Member) (any, bool) {
	empty := f.mapping() && len(f.node.Content) == 0
	switch {
	case empty && m.Keep != "":
		return f.wrong("cannot be empty: %s", m.Keep)
	case empty && m.NotEmpty:
		return f.wrong("cannot be empty, because the API rejects an empty one: use {absent: true}")
	}
	return f.object(m)
}

func (f field) isTrue(op Op, m Member) (any, bool) {
	switch {
	case f.node.Value != "true" || !f.scalar("!!bool"):
		opposites := map[Op]Op{Absent: Present, Present: Absent}
		return f.wrong("must be true: for the opposite, use {%s: true}", opposites[op])
	case op == Absent && m.Keep != "":
		return f.wrong("cannot be absent: %s", m.Keep)
	case op == Absent && m.Required:
		return f.wrong("cannot be absent alone: the API rejects its object without it; require the object to be absent")
	}
	return true, true
}

// set parses the value to write if the operator's requirement is not met. The value must meet the requirement.
func (f field) set(m Member, r Requirement) (any, bool) {
	if !r.Op.TakesSet() {
		return f.wrong("%s already implies the value to write: remove set", r.Op)
	}
	v, ok := f.value(m)
	if ok && !holds(m, r, v) {
		return f.wrong("the value does not meet the requirement next to it")
	}
	return v, ok
}

// value parses a value of the member.
func (f field) value(m Member) (any, bool) {
	switch m.Kind {
	case Object, Map:
		return f.object(m)
	case List:
		return f.elements(m)
	case Integer:
		return f.integer(m)
	case Boolean:
		if !f.scalar("!!bool") {
			return f.wrong("is %s: it must be true or false", shapeOf(f.node))
		}
		return strings.EqualFold(f.node.Value, "true"), true
	default:
		return f.string(m)
	}
}

// sendable parses a value that a call can send.
func (f field) sendable(m Member) (any, bool) {
	v, ok := f.value(m)
	if text, _ := v.(string); ok && slices.Contains(m.Unsent, text) {
		return f.wrong("the service may return %s, but no call can send it: remove it", text)
	}
	return v, ok
}

// object parses an object or map that is written as it is, so it must have every mandatory member.
func (f field) object(m Member) (any, bool) {
	before := f.found()
	object := map[string]any{}
	for _, e := range f.entries("a mapping of its members") {
		if below, ok := e.member(m); ok {
			object[e.name], _ = e.value.value(below)
		}
	}
	if m.Kind == Map && m.Max > 0 && int64(len(object)) > m.Max {
		f.wrong("has %d keys: the API allows at most %d", len(object), m.Max)
	}
	if f.found() > before {
		return nil, false
	}
	for _, below := range m.Members {
		if _, given := object[below.Name]; below.Required && !given && len(object) > 0 {
			f.below(below.Name, f.node).wrong("is missing: the API does not accept %s without it", cmp.Or(m.Name, "an element"))
		}
	}
	return object, f.found() == before
}

// list parses a list that is not empty, of elements that differ.
func (f field) list(elem Member, read func(f field, m Member) (any, bool)) ([]any, bool) {
	before := f.found()
	seen := map[string]bool{}
	list := each(f, func(f field) any {
		v, ok := read(f, elem)
		text := canonical(v)
		if ok && seen[text] {
			f.wrong("is in the list twice")
		}
		seen[text] = true
		return v
	})
	return list, f.found() == before
}

// elements parses a list that is written as it is.
func (f field) elements(m Member) (any, bool) {
	all, ok := []any{}, true
	if f.node.Kind != yaml.SequenceNode || len(f.node.Content) > 0 {
		all, ok = f.list(*m.Elem, field.sendable)
	}
	switch count := int64(len(f.node.Content)); {
	case all == nil:
		return nil, false
	case count < m.Min:
		return f.wrong("has %d elements: the API needs at least %d", count, m.Min)
	case count == 0 && m.Keep != "":
		return f.wrong("is an empty list: %s", m.Keep)
	case m.Max > 0 && count > m.Max:
		return f.wrong("has %d elements: the API allows at most %d", count, m.Max)
	}
	return all, ok
}

func (f field) integer(m Member) (any, bool) {
	n, whole := f.whole("it must be a whole number")
	switch {
	case !whole:
		return nil, false
	case n >= m.Min && (m.Max == 0 || n <= m.Max):
		return json.Number(f.node.Value), true
	}
	remark := ""
	if n == 0 && m.Min == 1 && m.Keep != "" {
		remark = ", and " + m.Keep
	}
	return f.wrong("is %s: the API allows %d to %d%s", f.node.Value, m.Min, m.Max, remark)
}

// whole parses a whole number, which goes to the API as it stands: in JSON syntax. 0x1F, 007 and 1_000 are rejected,
// although YAML allows them. A number that is too large becomes the largest one.
func (f field) whole(rule string) (n int64, ok bool) {
	switch {
	case !f.scalar("!!int", "!!float"):
		f.wrong("is %s: %s", shapeOf(f.node), rule)
	case !Wholly(`-?(0|[1-9]\d*)`, f.node.Value):
		f.wrong("is %s: %s, in plain digits", f.node.Value, rule)
	default:
		n, _ = strconv.ParseInt(f.node.Value, 10, 64) // out of range, it is the nearest one
		ok = true
	}
	return n, ok
}

func (f field) string(m Member) (any, bool) {
	if !f.scalar("!!str") {
		options := ""
		if len(m.Enum) > 0 {
			options = ", one of " + strings.Join(m.Enum, ", ")
		}
		return f.notText(options)
	}
	if message := offText(m, f.node.Value); message != "" {
		return f.wrong("%s", message)
	}
	return f.node.Value, true
}

// offText describes what is wrong with a text of a member, or returns "". It never repeats a sensitive text.
func offText(m Member, text string) string {
	shown := quoted(text)
	if m.Sensitive {
		shown = fmt.Sprintf("a text of %d characters", runes(text))
	}
	switch {
	case len(m.Enum) > 0 && !slices.Contains(m.Enum, text):
		return fmt.Sprintf("is %s: it must be one of %s%s", shown, strings.Join(m.Enum, ", "), didYouMean(text, m.Enum))
	case len(m.Enum) > 0:
		return ""
	case text == "" && !m.Presence && m.Keep != "":
		return "is empty, which the API rejects"
	case text == "" && !m.Presence:
		return "is empty, which the API rejects: use {absent: true} to have none"
	case offFormat(m.Format, text) != "": // before the limits, because it shows what to write
		return offFormat(m.Format, text)
	case runes(text) < m.Min:
		return fmt.Sprintf("has %d characters: the API needs at least %d", runes(text), m.Min)
	case m.Max > 0 && runes(text) > m.Max:
		return fmt.Sprintf("has %d characters: the API allows at most %d", runes(text), m.Max)
	case m.Format == formatInvite && (!strings.Contains(text, "{username}") || !strings.Contains(text, "{####}")):
		return "must contain the placeholders {username} and {####} for the password"
	case strings.Contains(m.Pattern, `\{####\}`) && !strings.Contains(text, "{####}"):
		return "must contain the placeholder {####} for the code"
	case strings.Contains(m.Pattern, `\{##[`) && !Wholly(m.Pattern, text):
		return "must contain the placeholder {##text##} for the link"
	case m.Pattern != "" && !Wholly(m.Pattern, text):
		if m.Sensitive {
			return "has characters that the API rejects"
		}
		return fmt.Sprintf("is %s: it must match %s", shown, m.Pattern)
	}
	return ""
}

func runes(text string) int64 { return int64(utf8.RuneCountInString(text)) }

var expressions sync.Map // of patterns; each is compiled once

// Wholly reports whether the whole text matches the pattern of the API model. A dot also matches a newline.
func Wholly(pattern, text string) bool {
	known, ok := expressions.Load(pattern)
	if !ok {
		known, _ = expressions.LoadOrStore(pattern, regexp.MustCompile(`(?s)^(?:`+pattern+`)$`))
	}
	expression, _ := known.(*regexp.Regexp)
	return expression.MatchString(text)
}
