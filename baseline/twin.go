package baseline

import (
	"slices"
	"strings"
	"sync"
)

// TwinOf returns the path of the setting that is the same fact as the one at path, if there is one.
func TwinOf(path string) (string, bool) {
	for head := path; ; {
		if twin, ok := twins()[head]; ok {
			return twin + path[len(head):], true
		}
		i := strings.LastIndexByte(head, '.')
		if i < 0 {
			return "", false
		}
		head = head[:i]
	}
}

// twins are the members that have one, by their paths. None of them lies in a map or in a client.
var twins = sync.OnceValue(func() map[string]string {
	of := map[string]string{}
	var add func(members []Member, prefix string)
	add = func(members []Member, prefix string) {
		for i := range members {
			m := &members[i]
			if m.Twin != "" {
				of[prefix+m.Name] = m.Twin
			}
			if len(m.Members) > 0 {
				add(m.Members, prefix+m.Name+".")
			}
		}
	}
	add(root.Members, "")
	return of
})

// Concerns says whether above covers the setting at path or the same fact under its other name.
func Concerns(above, path string) bool {
	if covers(above, path) {
		return true
	}
	twin, ok := TwinOf(path)
	return ok && covers(above, twin)
}

// Holds returns the settings of the document that are the fact at path or part of it: the path itself where the write
// of the document sends it, or else what stands there under the other names of its twins, in the order of their
// paths. There are none where the write of the document leaves the fact alone.
func (n DocumentName) Holds(path string) []string {
	table, _ := n.Table()
	if rest, ok := strings.CutPrefix(path, n.Prefix()); ok {
		top, _, _ := strings.Cut(rest, ".")
		if i := index(table.Members, top); i >= 0 && table.Members[i].Trip != ReadOnly {
			return []string{path}
		}
	}
	var held []string
	for here, other := range twins() {
		if of, _ := DocumentOf(here); of == n && covers(path, other) {
			held = append(held, here)
		}
	}
	slices.Sort(held)
	return held
}
