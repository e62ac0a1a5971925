package userpool

import (
	"bytes"
	"cmp"
	"maps"
	"strings"

	"poolkeeper/baseline"
)

// documents are the documents of a pool with the member names of the write calls, without the members that no call
// writes.
type documents map[baseline.DocumentName]map[string]any

// written returns the state with the member names of the write calls, such as PoolName instead of Name, without
// read-only members such as Arn and Status, and without tags whose keys AWS reserves. It shares its top-level values
// with the state.
func (s State) written() documents {
	docs := documents{}
	for name, raw := range s.Documents {
		table, _ := name.Table()
		object := make(map[string]any, len(raw))
		for member, v := range raw {
			i := readAs(table.Members, member)
			switch {
			case v == nil || i >= 0 && table.Members[i].Trip != baseline.Echo:
			case i >= 0:
				object[table.Members[i].Name] = v
			case baseline.Index(table.Members, member) < 0:
				object[member] = v
			}
		}
		for i := range table.Members {
			if m := &table.Members[i]; m.ShownBy != "" && raw[m.Name] == nil && !baseline.Empty(raw[m.ShownBy]) {
				object[m.Name] = true
			}
		}
		docs[name] = object
	}
	if tags, ok := docs[baseline.UserPool]["UserPoolTags"].(map[string]any); ok {
		own := maps.Clone(tags)
		maps.DeleteFunc(own, func(key string, _ any) bool { return strings.HasPrefix(key, "aws:") })
		docs[baseline.UserPool]["UserPoolTags"] = own
	}
	return docs
}

func (d documents) only(counts func(baseline.DocumentName) bool) documents {
	some := maps.Clone(d)
	maps.DeleteFunc(some, func(name baseline.DocumentName, _ map[string]any) bool { return !counts(name) })
	return some
}

func (d documents) flat() map[string]any {
	all := map[string]any{}
	for _, name := range namesOf(d) { // a client's document before its risk configuration, which is added to it
		if prefix := strings.TrimSuffix(name.Prefix(), "."); prefix != "" {
			baseline.Put(all, baseline.Keys(prefix), d[name])
			continue
		}
		for member, v := range d[name] {
			if of, known := baseline.DocumentOf(member); !known || of == name {
				all[member] = v
			}
		}
	}
	return all
}

func (d documents) leaves() map[string]string {
	all := make(map[string]string, 128) // typical for a pool
	for name, object := range d {
		table, _ := name.Table()
		for member, v := range object {
			prefix := strings.TrimSuffix(leafName(name, name.Prefix()+member), member)
			baseline.AddLeaves(all, prefix, table.Members, map[string]any{member: v})
		}
	}
	return all
}

// place returns the document of the setting, and its keys there. No keys mean the whole document. The document is nil
// if it was not read.
func (d documents) place(setting string) (object map[string]any, keys []string) {
	name, _ := baseline.DocumentOf(setting)
	return d[name], baseline.Keys(setting)[strings.Count(name.Prefix(), "."):]
}

func (d documents) get(setting string) any {
	object, keys := d.place(setting)
	if len(object) == 0 {
		return nil
	}
	return baseline.At(object, keys)
}

// set sets a value. The value of a whole document must be an object.
func (d documents) set(setting string, v any) {
	object, keys := d.place(setting)
	switch whole, ok := v.(map[string]any); {
	case object == nil:
	case len(keys) > 0:
		baseline.Put(object, keys, v)
	case ok:
		name, _ := baseline.DocumentOf(setting)
		d[name] = whole
	}
}

// unset removes a value, or all members of a whole document.
func (d documents) unset(setting string) {
	object, keys := d.place(setting)
	if len(keys) > 0 {
		removeAt(object, keys)
	} else {
		clear(object)
	}
}

func readAs(members []baseline.Member, name string) int {
	for i := range members { // by index: a member is large to copy
		if readName(&members[i]) == name {
			return i
		}
	}
	return -1
}

func readName(m *baseline.Member) string { return cmp.Or(m.ReadName, m.Name) }

// cloneObject copies a JSON object, so that a plan never changes the state that it starts from.
func cloneObject(o map[string]any) map[string]any {
	c, _ := baseline.Clone(o).(map[string]any)
	return c
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }

// same reports whether two JSON values have the same text, with sorted keys. Nothing else is normalized: 1 and 1.0
// differ, and so do absent and empty. A nil object or list is null.
func same(a, b any) bool { return bytes.Equal(Encode(a), Encode(b)) }
