package userpool

import (
	"encoding/json"
	"maps"
	"slices"

	"poolkeeper/baseline"
)

// A Change is a leaf whose value changed although no write was meant to change it. From or To is "" if the leaf was or
// is absent.
type Change struct{ Setting, From, To string }

const mostShown = 80 // characters of a value

// String returns the setting, its document and both values. Sensitive values are masked.
func (c Change) String() string {
	m, known := baseline.Lookup(c.Setting)
	m.Sensitive = m.Sensitive || !known
	shown := func(leaf string) string {
		var v any
		if json.Unmarshal([]byte(leaf), &v) != nil {
			return "absent"
		}
		if text, hidden := baseline.Mask(m, v).(string); hidden && text != v {
			return text
		}
		if runes := []rune(leaf); len(runes) > mostShown {
			leaf = string(runes[:mostShown]) + "…"
		}
		return leaf
	}
	return Titled(c.Setting) + ": " + shown(c.From) + " -> " + shown(c.To)
}

// Moved compares a state that was read after writes with the expected state: the state before the first write, with the
// fixes applied. It returns the number of unmanaged leaves that are unchanged, and a sorted list of all unexpected
// changes. A leaf is unmanaged if owns does not return true for it. Mirrors that follow their twin and the members to
// skip are in neither result.
//
// For example, if a fix sets DeletionProtection and PoolName is different afterwards, PoolName has moved.
func Moved(before State, fixes []baseline.Drift, now State, skip []string, owns func(string) bool,
) (unmanaged int, moved []Change) {
	was := before.written()
	after := apply(was, fixes)
	compared := func(name baseline.DocumentName) bool {
		return before.Documents[name] != nil && now.Documents[name] != nil && !now.Inherits(name)
	}
	from, want, have := was.only(compared).leaves(), after.only(compared).leaves(), now.written().only(compared).leaves()
	for path, v := range want {
		if v == from[path] && have[path] == v && !owns(path) {
			unmanaged++
		}
	}
	excused := func(path string) bool {
		m, _ := baseline.Lookup(path)
		return slices.ContainsFunc(skip, func(o string) bool { return baseline.Covers(o, path) }) ||
			baseline.Covers(smsMFA, path) && !mfaOn(after) || // with MFA off, Cognito may or may not return the block
			want[path] == "" && m.Kind == baseline.Integer && m.Keep != "" // a default that is shown after a write
	}
	for _, path := range union(want, have) {
		same := want[path] == have[path] || want[path] != from[path]
		if !same && !excused(path) && !follows(path, want, have) {
			moved = append(moved, Change{path, want[path], have[path]})
		}
	}
	return unmanaged, moved
}

func union(a, b map[string]string) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
