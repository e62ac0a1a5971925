package baseline

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
)

// child returns the member at the key of an object or map. An unknown member has no kind.
func child(m Member, key string) (Member, bool) {
	switch m.Kind {
	case Object:
		if i := Index(m.Members, key); i >= 0 {
			return m.Members[i], true
		}
	case Map:
		return *m.Elem, true
	}
	return Member{}, false
}

// Keys splits a dotted path into its keys. The key of a map of texts, such as a tag, may contain dots.
func Keys(path string) []string {
	all := make([]string, 0, 4)
	m := root
	for rest, more := path, true; more; {
		var key string
		key, rest, more = cutKey(m, rest)
		all = append(all, key)
		m, _ = child(m, key)
	}
	return all
}

func cutKey(m Member, path string) (key, rest string, more bool) {
	if m.Kind == Map {
		return path, "", false
	}
	return strings.Cut(path, ".")
}

// Covers reports whether path equals above or is below it. Only objects and maps have paths below them: the tag "env"
// does not cover the tag "env.stage", although its path is a prefix.
func Covers(above, path string) bool {
	rest, ok := strings.CutPrefix(path, above)
	if !ok || rest == "" || rest[0] != '.' {
		return ok && rest == ""
	}
	m, known := Lookup(above)
	return !known || m.Kind == Object || m.Kind == Map
}

func beneath(above, path string) bool { return path != above && Covers(above, path) }

// Order compares two paths by their position in the member table: an object comes before its members, the keys of a map
// are sorted, and unknown members come last.
func Order(a, b string) int {
	var x, y string
	m := root
	for moreA, moreB := true, true; moreA && moreB; m, _ = child(m, x) {
		x, a, moreA = cutKey(m, a)
		y, b, moreB = cutKey(m, b)
		if x != y {
			return cmp.Or(cmp.Compare(rank(m, x), rank(m, y)), cmp.Compare(x, y))
		}
	}
	return cmp.Compare(len(a), len(b))
}

func rank(m Member, key string) int {
	if i := Index(m.Members, key); i >= 0 {
		return i
	}
	return len(m.Members)
}

// At returns the value at the keys below v, or nil if there is none.
func At(v any, keys []string) any {
	for _, k := range keys {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[k]
	}
	return v
}

// Put sets the value at the keys below the object. A nil value removes the key and every object that becomes empty.
func Put(object map[string]any, keys []string, v any) {
	key, below := keys[0], keys[1:]
	inner, ok := object[key].(map[string]any)
	switch {
	case len(below) == 0 && v == nil:
		delete(object, key)
	case len(below) == 0:
		object[key] = v
	case ok || v != nil:
		if !ok {
			inner = map[string]any{}
			object[key] = inner
		}
		if Put(inner, below, v); v == nil && len(inner) == 0 {
			delete(object, key)
		}
	}
}

// Clone returns a deep copy of a JSON value.
func Clone(v any) any { return mapped(v, func(leaf any) any { return leaf }) }

// mapped returns a deep copy of a JSON value in which each value that is no object and no list is replaced.
func mapped(v any, replaced func(leaf any) any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for k, e := range c {
			c[k] = mapped(e, replaced)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = mapped(e, replaced)
		}
		return c
	}
	return replaced(v)
}

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
	for _, path := range Paths() {
		if m, _ := Lookup(path); m.Twin != "" {
			of[path] = m.Twin
		}
	}
	return of
})

// Twinned returns the setting itself if it has a twin, or otherwise the settings below it that have one.
func Twinned(setting string) []string {
	if _, ok := TwinOf(setting); ok {
		return []string{setting}
	}
	var all []string
	m, _ := Lookup(setting)
	for _, below := range m.Members {
		all = append(all, Twinned(setting+"."+below.Name)...)
	}
	return all
}

// Concerns reports whether above covers the setting at path or its twin.
func Concerns(above, path string) bool {
	twin, _ := TwinOf(path)
	return Covers(above, path) || Covers(above, twin)
}

// Holds returns the settings of the document that are the setting at path or a part of it: the path itself if the
// document's write sends it, or otherwise the twins in this document, sorted by path. It returns none if the document's
// write does not affect the setting.
func (n DocumentName) Holds(path string) []string {
	table, _ := n.Table()
	if rest, ok := strings.CutPrefix(path, n.Prefix()); ok {
		top, _, _ := strings.Cut(rest, ".")
		if i := Index(table.Members, top); i >= 0 && table.Members[i].Trip != ReadOnly {
			return []string{path}
		}
	}
	var held []string
	for here, other := range twins() {
		if of, _ := DocumentOf(here); of == n && Covers(path, other) {
			held = append(held, here)
		}
	}
	slices.Sort(held)
	return held
}
