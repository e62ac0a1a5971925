package baseline

import "slices"

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

func opNames() []string {
	var all []string
	for _, op := range operators {
		all = append(all, string(op))
	}
	return append(all, setKey)
}

var kindNames = [...]string{Object: "an object", Map: "a map", List: "a list", String: "a text", Integer: "a number",
	Boolean: "true or false"}

// fitting names the operators that a kind of member takes.
func fitting(kind Kind) string {
	text := "it takes a plain value"
	for _, op := range kind.Operators() {
		text += ", " + string(op)
	}
	return text
}
