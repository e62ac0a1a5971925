package userpool

import (
	"strings"

	"poolkeeper/baseline"
)

// cloneObject copies a JSON object, so that a plan never changes the state it is made from.
func cloneObject(o map[string]any) map[string]any {
	c, _ := baseline.Clone(o).(map[string]any)
	return c
}

// get returns the value at a dotted path, or nil. The key of a map may hold dots: then it is the rest of the path.
func get(object map[string]any, path string) any {
	if v, ok := object[path]; ok {
		return v
	}
	name, below, more := strings.Cut(path, ".")
	if !more {
		return nil
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		return nil
	}
	return get(inner, below)
}

// set sets the value at the path, given as its parts, and makes the objects that are missing.
func set(object map[string]any, parts []string, v any) {
	for _, name := range parts[:len(parts)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[parts[len(parts)-1]] = v
}

// unset removes the value at the path, given as its parts. It keeps objects that become empty.
func unset(object map[string]any, parts []string) {
	for _, name := range parts[:len(parts)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			return
		}
		object = inner
	}
	delete(object, parts[len(parts)-1])
}

// covers says whether path is the setting itself or below it.
func covers(setting, path string) bool {
	return path == setting || strings.HasPrefix(path, setting+".")
}
