package oracle

import (
	"maps"
	"slices"
	"strings"

	"poolkeeper/lambda/outcome"
)

// related are the facts that the API does not hold in every combination.
var related = []string{mode, totp, sms, email, email + ".Message", email + ".Subject", tier, threat, first, checked,
	updates}

// possible reports whether the API holds a state.
func possible(s state) bool {
	list, _ := s[first].([]string)
	verified, _ := s[checked].([]string)
	settings, _ := s[updates].([]string)
	codes := slices.Contains(list, "EMAIL_OTP") || slices.Contains(list, "SMS_OTP")
	factor := s.equal(totp, true) || s.equal(sms, true) || s.equal(email, true)
	switch {
	case s.equal(mode, "OFF") == factor, s.equal(mode, "ON") && codes:
		return false
	case !s.equal(threat, "OFF") && !s.equal(tier, "PLUS"):
		return false
	default:
		return !slices.ContainsFunc(settings, func(a string) bool { return !slices.Contains(verified, a) })
	}
}

// stranded reports whether the API keeps a factor on: the SMS factor of a pool that verifies phone numbers.
func stranded(before, after state) bool {
	for _, s := range []state{before, after} {
		if verified, _ := s[checked].([]string); !slices.Contains(verified, "phone_number") {
			return false // it goes while phone numbers are not verified
		}
	}
	return before.equal(sms, true) && !after.equal(sms, true)
}

// with returns the state after some facts were written, with what that brings along.
func (s state) with(written map[string]any) state {
	after := maps.Clone(s)
	maps.Copy(after, written)
	for _, object := range []string{email, devices} {
		for name, v := range written {
			if strings.HasPrefix(name, object+".") && !empty(v) {
				after[object] = true
			}
		}
		for name := range after {
			if strings.HasPrefix(name, object+".") && !after.equal(object, true) {
				after[name] = nil
			}
		}
	}
	switch {
	case after[trigger] == nil:
		after[version] = nil
	case after[version] == nil:
		after[version] = "V1_0"
	}
	return after
}

// A verdict is what a run may come to: the states, and the outcome.
type verdict struct {
	states  []state
	outcome outcome.Ending
}

// verdictOf says what a run has to make of a pool. What is required and can be met is met: a state is right where no
// further requirement could be met in it.
func verdictOf(d document, s state, ownWrite bool) verdict {
	if !slices.ContainsFunc(d.rules, func(r rule) bool { return r.selects }) {
		return verdict{[]state{s}, outcome.Ignored}
	}
	demands := d.demands()
	for _, object := range []string{devices, email} {
		if demands[object].op == "absent" && stays(demands, s, object) {
			delete(demands, object)
		}
		if demands[object].op == "absent" {
			maps.DeleteFunc(demands, func(name string, of demand) bool { // they go with the object
				return of.whole && strings.HasPrefix(name, object+".")
			})
		}
	}
	fixes, certain := map[string]any{}, map[string]any{}
	var tangled []string
	reported, exempted, valueless := 0, 0, 0
	for name, of := range demands {
		v, writable := of.written(s[name])
		switch {
		case of.holds(s[name]):
		case of.exempted:
			exempted++
		case of.audits || ownWrite:
			reported++
		case !writable:
			valueless++
		case slices.Contains(related, name):
			fixes[name] = v
			tangled = append(tangled, name)
		default:
			fixes[name], certain[name] = v, v
		}
	}
	slices.Sort(tangled)
	var found verdict
	best := []int{}
	for set := 1<<len(tangled) - 1; set >= 0; set-- {
		if slices.ContainsFunc(best, func(b int) bool { return set&b == set }) {
			continue
		}
		written := maps.Clone(certain)
		for i, name := range tangled {
			if set&(1<<i) != 0 {
				written[name] = fixes[name]
			}
		}
		if after := s.with(written); possible(after) && !stranded(s, after) && kept(demands, s, after, written) {
			best = append(best, set)
			found.states = append(found.states, after)
		}
	}
	fixed := len(certain) > 0 || len(tangled) > 0 && best[0] > 0
	all := len(best) == 1 && best[0] == 1<<len(tangled)-1
	switch {
	case fixed && (!all || valueless > 0):
		found.outcome = outcome.Partial
	case fixed:
		found.outcome = outcome.Remediated
	case !all:
		found.outcome = outcome.Unfixable
	case reported+valueless > 0:
		found.outcome = outcome.Drifted
	case exempted > 0:
		found.outcome = outcome.Exempted
	default:
		found.outcome = outcome.Unchanged
	}
	return found
}

// stays reports whether an object that one rule requires to be absent is there for a part that a later one requires.
func stays(demands map[string]demand, s state, object string) bool {
	for name, of := range demands {
		v, writable := of.written(s[name])
		if of.holds(s[name]) || of.exempted || of.audits || !writable {
			v = s[name]
		}
		if strings.HasPrefix(name, object+".") && (!of.whole || of.exempted) && !empty(v) {
			return true
		}
	}
	return false
}

// kept reports whether what was met before, or was written, is met after.
func kept(demands map[string]demand, before, after state, written map[string]any) bool {
	for name, of := range demands {
		_, wrote := written[name]
		if !of.exempted && (wrote || of.holds(before[name])) && !of.holds(after[name]) {
			return false
		}
	}
	return true
}
