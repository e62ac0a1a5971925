package baseline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestWritingEndsTheDrift: for every operator, writing the value at the setting ends the drift there.
func TestWritingEndsTheDrift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := genRequirement().Draw(t, "requirement")
		settings := genPool().Draw(t, "pool")
		p := policyOf(withMFA(settings, []Requirement{r}))
		for _, d := range Compare(p, settings).Drifts {
			after := writeBack(settings, d)
			if again := Compare(p, after).Drifts; d.Action != Report && len(again) > 0 {
				t.Errorf("%s %s: %s %v, but then have %v, want %v", d.Setting, r.Op, d.Action, d.Value, again[0].Have,
					again[0].Want)
			}
		}
	})
}

// TestWritingEndsEveryDrift: rules that overrule each other in any way leave a policy that can hold as a whole.
func TestWritingEndsEveryDrift(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		settings := genPool().Draw(t, "pool")
		var rules [][]Requirement
		for _, r := range withMFA(settings, rapid.SliceOfN(genRequirement(), 1, 6).Draw(t, "rules")) {
			rules = append(rules, []Requirement{selfContained(r)})
		}
		p := policyOf(rules...)
		after := settings
		for range 3 { // a twin that the first write sets has a say from then on
			after = writeAll(after, Compare(p, after).Drifts)
		}
		for _, d := range Compare(p, after).Drifts {
			if d.Action != Report {
				t.Errorf("%s: want %v, still have %v\npolicy %v", d.Setting, d.Want, d.Have, p.Requirements)
			}
		}
	})
}

// selfContained takes out of the objects of a requirement the leaves that another object holds under their other
// name: two rules that name both can contradict each other, and then no pool keeps both.
func selfContained(r Requirement) Requirement {
	if _, object := r.Set.(map[string]any); object {
		r.Set = nil
	}
	value, object := r.Value.(map[string]any)
	if _, whole := TwinOf(r.Setting); whole || !object {
		return r
	}
	m, _ := Lookup(r.Setting)
	eachLeaf(m, r.Setting, Clone(value), func(_ Member, path string, _ any) {
		if twin, ok := TwinOf(path); ok && !Covers(r.Setting, twin) {
			Put(value, Keys(path)[len(Keys(r.Setting)):], nil)
		}
	})
	return r
}

// writeAll writes whole objects first: the object under one name of a twin must not undo a member under the other.
func writeAll(settings map[string]any, drifts []Drift) map[string]any {
	slices.SortStableFunc(drifts, func(a, b Drift) int { return whole(b) - whole(a) })
	for _, d := range drifts {
		settings = writeBack(settings, d)
	}
	return settings
}

func whole(d Drift) int {
	if m, _ := Lookup(d.Setting); m.Kind == Object || m.Kind == Map {
		return 1
	}
	return 0
}

// TestCompareLeavesTheSettingsAlone: nothing is changed, and nothing of the result is shared with the settings or the
// policy.
func TestCompareLeavesTheSettingsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policyOf(rapid.SliceOfN(genRequirement(), 1, 6).Draw(t, "rule"))
		settings := genPool().Draw(t, "pool")
		before, wanted := Clone(settings), cloneRequirements(p.Requirements)
		c := Compare(p, settings)
		if diff := cmp.Diff(c, Compare(p, settings)); diff != "" {
			t.Errorf("two comparisons of the same (-first +second):\n%s", diff)
		}
		for _, d := range c.Drifts {
			scribble(d.Value)
			scribble(d.Have)
			scribble(d.Want)
		}
		if diff := cmp.Diff(before, any(settings)); diff != "" {
			t.Errorf("the settings were changed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wanted, p.Requirements); diff != "" {
			t.Errorf("the policy was changed (-want +got):\n%s", diff)
		}
	})
}

func cloneRequirements(owned []Owned) []Owned {
	c := slices.Clone(owned)
	for i := range c {
		c[i].Value, c[i].Set = Clone(c[i].Value), Clone(c[i].Set)
	}
	return c
}

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

// TestAPoolIsInSyncWithItsSnapshot: whatever a pool and its client hold, the baseline that is made of them is one, is
// kept by them, and shows no text of theirs.
func TestAPoolIsInSyncWithItsSnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		settings, _ := likely(t, root, genPool().Draw(t, "pool")).(map[string]any)
		const id, name = "abc", "web\n- x"
		client, ok := settings[Clients].(map[string]any)
		if !ok {
			client = map[string]any{}
		}
		client["ClientName"] = name
		settings[ClientPath(id)] = client
		delete(settings, Clients)
		Put(settings, Keys("Policies.PasswordPolicy.MinimumLength"), num("8")) // every pool has one
		pool := Identity{ID: "eu-west-1_AbCdEf123", Clients: []ClientIdentity{{ID: id, Name: name}}}
		text, err := Snapshot(pool, settings)
		if err != nil {
			t.Fatalf("%v\n%v", err, settings)
		}
		b, err := Parse("snapshot", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, d := range Compare(b.Policy(pool, time.Time{}), settings).Drifts {
			t.Errorf("%s: want %v, have %v", d.Setting, d.Want, d.Have)
		}
		if strings.Contains(string(text), "CANARY") {
			t.Error("a text that is hidden stands in the snapshot")
		}
	})
}

// TestSnapshotOfTooManyClients: a snapshot that would be rejected as a baseline is an error.
func TestSnapshotOfTooManyClients(t *testing.T) {
	t.Parallel()
	pool, settings := Identity{ID: "eu-west-1_AbCdEf123"}, tree(`{"Policies":{"PasswordPolicy":{"MinimumLength":8}}}`)
	for i := range maxRequired {
		id := strconv.Itoa(i)
		pool.Clients = append(pool.Clients, ClientIdentity{ID: id, Name: "web"})
		settings[ClientPath(id)] = map[string]any{"EnableTokenRevocation": true}
	}
	const want = "writing the baseline of eu-west-1_AbCdEf123: snapshot:"
	if text, err := Snapshot(pool, settings); err == nil || text != nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%d bytes, %v; want an error that begins with %s", len(text), err, want)
	}
}

// likely replaces the texts of a value by such as the API takes of the member, mostly, and by ones that must not be
// seen where it is sensitive.
func likely(t *rapid.T, m Member, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			c, _ := child(m, key)
			v[key] = likely(t, c, e)
		}
	case []any:
		for i, e := range v {
			of := m
			if m.Elem != nil {
				of = *m.Elem
			}
			v[i] = likely(t, of, e)
		}
	case string:
		switch {
		case m.Sensitive:
			return "CANARY {####}"
		case m.Pattern == arnPattern && rapid.IntRange(0, 9).Draw(t, "odd") > 0:
			return "arn:aws:lambda:eu-west-1:111122223333:function:" + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "function")
		}
	}
	return v
}
