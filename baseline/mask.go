package baseline

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Mask returns a copy of a member's value that is safe to show: every sensitive text, at any depth, is replaced by its
// length and the beginning of its hash. In a member with sensitive parts, unknown members and values of an unexpected
// type are hidden too. nil stays nil.
func Mask(m Member, v any) any {
	switch {
	case v == nil, !secretive(m):
		return Clone(v)
	case m.Sensitive:
		return hidden(v)
	}
	switch v := v.(type) {
	case map[string]any:
		shown := make(map[string]any, len(v))
		for key, e := range v {
			c, known := child(m, key)
			c.Sensitive = c.Sensitive || !known
			shown[key] = Mask(c, e)
		}
		return shown
	case []any:
		if m.Kind == List {
			shown := make([]any, len(v))
			for i, e := range v {
				shown[i] = Mask(*m.Elem, e)
			}
			return shown
		}
	}
	return hidden(v)
}

// Shown returns a masked copy of the value of the setting at path, or nil if there is none.
func Shown(settings map[string]any, path string) any {
	m, known := Lookup(path)
	m.Sensitive = m.Sensitive || !known
	return Mask(m, ValueAt(settings, path))
}

func secretive(m Member) bool {
	return m.Sensitive || m.Elem != nil && secretive(*m.Elem) || slices.ContainsFunc(m.Members, secretive)
}

// MayShow reports whether a line of a baseline file, or a message about it, is safe to show: it names no sensitive
// setting.
func MayShow(text string) bool {
	return !slices.ContainsFunc(sensitiveNames(), func(name string) bool { return strings.Contains(text, name) })
}

var sensitiveNames = sync.OnceValue(func() []string {
	var names []string
	for _, path := range Paths() {
		if m, _ := Lookup(path); m.Sensitive || m.Elem != nil && secretive(*m.Elem) {
			names = append(names, m.Name)
		}
	}
	return names
})

func hidden(v any) string {
	s, ok := v.(string)
	if !ok {
		s = canonical(v)
	}
	return fmt.Sprintf("(hidden: %d characters, sha256 %.4x)", utf8.RuneCountInString(s), sha256.Sum256([]byte(s)))
}
