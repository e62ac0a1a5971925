package baseline

import (
	"cmp"
	"maps"
	"strings"
)

// child returns the member that stands at the key of an object or map; an unknown one has no kind.
func child(m Member, key string) (Member, bool) {
	switch m.Kind {
	case Object:
		if i := index(m.Members, key); i >= 0 {
			return m.Members[i], true
		}
	case Map:
		return *m.Elem, true
	}
	return Member{}, false
}

// keys splits a dotted path into the keys of the objects on its way. A key of a map of texts, such as a tag's, may
// hold dots.
func keys(path string) []string {
	var all []string
	m := root
	for rest, more := path, true; more; {
		var key string
		key, rest, more = cutKey(m, rest)
		all = append(all, key)
		m, _ = child(m, key)
	}
	return all
}

// Keys splits a dotted path into the keys of the objects on its way. A key of a map of texts, such as a tag's, may hold
// dots.
func Keys(path string) []string { return keys(path) }

// At returns the value at the keys below v, or nil where there is none.
func At(v any, of []string) any { return at(v, of) }

// Put sets the value at the keys below the object, and makes the objects that are missing.
func Put(object map[string]any, of []string, v any) { put(object, of, v) }

// pathOf is the opposite of keys.
func pathOf(keys []string) string { return strings.Join(keys, ".") }

// cutKey splits the first key from a dotted path below the member.
func cutKey(m Member, path string) (key, rest string, more bool) {
	if m.Kind == Map && m.Elem.Kind != Object {
		return path, "", false
	}
	return strings.Cut(path, ".")
}

// covers says whether path is the same as above or lies below it. What is neither object nor map has nothing below
// it: the tag "env" does not cover the tag "env.stage", though its path is a prefix.
func covers(above, path string) bool {
	rest, ok := strings.CutPrefix(path, above)
	switch {
	case !ok:
		return false
	case rest == "":
		return true
	case rest[0] != '.':
		return false
	}
	m, known := Lookup(above)
	return !known || m.Kind == Object || m.Kind == Map
}

// beneath says whether path lies below above and is not the same.
func beneath(above, path string) bool { return path != above && covers(above, path) }

// Order compares two paths by their place in the member table: depth first, an object before what is in it, the keys
// of a map by their text, and what the table lacks last.
func Order(a, b string) int {
	m := root
	for {
		x, left, moreLeft := cutKey(m, a)
		y, right, moreRight := cutKey(m, b)
		switch {
		case x != y:
			return cmp.Or(cmp.Compare(rank(m, x), rank(m, y)), cmp.Compare(x, y))
		case !moreLeft && !moreRight:
			return 0
		case !moreLeft:
			return -1
		case !moreRight:
			return 1
		}
		m, _ = child(m, x)
		a, b = left, right
	}
}

func rank(m Member, key string) int {
	if i := index(m.Members, key); i >= 0 {
		return i
	}
	return len(m.Members)
}

// at returns the value at the keys below v, or nil where there is none.
func at(v any, keys []string) any {
	for _, k := range keys {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[k]
	}
	return v
}

// put sets the value at the keys below the object. A nil value takes the key away, and every object that becomes
// empty by that.
func put(object map[string]any, keys []string, v any) {
	key, below := keys[0], keys[1:]
	if len(below) == 0 {
		if v == nil {
			delete(object, key)
			return
		}
		object[key] = v
		return
	}
	inner, ok := object[key].(map[string]any)
	switch {
	case !ok && v == nil:
		return
	case !ok:
		inner = map[string]any{}
		object[key] = inner
	}
	put(inner, below, v)
	if v == nil && len(inner) == 0 {
		delete(object, key)
	}
}

// Clone returns a copy of a JSON tree that shares nothing with it.
func Clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for k, e := range c {
			c[k] = Clone(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = Clone(e)
		}
		return c
	}
	return v
}
