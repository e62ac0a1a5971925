package baseline

import (
	"maps"
	"slices"
	"strings"
)

// OfSettings returns a baseline that requires of one pool, by its id, exactly the settings given: what is set as it
// is, and what is not absent. It returns as well the settings that are not set and that the API cannot remove: of them
// nothing is required. It speaks only of the documents that were saved. It is how a pool is put back to what it was.
func OfSettings(file, digest, id string, settings map[string]any, saved []DocumentName) (b *Baseline, kept []string) {
	b = asSaved(file, digest, id)
	for _, m := range Settings() {
		if name, _ := DocumentOf(m.Name); slices.Contains(saved, name) && !b.asItIs(m.Name, m, settings) {
			kept = append(kept, m.Name)
		}
	}
	for _, name := range saved {
		if name.Client() == "" {
			continue
		}
		path := ClientPath(name.Client())
		for _, m := range ClientSettings() {
			if of, _ := DocumentOf(path + "." + m.Name); of == name && !b.asItIs(path+"."+m.Name, m, settings) {
				kept = append(kept, path+"."+m.Name)
			}
		}
		b.about(name.Client())
	}
	return b, kept
}

// OfPaths is OfSettings for some settings only, by their paths. Where the object around a setting was absent, and its
// presence means something, the object has to be absent. It returns as well the paths of those that are not set and
// that the API cannot remove: of them nothing is required.
func OfPaths(file, digest, id string, settings map[string]any, paths []string) (b *Baseline, kept []string) {
	b = asSaved(file, digest, id)
	for _, path := range around(paths, settings) {
		m, known := Lookup(path)
		name, placed := DocumentOf(path)
		if !known || !placed || !b.asItIs(path, m, settings) {
			kept = append(kept, path)
			continue
		}
		if name.Client() != "" {
			b.about(name.Client())
		}
	}
	return b, kept
}

// around returns the paths, with an absent object in place of what is in it. A member of that object that stands
// elsewhere too remains there.
func around(paths []string, settings map[string]any) []string {
	var all []string
	for _, path := range paths {
		outer := absentAround(path, settings)
		found := []string{outer}
		if twin, ok := TwinOf(path); ok && outer != path {
			found = append(found, twin)
		}
		for _, f := range found {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// absentAround returns the outermost absent object around a setting that is more than its members: an empty one means
// something, or is refused. Where there is none, it returns the setting.
func absentAround(path string, settings map[string]any) string {
	for i := range path {
		if path[i] != '.' {
			continue
		}
		m, known := Lookup(path[:i])
		if known && m.Kind == Object && (m.Presence || m.NotEmpty) && m.Keep == "" && ValueAt(settings, path[:i]) == nil {
			return path[:i]
		}
	}
	return path
}

func asSaved(file, digest, id string) *Baseline {
	return &Baseline{File: file, Digest: digest, Rules: []Rule{{Name: "as-saved", Mode: Enforce,
		Pools: &Selector{IDs: []string{id}}}}}
}

// asItIs requires the value of a setting, and says false if the API cannot bring it about.
func (b *Baseline) asItIs(path string, m Member, settings map[string]any) bool {
	v := ValueAt(settings, path)
	r := Requirement{Setting: path, Position: Position{File: b.File}}
	if Empty(v) && v != false && m.Keep != "" && m.Clear == "" {
		if v = usual(m, settings); Empty(v) {
			return false
		}
	}
	switch {
	case v == false && m.Kind == Boolean:
		r.Op, r.Value = Equal, false // left out, it may become the service's default, which is true of some
	case v == nil, Empty(v) && !m.Presence:
		r.Op, r.Value = Absent, true
	case m.Kind == Object || m.Kind == Map:
		r.Op, r.Value = Exactly, withUsual(m, v, settings)
	default:
		r.Op, r.Value = Equal, Clone(v)
	}
	b.Rules[0].Require = append(b.Rules[0].Require, r)
	return true
}

// usual is what a member is that no call removes, where nothing is set: what its twin has, or a default; nil where that
// is not known.
func usual(m Member, settings map[string]any) any {
	twin := ValueAt(settings, m.Twin)
	switch {
	case m.Twin != "" && !Empty(twin):
		return Clone(twin)
	case m.Kind == Object:
		return withUsual(m, map[string]any{}, settings)
	case m.Default != "":
		return m.Default
	case len(m.DefaultList) > 0:
		return defaultList(m)
	default:
		return nil
	}
}

// withUsual returns a copy of an object with what is usual of those absent members that no call removes.
func withUsual(m Member, v any, settings map[string]any) any {
	object, ok := v.(map[string]any)
	if !ok || m.Kind != Object {
		return Clone(v)
	}
	whole := maps.Clone(object)
	for _, below := range m.Members {
		if have := whole[below.Name]; !Empty(have) {
			whole[below.Name] = withUsual(below, have, settings)
		} else if v := usual(below, settings); below.Keep != "" && !Empty(v) {
			whole[below.Name] = v
		}
	}
	return whole
}

// about makes a client one that the baseline speaks of.
func (b *Baseline) about(client string) {
	rule := &b.Rules[0]
	if !slices.ContainsFunc(rule.Clients, func(c ClientRule) bool { return slices.Contains(c.Select.IDs, client) }) {
		rule.Clients = append(rule.Clients, ClientRule{Select: ClientSelector{IDs: []string{client}}})
	}
}

// ValueAt returns the value of a setting, nil where there is none.
func ValueAt(settings map[string]any, path string) any {
	if client, below, ok := ClientOf(path); ok {
		settings, _ = settings[ClientPath(client)].(map[string]any)
		return at(settings, strings.Split(below, "."))
	}
	return at(settings, keys(path))
}
