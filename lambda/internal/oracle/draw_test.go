package oracle

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// drawState draws a pool that the API holds, from one that it holds, by changing some facts.
func drawState(r *rand.Rand, from state, changes int) state {
	for {
		s := maps.Clone(from)
		for range changes {
			f := pick(r, facts)
			s[f.names[0]] = pick(r, f.values)
		}
		s[form] = r.IntN(3)
		if s.equal(mode, "OFF") {
			s[totp], s[sms], s[email] = false, false, false
		}
		if s = s.with(nil); possible(s) {
			return s
		}
	}
}

// firstState is a pool in which every fact is at its first value.
func firstState() state {
	s := state{form: 0}
	for _, f := range facts {
		s[f.names[0]] = f.values[0]
	}
	s[mode], s[totp], s[sms], s[email], s[devices] = "OFF", false, false, false, false
	return s.with(nil)
}

// drawDocument draws a baseline.
func drawDocument(r *rand.Rand) document {
	var d document
	for range 1 + r.IntN(3) {
		of := rule{selects: r.IntN(8) > 0, audits: r.IntN(5) == 0}
		whole := map[string]bool{}
		for range 1 + r.IntN(5) {
			if r.IntN(6) == 0 {
				object := pick(r, objects)
				if whole[object] || slices.ContainsFunc(of.require, func(q requirement) bool { return under(q.name, object) }) {
					continue
				}
				whole[object] = true
				of.require = append(of.require, drawWhole(r, object))
				continue
			}
			f := pick(r, facts)
			same := func(q requirement) bool { return slices.Contains(f.names, q.name) }
			if f.kind == there || f.names[0] == version || slices.ContainsFunc(of.require, same) ||
				slices.ContainsFunc(slices.Collect(maps.Keys(whole)), func(o string) bool { return under(f.names[0], o) }) {
				continue
			}
			of.require = append(of.require, drawRequirement(r, f))
		}
		if len(of.require) > 0 {
			d.rules = append(d.rules, of)
		}
	}
	if len(d.rules) == 0 {
		return drawDocument(r)
	}
	if q := pick(r, pick(r, d.rules).require); r.IntN(5) == 0 {
		d.exempted = q.name
	}
	return d
}

func under(name, object string) bool { return strings.HasPrefix(name, object+".") || name == object }

// drawWhole requires an object to be absent, or exactly some of its parts.
func drawWhole(r *rand.Rand, object string) requirement {
	parts := map[string]any{}
	for _, f := range facts {
		if name := f.names[0]; under(name, object) && name != object && name != version && r.IntN(2) == 0 {
			if v := pick(r, f.values); !empty(v) {
				parts[name] = v
			}
		}
	}
	if len(parts) == 0 || r.IntN(2) == 0 {
		return requirement{name: object, op: "absent", want: true}
	}
	return requirement{name: object, op: "exactly", want: parts}
}

// drawRequirement draws an operator of a fact, and its values.
func drawRequirement(r *rand.Rand, f fact) requirement {
	ops := map[kind][]string{flag: {"value"}, choice: {"value", "oneOf", "present"}, text: {"value", "oneOf", "present",
		"matches"}, number: {"value", "oneOf", "atLeast", "atMost", "present"}, list: {"value", "contains", "without",
		"present"}}[f.kind]
	clearable := []string{"DeletionProtection", mode, "Policies.PasswordPolicy.PasswordHistorySize"}
	if !f.needed && f.usual == nil || slices.Contains(clearable, f.names[0]) {
		ops = append(slices.Clone(ops), "absent")
	}
	var some []any // to require; what is empty is not there to be written
	for _, v := range f.values {
		if !empty(v) || v == false && f.kind == flag {
			some = append(some, v)
		}
	}
	q := requirement{name: pick(r, f.names), op: pick(r, ops)}
	switch q.op {
	case "absent":
		q.want, q.name = true, f.names[0] // the other name may be a part without which the API takes no object
	case "present":
		q.want = true
	case "oneOf":
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		q.want = some[:1+r.IntN(len(some))]
	case "contains", "without":
		q.want = []string{pick(r, pick(r, some).([]string))}
		if q.op == "without" && f.names[0] == first {
			q.want = []string{pick(r, []string{"EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"})}
		}
	case "matches":
		q.want = pick(r, some).(string)[:1] + "*"
	default:
		q.want = pick(r, some)
	}
	if q.op == "value" || r.IntN(3) > 0 {
		return q
	}
	for _, v := range some { // the first value that the operator takes, if there is one
		if q.op != "absent" && q.op != "contains" && q.op != "without" && q.holds(v) {
			q.set = v
		}
	}
	return q
}
