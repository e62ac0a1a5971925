package oracle

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A requirement is one of a rule: of a fact, or of an object as a whole.
type requirement struct {
	name string // of the names of a fact, or an object
	op   string
	want any
	set  any
}

// A rule is one of a baseline.
type rule struct {
	selects bool
	audits  bool
	require []requirement
}

// A document is a baseline: rules, and a setting that is exempted, if any is.
type document struct {
	rules    []rule
	exempted string
}

// yaml writes the baseline, as JSON.
func (d document) yaml() []byte {
	var rules []any
	for i, r := range d.rules {
		required := map[string]any{}
		for _, q := range r.require {
			put(required, q.name, q.value())
		}
		names := "customers"
		if !r.selects {
			names = "others-*"
		}
		mode := "enforce"
		if r.audits {
			mode = "audit"
		}
		of := map[string]any{"name": fmt.Sprint("rule-", i), "mode": mode, "pools": map[string]any{"names": []any{names}}}
		if web := required[client]; web != nil {
			of["clients"] = []any{map[string]any{"names": []any{"web-app"}, "require": web}}
		}
		if delete(required, client); len(required) > 0 {
			of["require"] = required
		}
		rules = append(rules, of)
	}
	whole := map[string]any{"version": 1, "rules": rules}
	if d.exempted != "" {
		whole["exemptions"] = []any{map[string]any{"pools": map[string]any{"names": []any{"customers"}},
			"settings": []string{strings.Replace(d.exempted, client+".", "Clients[].", 1)},
			"until":    "2027-03-01T00:00:00Z", "reason": "it is drawn", "owner": "nobody"}}
	}
	raw, _ := json.Marshal(whole)
	return raw
}

func (q requirement) value() any {
	switch q.op {
	case "value":
		return q.want
	case "exactly":
		object := map[string]any{}
		for name, v := range q.want.(map[string]any) {
			put(object, strings.TrimPrefix(name, q.name+"."), v)
		}
		return map[string]any{"exactly": object}
	}
	operator := map[string]any{q.op: q.want}
	if q.set != nil {
		operator["set"] = q.set
	}
	return operator
}

// A demand is what the rules come to for one fact.
type demand struct {
	requirement
	audits   bool
	exempted bool
	whole    bool // of a requirement on the object around it
}

// demands merges the rules in their order: a later one wins fact by fact, and for a part of what an earlier one asks
// to be absent, or exactly something, leaves the rest absent.
func (d document) demands() map[string]demand {
	all := map[string]demand{}
	for _, r := range d.rules {
		if !r.selects {
			continue
		}
		for _, q := range r.require {
			if !slices.Contains(objects, q.name) {
				all[factOf(q.name).names[0]] = demand{requirement: q, audits: r.audits}
				continue
			}
			parts, _ := q.want.(map[string]any)
			for _, f := range facts {
				name := f.names[0]
				if name != q.name && !strings.HasPrefix(name, q.name+".") || name == version {
					continue
				}
				of := requirement{name: name, op: "absent", want: true}
				if v, ok := parts[name]; ok {
					of = requirement{name: name, op: "value", want: v}
				}
				if f.kind == there && q.op != "absent" {
					of = requirement{name: name, op: "value", want: true}
				}
				all[name] = demand{requirement: of, audits: r.audits, whole: true}
			}
		}
	}
	for name, of := range all {
		of.exempted = d.exempted != "" && slices.ContainsFunc(factOf(name).names, func(n string) bool {
			// The SMS factor holds the pool's text and sender under other names.
			return under(n, d.exempted) || d.exempted == sms && (n == "SmsAuthenticationMessage" ||
				under(n, "SmsConfiguration"))
		})
		all[name] = of
	}
	return all
}

// holds reports whether a value meets the requirement.
func (q requirement) holds(v any) bool {
	name := factOf(q.name).names[0]
	n, _ := v.(int)
	if empty(v) {
		v = factOf(name).usual
	}
	words, _ := v.([]string)
	given, _ := q.want.([]string)
	switch q.op {
	case "value":
		return canonical(name, v) == canonical(name, q.want)
	case "oneOf":
		return slices.ContainsFunc(q.want.([]any), func(w any) bool { return canonical(name, w) == canonical(name, v) })
	case "absent":
		return canonical(name, v) == canonical(name, nil)
	case "present":
		// What every pool has is present as its default, too.
		return factOf(name).needed || name == first || canonical(name, v) != canonical(name, nil)
	case "atLeast":
		return n >= q.want.(int)
	case "atMost":
		return n <= q.want.(int)
	case "contains":
		return !slices.ContainsFunc(given, func(w string) bool { return !slices.Contains(words, w) })
	case "without":
		return !slices.ContainsFunc(given, func(w string) bool { return slices.Contains(words, w) })
	case "matches":
		matched, _ := path.Match(q.want.(string), fmt.Sprint(v))
		return v != nil && matched
	default:
		panic(q.op)
	}
}

// written returns what is written where a value does not meet the requirement, if anything is.
func (q requirement) written(v any) (any, bool) {
	if empty(v) {
		v = factOf(q.name).usual
	}
	words, _ := v.([]string)
	given, _ := q.want.([]string)
	switch {
	case q.set != nil:
		return q.set, true
	case q.op == "present", q.op == "matches":
		return nil, false
	case q.op == "absent":
		return nil, true
	case q.op == "oneOf":
		return q.want.([]any)[0], true
	case q.op == "contains":
		for _, w := range given {
			if !slices.Contains(words, w) {
				words = append(slices.Clone(words), w)
			}
		}
		return words, true
	case q.op == "without":
		return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(given, w) }), true
	default:
		return q.want, true
	}
}
