package baseline

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestHolds: a fact is found in every document whose write sends it, by the name that it has there.
func TestHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		document DocumentName
		path     string
		want     []string
	}{
		{UserPool, "Policies", []string{"Policies"}},
		{UserPool, "UserPoolTags.a.b", []string{"UserPoolTags.a.b"}},
		{MfaConfig, "Policies", nil},
		{UserPool, "MfaConfiguration", []string{"MfaConfiguration"}},
		{MfaConfig, "MfaConfiguration", []string{"MfaConfiguration"}},
		{UserPool, "SmsMfaConfiguration", []string{"SmsAuthenticationMessage", "SmsConfiguration"}},
		{MfaConfig, "SmsConfiguration", []string{"SmsMfaConfiguration.SmsConfiguration"}},
		{MfaConfig, "SmsAuthenticationMessage", []string{"SmsMfaConfiguration.SmsAuthenticationMessage"}},
		{UserPool, "WebAuthnConfiguration", nil},
		{UserPool, "SmsVerificationMessage", []string{"SmsVerificationMessage"}},
		{UserPool, "SchemaAttributes", nil},
		{RiskConfiguration, "UserPoolAddOns", nil},
		{RiskConfiguration, "RiskConfiguration.RiskExceptionConfiguration",
			[]string{"RiskConfiguration.RiskExceptionConfiguration"}},
		{ClientRisk.Of("a"), "RiskConfiguration.RiskExceptionConfiguration", nil},
		{ClientRisk.Of("a"), "Clients[a].RiskConfiguration.RiskExceptionConfiguration",
			[]string{"Clients[a].RiskConfiguration.RiskExceptionConfiguration"}},
		{AppClient.Of("a"), "Clients[b].CallbackURLs", nil},
		{AppClient.Of("a"), "Clients[a].ClientSecret", nil},
	} {
		if got := c.document.Holds(c.path); !slices.Equal(got, c.want) {
			t.Errorf("%s holds %s as %v, want %v", c.document, c.path, got, c.want)
		}
	}
}

func TestEnforced(t *testing.T) {
	t.Parallel()
	b, err := Parse("yaml", []byte(`
version: 1
rules:
  - name: written
    require:
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
      DeletionProtection: ACTIVE
      PoolName: {matches: "prod-*"}
      EmailConfiguration: {From: {present: true}}
      LambdaConfig: {PreSignUp: {present: true, set: "arn:aws:lambda:eu-west-1:111122223333:function:pre"}}
  - name: again
    pools: {ids: [eu-west-1_AbCdEf123]}
    require: {DeletionProtection: ACTIVE}
  - name: audited
    mode: audit
    require: {MfaConfiguration: "ON"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DeletionProtection", "LambdaConfig.PreSignUp", "UserPoolAddOns.AdvancedSecurityMode"},
		b.Enforced()); diff != "" {
		t.Errorf("reports, matches without a value and audited settings are never written (-want +got):\n%s", diff)
	}
	if got := b.InMode(Audit).Enforced(); len(got) != 0 {
		t.Errorf("audit writes %v", got)
	}
}

func TestWrittenWith(t *testing.T) {
	t.Parallel()
	both := []string{"UpdateUserPool", "SetUserPoolMfaConfig"}
	for path, c := range map[string]struct {
		want   []string
		reason string
	}{
		"DeletionProtection":                    {both[:1], "one document holds it"},
		"VerificationMessageTemplate":           {both[:1], "its twins stand in the same document"},
		"SmsConfiguration":                      {both, "the MFA document repeats it"},
		"SmsConfiguration.SnsCallerArn":         {both, "and its parts"},
		"SmsMfaConfiguration":                   {both, "twins stand below it"},
		"MfaConfiguration":                      {both, "UpdateUserPool brings the sender of texts back after it"},
		"NoSuchSetting":                         {nil, "nothing holds it"},
		"LambdaConfig.PreTokenGenerationConfig": {both[:1], "twins in the same document"},
	} {
		var got []string
		for _, d := range WrittenWith(path) {
			got = append(got, d.WriteCall)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", path, c.reason, diff)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	only := &Baseline{Rules: []Rule{{Pools: &Selector{IDs: []string{"b", "a"}, Names: []string{"x*"}}},
		{Pools: &Selector{IDs: []string{"a"}}}}}
	if ids, ok := only.IDs(); !ok || !cmp.Equal(ids, []string{"a", "b"}) {
		t.Errorf("got %v, %v", ids, ok)
	}
	for reason, s := range map[string]*Selector{"every pool": nil, "by name": {Names: []string{"x"}},
		"by exception": {Except: &Selector{IDs: []string{"a"}}}} {
		if ids, ok := (&Baseline{Rules: append(only.Rules, Rule{Pools: s})}).IDs(); ok || ids != nil {
			t.Errorf("%s: got %v, %v", reason, ids, ok)
		}
	}
}

// TestMaySelect: a pool that cannot be selected by its id is selected under no name and no tags.
func TestMaySelect(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"a", "b", "c"})
		words := rapid.SliceOfN(word, 0, 2)
		b := &Baseline{}
		for range rapid.IntRange(0, 3).Draw(t, "rules") {
			rule := Rule{Name: "r", Require: []Requirement{{Setting: "DeletionProtection", Op: Equal, Value: "ACTIVE"}}}
			if rapid.Bool().Draw(t, "selects") {
				rule.Pools = &Selector{IDs: words.Draw(t, "ids"), Names: words.Draw(t, "names")}
			}
			b.Rules = append(b.Rules, rule)
		}
		pool := Identity{ID: word.Draw(t, "id"), Name: word.Draw(t, "name")}
		selected := len(b.Policy(pool, time.Time{}).Rules) > 0
		if selected && !b.MaySelect(pool.ID) {
			t.Fatalf("%+v is selected", pool)
		}
		if ids, only := b.IDs(); only && b.MaySelect(pool.ID) != slices.Contains(ids, pool.ID) {
			t.Fatalf("%v and %s disagree", ids, pool.ID)
		}
	})
}
