package userpool

import (
	"sort"

	"poolkeeper/baseline"
)

// unknownMembers returns the dotted paths of the members of a document that the table lacks and that are set, sorted: the members whose
// round trip nobody has thought about. Members that no call writes may hold anything. A known member of a shape that it
// should not have counts as unknown too.
func unknownMembers(name baseline.DocumentName, object map[string]any) []string {
	var found []string
	table, _ := name.Table()
	walkUnknown(table.Members, object, name.Prefix(), &found)
	sort.Strings(found)
	return found
}

func walkUnknown(members []baseline.Member, object map[string]any, prefix string, found *[]string) {
	for name, v := range object {
		i := readAs(members, name)
		switch {
		case i < 0:
			if !baseline.Empty(v) {
				*found = append(*found, prefix+name)
			}
		case members[i].Trip == baseline.Echo:
			walkValue(members[i], v, prefix+members[i].Name, found)
		}
	}
}

// readAs returns the place of the member that has the name in the read call, or -1.
func readAs(members []baseline.Member, name string) int {
	for i := range members { // by index: a member is large to copy
		if readName(members[i]) == name {
			return i
		}
	}
	return -1
}

func walkValue(m baseline.Member, v any, path string, found *[]string) {
	if v == nil {
		return
	}
	switch m.Kind {
	case baseline.Object, baseline.Map:
		object, ok := v.(map[string]any)
		if !ok {
			*found = append(*found, path)
			return
		}
		if m.Kind == baseline.Object {
			walkUnknown(m.Members, object, path+".", found)
			return
		}
		for key, e := range object {
			walkValue(*m.Elem, e, path+"."+key, found)
		}
	case baseline.List:
		list, ok := v.([]any)
		if !ok {
			*found = append(*found, path)
			return
		}
		for _, e := range list {
			walkValue(*m.Elem, e, path, found)
		}
	default:
		if _, isObject := v.(map[string]any); isObject {
			*found = append(*found, path)
		} else if _, isList := v.([]any); isList {
			*found = append(*found, path)
		}
	}
}

// judgeUnknown divides the unknown members of a document by what the baseline says of them: those to be left out of the write,
// and those that stop it. A path's own entry beats that of the members above it, and "*" is the last word. A known member of another shape always stops: a write into it would
// replace it.
func judgeUnknown(paths []string, say map[string]baseline.Unknown) (omit, stop []string) {
	for _, path := range paths {
		said := sayOf(path, say)
		if _, known := baseline.Lookup(path); known {
			said = ""
		}
		switch said {
		case baseline.EchoUnknown:
		case baseline.OmitUnknown:
			omit = append(omit, path)
		default:
			stop = append(stop, path)
		}
	}
	return omit, stop
}

func sayOf(path string, say map[string]baseline.Unknown) baseline.Unknown {
	best := "*"
	for named := range say {
		if named != "*" && (covers(named, path) || covers(named, baseline.AnyClient(path))) && (best == "*" || len(named) > len(best)) {
			best = named
		}
	}
	return say[best]
}
