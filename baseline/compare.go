package baseline

import "slices"

// Compare compares the settings of a pool with the policy. The settings are one object with the names and nesting of
// the API. Compare does not change its arguments, and its result shares no memory with the settings.
func Compare(p Policy, settings map[string]any) Comparison {
	of := comparer{policy: p, live: settings}
	var c Comparison
	for _, o := range p.Requirements {
		c.Drifts = append(c.Drifts, of.drifts(o)...)
		c.Owned = append(c.Owned, of.owned(o.Requirement)...)
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
	n := 0
	for _, setting := range c.Owned {
		if !slices.ContainsFunc(c.Drifts, func(d Drift) bool { return Concerns(d.Setting, setting) }) {
			n++
		}
	}
	return n
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
	exempted []Drift // parts of an object that differ but are exempted, without their rule
}

// drifts returns the drift of the setting, if there is one, and a separate drift for each exempted part of an object.
func (c comparer) drifts(o Owned) []Drift {
	found := c.examine(o.Requirement)
	var all []Drift
	if !found.holds {
		m, _ := Lookup(o.Setting)
		broken, _ := Lookup(found.place)
		d := c.policy.Unseen(o)
		d.Have = Mask(broken, found.have)
		d.Action, d.Value = c.remedy(m, o.Requirement)
		if d.Action == Report && (o.Op == Contains || o.Op == Without) {
			d.Reason = offLength(m, len(changed(m, o.Requirement, c.at(o.Setting))))
		}
		all = append(all, d)
	}
	for _, d := range found.exempted {
		d.Rule, d.Mode, d.Position = o.Rule, o.Mode, o.Position
		all = append(all, d)
	}
	return all
}

// Unseen returns a drift for a setting that could not be read. It has the requirement, its rule and its exemption, but
// neither Have nor Action.
func (p Policy) Unseen(o Owned) Drift {
	m, _ := Lookup(o.Setting)
	return Drift{Setting: o.Setting, Rule: o.Rule, Position: o.Position, Mode: o.Mode, Want: want(m, o.Requirement),
		Exempted: comparer{policy: p}.exemption(o.Setting)}
}

// examine compares the setting and its twin. If both are set, both must meet the requirement, or one would undo the
// other. If only one is set, that one counts.
func (c comparer) examine(r Requirement) result {
	here := c.resultAt(r, r.Setting)
	twin, ok := TwinOf(r.Setting)
	if !ok || !c.counts(twin) {
		return here
	}
	there := c.resultAt(r, twin)
	m, _ := Lookup(r.Setting)
	if here.holds || m.Superseded || c.absent(r.Setting) && !presenceCounts(r.Setting) {
		return there
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
// mirror.
func (c comparer) counts(twin string) bool {
	m, _ := Lookup(twin)
	if c.absent(twin) {
		return false
	}
	if newer, ok := TwinOf(twin); m.Superseded && ok && !c.absent(newer) {
		return false
	}
	block, _ := Lookup(Keys(twin)[0])
	return block.ActiveWith == "" || !c.absent(block.ActiveWith)
}

// off reports whether the path belongs to an MFA factor while MFA is off. The service may still show its settings then,
// but the factor is not in use.
func (c comparer) off(path string) bool {
	block, _ := Lookup(Keys(path)[0])
	return block.GoneWith != "" && c.absent(block.GoneWith)
}

func (c comparer) resultAt(r Requirement, place string) result {
	m, _ := Lookup(place)
	have := c.at(place)
	if c.off(place) && (r.Op == Present || r.Op == Absent || !aimed(m, r) && holds(m, r, nil)) {
		have = nil
	}
	if aimed(m, r) {
		return c.aim(m, r, place, have).result()
	}
	number, changes := c.inUnit(m, r, place, have)
	return result{holds: holds(m, r, number) && !changes, have: have, place: place}
}

func (c comparer) remedy(m Member, r Requirement) (Action, any) {
	have := c.at(r.Setting)
	if set, ok := r.Set.(map[string]any); ok && r.Op == Present {
		// The object to write must not undo what other requirements set inside it.
		r.Op, r.Value = Exactly, set
	}
	if aimed(m, r) {
		return c.aim(m, r, r.Setting, have).remedy()
	}
	if number, changes := c.inUnit(m, r, r.Setting, have); changes && holds(m, r, number) {
		return Write, number
	}
	return remedy(m, r, have)
}

func (c comparer) exemption(path string) *Exemption {
	for _, e := range c.policy.Exemptions {
		if e.covers(path) {
			return &e
		}
	}
	return nil
}

func (e Exemption) covers(path string) bool {
	wide := AnyClient(path)
	return slices.ContainsFunc(e.Settings, func(s string) bool { return Concerns(s, path) || Concerns(s, wide) })
}

func (c comparer) owned(r Requirement) []string {
	m, _ := Lookup(r.Setting)
	if r.Op == Exactly && aimed(m, r) {
		return c.aim(m, r, r.Setting, c.at(r.Setting)).owned()
	}
	return []string{r.Setting}
}
