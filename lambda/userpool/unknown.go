package userpool

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// Unknown returns the unknown members of some documents that writes handle in the same way: EchoUnknown sends them back
// unchanged, OmitUnknown leaves them out, and StopUnknown stops the write. Handling is what the baseline says. A known
// member with an unexpected type always stops the write, which would replace its value.
func (s State) Unknown(names []baseline.DocumentName, handling map[string]baseline.Unknown, as baseline.Unknown,
) []string {
	var found []string
	for _, name := range names {
		for _, path := range unknownMembers(name, s.Documents[name]) {
			handled := cmp.Or(handlingOf(path, handling), baseline.EchoUnknown)
			if UnknownOf(path) == "" {
				handled = baseline.StopUnknown
			}
			if handled == as {
				found = append(found, path)
			}
		}
	}
	return found
}

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

// DocumentOf returns the document of a leaf and its path there.
func DocumentOf(leaf string) (name baseline.DocumentName, below string) {
	name, known := baseline.DocumentOf(leaf)
	client, _, ofClient := baseline.ClientOf(leaf)
	kind, rest, _ := strings.Cut(leaf, ".")
	switch {
	case ofClient && !known:
		name = baseline.AppClient.Of(client)
	case !known:
		return baseline.DocumentName(kind), rest
	}
	return name, strings.TrimPrefix(leaf, name.Prefix())
}

// Titled returns the name of a member for messages: "FutureThing (UserPool)".
func Titled(leaf string) string {
	name, below := DocumentOf(leaf)
	if name.Prefix() != "" {
		below = leaf
	}
	return below + " (" + string(name.Kind()) + ")"
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

// handlingOf returns what the baseline says about a member: for the longest matching path, or else for its document, or
// else for "*".
func handlingOf(leaf string, handling map[string]baseline.Unknown) baseline.Unknown {
	name, below := DocumentOf(leaf)
	kind, path := string(name.Kind()), name.Prefix()+below
	paths := []string{path, baseline.AnyClient(path), kind + "." + below}
	best := ""
	for _, named := range slices.Sorted(maps.Keys(handling)) { // of two equally long names of a member, the first applies
		matches := slices.ContainsFunc(paths, func(p string) bool { return baseline.Covers(named, p) })
		if matches && named != kind && len(named) > len(best) {
			best = named
		}
	}
	return cmp.Or(handling[best], handling[kind], handling["*"])
}

// Echoes describes which unknown members the writes of the documents send back unchanged, or returns "".
func (s State) Echoes(names []baseline.DocumentName, handling map[string]baseline.Unknown) string {
	members := s.Unknown(names, handling, baseline.EchoUnknown)
	if len(members) == 0 {
		return ""
	}
	for i, member := range members {
		members[i] = Titled(member)
	}
	slices.Sort(members)
	return "the write sent unknown members back unchanged: " + strings.Join(slices.Compact(members), ", ")
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
