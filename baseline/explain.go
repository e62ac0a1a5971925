package baseline

import (
	"slices"
	"strings"
)

// A Fact is one line of the description of a setting. Of is the setting that the fact is about, if it is one around the
// described setting or below it, or "".
type Fact struct{ Name, Text, Of string }

// Explain describes the setting at path.
func Explain(path string) []Fact {
	var facts []Fact
	add := func(name, text, of string) {
		if text != "" {
			facts = append(facts, Fact{name, text, of})
		}
	}
	m, _ := Lookup(path)
	add("values", m.Values(), "")
	add("operators", strings.Join(TextsOf(m.Operators()), ", "), "")
	if m.Keep != "" {
		add("absent", "cannot be required: "+m.Keep, "")
	} else if m.Default != "" {
		add("absent", "is the same as "+m.Default, "")
	}
	calls := collect(WrittenWith(path), func(d Document) string { return d.WriteCall })
	add("written by", strings.Join(calls, ", "), "")
	twin, _ := TwinOf(path)
	add("same as", twin, "")
	add("no longer used", m.Deprecated, "")
	if m.ShownBy != "" {
		add("remark", "true while "+m.ShownBy+" is present: require either", "")
	} else if m.Sensitive {
		add("remark", "hidden in reports", "")
	}
	for _, c := range ControlsOf(path) {
		of := c.Setting
		if of == path {
			of = ""
		}
		for _, check := range c.Checks() {
			add("checked by", check, of)
		}
		add("beware", c.Hazard, of)
		add("cost", c.Cost, of)
	}
	place := func(f Fact) int { return slices.Index([]string{"checked by", "beware", "cost"}, f.Name) }
	slices.SortStableFunc(facts, func(a, b Fact) int { return place(a) - place(b) })
	return facts
}
