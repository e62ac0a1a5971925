package baseline

import (
	"slices"
)

// Compare judges the settings of a pool, one flat object in API names and nesting, by the policy. It reads no other input, changes
// nothing, and its result shares nothing with the settings.
func Compare(p Policy, settings map[string]any) Comparison {
	j := judge{policy: p, live: settings}
	var c Comparison
	for _, o := range p.Requirements {
		if d, drifted := j.drift(o); drifted {
			c.Drifts = append(c.Drifts, d)
		}
		c.Owned = append(c.Owned, j.owned(o.Requirement)...)
		c.Required = append(c.Required, o.Setting)
	}
	slices.SortStableFunc(c.Drifts, func(a, b Drift) int { return Order(a.Setting, b.Setting) })
	slices.SortFunc(c.Owned, Order)
	c.Owned = slices.Compact(c.Owned)
	return c
}

// Owns says whether the policy requires something of the leaf at the dotted path, under this name or its twin's.
func (c Comparison) Owns(path string) bool {
	return slices.ContainsFunc(c.Owned, func(owned string) bool { return Concerns(owned, path) })
}

// A judge compares one pool with one policy.
type judge struct {
	policy Policy
	live   map[string]any
}

func (j judge) at(path string) any { return at(j.live, keys(path)) }

// A verdict is what a judge finds of one requirement.
type verdict struct {
	holds    bool
	have     any        // the value that breaks the requirement
	place    string     // where that value stands: the setting's path or one of a twin
	exempted *Exemption // where all that breaks it is exempted below the setting
}

func (j judge) drift(o Owned) (Drift, bool) {
	v := j.examine(o.Requirement)
	if v.holds {
		return Drift{}, false
	}
	m, _ := Lookup(o.Setting)
	broken, _ := Lookup(v.place)
	d := j.policy.Unseen(o)
	d.Have = Mask(broken, v.have)
	if d.Exempted == nil {
		d.Exempted = v.exempted
	}
	d.Action, d.Value = j.remedy(m, o.Requirement)
	return d, true
}

// Unseen returns what is known of a drift where it cannot be seen whether there is one: what is wanted, on whose demand, and whether it is exempted, but neither Have nor Action.
func (p Policy) Unseen(o Owned) Drift {
	m, _ := Lookup(o.Setting)
	return Drift{Setting: o.Setting, Rule: o.Rule, Position: o.Position, Mode: o.Mode, Want: want(m, o.Requirement), Exempted: judge{policy: p}.exemption(o.Setting)}
}

// examine looks at the setting, and at the same fact under its other name: the requirement has to hold in both places, or else the one would
// undo the other.
func (j judge) examine(r Requirement) verdict {
	here := j.verdict(r, r.Setting)
	twin, ok := TwinOf(r.Setting)
	if !ok || !j.counts(twin) {
		return here
	}
	m, _ := Lookup(r.Setting)
	there := j.verdict(r, twin)
	if m.Superseded || here.holds {
		return there
	}
	here.exempted = both(here, there)
	return here
}

// both returns the exemption of a verdict on two places. It excuses the drift only where it excuses both.
func both(here, there verdict) *Exemption {
	if !there.holds && there.exempted == nil {
		return nil
	}
	return here.exempted
}

// counts says whether a twin has a say: it is set, the service still reads it, and its block is more than a mirror.
func (j judge) counts(twin string) bool {
	m, _ := Lookup(twin)
	if m.Superseded || text(m, j.at(twin)) == "" {
		return false
	}
	block, _ := Lookup(keys(twin)[0])
	if block.ActiveWith == "" {
		return true
	}
	needed, _ := Lookup(block.ActiveWith)
	return text(needed, j.at(block.ActiveWith)) != ""
}

// verdict judges the value at one place.
func (j judge) verdict(r Requirement, place string) verdict {
	m, _ := Lookup(place)
	have := j.at(place)
	if aimed(m, r) {
		return j.aim(m, r, place, have).verdict()
	}
	return verdict{holds: holds(m, r, have), have: have, place: place}
}

// remedy returns what would end a drift of the setting.
func (j judge) remedy(m Member, r Requirement) (Action, any) {
	have := j.at(r.Setting)
	if set, ok := r.Set.(map[string]any); ok && r.Op == Present {
		// The object to write must not undo what other requirements have in it.
		r.Op, r.Value = Exactly, set
	}
	if aimed(m, r) {
		return j.aim(m, r, r.Setting, have).remedy()
	}
	return remedy(m, r, have)
}

// exemption returns the first exemption in force that covers the whole setting, or its twin.
func (j judge) exemption(path string) *Exemption {
	for _, e := range j.policy.Exemptions {
		if e.covers(path) {
			return &e
		}
	}
	return nil
}

func (e Exemption) covers(path string) bool {
	return slices.ContainsFunc(e.Settings, func(s string) bool { return Concerns(s, path) || Concerns(s, AnyClient(path)) })
}

// owned returns the leaf settings of which the requirement speaks.
func (j judge) owned(r Requirement) []string {
	m, _ := Lookup(r.Setting)
	if r.Op == Exactly && aimed(m, r) {
		return j.aim(m, r, r.Setting, j.at(r.Setting)).owned()
	}
	return []string{r.Setting}
}
