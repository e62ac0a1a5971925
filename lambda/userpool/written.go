package userpool

import (
	"cmp"
	"maps"
	"strings"

	"poolkeeper/baseline"
)

// documents holds the documents of a pool under the names of the write calls, without the members that no call writes.
type documents map[baseline.DocumentName]map[string]any

// written returns the state under the names of the write calls: PoolName for Name, without Arn, Status and their like.
// Its top-level values are the state's own.
func (s State) written() documents {
	docs := documents{}
	for name, raw := range s.Documents {
		table, ok := name.Table()
		if !ok {
			continue
		}
		object, known := make(map[string]any, len(raw)), make(map[string]bool, len(table.Members))
		for i := range table.Members { // by index: a member is large to copy
			m := &table.Members[i]
			read := readName(*m)
			known[read] = true
			if v, ok := raw[read]; ok && m.Trip == baseline.Echo && v != nil {
				object[m.Name] = v
			}
		}
		for member, v := range raw {
			if !known[member] && v != nil {
				object[member] = v
			}
		}
		docs[name] = object
	}
	if pool, ok := docs[baseline.UserPool]; ok {
		docs[baseline.UserPool] = withoutSystemTags(pool)
	}
	return docs
}

// withoutSystemTags leaves out the tags whose key AWS reserves: no caller can write or remove them.
func withoutSystemTags(pool map[string]any) map[string]any {
	tags, ok := pool["UserPoolTags"].(map[string]any)
	if !ok {
		return pool
	}
	own := make(map[string]any, len(tags))
	for k, v := range tags {
		if !strings.HasPrefix(k, "aws:") {
			own[k] = v
		}
	}
	pool["UserPoolTags"] = own
	return pool
}

// cloneOf returns the documents, of which those that the fixes can touch are copies: a pool may have a thousand.
func (d documents) cloneOf(fixes []baseline.Drift) documents {
	c := maps.Clone(d)
	for name := range meant(fixes) {
		if object, ok := d[name]; ok {
			c[name] = cloneObject(object)
		}
	}
	return c
}

// only returns the documents that count.
func (d documents) only(counts func(baseline.DocumentName) bool) documents {
	some := documents{}
	for name, object := range d {
		if counts(name) {
			some[name] = object
		}
	}
	return some
}

// flat returns all documents as one object of settings.
func (d documents) flat() map[string]any {
	most := 0
	for _, object := range d {
		most += len(object)
	}
	all := make(map[string]any, most)
	for name, object := range d {
		into := all
		for _, key := range strings.FieldsFunc(name.Prefix(), func(r rune) bool { return r == '.' }) {
			below, ok := into[key].(map[string]any)
			if !ok {
				below = map[string]any{}
				into[key] = below
			}
			into = below
		}
		for k, v := range object {
			if of, known := baseline.DocumentOf(k); name.Prefix() == "" && known && of != name {
				continue // unknown in this document
			}
			into[k] = v
		}
	}
	return all
}

func (d documents) leaves() map[string]string {
	all := make(map[string]string, 128) // as many as a pool has
	for name, object := range d {
		table, _ := name.Table()
		if name.Prefix() == "" {
			var unknown map[string]any
			object, unknown = divide(name, object)
			baseline.AddLeaves(all, string(name)+".", nil, unknown)
		}
		baseline.AddLeaves(all, name.Prefix(), table.Members, object)
	}
	return all
}

// divide divides the members of a document of the pool into those of the table and all others.
func divide(name baseline.DocumentName, object map[string]any) (known, unknown map[string]any) {
	for k, v := range object {
		if of, _ := baseline.DocumentOf(k); of == name {
			continue
		}
		if unknown == nil {
			known, unknown = maps.Clone(object), map[string]any{}
		}
		unknown[k] = v
		delete(known, k)
	}
	if unknown == nil {
		known = object
	}
	return known, unknown
}

// place returns the document that holds the setting, and where in it; no keys are the document as a whole. The
// document is nil where it was not read.
func (d documents) place(setting string) (object map[string]any, keys []string) {
	name, _ := baseline.DocumentOf(setting)
	keys = baseline.Keys(setting)
	if prefix := strings.TrimSuffix(name.Prefix(), "."); prefix != "" {
		keys = keys[len(baseline.Keys(prefix)):]
	}
	return d[name], keys
}

func (d documents) get(setting string) any {
	object, keys := d.place(setting)
	if len(object) == 0 {
		return nil
	}
	return baseline.At(object, keys)
}

// set writes a value. That of a whole document has to be an object.
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

// unset takes a value away; of a whole document, everything in it.
func (d documents) unset(setting string) {
	object, keys := d.place(setting)
	if len(keys) > 0 {
		unset(object, keys)
		return
	}
	clear(object)
}

func readName(m baseline.Member) string { return cmp.Or(m.ReadName, m.Name) }
