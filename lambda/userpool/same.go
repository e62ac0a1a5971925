package userpool

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// same says whether two JSON values have the same JSON text, with the keys of objects in order: nothing is normalized,
// so that 1 and 1.0 differ, and absent and empty. A nil object or list is null.
func same(a, b any) bool {
	if null(a) || null(b) {
		return null(a) && null(b)
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameObjects(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		return a == b
	default:
		return sameText(a, b)
	}
}

func sameObjects(a, b map[string]any) bool {
	return maps.EqualFunc(a, b, same)
}

func null(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return v == nil
	case []any:
		return v == nil
	}
	return false
}

// sameText compares what may be a number of one Go type or another.
func sameText(a, b any) bool {
	left, err := json.Marshal(a)
	if err != nil {
		return false
	}
	right, err := json.Marshal(b)
	return err == nil && bytes.Equal(left, right)
}
