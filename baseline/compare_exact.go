package baseline

import (
	"maps"
	"slices"
	"strings"
)

// An aim is a requirement on a whole object: it must have exactly some members, or be absent.
//
// Some parts keep their live value: parts that another requirement covers, parts that the service no longer reads or
// that are always set, and exempted parts. Each exempted part that differs is listed separately.
type aim struct {
	comparer
	required Owned
	member   Member
	place    string // the path of the object: the setting's own or its twin's
	have     any
	paths    []string       // the leaves in the object, as it is and as it should be
	wanted   map[string]any // the leaves that the requirement names, by path, including empty ones
	target   map[string]any // what can be written; parts that must not change have their live value
	kept     bool           // some part keeps its live value
	exempted []Drift
}

func aimed(m Member, r Requirement) bool {
	_, isObject := r.Value.(map[string]any)
	return (m.Kind == Object || m.Kind == Map) && (r.Op == Absent || r.Op == Exactly && isObject)
}

func (c comparer) aim(m Member, o Owned, place string, have any) aim {
	a := aim{comparer: c, required: o, member: m, place: place, have: have,
		wanted: map[string]any{}, target: map[string]any{}}
	switch {
	case o.Op == Exactly:
		a.target, _ = Clone(o.Value).(map[string]any)
		eachLeaf(m, place, a.target, func(_ Member, path string, v any) { a.wanted[path] = v })
		a.mirror()
	case m.Clear != "":
		a.target, _ = decode(m.Clear).(map[string]any)
	}
	for _, v := range []any{a.target, have} {
		eachLeaf(m, place, v, func(_ Member, path string, _ any) { a.paths = append(a.paths, path) })
	}
	slices.Sort(a.paths)
	a.paths = slices.DeleteFunc(slices.Compact(a.paths), func(path string) bool { return path == place })
	named, live := a.leaves(a.target), a.leaves(have)
	exempted := c.policy.exemption(place) != nil
	for _, path := range a.paths {
		effect := a.effect(path)
		switch {
		case effect == replaces, effect == suffices, a.ownedElsewhere(path), o.Op == Exactly && a.alwaysThere(path):
			a.keep(path)
		case !exempted && a.exempts(path):
			a.exempt(path, named[path] != live[path])
		}
	}
	if a.kept = !maps.Equal(named, a.leaves(a.target)); a.kept {
		// An object that remains keeps the members that it needs, under both of their names, and those that are always set.
		for _, path := range a.paths {
			if twin, _ := TwinOf(path); a.needed(path) || a.needed(twin) || a.alwaysThere(path) {
				a.keep(path)
			}
		}
	}
	return a
}

// keep sets a leaf of the target to its live value, or removes it if there is none.
func (a aim) keep(path string) {
	v := a.at(path)
	if m, _ := Lookup(path); m.Min > 0 && Empty(v) { // a 0 that the API does not take stands for none
		v = nil
	}
	Put(a.target, a.below(path), Clone(v))
}

// exempt keeps an exempted leaf as it is, and records it if it or its twin differs.
func (a *aim) exempt(path string, differs bool) {
	want, have := At(a.target, a.below(path)), a.at(path)
	if !differs {
		twin, _ := TwinOf(path)
		want, have, differs = a.wanted[path], a.at(twin), a.effect(path) == contradicts
	}
	if differs {
		m, _ := Lookup(path)
		o := a.required
		d := Drift{Setting: path, Rule: o.Rule, Position: o.Position, Mode: o.Mode, Want: Mask(m, want),
			Have: Mask(m, have), Action: Write, Value: Clone(want), Exempted: a.policy.exemption(path)}
		if want == nil {
			d.Want, d.Action = string(Absent), LeaveOut
		}
		a.exempted = append(a.exempted, d)
	}
	if a.required.Op == Exactly || !a.absent(path) {
		a.keep(path)
	}
}

// exempts reports whether an exemption keeps the leaf at path. An exemption of the pool's own SMS sender or text does
// not keep the SMS factor, which must be absent: the sender and text stay without it.
func (a aim) exempts(path string) bool {
	if twin, _ := TwinOf(path); a.required.Op != Absent || a.absent(twin) || !presenceCounts(path) {
		return a.policy.exemption(path) != nil
	}
	return slices.ContainsFunc(a.policy.Exemptions, func(e Exemption) bool {
		return slices.ContainsFunc(e.Settings, func(s string) bool { return Covers(s, path) })
	})
}

func (a aim) below(path string) []string { return Keys(path)[len(Keys(a.place)):] }

// ownedElsewhere reports whether a requirement on a part of the object, or on a twin of it, covers the leaf at path. If
// the object must be absent, requirements on twins outside the object do not count.
func (a aim) ownedElsewhere(path string) bool {
	return slices.ContainsFunc(a.policy.Requirements, func(o Owned) bool { return a.owns(o, path) })
}

func (a aim) owns(o Owned, path string) bool {
	if beneath(a.place, o.Setting) {
		return (a.required.Op == Exactly || a.stays(o, path)) && Concerns(o.Setting, path)
	}
	twin, _ := TwinOf(o.Setting)
	return a.required.Op == Exactly && beneath(a.place, twin) && Concerns(twin, path)
}

// stays reports whether a part of an object that must be absent remains, because another requirement sets it. A
// requirement in audit mode leaves the part as it is.
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

// What a twin means for a leaf of the object.
type twinEffect int

const (
	noEffect    twinEffect = iota
	replaces               // the service reads it instead of the leaf, and it does not contradict the requirement
	suffices               // it has the required value, and the leaf is absent
	contradicts            // it is outside the object and differs from the value that is required in the object
)

// effect returns what the twin of the leaf at path means. An object that has a twin itself is compared with it as a
// whole.
func (a aim) effect(path string) twinEffect {
	twin, _ := TwinOf(path)
	if !a.counts(twin) {
		return noEffect
	}
	m, _ := Lookup(path)
	wanted, named := a.wanted[path]
	_, whole := TwinOf(a.place)
	switch agrees := equal(m, wanted, a.at(twin)); {
	case m.Superseded && (agrees || !named):
		return replaces
	case whole, !named:
	case agrees && a.absent(path) && !presenceCounts(path):
		return suffices
	case !agrees && !Covers(a.place, twin) && !a.ownedElsewhere(path):
		return contradicts
	}
	return noEffect
}

// alwaysThere reports whether the leaf at path belongs to a part that cannot be absent and that the requirement does
// not name.
func (a aim) alwaysThere(path string) bool {
	for part := path; beneath(a.place, part); part = part[:strings.LastIndexByte(part, '.')] {
		if m, _ := Lookup(part); m.Keep != "" && At(a.required.Value, a.below(part)) == nil {
			return true
		}
	}
	return false
}

// needed reports whether the leaf at path is mandatory in an object that remains.
func (a aim) needed(path string) bool {
	if m, _ := Lookup(path); !m.Required || !beneath(a.place, path) {
		return false
	}
	ks := a.below(path)
	around, _ := At(a.target, ks[:len(ks)-1]).(map[string]any)
	return len(ks) > 1 && len(around) > 0 && At(a.target, ks) == nil
}

// mirror adds the twins of the required members: the service shows a PreTokenGenerationConfig for a pool with a
// PreTokenGeneration function, for example. Both must agree. Other members that the API demands with them keep their
// live value.
func (a aim) mirror() {
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		twin, _ := TwinOf(path)
		if !beneath(a.place, twin) || a.wanted[twin] != nil || !a.counts(twin) {
			continue
		}
		ks := a.below(twin)
		if container := ks[:len(ks)-1]; At(a.target, container) == nil {
			Put(a.target, container, Clone(At(a.have, container)))
		}
		Put(a.target, ks, Clone(a.wanted[path]))
	}
}

// result compares the object with the target, and then the twins outside the object of the leaves that are required in
// it. A twin of the object itself is compared as a whole.
func (a aim) result() result {
	live, target := text(a.member, a.have), text(a.member, a.target)
	if a.required.Op == Absent && (live == "" || len(a.target) == 0) {
		target = ""
	}
	found := result{holds: live == target && !a.missing(), have: a.have, place: a.place, exempted: a.exempted}
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		if found.holds && a.policy.exemption(path) == nil && a.effect(path) == contradicts {
			twin, _ := TwinOf(path)
			found = result{have: a.at(twin), place: twin, exempted: a.exempted}
		}
	}
	return found
}

// missing reports whether the object must be present and is not.
func (a aim) missing() bool {
	return a.required.Op == Exactly && a.member.ActiveWith != "" && text(a.member, a.have) == "" &&
		!Empty(a.required.Value)
}

func (a aim) leaves(v any) map[string]string {
	out := map[string]string{}
	addLeaves(out, a.member, a.place, v)
	return out
}

func (a aim) remedy() (Action, any) {
	if a.required.Op == Absent && !a.kept {
		return leaveOut(a.member)
	}
	target, _ := Clone(a.target).(map[string]any)
	if a.missing() {
		a.fill(target)
	}
	for _, path := range a.paths {
		twin, _ := TwinOf(path)
		switch a.effect(path) {
		case replaces: // the twin stays as it is
			Put(target, a.below(path), Clone(a.at(twin)))
		case suffices: // both names are written
			Put(target, a.below(path), Clone(a.wanted[path]))
		}
	}
	return Write, target
}

// fill adds the required members to a missing block, except those whose twin stays: it is exempted, or another
// requirement on it is met or audits.
func (a aim) fill(target map[string]any) {
	paths := slices.AppendSeq(Twinned(a.place), maps.Keys(a.wanted))
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		v, named := a.wanted[path]
		if twin, _ := TwinOf(path); !a.absent(twin) && (a.policy.exemption(path) != nil || a.required.Set != nil && !named ||
			slices.ContainsFunc(a.policy.Requirements, func(o Owned) bool {
				return a.owns(o, path) && (o.Mode == Audit || a.examine(o).holds)
			})) {
			v = a.at(twin)
		}
		if v != nil && At(target, a.below(path)) == nil {
			Put(target, a.below(path), Clone(v))
		}
	}
}

// owned returns the leaves, required or in the pool, that no other requirement covers, or the object itself if it must
// be present and is empty.
func (a aim) owned() []string {
	wanted := a.leaves(a.target)
	maps.Copy(wanted, a.leaves(a.have))
	if len(wanted) == 0 {
		return []string{a.place}
	}
	maps.DeleteFunc(wanted, func(path, _ string) bool {
		_, named := a.wanted[path]
		return beneath(a.place, path) && (a.ownedElsewhere(path) || a.policy.exemption(path) != nil ||
			(a.effect(path) == replaces || a.alwaysThere(path)) && !named)
	})
	return slices.Collect(maps.Keys(wanted))
}
