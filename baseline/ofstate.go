package baseline

import (
	"maps"
	"slices"
	"strings"
)

// OfSettings returns a baseline that restores one pool, selected by its id, to the given settings: it requires the
// value of each setting that is set and the absence of each that is not. It covers only the documents that were saved.
// It also returns the unset settings that the API cannot remove; the baseline does not require anything of them.
func OfSettings(file, digest, id string, settings map[string]any, saved []DocumentName) (b *Baseline, kept []string) {
	var paths []string
	for _, name := range saved {
		table, _ := name.Table()
		if table.Under != "" {
			paths = append(paths, strings.TrimSuffix(name.Prefix(), "."))
			continue
		}
		for _, m := range table.Members {
			if m.Trip == Echo {
				paths = append(paths, name.Prefix()+m.Name)
			}
		}
	}
	return asSaved(file, digest, id, implied(settings), paths)
}

// OfPaths is OfSettings for the settings at some paths only. If the object around a setting was absent, and its
// presence has a meaning, the object must be absent.
func OfPaths(file, digest, id string, settings map[string]any, paths []string) (b *Baseline, kept []string) {
	settings = implied(settings)
	return asSaved(file, digest, id, settings, around(paths, settings))
}

// implied returns the settings with what a PreTokenGeneration function without PreTokenGenerationConfig means.
func implied(settings map[string]any) map[string]any {
	const older, newer = "LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig"
	function := ValueAt(settings, older)
	if Empty(function) || !Empty(ValueAt(settings, newer)) {
		return settings
	}
	all, _ := Clone(settings).(map[string]any)
	Put(all, Keys(newer), map[string]any{"LambdaArn": function, "LambdaVersion": "V1_0"})
	return all
}

func asSaved(file, digest, id string, settings map[string]any, paths []string) (b *Baseline, kept []string) {
	rule := Rule{Name: "as-saved", Mode: Enforce, Pools: &Selector{IDs: []string{id}}}
	for _, path := range paths {
		name, known := DocumentOf(path)
		if r, ok := asItIs(path, settings); ok && known {
			r.File = file
			rule.Require = append(rule.Require, r)
		} else {
			kept = append(kept, path)
		}
		client := name.Client()
		if client != "" && !slices.ContainsFunc(rule.Clients, func(c ClientRule) bool { return c.Select.IDs[0] == client }) {
			rule.Clients = append(rule.Clients, ClientRule{Select: &Selector{IDs: []string{client}}})
		}
	}
	return &Baseline{File: file, Digest: digest, Rules: []Rule{rule}}, kept
}

// around returns the paths, but replaces the paths inside an absent object by the path of the object. Members of that
// object with a twin elsewhere also remain as the path of the twin, and a member that the service no longer reads as
// that of its successor.
func around(paths []string, settings map[string]any) []string {
	var all []string
	for _, path := range paths {
		outer := absentAround(path, settings)
		found := []string{outer}
		for _, older := range Twinned(path) {
			if twin, _ := TwinOf(older); outer != older && ValueAt(settings, outer) == nil {
				found = append(found, twin)
			}
			m, _ := Lookup(older)
			if !m.Superseded || ValueAt(settings, m.Twin) == nil {
				continue
			}
			if path == older {
				found = nil
			}
			found = append(found, m.Twin)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, Order)
	return slices.Compact(all)
}

// absentAround returns the outermost absent object around a setting whose presence matters: an empty one has a meaning,
// or is rejected. If there is none, it returns the setting.
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

// asItIs requires the current value of a setting. It returns false if the API cannot set it.
func asItIs(path string, settings map[string]any) (Requirement, bool) {
	m, known := Lookup(path)
	v := ValueAt(settings, path)
	if twin, ok := TwinOf(path); ok && Empty(v) { // one name of two was shown
		v = ValueAt(settings, twin)
	}
	fixed := m.Keep != "" && m.Clear == "" && v != false
	if fixed || m.Presence || !Empty(v) {
		v = restored(m, v, settings)
	}
	r := Requirement{Setting: path, Op: Equal, Value: v}
	switch {
	case v == false && m.Kind == Boolean: // if left out, it becomes the service's default, which is true for some settings
	case v == nil, Empty(v) && !m.Presence:
		r.Op, r.Value = Absent, true
	case m.Kind == Object || m.Kind == Map:
		r.Op = Exactly
	}
	return r, known && (!fixed || !Empty(v))
}

// restored returns a copy of the value that a member had. If the member was not set and no call removes it, restored
// returns the value of its twin or its default, or nil if there is none. The same applies to the members of an object.
func restored(m Member, v any, settings map[string]any) any {
	unset := Empty(v) && m.Keep != ""
	object, isObject := v.(map[string]any)
	twin := ValueAt(settings, m.Twin)
	switch {
	case unset && m.Twin != "" && !Empty(twin):
		return Clone(twin)
	case m.Kind == Object && (unset || isObject):
		whole := map[string]any{}
		maps.Copy(whole, object)
		for _, below := range m.Members {
			if have := whole[below.Name]; !Empty(have) || below.Keep != "" {
				if v := restored(below, have, settings); !Empty(v) {
					whole[below.Name] = v
				}
			}
		}
		return whole
	case unset:
		return effective(m, nil)
	}
	return Clone(v)
}

// ValueAt returns the value of a setting, or nil if there is none.
func ValueAt(settings map[string]any, path string) any { return At(settings, Keys(path)) }
