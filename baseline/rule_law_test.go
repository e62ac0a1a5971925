package baseline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLaterRuleWins: of rules that require leaves, the last one that speaks of a fact, by whichever name, has it alone, and its mode goes with it.
func TestLaterRuleWins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := &Baseline{}
		last := map[string]Rule{}
		for i := range rapid.IntRange(1, 8).Draw(t, "rules") {
			rule := Rule{Name: fmt.Sprint(i), Mode: rapid.SampledFrom([]Mode{Enforce, Audit}).Draw(t, "mode")}
			for range rapid.IntRange(1, 4).Draw(t, "requirements") {
				r := genRequirement().Draw(t, "requirement")
				m, _ := Lookup(r.Setting)
				if m.Kind != Object && m.Kind != Map && !slices.ContainsFunc(rule.Require, func(o Requirement) bool { return fact(o.Setting) == fact(r.Setting) }) {
					rule.Require = append(rule.Require, r)
					last[fact(r.Setting)] = rule
				}
			}
			b.Rules = append(b.Rules, rule)
		}
		owned := b.Policy(Identity{}, time.Time{}).Requirements
		if len(owned) != len(last) {
			t.Fatalf("%d facts are required in %d ways", len(last), len(owned))
		}
		for _, o := range owned {
			if wins := last[fact(o.Setting)]; o.Rule != wins.Name || o.Mode != wins.Mode {
				t.Errorf("%s is of rule %s in mode %s, and rule %s in mode %s speaks of it last", o.Setting, o.Rule, o.Mode, wins.Name, wins.Mode)
			}
		}
	})
}

// fact returns one name for a setting and its twin.
func fact(path string) string {
	twin, ok := TwinOf(path)
	if ok && twin < path {
		return twin
	}
	return path
}

// TestOneRuleCanHold: what one rule requires without being refused can hold together, and writing brings that about.
func TestOneRuleCanHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var require []Requirement
		for _, r := range rapid.SliceOfN(genRequirement(), 2, 8).Draw(t, "requirements") {
			apart := func(o Requirement) bool { return covers(o.Setting, r.Setting) || covers(r.Setting, o.Setting) }
			if m, _ := Lookup(r.Setting); m.Kind != Object && m.Kind != Map && !slices.ContainsFunc(require, apart) {
				require = append(require, r)
			}
		}
		if twin, ok := TwinOf(twinned(require)); ok { // twins are rare among all settings
			m, _ := Lookup(twin)
			require = append(slices.DeleteFunc(require, func(r Requirement) bool { return covers(r.Setting, twin) || covers(twin, r.Setting) }), genRequirementOf(place{twin, m}).Draw(t, "of the twin"))
		}
		p := &parser{}
		p.twins(require)
		if len(p.faults) > 0 {
			return
		}
		policy := policyOf(require)
		after := genPool().Draw(t, "pool")
		for range 3 {
			after = writeAll(after, Compare(policy, after).Drifts)
		}
		for _, d := range Compare(policy, after).Drifts {
			if d.Action != Report {
				t.Errorf("%s: want %v, still have %v\nrule %v", d.Setting, d.Want, d.Have, require)
			}
		}
	})
}

// twinned returns the first setting that has a twin, or "".
func twinned(require []Requirement) string {
	for _, r := range require {
		if _, ok := TwinOf(r.Setting); ok {
			return r.Setting
		}
	}
	return ""
}

// TestNoSensitiveTextIsShown: whatever is required of whatever is there, a drift shows no text that is hidden.
func TestNoSensitiveTextIsShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var require []Requirement
		for _, r := range rapid.SliceOfN(genRequirement(), 1, 6).Draw(t, "requirements") {
			m, _ := Lookup(r.Setting)
			r.Value, r.Set = likely(t, m, Clone(r.Value)), likely(t, m, Clone(r.Set))
			require = append(require, r)
		}
		settings, _ := likely(t, root, genPool().Draw(t, "pool")).(map[string]any)
		for _, d := range Compare(policyOf(require), settings).Drifts {
			if strings.Contains(fmt.Sprint(d.Want, d.Have), "CANARY") {
				t.Errorf("%s shows what is hidden", d.Setting)
			}
		}
	})
}
