package userpool

import "strings"

// clone copies a JSON tree, so that a plan never changes the state that it was made from.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneObject(v)
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = clone(e)
		}
		return c
	default:
		return v
	}
}

func cloneObject(o map[string]any) map[string]any {
	if o == nil {
		return nil
	}
	c := make(map[string]any, len(o))
	for k, v := range o {
		c[k] = clone(v)
	}
	return c
}

// get returns the value at a dotted path, nil where it is absent. A key of a map may itself hold dots, and then is the rest of the path.
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

// set writes the value at the path given as its parts, making the objects on the way.
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

// unset removes the value at the path given as its parts. The objects on the way stay, even empty.
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

// covers says whether path is the setting itself or stands below it.
func covers(setting, path string) bool {
	return path == setting || strings.HasPrefix(path, setting+".")
}

// empty says whether v equals absent when documents are compared.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, e := range v {
			if !empty(e) {
				return false
			}
		}
		return true
	case interface{ Float64() (float64, error) }: // json.Number
		f, err := v.Float64()
		return err == nil && f == 0
	default:
		return false
	}
}
