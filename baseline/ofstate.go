package baseline

import "slices"

// OfSettings returns a baseline that requires of one pool, by its id, exactly the settings given: what is set as it is, and what is not absent. A setting that the
// API cannot remove is not required to be absent. It speaks only of the documents that were saved. It is how a pool is put back to what it was.
func OfSettings(file, digest, id string, settings map[string]any, saved []DocumentName) *Baseline {
	rule := Rule{Name: "as-saved", Mode: Enforce, Pools: &Selector{IDs: []string{id}}}
	require := func(path string, m Member, v any) {
		r := Requirement{Setting: path, Position: Position{File: file}}
		switch {
		case v == nil, Empty(v) && !m.Presence:
			if m.Keep != "" {
				return
			}
			r.Op, r.Value = Absent, true
		case m.Kind == Object || m.Kind == Map:
			r.Op, r.Value = Exactly, Clone(v)
		default:
			r.Op, r.Value = Equal, Clone(v)
		}
		rule.Require = append(rule.Require, r)
	}
	for _, m := range Settings() {
		name, _ := DocumentOf(m.Name)
		if slices.Contains(saved, name) {
			require(m.Name, m, settings[m.Name])
		}
	}
	for _, name := range saved {
		if name.Client() == "" {
			continue
		}
		path := ClientPath(name.Client())
		client, _ := settings[path].(map[string]any)
		for _, m := range ClientSettings() {
			if of, _ := DocumentOf(path + "." + m.Name); of == name {
				require(path+"."+m.Name, m, client[m.Name])
			}
		}
		if !slices.ContainsFunc(rule.Clients, func(c ClientRule) bool { return slices.Contains(c.Select.IDs, name.Client()) }) {
			rule.Clients = append(rule.Clients, ClientRule{Select: ClientSelector{IDs: []string{name.Client()}}})
		}
	}
	return &Baseline{File: file, Digest: digest, Rules: []Rule{rule}}
}
