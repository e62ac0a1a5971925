package baseline

import (
	"encoding/json"
	"testing"
	"time"

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

const (
	poolRegion = "SmsConfiguration.SnsRegion"
	mfaRegion  = "SmsMfaConfiguration.SmsConfiguration.SnsRegion"
)

func poolOfDays(temp, unused string) string {
	return `{"Policies":{"PasswordPolicy":{"TemporaryPasswordValidityDays":` + temp +
		`}},"AdminCreateUserConfig":{"UnusedAccountValidityDays":` + unused + `}}`
}

func poolOfRegions(pool, mfa, mode string) string {
	return `{"SmsConfiguration":{"SnsRegion":"` + pool + `"},"SmsMfaConfiguration":{"SmsConfiguration":{"SnsRegion":"` +
		mfa + `"}},"MfaConfiguration":"` + mode + `"}`
}

var twinCases = map[string]struct {
	require  Requirement
	settings string
	have     any // nil: holds
	reason   string
}{
	"both hold": {say(poolRegion, Equal, "eu-west-1"), poolOfRegions("eu-west-1", "eu-west-1", "ON"), nil,
		"nothing differs"},
	"the twin differs": {say(poolRegion, Equal, "eu-west-1"), poolOfRegions("eu-west-1", "eu-west-2", "ON"), "eu-west-2",
		"the other write would undo this one"},
	"both differ": {say(poolRegion, Equal, "eu-west-1"), poolOfRegions("eu-west-3", "eu-west-2", "ON"), "eu-west-3",
		"the named one's value is shown"},
	"MFA is off": {say(poolRegion, Equal, "eu-west-1"), poolOfRegions("eu-west-1", "eu-west-2", "OFF"), nil,
		"the block is a mirror"},
	"named in the block": {say(mfaRegion, Equal, "eu-west-1"), poolOfRegions("eu-west-2", "eu-west-1", "ON"), "eu-west-2",
		"the pool's own counts always"},
	"named, and MFA is off": {say(mfaRegion, Equal, "eu-west-1"), poolOfRegions("eu-west-1", "eu-west-2", "OFF"),
		"eu-west-2",
		"the named one counts itself"},
	"whole twins differ": {say("SmsConfiguration", Exactly, obj("SnsRegion", "eu-west-1")),
		poolOfRegions("eu-west-1", "eu-west-2", "ON"),
		obj("SnsRegion", "eu-west-2"), "twins cover what is below them"},
	"absent, but not the twin": {say("EmailVerificationMessage", Absent, true),
		`{"VerificationMessageTemplate":{"EmailMessage":"x"}}`,
		"(hidden: 1 characters, sha256 2d711642)", "the service would bring it back"},
	"legacy text differs": {say("VerificationMessageTemplate.EmailMessage", Equal, "x"),
		`{"VerificationMessageTemplate":{"EmailMessage":"x"},"EmailVerificationMessage":"y"}`,
		"(hidden: 1 characters, sha256 a1fce436)", "set both"},

	"days: the newer one alone counts": {say(daysPath, Equal, num("3")), poolOfDays("3", "7"), nil,
		"the older one is no longer read"},
	"days: the newer one is not set": {say(daysPath, Equal, num("3")), poolOfDays("0", "3"), nil,
		"the fact stands under the older name"},
	"days: the older one yields": {say(unusedPath, Equal, num("3")), poolOfDays("3", "7"), nil,
		"the fact holds under its newer name"},
	"days: the older one yields, and differs": {say(unusedPath, Equal, num("3")), poolOfDays("5", "3"), num("5"),
		"the fact is what the newer one says"},
}

func TestCompareTwins(t *testing.T) {
	t.Parallel()
	for name, c := range twinCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := tree(c.settings)
			got := Compare(policyOf([]Requirement{c.require}), settings).Drifts
			var have any
			if len(got) > 0 {
				have = got[0].Have
			}
			if diff := cmp.Diff(c.have, have); diff != "" || (c.have == nil) != (len(got) == 0) {
				t.Fatalf("%s: %d drifts, have (-want +got):\n%s", c.reason, len(got), diff)
			}
			if len(got) > 0 {
				if again := Compare(policyOf([]Requirement{c.require}), writeBack(settings, got[0])).Drifts; len(again) != 0 {
					t.Errorf("after the write there is still %+v", again)
				}
			}
		})
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

func TestCompareOwned(t *testing.T) {
	t.Parallel()
	p := policyOf([]Requirement{
		say("UserPoolTier", Equal, "PLUS"),
		say("EmailVerificationSubject", Equal, "x"),
		say("VerificationMessageTemplate.EmailSubject", Equal, "x"),
		say("SmsConfiguration", Present, true),
		say("UserPoolTags.env", Present, true),
	})
	c := Compare(p, map[string]any{})
	want := []string{"EmailVerificationSubject", "VerificationMessageTemplate.EmailSubject", "SmsConfiguration",
		"UserPoolTags.env", "UserPoolTier"}
	if diff := cmp.Diff(want, c.Owned); diff != "" {
		t.Errorf("owned (-want +got):\n%s", diff)
	}
	owns := map[string]bool{
		"UserPoolTier": true, "PoolName": false, "": false,
		"SmsConfiguration.SnsRegion":                     true,
		"SmsMfaConfiguration.SmsConfiguration.SnsRegion": true,
		"SmsMfaConfiguration.SmsConfiguration":           true,
		"SmsMfaConfiguration":                            false,
		"VerificationMessageTemplate":                    false,
		"VerificationMessageTemplate.EmailSubject":       true,
		"UserPoolTags.env":                               true,
		"UserPoolTags.env.stage":                         false,
	}
	for path, want := range owns {
		if got := c.Owns(path); got != want {
			t.Errorf("Owns(%q) = %t, want %t", path, got, want)
		}
	}
}

func TestCompareCarriesTheRule(t *testing.T) {
	t.Parallel()
	at := Position{File: "baseline.yaml", Line: 7, Column: 9}
	b := &Baseline{Rules: []Rule{{Name: "audited", Mode: Audit, Require: []Requirement{{Setting: "UserPoolTier", Op: Equal,
		Value: "PLUS", Position: at}}}}}
	want := []Drift{{Setting: "UserPoolTier", Rule: "audited", Position: at, Mode: Audit, Want: "PLUS", Have: "LITE",
		Action: Write, Value: "PLUS"}}
	if diff := cmp.Diff(want, Compare(b.Policy(Identity{}, time.Time{}),
		tree(`{"UserPoolTier":"LITE"}`)).Drifts); diff != "" {
		t.Errorf("drifts (-want +got):\n%s", diff)
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
