package baseline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// AddLeaves adds a normalized form of an object, for comparing only: the dotted path of every leaf that is not empty,
// after a prefix, with its value as canonical JSON. The members have the names of the write call. Two objects have the
// same meaning for the API if their leaves are equal.
//
// The values null, false, 0, "", [] and {} are treated as absent, and so are a member's Default and DefaultList. A list
// is one leaf, sorted by the JSON of its elements, without duplicates. Numbers are compared by their exact
// value. A member with Presence is a leaf itself, in addition to the leaves in it. Members that the write call does not
// have (ReadOnly) or that another document sets (Carried) are left out. A member that is not in the table, or whose
// value has an unexpected type, is one leaf with its value unchanged.
func AddLeaves(out map[string]string, prefix string, members []Member, object map[string]any) {
	of := Member{Kind: Object, Members: members}
	for _, key := range inOrder(object) {
		m, _ := child(of, key)
		addLeaves(out, m, prefix+key, object[key])
	}
}

func addLeaves(out map[string]string, m Member, path string, v any) {
	eachLeaf(m, path, v, func(m Member, path string, v any) {
		if t := text(m, v); t != "" {
			out[path] = t
		}
	})
}

// eachLeaf calls visit with every leaf at and below path, empty or not, in the order of the keys. An object or map with
// Presence is visited itself, as an empty one, before its members.
func eachLeaf(m Member, path string, v any, visit func(m Member, path string, v any)) {
	object, _ := v.(map[string]any)
	switch {
	case m.Trip != Echo:
		return
	case len(object) == 0, m.Kind != Object && m.Kind != Map:
		visit(m, path, v)
		return
	case m.Presence:
		visit(m, path, map[string]any{})
	}
	for _, key := range inOrder(object) {
		c, _ := child(m, key)
		eachLeaf(c, path+"."+key, object[key], visit)
	}
}

func inOrder(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }

func equal(m Member, a, b any) bool { return text(m, a) == text(m, b) }

// text returns the normalized value of a member as canonical JSON, or "" if the API treats it as absent.
func text(m Member, v any) string {
	if v == nil || m.Trip != Echo {
		return ""
	}
	t := textOf(m, v)
	switch {
	case t == "" && m.Presence:
		return present(m, v)
	case len(m.DefaultList) > 0 && t == textOf(m, anys(m.DefaultList)):
		return ""
	}
	return t
}

func textOf(m Member, v any) string {
	var texts []string
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case isObject && (m.Kind == Object || m.Kind == Map):
		for _, key := range inOrder(object) {
			c, _ := child(m, key)
			if t := text(c, object[key]); t != "" {
				texts = append(texts, canonical(key)+":"+t)
			}
		}
		if len(texts) == 0 {
			return ""
		}
		return "{" + strings.Join(texts, ",") + "}"
	case isList && len(list) > 0 && m.Kind == List:
		for _, e := range list {
			texts = append(texts, present(*m.Elem, e))
		}
		slices.Sort(texts) // no list of the API has an order
		return "[" + strings.Join(slices.Compact(texts), ",") + "]"
	case Empty(v), m.Default != "" && fmt.Sprint(v) == m.Default:
		return ""
	}
	return canonical(v)
}

func anys(texts []string) []any { return collect(texts, func(text string) any { return text }) }

// effective returns the value that the API uses: the default of an absent list or text, and otherwise the value itself.
func effective(m Member, v any) any {
	switch {
	case m.Default != "" && Empty(v) && m.Kind == Integer:
		return json.Number(m.Default)
	case m.Default != "" && Empty(v):
		return m.Default
	case len(m.DefaultList) > 0 && (v == nil || Empty(v) && !m.Presence):
		return anys(m.DefaultList)
	}
	return v
}

// present is the text of a value that counts even if it is empty. All objects with only empty members are alike.
func present(m Member, v any) string {
	_, isObject := v.(map[string]any)
	switch t := textOf(m, v); {
	case t == "" && isObject:
		return "{}"
	case t == "":
		return canonical(v)
	default:
		return t
	}
}

// Empty reports whether the API treats a value of an unknown member as absent.
func Empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, e := range v {
			if !Empty(e) {
				return false
			}
		}
		return true
	}
	n, ok := number(v)
	return ok && n.Sign() == 0
}

// canonical returns the canonical JSON of a value: sorted keys, no white space, one form for each number.
func canonical(v any) string {
	if n, ok := number(v); ok {
		places, _ := n.FloatPrec()
		return n.FloatString(places)
	}
	return plainJSON(mapped(v, func(leaf any) any {
		if _, ok := number(leaf); ok {
			return json.Number(canonical(leaf))
		}
		return leaf
	}))
}

// plainJSON is encoding/json without HTML escapes.
func plainJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v) // not a JSON value, such as a number with too many digits
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// mostPower is the largest exponent of a number. Without a limit, a number of a few bytes could use up all memory.
const mostPower = 1000

// number returns the exact value of a JSON number, and false for anything else.
func number(v any) (*big.Rat, bool) {
	switch v.(type) {
	case json.Number, int, int64, float64:
	default:
		return nil, false
	}
	text := strings.ToLower(fmt.Sprint(v))
	if _, exponent, ok := strings.Cut(text, "e"); ok {
		if power, err := strconv.Atoi(exponent); err != nil || power > mostPower || power < -mostPower {
			return nil, false
		}
	}
	if strings.Trim(text, "0123456789.e+-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
