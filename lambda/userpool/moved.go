package userpool

import (
	"slices"
	"sort"

	"poolkeeper/baseline"
)

// Unmoved compares a state read after the writes with what the plan expected of everything that it did not mean to change: unmanaged
// settings, and owned ones that could not be fixed. It returns how many leaves there are that owns does not claim and that
// are exactly what they were, and the paths of all leaves that are not. Mirrors that follow their twin, and members that
// were to be left out of the write, count neither way.
func (p Plan) Unmoved(now State, owns func(path string) bool) (unmanaged int, moved []string) {
	told := p.told(now)
	if p.after == nil { // a plan that changes nothing
		p.after = p.Before.written()
	}
	before, want, have := p.Before.written().only(told).leaves(), p.after.only(told).leaves(), now.written().only(told).leaves()
	for path, v := range want {
		if v == before[path] && have[path] == v && !owns(path) {
			unmanaged++
		}
	}
	for _, path := range union(want, have) {
		if want[path] == have[path] || want[path] != before[path] || p.excused(path) || follows(path, want, have) {
			continue
		}
		moved = append(moved, path)
	}
	sort.Strings(moved)
	return unmanaged, moved
}

// told says whether a document can be compared: it was offered, and read, both times. A client that came or went in between is nobody's doing of ours; a risk configuration that
// a client has from the pool is compared with the pool.
func (p Plan) told(now State) func(baseline.DocumentName) bool {
	return func(name baseline.DocumentName) bool {
		return p.Before.Documents[name] != nil && now.Documents[name] != nil && !now.inherited(name)
	}
}

// excused says whether nothing can be expected of a path: it was to be left out, or it is the SMS block of a pool whose MFA is off, which
// Cognito shows or not as it likes.
func (p Plan) excused(path string) bool {
	for _, omitted := range p.omitted {
		if slices.ContainsFunc(omitted, func(o string) bool { return covers(o, path) }) {
			return true
		}
	}
	return covers(smsMFA, path) && !mfaOn(p.after)
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
