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

func (p *parser) literal(n *yaml.Node, m Member, path string) (any, bool) {
	switch m.Kind {
	case List:
		return p.elements(n, m, path)
	case Integer:
		return p.integer(n, m, path)
	case Boolean:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			p.wrong(n, path, "is %s: it must be true or false", shapeOf(n))
			return nil, false
		}
		return strings.EqualFold(n.Value, "true"), true
	default:
		return p.string(n, m, path)
	}
}

func (p *parser) value(n *yaml.Node, m Member, path string) (any, bool) {
	if m.Kind == Object || m.Kind == Map {
		return p.whole(n, m, path)
	}
	return p.literal(n, m, path)
}

// whole parses an object or map that is written as it is, so it must have every mandatory member.
func (p *parser) whole(n *yaml.Node, m Member, path string) (any, bool) {
	before := p.found()
	object := map[string]any{}
	for _, e := range p.entries(n, path, "a mapping of its members") {
		at := join(path, e.name)
		below, ok := p.member(e, m, at)
		if !ok {
			continue
		}
		if v, ok := p.value(e.value, below, at); ok {
			object[e.name] = v
		}
	}
	if m.Kind == Map && m.Max > 0 && int64(len(object)) > m.Max {
		p.wrong(n, path, "has %d keys: the API allows at most %d", len(object), m.Max)
	}
	if p.found() > before {
		return nil, false
	}
	for _, below := range m.Members {
		if _, given := object[below.Name]; below.Required && !given && len(object) > 0 {
			p.wrong(n, join(path, below.Name), "is missing: the API does not accept %s without it", cmp.Or(m.Name, "an element"))
		}
	}
	return object, p.found() == before
}

func (p *parser) elements(n *yaml.Node, m Member, path string) (any, bool) {
	if n.Kind != yaml.SequenceNode {
		p.wrong(n, path, "is %s: it must be a list", shapeOf(n))
		return nil, false
	}
	before := p.found()
	list := []any{}
	seen := map[string]bool{}
	for i, e := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		v, ok := p.sendable(e, *m.Elem, at)
		if !ok {
			continue
		}
		if text := canonical(v); seen[text] {
			p.wrong(e, at, "is in the list twice")
		} else {
			seen[text] = true
		}
		list = append(list, v)
	}
	switch count := int64(len(n.Content)); {
	case count < m.Min:
		p.wrong(n, path, "has %d elements: the API needs at least %d", count, m.Min)
	case count == 0 && m.Keep != "":
		p.wrong(n, path, "is an empty list: %s", m.Keep)
	case m.Max > 0 && count > m.Max:
		p.wrong(n, path, "has %d elements: the API allows at most %d", count, m.Max)
	}
	return list, p.found() == before
}

func (p *parser) sendable(n *yaml.Node, m Member, path string) (any, bool) {
	v, ok := p.value(n, m, path)
	if text, _ := v.(string); ok && slices.Contains(m.Unsent, text) {
		p.wrong(n, path, "the service may return %s, but no call can send it: remove it", text)
		return nil, false
	}
	return v, ok
}

// plainDecimal reports whether a text is a whole number in JSON syntax. 0x1F, 007 and 1_000 are not, although YAML
// allows them.
func plainDecimal(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && (digits == "0" || digits[0] != '0')
}

func (p *parser) integer(n *yaml.Node, m Member, path string) (any, bool) {
	if !p.digits(n, path, "it must be a whole number") {
		return nil, false
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || i < m.Min || m.Max > 0 && i > m.Max {
		remark := ""
		if i == 0 && m.Min == 1 && m.Keep != "" {
			remark = ", and " + m.Keep
		}
		p.wrong(n, path, "is %s: the API allows %d to %d%s", n.Value, m.Min, m.Max, remark)
		return nil, false
	}
	return json.Number(n.Value), true
}

func (p *parser) digits(n *yaml.Node, path, has string) bool {
	tag := n.ShortTag()
	switch {
	case n.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!float") && !plainDecimal(n.Value):
		p.wrong(n, path, "is %s: %s, in plain digits", n.Value, has)
		return false
	case n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float":
		p.wrong(n, path, "is %s: %s", shapeOf(n), has)
		return false
	}
	return true
}

func (p *parser) string(n *yaml.Node, m Member, path string) (any, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		p.wrong(n, path, "is %s: it must be a text%s%s", shapeOf(n), quoteIt(n), oneOf(m))
		return nil, false
	}
	if message := offText(m, n.Value); message != "" {
		p.wrong(n, path, "%s", message)
		return nil, false
	}
	return n.Value, true
}

// offText describes what is wrong with a text of a member, or returns "". It never repeats a sensitive text.
func offText(m Member, text string) string {
	shown := strconv.Quote(shortened(text, 80))
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

func oneOf(m Member) string {
	if len(m.Enum) == 0 {
		return ""
	}
	return ", one of " + strings.Join(m.Enum, ", ")
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
