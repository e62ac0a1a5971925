package baseline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLaterRuleWins: of rules that require leaves, the last one that speaks of a fact, by whichever name, has it
// alone, and its mode goes with it.
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
				if m.Kind != Object && m.Kind != Map && !slices.ContainsFunc(rule.Require,
					func(o Requirement) bool { return fact(o.Setting) == fact(r.Setting) }) {
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
				t.Errorf("%s is of rule %s in mode %s, and rule %s in mode %s speaks of it last", o.Setting, o.Rule, o.Mode,
					wins.Name, wins.Mode)
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

// TestMergeComparesEveryPair: the policy is what remains where each requirement is compared with those of all later
// rules.
func TestMergeComparesEveryPair(t *testing.T) {
	t.Parallel()
	overrules := func(later, earlier Requirement) bool {
		for _, name := range []string{earlier.Setting, other(earlier.Setting)} {
			below := beneath(later.Setting, name) && later.Op != Present
			if name == later.Setting || below && (later.Op != Absent || !apart(earlier.Setting, name)) {
				return true
			}
		}
		return false
	}
	rapid.Check(t, func(t *rapid.T) {
		b := &Baseline{}
		for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
			b.Rules = append(b.Rules, Rule{Name: fmt.Sprint(i), Mode: Enforce,
				Require: rapid.SliceOfN(genRequirement(), 1, 5).Draw(t, "requirements")})
		}
		var want []Owned
		for i, rule := range b.Rules {
			for _, r := range rule.Require {
				if !slices.ContainsFunc(b.Rules[i+1:], func(later Rule) bool {
					return slices.ContainsFunc(later.Require, func(l Requirement) bool { return overrules(l, r) })
				}) {
					want = append(want, Owned{Requirement: r, Rule: rule.Name, Mode: Enforce})
				}
			}
		}
		slices.SortStableFunc(want, func(a, b Owned) int { return Order(a.Setting, b.Setting) })
		if diff := cmp.Diff(want, b.Policy(Identity{}, time.Time{}).Requirements); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestPolicyOfManyClients: a pool of a thousand clients takes no more than a thousand times as long as one client.
func TestPolicyOfManyClients(t *testing.T) {
	b := mustParse(t, string(hundredRules()))
	pool := Identity{Name: "team-1-a", Tags: map[string]string{"env": "prod"}}
	for i := range 1000 {
		pool.Clients = append(pool.Clients, ClientIdentity{ID: fmt.Sprint(i), Name: "web-" + fmt.Sprint(i)})
	}
	began := time.Now()
	if n := len(b.Policy(pool, time.Now()).Requirements); n < 2000 {
		t.Errorf("%d requirements", n)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}
