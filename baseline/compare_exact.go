package baseline

import (
	"maps"
	"slices"
)

// An aim is what an object is required to be as a whole: to hold exactly some members, or to be absent.
//
// Some parts stay as they are live: those of which another requirement of the policy speaks, those that the service no
// longer reads or never lacks, and those that are exempted. Each of the last that differs is listed by itself.
type aim struct {
	comparer
	member   Member
	op       Op
	place    string
	have     any
	wanted   map[string]any // the leaves that the requirement names, by path, empty ones too
	target   map[string]any // what can be written: the parts that stay are as they are live
	kept     bool           // some part stays
	exempted []parted
}

// aimed says whether the requirement is on an object as a whole.
func aimed(m Member, r Requirement) bool {
	if m.Kind != Object && m.Kind != Map {
		return false
	}
	_, isObject := r.Value.(map[string]any)
	return r.Op == Absent || r.Op == Exactly && isObject
}

func (c comparer) aim(m Member, r Requirement, place string, have any) aim {
	a := aim{comparer: c, member: m, op: r.Op, place: place, have: have, wanted: map[string]any{}}
	switch {
	case r.Op == Exactly:
		a.target, _ = Clone(r.Value).(map[string]any)
		eachLeaf(m, place, a.target, func(_ Member, path string, v any) { a.wanted[path] = v })
		a.mirror()
	case m.Clear != "":
		a.target, _ = decode(m.Clear).(map[string]any)
	}
	if a.target == nil {
		a.target = map[string]any{}
	}
	named := a.leaves(a.target)
	a.keep(func(path string) bool {
		return a.ownedElsewhere(path) || a.superseded(path) || a.saidElsewhere(path) ||
			a.op == Exactly && a.alwaysThere(path)
	})
	if c.exemption(place) == nil {
		a.exempt()
	}
	if a.kept = !maps.Equal(named, a.leaves(a.target)); a.kept {
		// What remains is not without what it needs, nor without what is always there.
		a.keep(func(path string) bool { return a.needed(path) || a.alwaysThere(path) })
	}
	return a
}

// keep gives back to the target the live value of every leaf below the aim's place that the filter picks, or takes it
// away where there is none.
func (a aim) keep(pick func(path string) bool) {
	for _, path := range a.paths() {
		if beneath(a.place, path) && pick(path) {
			put(a.target, a.below(path), Clone(a.at(path)))
		}
	}
}

// exempt keeps the parts that are exempted, and notes those that differ.
func (a *aim) exempt() {
	wanted, live := a.leaves(a.target), a.leaves(a.have)
	for _, path := range a.paths() {
		if !beneath(a.place, path) || a.exemption(path) == nil {
			continue
		}
		if wanted[path] != live[path] {
			a.exempted = append(a.exempted, parted{path, at(a.target, a.below(path)), a.at(path)})
		} else if twin, ok := TwinOf(path); ok && a.differsElsewhere(path, twin) {
			a.exempted = append(a.exempted, parted{path, a.wanted[path], a.at(twin)})
		}
	}
	a.keep(func(path string) bool { return a.exemption(path) != nil && (a.op == Exactly || !a.absent(path)) })
}

// paths returns the leaves of the target and of the live value, empty ones too.
func (a aim) paths() []string {
	set := map[string]bool{}
	add := func(_ Member, path string, _ any) { set[path] = true }
	eachLeaf(a.member, a.place, a.target, add)
	eachLeaf(a.member, a.place, a.have, add)
	return slices.Sorted(maps.Keys(set))
}

func (a aim) below(path string) []string { return keys(path)[len(keys(a.place)):] }

// ownedElsewhere says whether a requirement on a part of the object speaks of the leaf at path. It may do so by its
// twin. Of an object that is to be absent, a part that is required outside of it is no part.
func (a aim) ownedElsewhere(path string) bool {
	return slices.ContainsFunc(a.policy.Requirements, func(o Owned) bool {
		if beneath(a.place, o.Setting) {
			return (a.op == Exactly || a.stays(o, path)) && Concerns(o.Setting, path)
		}
		twin, ok := TwinOf(o.Setting)
		return a.op == Exactly && ok && beneath(a.place, twin) && Concerns(twin, path)
	})
}

// stays says whether a part of an object that is to be absent is there all the same, for another requirement has it or
// will have it. One that only audits has it as it is.
func (a aim) stays(o Owned, path string) bool {
	have := a.at(path)
	switch {
	case a.absent(path), o.Op == Absent && o.Mode != Audit:
		return false
	case o.Mode == Audit, o.Setting != path:
		return true
	}
	m, _ := Lookup(path)
	action, v := remedy(m, o.Requirement, have)
	return action == Report || !Empty(v) || holds(m, o.Requirement, have)
}

// superseded says whether the service no longer reads the leaf at path, and what it reads instead does not contradict
// what is wanted.
func (a aim) superseded(path string) bool {
	m, _ := Lookup(path)
	twin, ok := TwinOf(path)
	if !m.Superseded || !ok || !a.counts(twin) {
		return false
	}
	wanted, named := a.wanted[path]
	return !named || equal(m, wanted, a.at(twin))
}

// saidElsewhere says whether the leaf at path is absent, and what is wanted of it stands under its other name.
func (a aim) saidElsewhere(path string) bool {
	m, _ := Lookup(path)
	twin, ok := TwinOf(path)
	wanted, named := a.wanted[path]
	return ok && named && a.absent(path) && !presenceCounts(path) && a.counts(twin) && equal(m, wanted, a.at(twin))
}

// alwaysThere says whether the leaf at path is of a part that cannot be absent and of which the requirement names
// nothing.
func (a aim) alwaysThere(path string) bool {
	ks := keys(path)
	for n := len(keys(a.place)) + 1; n <= len(ks); n++ {
		part := pathOf(ks[:n])
		m, _ := Lookup(part)
		if m.Keep != "" && !a.names(part) {
			return true
		}
	}
	return false
}

func (a aim) names(part string) bool {
	for path := range a.wanted {
		if covers(part, path) {
			return true
		}
	}
	return false
}

// needed says whether the leaf at path is one that an object which stays cannot be written without.
func (a aim) needed(path string) bool {
	m, _ := Lookup(path)
	ks := a.below(path)
	if !m.Required || len(ks) < 2 || at(a.target, ks) != nil {
		return false
	}
	around, _ := at(a.target, ks[:len(ks)-1]).(map[string]any)
	return len(around) > 0
}

// mirror adds to what is wanted the members under which the service shows the wanted ones a second time: a pool with a
// PreTokenGeneration function shows a PreTokenGenerationConfig, too. They have to agree, and what the API requires
// beside them is taken as it is live.
func (a aim) mirror() {
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		twin, ok := TwinOf(path)
		if !ok || !beneath(a.place, twin) || a.wanted[twin] != nil || !a.counts(twin) {
			continue
		}
		ks := a.below(twin)
		if container := ks[:len(ks)-1]; at(a.target, container) == nil {
			put(a.target, container, Clone(at(a.have, container)))
		}
		put(a.target, ks, Clone(a.wanted[path]))
	}
}

func (a aim) result() result {
	here := result{holds: a.reached() && !a.missing(), have: a.have, place: a.place, exempted: a.exempted}
	if !here.holds {
		return here
	}
	there := a.elsewhere()
	there.exempted = a.exempted
	return there
}

func (a aim) reached() bool {
	live := text(a.member, a.have)
	if a.op == Absent && (live == "" || len(a.target) == 0) {
		return live == ""
	}
	return live == text(a.member, a.target)
}

// missing says whether the object is one that has to be there by itself, and is not.
func (a aim) missing() bool {
	if a.op != Exactly || a.member.ActiveWith == "" || text(a.member, a.have) != "" {
		return false
	}
	for _, v := range a.wanted {
		if !Empty(v) {
			return true
		}
	}
	return false
}

func (a aim) leaves(v any) map[string]string {
	out := map[string]string{}
	addLeaves(out, a.member, a.place, v)
	return out
}

// elsewhere looks at the twins, outside the object, of the leaves that are wanted in it. (Where the object itself has a
// twin, that is compared as a whole.)
func (a aim) elsewhere() result {
	if _, whole := TwinOf(a.place); whole {
		return result{holds: true}
	}
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		if twin, ok := TwinOf(path); ok && a.exemption(path) == nil && a.differsElsewhere(path, twin) {
			return result{have: a.at(twin), place: twin}
		}
	}
	return result{holds: true}
}

// differsElsewhere says whether a twin outside the object differs from what is wanted of a leaf in it.
func (a aim) differsElsewhere(path, twin string) bool {
	m, _ := Lookup(path)
	wanted, named := a.wanted[path]
	if _, whole := TwinOf(a.place); whole || !named || covers(a.place, twin) || !a.counts(twin) || a.ownedElsewhere(path) {
		return false
	}
	return !equal(m, wanted, a.at(twin))
}

func (a aim) remedy() (Action, any) {
	if a.op == Absent && !a.kept && !a.filled() {
		return leaveOut(a.member)
	}
	target, _ := Clone(a.target).(map[string]any)
	if a.missing() {
		a.fill(target)
	}
	return Write, target
}

// filled says whether another requirement is going to write a part of the object.
func (a aim) filled() bool {
	return slices.ContainsFunc(a.policy.Requirements, func(o Owned) bool {
		skipped := o.Op == Absent || o.Mode == Audit || a.exemption(o.Setting) != nil
		if skipped || !beneath(a.place, o.Setting) || a.examine(o.Requirement).holds {
			return false
		}
		m, _ := Lookup(o.Setting)
		action, v := a.comparer.remedy(m, o.Requirement)
		return action == Write && (!Empty(v) || m.Presence)
	})
}

// fill gives a block that is missing what it is wanted to hold, as far as other requirements do not say otherwise.
func (a aim) fill(target map[string]any) {
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		v := a.wanted[path]
		if twin, ok := TwinOf(path); ok && a.ownedElsewhere(path) && !a.absent(twin) {
			v = a.at(twin)
		}
		if at(target, a.below(path)) == nil {
			put(target, a.below(path), Clone(v))
		}
	}
}

// owned returns the leaves that are wanted or live and of which nothing else speaks, or the object itself where it is
// to be and is empty.
func (a aim) owned() []string {
	wanted := a.leaves(a.target)
	maps.Copy(wanted, a.leaves(a.have))
	if len(wanted) == 0 {
		return []string{a.place}
	}
	maps.DeleteFunc(wanted, func(path, _ string) bool {
		_, named := a.wanted[path]
		return beneath(a.place, path) && (a.ownedElsewhere(path) || a.exemption(path) != nil ||
			(a.superseded(path) || a.alwaysThere(path)) && !named)
	})
	return slices.Collect(maps.Keys(wanted))
}
