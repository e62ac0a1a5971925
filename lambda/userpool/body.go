package userpool

import (
	"cmp"
	"maps"
	"slices"

	"poolkeeper/baseline"
)

// body builds the request of one write: the whole new document, with the pool's id. Texts and numbers are sent exactly
// as they were read, absent members stay absent, and an empty list or object stays empty if the call accepts that.
func (p *Plan) body(name baseline.DocumentName, before, docs documents, carriedMFA string) map[string]any {
	object := cloneObject(docs[name])
	for _, path := range p.Before.Unknown([]baseline.DocumentName{name}, p.options.Unknown, baseline.OmitUnknown) {
		_, below := DocumentOf(path)
		removeAt(object, baseline.Keys(below))
	}
	table, _ := name.Table()
	object = pruneMembers(&baseline.Member{Members: table.Members}, object)
	listed(table.Members, object)
	off := name == baseline.MfaConfig && !mfaOn(docs)
	switch {
	case name == baseline.UserPool:
		validity(object, p.options.MoveValidity)
		if carriedMFA != "" {
			object[mfa] = carriedMFA
		}
		if !baseline.KnownOf("AcrConfiguration", object["AcrConfiguration"]).Present {
			// The service returns the default names for every pool but accepts names only on some tiers. Leaving them
			// out restores the default.
			delete(object, "AcrConfiguration")
		}
	case off:
		object[mfa] = "OFF"
	}
	for _, m := range table.Members {
		// With MFA off, the service rejects any factor block, even one that enables nothing. Passkeys do not count as a
		// factor.
		if off && m.GoneWith == mfa || m.ShownBy != "" && same(object[m.Name], before[name][m.Name]) {
			delete(object, m.Name)
		}
	}
	object["UserPoolId"] = p.Before.ID
	if client := name.Client(); client != "" {
		object["ClientId"] = client
	}
	return object
}

// KeyLists converts the lists marked ByKey in a document that was read into objects: each element becomes a member,
// named by its key. A list of an unexpected form is left unchanged.
func KeyLists(members []baseline.Member, document map[string]any) {
	for _, m := range members {
		list, ok := document[m.Name].([]any)
		if m.ByKey == "" || !ok {
			continue
		}
		object := map[string]any{}
		for _, e := range list {
			element, _ := baseline.Clone(e).(map[string]any)
			key, _ := element[m.ByKey].(string)
			delete(element, m.ByKey)
			object[key] = element
		}
		delete(object, "")
		if len(object) == len(list) { // each has a key of its own
			document[m.Name] = object
		}
	}
}

// listed is the inverse of KeyLists. The list is always present, because the write call requires it, and sorted by key.
func listed(members []baseline.Member, document map[string]any) {
	for _, m := range members {
		if m.ByKey == "" {
			continue
		}
		object, _ := document[m.Name].(map[string]any)
		list := []any{}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if element, ok := object[key].(map[string]any); ok {
				element[m.ByKey] = key
				list = append(list, element)
			}
		}
		document[m.Name] = list
	}
}

// prune removes values that the service returns but rejects: null, empty texts and enums, and empty objects and lists
// with NotEmpty. It returns false if v is such a value. Unknown members are sent back unchanged, because the meaning of
// false or an empty list in them is unknown.
func prune(m *baseline.Member, v any) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, false
	case string:
		return v, v != ""
	case []any:
		return v, m.Min == 0 || len(v) > 0
	case map[string]any:
		if m.Kind == baseline.Object || m.Kind == baseline.Map && m.Elem.Kind == baseline.Object {
			v = pruneMembers(m, v)
		}
		return v, len(v) > 0 || !m.NotEmpty
	}
	return v, true
}

func pruneMembers(m *baseline.Member, object map[string]any) map[string]any {
	kept := make(map[string]any, len(object))
	for name, v := range object {
		below := cmp.Or(m.Elem, &baseline.Member{})
		if i := baseline.Index(m.Members, name); i >= 0 {
			below = &m.Members[i]
		}
		if v, ok := prune(below, v); ok {
			kept[name] = v
		}
	}
	for _, m := range m.Members {
		object, ok := kept[m.Name].(map[string]any)
		lacks := func(below baseline.Member) bool { return below.Required && object[below.Name] == nil }
		if ok && m.KeptOmitted && slices.ContainsFunc(m.Members, lacks) {
			delete(kept, m.Name)
		}
		if m.Required && m.Kind == baseline.Boolean && kept[m.Name] == nil && len(kept) > 0 {
			kept[m.Name] = false // the same as absent
		}
	}
	return kept
}

// removeAt removes a member at a path that may cross the elements of lists. It keeps objects that become empty.
func removeAt(v any, path []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			removeAt(e, path)
		}
	case map[string]any:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		removeAt(v[path[0]], path[1:])
	}
}
