package baseline

import (
	"maps"
	"slices"
)

// An aim is what an object is required to be as a whole: to hold exactly some members, or to be absent.
//
// Some parts stay as they are live. Those that another requirement of the policy owns are that one's business, and those that the service
// no longer reads are nobody's. Those that are exempted may differ, and where nothing else does, the drift is listed as exempted.
type aim struct {
	judge
	member Member
	op     Op
	place  string
	have   any
	wanted map[string]any // the leaves that the requirement names, by path, empty ones too
	strict map[string]any // with the parts of other requirements as they are live
	target map[string]any // with the exempted parts as they are live, too: what can be written
}

// aimed says whether the requirement is on an object as a whole.
func aimed(m Member, r Requirement) bool {
	if m.Kind != Object && m.Kind != Map {
		return false
	}
	_, isObject := r.Value.(map[string]any)
	return r.Op == Absent || r.Op == Exactly && isObject
}

func (j judge) aim(m Member, r Requirement, place string, have any) aim {
	a := aim{judge: j, member: m, op: r.Op, place: place, have: have, wanted: map[string]any{}}
	switch {
	case r.Op == Exactly:
		a.strict, _ = Clone(r.Value).(map[string]any)
		eachLeaf(m, place, a.strict, func(_ Member, path string, v any) { a.wanted[path] = v })
		a.mirror()
	case m.Clear != "":
		a.strict, _ = decode(m.Clear).(map[string]any)
	}
	if a.strict == nil {
		a.strict = map[string]any{}
	}
	a.keep(a.strict, func(path string) bool { return a.ownedElsewhere(path) || a.superseded(path) })
	a.target, _ = Clone(a.strict).(map[string]any)
	a.keep(a.target, func(path string) bool { return j.exemption(path) != nil })
	return a
}

// keep gives back to the object the live value of every leaf below the aim's place that the filter picks, or takes it away where there is none.
func (a aim) keep(object map[string]any, pick func(path string) bool) {
	for _, path := range a.paths(object) {
		if beneath(a.place, path) && pick(path) {
			put(object, a.below(path), Clone(a.at(path)))
		}
	}
}

// paths returns the leaves of the object and of the live value, empty ones too.
func (a aim) paths(object map[string]any) []string {
	set := map[string]bool{}
	add := func(_ Member, path string, _ any) { set[path] = true }
	eachLeaf(a.member, a.place, object, add)
	eachLeaf(a.member, a.place, a.have, add)
	return slices.Sorted(maps.Keys(set))
}

func (a aim) below(path string) []string { return keys(path)[len(keys(a.place)):] }

// ownedElsewhere says whether a requirement on a part of the object speaks of the leaf at path. It may do so by its twin.
func (a aim) ownedElsewhere(path string) bool {
	return a.op == Exactly && slices.ContainsFunc(a.policy.Requirements, func(o Owned) bool {
		twin, ok := TwinOf(o.Setting)
		return beneath(a.place, o.Setting) && Concerns(o.Setting, path) || ok && beneath(a.place, twin) && Concerns(twin, path)
	})
}

// superseded says whether the service no longer reads the leaf at path, and what it reads instead does not contradict what is wanted.
func (a aim) superseded(path string) bool {
	m, _ := Lookup(path)
	twin, ok := TwinOf(path)
	if !m.Superseded || !ok || !a.counts(twin) {
		return false
	}
	wanted, named := a.wanted[path]
	return !named || equal(m, wanted, a.at(twin))
}

// mirror adds to what is wanted the members under which the service shows the wanted ones a second time: a pool with a PreTokenGeneration
// function shows a PreTokenGenerationConfig, too. They have to agree, and what the API requires beside them is taken as it is live.
func (a aim) mirror() {
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		twin, ok := TwinOf(path)
		if !ok || !beneath(a.place, twin) || a.wanted[twin] != nil || !a.counts(twin) {
			continue
		}
		ks := a.below(twin)
		if container := ks[:len(ks)-1]; at(a.strict, container) == nil {
			put(a.strict, container, Clone(at(a.have, container)))
		}
		put(a.strict, ks, Clone(a.wanted[path]))
	}
}

func (a aim) verdict() verdict {
	here := verdict{holds: a.reached(a.strict), have: a.have, place: a.place}
	if !here.holds && a.reached(a.target) {
		here.exempted = a.excuse()
	}
	there := a.elsewhere()
	if here.holds {
		return there
	}
	here.exempted = both(here, there)
	return here
}

func (a aim) reached(object map[string]any) bool {
	live := text(a.member, a.have)
	if a.op == Absent && len(object) == 0 {
		return live == ""
	}
	return live == text(a.member, object) || a.op == Absent && live == ""
}

// excuse returns the first exemption that covers something in which the live object differs.
func (a aim) excuse() *Exemption {
	wanted, live := a.leaves(a.strict), a.leaves(a.have)
	for _, e := range a.policy.Exemptions {
		for _, path := range a.paths(a.strict) {
			if wanted[path] != live[path] && e.covers(path) {
				return &e
			}
		}
	}
	return nil
}

func (a aim) leaves(v any) map[string]string {
	out := map[string]string{}
	addLeaves(out, a.member, a.place, v)
	return out
}

// elsewhere looks at the twins, outside the object, of the leaves that are wanted in it. (Where the object itself has a twin, that is judged
// as a whole.)
func (a aim) elsewhere() verdict {
	v := verdict{holds: true}
	if _, whole := TwinOf(a.place); whole {
		return v
	}
	for _, path := range slices.Sorted(maps.Keys(a.wanted)) {
		m, _ := Lookup(path)
		twin, ok := TwinOf(path)
		if !ok || covers(a.place, twin) || !a.counts(twin) || a.ownedElsewhere(path) {
			continue
		}
		have := a.at(twin)
		if equal(m, a.wanted[path], have) {
			continue
		}
		v = verdict{have: have, place: twin, exempted: a.exemption(path)}
		if v.exempted == nil {
			return v
		}
	}
	return v
}

func (a aim) remedy() (Action, any) {
	kept := !maps.Equal(a.leaves(a.strict), a.leaves(a.target))
	if a.op == Absent && !kept {
		return leaveOut(a.member)
	}
	return Write, Clone(a.target)
}

// owned returns the leaves that are wanted or live and of which nothing else speaks, or the object itself where it is to be and is empty.
func (a aim) owned() []string {
	wanted := a.leaves(a.strict)
	maps.Copy(wanted, a.leaves(a.have))
	if len(wanted) == 0 {
		return []string{a.place}
	}
	maps.DeleteFunc(wanted, func(path, _ string) bool {
		_, named := a.wanted[path]
		return beneath(a.place, path) && (a.ownedElsewhere(path) || a.exemption(path) != nil || a.superseded(path) && !named)
	})
	return slices.Collect(maps.Keys(wanted))
}
