package baseline

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Mask returns a copy of a member's value that may be shown: every text that is sensitive is replaced by its length and the beginning of
// its hash, at any depth. Where a member holds something sensitive, what the table does not know of it, a member or a shape, is hidden too.
// nil stays nil.
func Mask(m Member, v any) any {
	if v == nil {
		return nil
	}
	if m.Sensitive {
		return hidden(v)
	}
	if !secretive(m) {
		return Clone(v)
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
		if m.Kind != List {
			break
		}
		shown := make([]any, len(v))
		for i, e := range v {
			shown[i] = Mask(*m.Elem, e)
		}
		return shown
	}
	return hidden(v)
}

// secretive says whether something in the member is sensitive.
func secretive(m Member) bool {
	return m.Sensitive || m.Elem != nil && secretive(*m.Elem) || slices.ContainsFunc(m.Members, secretive)
}

func hidden(v any) string {
	s, ok := v.(string)
	if !ok {
		s = canonical(v)
	}
	return fmt.Sprintf("(hidden: %d characters, sha256 %.4x)", utf8.RuneCountInString(s), sha256.Sum256([]byte(s)))
}
