package baseline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSelector(t *testing.T) {
	t.Parallel()
	pool := Identity{ID: "eu-west-1_AbCdEf123", Name: "prod-shop", Tags: map[string]string{"env": "prod", "team": "web",
		"bare": ""}}
	cases := map[string]struct {
		selector *Selector
		want     bool
		reason   string
	}{
		"none":  {nil, true, "no selector selects every pool"},
		"empty": {&Selector{}, true, "no key is there that could fail"},
		"id": {&Selector{IDs: []string{"eu-west-1_Other", "eu-west-1_AbCdEf123"}}, true,
			"any entry within a key will do"},
		"name glob": {&Selector{Names: []string{"test-*", "prod-*"}}, true, "any entry within a key will do"},
		"id and name": {&Selector{IDs: []string{"eu-west-1_AbCdEf123"}, Names: []string{"test-*"}}, false,
			"all keys must match"},
		"tag":      {&Selector{Tags: map[string][]string{"env": {"live", "prod"}}}, true, "any glob will do"},
		"tag glob": {&Selector{Tags: map[string][]string{"env": {"p*"}}}, true, "values are globs"},
		"one of two tags": {&Selector{Tags: map[string][]string{"env": {"prod"}, "team": {"shop"}}}, false,
			"every key must match"},
		"missing tag": {&Selector{Tags: map[string][]string{"owner": {"*"}}}, false,
			"a tag that is not there has no value"},
		"except": {&Selector{Names: []string{"*"}, Except: &Selector{Names: []string{"prod-*"}}}, false,
			"the exception selects it"},
		"except alone": {&Selector{Except: &Selector{IDs: []string{"eu-west-1_AbCdEf123"}}}, false,
			"every pool but this one"},
		"except, but": {&Selector{Except: &Selector{Names: []string{"prod-*"}, Except: &Selector{Names: []string{"*-shop"}}}},
			true,
			"the exception has an exception"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.selector.selects(pool); got != c.want {
				t.Errorf("selects = %t, want %t: %s", got, c.want, c.reason)
			}
		})
	}
}

// say is a requirement in short: path and operator, with a value that tells where it comes from.
func say(path string, op Op, value any) Requirement {
	return Requirement{Setting: path, Op: op, Value: value}
}

func TestPolicyTakesMatchingRules(t *testing.T) {
	t.Parallel()
	b := &Baseline{Rules: []Rule{
		{Name: "all", Mode: Enforce, Require: []Requirement{say("UserPoolTier", Equal, "PLUS"),
			say("DeletionProtection", Equal, "ACTIVE")}},
		{Name: "test", Mode: Enforce, Pools: &Selector{Names: []string{"test-*"}},
			Require: []Requirement{say("UserPoolTier", Equal, "LITE")}},
		{Name: "prod", Mode: Audit, Pools: &Selector{Names: []string{"prod-*"}},
			Require: []Requirement{say("UserPoolTier", Equal, "ESSENTIALS")}},
	}}
	want := Policy{Rules: []string{"all", "prod"}, Watch: map[Watched]string{}, Requirements: []Owned{
		{Requirement: say("DeletionProtection", Equal, "ACTIVE"), Rule: "all", Mode: Enforce},
		{Requirement: say("UserPoolTier", Equal, "ESSENTIALS"), Rule: "prod", Mode: Audit},
	}}
	if diff := cmp.Diff(want, b.Policy(Identity{Name: "prod-shop"}, time.Now())); diff != "" {
		t.Errorf("mode and name go with the winner (-want +got):\n%s", diff)
	}
	b.Rules = b.Rules[1:]
	if got := b.Policy(Identity{Name: "other"}, time.Now()); len(got.Rules) != 0 || len(got.Requirements) != 0 {
		t.Errorf("a pool that no rule selects has the policy %+v", got)
	}
}

func TestPolicyExemptions(t *testing.T) {
	t.Parallel()
	until := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	b := &Baseline{Exemptions: []Exemption{
		{Reason: "every pool", Until: until},
		{Reason: "this pool", Pools: &Selector{IDs: []string{"a"}}, Until: until.Add(time.Hour)},
		{Reason: "other pool", Pools: &Selector{IDs: []string{"b"}}, Until: until.Add(time.Hour)},
	}}
	cases := map[string]struct {
		now  time.Time
		want []string
	}{
		"before":           {until.Add(-time.Hour), []string{"every pool", "this pool"}},
		"the instant":      {until, []string{"this pool"}},
		"all have run out": {until.Add(time.Hour), nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range b.Policy(Identity{ID: "a"}, c.now).Exemptions {
				got = append(got, e.Reason)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("exemptions in force (-want +got):\n%s", diff)
			}
		})
	}
}
