package baseline

import (
	"slices"
	"strings"
)

var operators = []Op{AtLeast, AtMost, OneOf, Contains, Without, Exactly, Absent, Present, Matches}

const setKey = "set"

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

var takesSet = []Op{AtLeast, AtMost, OneOf, Present, Matches}

// Operators returns the operators that can be used with a kind of member, in the order of the documentation.
func (k Kind) Operators() []Op {
	return slices.DeleteFunc(slices.Clone(operators), func(op Op) bool { return !slices.Contains(takes[op], k) })
}

// TakesSet reports whether the operator may be combined with a value to write.
func (o Op) TakesSet() bool { return slices.Contains(takesSet, o) }

func opNames() []string { return append(textsOf(operators), setKey) }

func textsOf[T ~string](names []T) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = string(name)
	}
	return all
}

var kindNames = [...]string{Object: "an object", Map: "a map", List: "a list", String: "a text", Integer: "a number",
	Boolean: "true or false"}

func fitting(kind Kind) string {
	return "use " + strings.Join(append([]string{"a plain value"}, textsOf(kind.Operators())...), ", ")
}
