package baseline

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompareEveryLeaf has a row for every leaf of the table: a literal is compared with a whole pool that keeps it,
// and with pools in which it was tampered with.
func TestCompareEveryLeaf(t *testing.T) {
	t.Parallel()
	rows := 0
	for _, p := range allPlaces() {
		if !p.leaf() {
			continue
		}
		rows++
		t.Run(p.path, func(t *testing.T) {
			t.Parallel()
			literal, other := sample(p.member, 0), sample(p.member, 1)
			policy := policyOf([]Requirement{say(p.path, Equal, literal)})
			if equal(p.member, literal, other) {
				t.Fatalf("the samples %v and %v are alike", literal, other)
			}
			if c := Compare(policy, fullPool()); len(c.Drifts) != 0 || len(c.Owned) != 1 || !c.Owns(p.path) {
				t.Errorf("a pool that keeps it compares as %+v", c)
			}
			twin, twinned := TwinOf(p.path)
			tampered := fullPool()
			Put(tampered, Keys(p.path), other)
			if twinned {
				Put(tampered, Keys(twin), other)
			}
			checkDrift(t, policy, tampered, literal, other)
			checkDrift(t, policy, map[string]any{}, literal, nil)
		})
	}
	if rows < 90 {
		t.Errorf("only %d leaves were found in the table", rows)
	}
}

// checkDrift expects one drift, which names the literal, and none after it was written.
func checkDrift(t *testing.T, p Policy, settings map[string]any, literal, have any) {
	t.Helper()
	r := p.Requirements[0]
	m, _ := Lookup(r.Setting)
	want := []Drift{{Setting: r.Setting, Rule: r.Rule, Mode: Enforce, Want: Mask(m, literal), Have: Mask(m, have),
		Action: Write, Value: literal}}
	got := Compare(p, settings).Drifts
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("drifts (-want +got):\n%s", diff)
	}
	if again := Compare(p, writeBack(settings, got[0])).Drifts; len(again) != 0 {
		t.Errorf("after the write there is still %+v", again)
	}
}

func TestCompareExemptions(t *testing.T) {
	t.Parallel()
	const legacy, modern = "EmailVerificationSubject", "VerificationMessageTemplate.EmailSubject"
	cases := map[string]struct {
		setting  string
		exempted []string
		want     bool
	}{
		"the setting": {"UserPoolAddOns.AdvancedSecurityMode", []string{"UserPoolAddOns.AdvancedSecurityMode"},
			true},
		"what it is in":            {"UserPoolAddOns.AdvancedSecurityMode", []string{"UserPoolAddOns"}, true},
		"a beginning, but no step": {"EmailVerificationMessage", []string{"Email"}, false},
		"its twin":                 {legacy, []string{modern}, true},
		"what its twin is in":      {legacy, []string{"VerificationMessageTemplate"}, true},
		"the tag":                  {"UserPoolTags.env.stage", []string{"UserPoolTags.env.stage"}, true},
		"another tag":              {"UserPoolTags.env.stage", []string{"UserPoolTags.env"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := Lookup(c.setting)
			p := policyOf([]Requirement{say(c.setting, Equal, sample(m, 0))})
			p.Exemptions = []Exemption{{Settings: []string{"PoolName"}, Reason: "other"}, {Settings: c.exempted, Reason: "this"}}
			got := Compare(p, map[string]any{}).Drifts
			if len(got) != 1 {
				t.Fatalf("%d drifts, want 1: an exempted drift is still listed", len(got))
			}
			if e := got[0].Exempted; (e != nil) != c.want || e != nil && e.Reason != "this" {
				t.Errorf("exempted by %+v, want %t", e, c.want)
			}
		})
	}
}

// TestCompareShapes feeds every setting values of every shape: whatever the service answers, there is a verdict.
func TestCompareShapes(t *testing.T) {
	t.Parallel()
	shapes := []any{nil, true, "text", "", num("7"), num("1e999999999999"), json.Number("x"), []any{},
		[]any{nil, "a", []any{}, obj("a", nil)}, obj(), obj("a", obj("b", "c")), 7, 7.5}
	for _, p := range allPlaces() {
		for _, op := range append(opsOf(p.member), Op("unheard of")) {
			for _, v := range shapes {
				settings := map[string]any{}
				Put(settings, Keys(p.path), v)
				for _, argument := range append(shapes, sample(p.member, 0)) {
					r := Owned{Requirement: say(p.path, op, argument)}
					Compare(Policy{Requirements: []Owned{r}}, settings)
				}
			}
		}
	}
}
