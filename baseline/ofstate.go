package baseline

// OfSettings returns a baseline that requires of one pool, by its id, exactly the settings given: what is set as it is, and what is not absent. A setting that the
// API cannot remove is not required to be absent. It is how a pool is put back to what it was.
func OfSettings(file, digest, id string, settings map[string]any) *Baseline {
	rule := Rule{Name: "as-saved", Mode: Enforce, Pools: &Selector{IDs: []string{id}}}
	for _, m := range Settings() {
		v := settings[m.Name]
		r := Requirement{Setting: m.Name, Position: Position{File: file}}
		switch {
		case v == nil, Empty(v) && !m.Presence:
			if m.Keep != "" {
				continue
			}
			r.Op, r.Value = Absent, true
		case m.Kind == Object || m.Kind == Map:
			r.Op, r.Value = Exactly, Clone(v)
		default:
			r.Op, r.Value = Equal, Clone(v)
		}
		rule.Require = append(rule.Require, r)
	}
	return &Baseline{File: file, Digest: digest, Rules: []Rule{rule}}
}
