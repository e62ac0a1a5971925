package userpool

import (
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// unknownMembers returns the sorted paths of the members of a document that are set but not in the table. It ignores
// members that no call writes. A known member with an unexpected type counts as unknown too.
//
// If the document has no path prefix, prepend its name ("UserPool.FutureThing"), because another document may have a
// member with the same name.
func unknownMembers(name baseline.DocumentName, object map[string]any) []string {
	table, _ := name.Table()
	found := unknownIn(baseline.Member{Kind: baseline.Object, Members: table.Members}, object,
		strings.TrimSuffix(name.Prefix(), "."))
	for i, path := range found {
		found[i] = leafName(name, path)
	}
	slices.Sort(found)
	return found
}

func unknownIn(m baseline.Member, v any, path string) (found []string) {
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case v == nil || m.Trip != baseline.Echo:
		return nil
	case isObject != (m.Kind == baseline.Object || m.Kind == baseline.Map) || isList != (m.Kind == baseline.List):
		return []string{path}
	}
	for _, e := range list {
		found = append(found, unknownIn(*m.Elem, e, path)...)
	}
	for key, e := range object {
		i := readAs(m.Members, key)
		below := strings.TrimPrefix(path+"."+key, ".")
		switch {
		case m.Kind == baseline.Map:
			found = append(found, unknownIn(*m.Elem, e, below)...)
		case i >= 0:
			found = append(found, unknownIn(m.Members[i], e, strings.TrimSuffix(below, key)+m.Members[i].Name)...)
		case !baseline.Empty(e):
			found = append(found, below)
		}
	}
	return found
}

func leafName(name baseline.DocumentName, path string) string {
	if of, _ := baseline.DocumentOf(path); of == name || name.Prefix() != "" {
		return path
	}
	return string(name.Kind()) + "." + path
}

func inDocument(name baseline.DocumentName, path string) string {
	if prefix := name.Prefix(); prefix != "" {
		return strings.TrimPrefix(path, prefix)
	}
	return strings.TrimPrefix(path, string(name)+".")
}

// DocumentOf returns the document of a leaf.
func DocumentOf(leaf string) baseline.DocumentName {
	name, known := baseline.DocumentOf(leaf)
	client, _, ofClient := baseline.ClientOf(leaf)
	switch kind, _, _ := strings.Cut(leaf, "."); {
	case known:
		return name
	case ofClient:
		return baseline.AppClient.Of(client)
	default:
		return baseline.DocumentName(kind)
	}
}

// Titled returns the name of a member for messages: "FutureThing (UserPool)".
func Titled(path string) string {
	name := DocumentOf(path)
	if name.Prefix() == "" {
		path = inDocument(name, path)
	}
	return path + " (" + string(name.Kind()) + ")"
}

// UnknownOf returns the unknown member at or above a leaf, or "".
func UnknownOf(leaf string) string {
	if _, known := baseline.Lookup(leaf); known {
		return ""
	}
	for i, c := range leaf {
		_, document := baseline.DocumentName(leaf[:i]).Table()
		if _, known := baseline.Lookup(leaf[:i]); c == '.' && !known && !document {
			return leaf[:i]
		}
	}
	return leaf
}

// divideUnknown divides the unknown members of a document by their setting in the baseline: those that are sent back
// unchanged, those that the write leaves out, and those that stop it. A known member with an unexpected type always
// stops the write, which would replace its value.
func divideUnknown(name baseline.DocumentName, object map[string]any, say map[string]baseline.Unknown,
) (echo, omit, stop []string) {
	for _, path := range unknownMembers(name, object) {
		switch said := sayOf(name, path, say); {
		case UnknownOf(path) == "" || said == baseline.StopUnknown:
			stop = append(stop, path)
		case said == baseline.OmitUnknown:
			omit = append(omit, path)
		default:
			echo = append(echo, path)
		}
	}
	return echo, omit, stop
}

// sayOf returns the setting in the baseline for a member: that of the longest matching path, then that of its document,
// then that of "*".
func sayOf(name baseline.DocumentName, path string, say map[string]baseline.Unknown) baseline.Unknown {
	below, kind := inDocument(name, path), string(name.Kind())
	names := []string{path, baseline.AnyClient(path), kind + "." + below}
	if name.Prefix() == "" {
		names = append(names, below)
	}
	best := "*"
	rank := func(named string) int {
		switch named {
		case "*":
			return 0
		case kind:
			return 1
		default:
			return 1 + len(named)
		}
	}
	for named := range say {
		about := slices.ContainsFunc(names, func(n string) bool { return baseline.Covers(named, n) })
		if about && rank(named) > rank(best) {
			best = named
		}
	}
	return say[best]
}

// Echoes describes which unknown members the writes of the documents send back unchanged, or returns "".
func (s State) Echoes(names []baseline.DocumentName, say map[string]baseline.Unknown) string {
	members := map[string]bool{}
	for _, name := range names {
		for _, member := range s.Echoed(name, say) {
			members[Titled(member)] = true
		}
	}
	if len(members) == 0 {
		return ""
	}
	return "the write sent unknown members back unchanged: " +
		strings.Join(slices.Sorted(maps.Keys(members)), ", ")
}

// Echoed returns the unknown members that a write of the document sends back unchanged.
func (s State) Echoed(name baseline.DocumentName, say map[string]baseline.Unknown) []string {
	echo, _, _ := divideUnknown(name, s.Documents[name], say)
	return echo
}

// Omitted returns the unknown members of all documents that writes leave out.
func (s State) Omitted(say map[string]baseline.Unknown) []string {
	var all []string
	for _, name := range s.Names() {
		_, omit, _ := divideUnknown(name, s.Documents[name], say)
		all = append(all, omit...)
	}
	return all
}

// Unsteady returns the unknown members of some documents that differ between two reads.
func (s State) Unsteady(again State, names []baseline.DocumentName) []string {
	was, is := s.Focus(names).Leaves(), again.Focus(names).Leaves()
	var all []string
	for _, path := range union(was, is) {
		if member := UnknownOf(path); member != "" && was[path] != is[path] {
			all = append(all, member)
		}
	}
	return all
}
