package baseline

import (
	"slices"
	"strings"
	"sync"
)

// TwinOf returns the path of the twin of the setting at path, if it has one (see Member.Twin).
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

// twins maps the path of each member with a twin to the path of the twin. Members of maps and clients have none.
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

// Concerns reports whether above covers the setting at path or its twin.
func Concerns(above, path string) bool {
	if covers(above, path) {
		return true
	}
	twin, ok := TwinOf(path)
	return ok && covers(above, twin)
}

// Holds returns the settings of the document that are the setting at path or a part of it: the path itself if the
// document's write sends it, or otherwise the twins in this document, sorted by path. It returns none if the document's
// write does not affect the setting.
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
