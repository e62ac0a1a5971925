package userpool

import (
	"bytes"
	"encoding/json"
	"strings"

	"poolkeeper/baseline"
)

// cloneObject copies a JSON object, so that a plan never changes the state that it starts from.
func cloneObject(o map[string]any) map[string]any {
	c, _ := baseline.Clone(o).(map[string]any)
	return c
}

// unset removes the value at the keys of a path. It keeps objects that become empty.
func unset(object map[string]any, keys []string) {
	last := len(keys) - 1
	if inner, ok := baseline.At(object, keys[:last]).(map[string]any); ok {
		delete(inner, keys[last])
	}
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '.'))]
}

func covers(setting, path string) bool {
	return path == setting || strings.HasPrefix(path, setting+".")
}

// same reports whether two JSON values have the same text, with sorted keys. Nothing else is normalized: 1 and 1.0
// differ, and so do absent and empty. A nil object or list is null.
func same(a, b any) bool {
	left, err := json.Marshal(a)
	right, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(left, right)
}
