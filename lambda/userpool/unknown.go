package userpool

import (
	"sort"

	"poolkeeper/baseline"
)

// unknownMembers returns the sorted paths of the members of a document that are set and that the table lacks. Members
// that no call writes may hold anything. A known member of another shape counts as unknown too.
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

// readAs returns the index of the member that has the name in the read call, or -1.
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

// judgeUnknown divides the unknown members of a document by what the baseline says about them: those that the write
// leaves out, and those that stop it. The entry of the longest path counts, and "*" where there is none. A known
// member of another shape always stops the write, which would replace it.
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
		about := named != "*" && (covers(named, path) || covers(named, baseline.AnyClient(path)))
		if about && (best == "*" || len(named) > len(best)) {
			best = named
		}
	}
	return say[best]
}
