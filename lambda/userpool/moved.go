package userpool

import (
	"slices"
	"sort"

	"poolkeeper/baseline"
)

// Moved compares a state that was read after writes with what the fixes were to make of the state before the first of
// them. It returns how many unmanaged leaves, which owns does not claim, are exactly what they were, and the paths of
// all leaves that no fix was to change and that are not what they were, sorted. Mirrors that follow their twin, and
// unknown members that the baseline leaves out, count neither way.
//
// For example, where a fix sets DeletionProtection and PoolName is another afterwards, PoolName has moved.
func Moved(before State, fixes []baseline.Drift, now State, unknown map[string]baseline.Unknown, owns func(string) bool,
) (unmanaged int, moved []string) {
	was := before.written()
	after, _ := apply(was, fixes)
	compared := func(name baseline.DocumentName) bool {
		return before.Documents[name] != nil && now.Documents[name] != nil && !now.inherited(name)
	}
	omitted := omittedMembers(before, unknown)
	from, want, have := was.only(compared).leaves(), after.only(compared).leaves(), now.written().only(compared).leaves()
	for path, v := range want {
		if v == from[path] && have[path] == v && !owns(path) {
			unmanaged++
		}
	}
	excused := func(path string) bool {
		return slices.ContainsFunc(omitted, func(o string) bool { return covers(o, path) }) ||
			covers(smsMFA, path) && !mfaOn(after) // with MFA off Cognito shows the block or not, as it likes
	}
	for _, path := range union(want, have) {
		same := want[path] == have[path] || want[path] != from[path]
		if !same && !excused(path) && !follows(path, want, have) {
			moved = append(moved, path)
		}
	}
	sort.Strings(moved)
	return unmanaged, moved
}

// omittedMembers returns the unknown members of a state that the baseline leaves out of writes.
func omittedMembers(state State, unknown map[string]baseline.Unknown) []string {
	var omitted []string
	for _, name := range state.Names() {
		omit, _ := judgeUnknown(unknownMembers(name, state.Documents[name]), unknown)
		omitted = append(omitted, omit...)
	}
	return omitted
}

func union(a, b map[string]string) []string {
	var all []string
	for path := range a {
		all = append(all, path)
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			all = append(all, path)
		}
	}
	return all
}
