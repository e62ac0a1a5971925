package userpool

import (
	"bytes"
	"encoding/json"
)

// same says whether two JSON values have the same JSON text, with the keys of objects in order: nothing is normalised, so that 1 and 1.0 differ, and absent and empty. A nil
// object or list is null.
func same(a, b any) bool {
	if null(a) || null(b) {
		return null(a) && null(b)
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, v := range a {
			if other, there := b[key]; !there || !same(v, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i, v := range a {
			if !same(v, b[i]) {
				return false
			}
		}
		return true
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		return a == b
	default:
		return sameText(a, b)
	}
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
