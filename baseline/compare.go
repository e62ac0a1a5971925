package baseline

import "slices"

// Compare compares the settings of a pool with the policy. The settings are one object with the names and nesting of
// the API. Compare does not change its arguments, and its result shares no memory with the settings.
func Compare(p Policy, settings map[string]any) Comparison {
	of := comparer{policy: p, live: settings}
	var c Comparison
	for _, o := range p.Requirements {
		c.Drifts = append(c.Drifts, of.drifts(o)...)
		c.Owned = append(c.Owned, of.owned(o)...)
		c.Required = append(c.Required, o.Setting)
	}
	slices.SortStableFunc(c.Drifts, func(a, b Drift) int { return Order(a.Setting, b.Setting) })
	slices.SortFunc(c.Owned, Order)
	c.Owned = slices.Compact(c.Owned)
	return c
}

// Owns reports whether the policy has a requirement on the leaf at the dotted path or on its twin.
func (c Comparison) Owns(path string) bool {
	return slices.ContainsFunc(c.Owned, func(owned string) bool { return Concerns(owned, path) })
}

// Holding counts the required leaf settings that meet their requirements.
func (c Comparison) Holding() int {
	return len(slices.DeleteFunc(slices.Clone(c.Owned), func(setting string) bool {
		return slices.ContainsFunc(c.Drifts, func(d Drift) bool { return Concerns(d.Setting, setting) })
	}))
}

type comparer struct {
	policy Policy
	live   map[string]any
}

func (c comparer) at(path string) any { return At(c.live, Keys(path)) }

func (c comparer) absent(path string) bool {
	m, _ := Lookup(path)
	return text(m, c.at(path)) == ""
}

type result struct {
	holds    bool
	have     any     // the value that breaks the requirement
	place    string  // the path of that value: the setting's own or a twin's
	exempted []Drift // parts of an object that differ but are exempted
}

// drifts returns the drift of the setting, if there is one, and a separate drift for each exempted part of an object.
func (c comparer) drifts(o Owned) []Drift {
	found := c.examine(o)
	if found.holds {
		return found.exempted
	}
	m, _ := Lookup(o.Setting)
	broken, _ := Lookup(found.place)
	d := c.policy.Unseen(o)
	d.Have = Mask(broken, found.have)
	d.Action, d.Value = c.remedy(m, o)
	if d.Action == Report && (o.Op == Contains || o.Op == Without) {
		d.Reason = offLength(m, len(changed(m, o.Requirement, c.at(o.Setting))))
	}
	return append([]Drift{d}, found.exempted...)
}

// Unseen returns a drift for a setting that could not be read. It has the requirement, its rule and its exemption, but
// neither Have nor Action.
func (p Policy) Unseen(o Owned) Drift {
	m, _ := Lookup(o.Setting)
	return Drift{Setting: o.Setting, Rule: o.Rule, Position: o.Position, Mode: o.Mode, Want: want(m, o.Requirement),
		Exempted: p.exemption(o.Setting)}
}

// examine compares the setting and its twin. If both are set, both must meet the requirement, or one would undo the
// other. If only one is set, that one counts.
func (c comparer) examine(o Owned) result {
	here := c.resultAt(o, o.Setting)
	twin, _ := TwinOf(o.Setting)
	m, _ := Lookup(o.Setting)
	if c.counts(twin) && (here.holds || m.Superseded || c.absent(o.Setting) && !presenceCounts(o.Setting)) {
		return c.resultAt(o, twin)
	}
	return here
}

// presenceCounts reports whether the path belongs to a block that must be present itself, even if all its members have
// twins elsewhere: the presence of the block enables an MFA factor.
func presenceCounts(path string) bool {
	block, _ := Lookup(Keys(path)[0])
	return block.ActiveWith != ""
}

// counts reports whether a twin has an effect: it is set, the service still reads it, and its block is not just a
// mirror. No twin, "", has none.
func (c comparer) counts(twin string) bool {
	m, _ := Lookup(twin)
	if twin == "" || c.absent(twin) || m.Superseded && !c.absent(m.Twin) {
		return false
	}
	block, _ := Lookup(Keys(twin)[0])
	return block.ActiveWith == "" || !c.absent(block.ActiveWith)
}

func (c comparer) resultAt(o Owned, place string) result {
	m, _ := Lookup(place)
	have := c.at(place)
	whole := aimed(m, o.Requirement)
	// While MFA is off, the service may still show the settings of an MFA factor, but the factor is not in use.
	block, _ := Lookup(Keys(place)[0])
	off := block.GoneWith != "" && c.absent(block.GoneWith)
	if off && (o.Op == Present || o.Op == Absent || !whole && holds(m, o.Requirement, nil)) {
		have = nil
	}
	if whole {
		return c.aim(m, o, place, have).result()
	}
	number, changes := c.inUnit(m, o.Requirement, place, have)
	return result{holds: holds(m, o.Requirement, number) && !changes, have: have, place: place}
}

func (c comparer) remedy(m Member, o Owned) (Action, any) {
	have := c.at(o.Setting)
	if set, ok := o.Set.(map[string]any); ok && o.Op == Present {
		// The object to write must not undo what other requirements set inside it.
		o.Op, o.Value = Exactly, set
	}
	if aimed(m, o.Requirement) {
		return c.aim(m, o, o.Setting, have).remedy()
	}
	if number, changes := c.inUnit(m, o.Requirement, o.Setting, have); changes && holds(m, o.Requirement, number) {
		return Write, number
	}
	return remedy(m, o.Requirement, have)
}

func (p Policy) exemption(path string) *Exemption {
	wide := AnyClient(path)
	for _, e := range p.Exemptions {
		if slices.ContainsFunc(e.Settings, func(s string) bool { return Concerns(s, path) || Concerns(s, wide) }) {
			return &e
		}
	}
	return nil
}

func (c comparer) owned(o Owned) []string {
	m, _ := Lookup(o.Setting)
	if o.Op == Exactly && aimed(m, o.Requirement) {
		return c.aim(m, o, o.Setting, c.at(o.Setting)).owned()
	}
	return []string{o.Setting}
}
