package reconcile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// mirrored plants a pool with MFA off and a sender of text messages: GetUserPoolMfaConfig shows the SMS block all the
// same.
func (b bench) mirrored(edit func(pool, mfa map[string]any)) {
	b.rich(func(pool, mfa map[string]any) {
		mfaOff(pool, mfa)
		delete(mfa, "SmsMfaConfiguration")
		if edit != nil {
			edit(pool, mfa)
		}
	})
}

// TestTwinsAndMirrors: what the service shows only because of a twin is no factor, no drift and no change; a twin's
// text travels with the factor; and that a factor is there is not the same fact as what is in it.
func TestTwinsAndMirrors(t *testing.T) {
	t.Parallel()
	const senderARN, text = "arn:aws:iam::111122223333:role/cognito-sms", "Sign-in code {####} CANARY-sms-authentication"
	const sender = "{SnsCallerArn: " + senderARN + ", ExternalId: CANARY-external-id, SnsRegion: eu-west-1}"
	noText, days := sets("mfa:SmsMfaConfiguration", nil), sets(days, nil, olderDays, json.Number("1"))
	const block = "mfa:SmsMfaConfiguration."
	factor := map[string]string{block + "SmsAuthenticationMessage": `"` + text + `"`,
		block + "SmsConfiguration.SnsCallerArn": `"` + senderARN + `"`, "SmsAuthenticationMessage": `"` + text + `"`}
	noTextLeft := map[string]string{block + "SmsAuthenticationMessage": "", "SmsAuthenticationMessage": "",
		block + "SmsConfiguration.SnsCallerArn": `"` + senderARN + `"`}
	other := func(pool, mfa map[string]any) {
		noText(pool, mfa)
		delete(pool, "SmsAuthenticationMessage")
		object(pool, "SmsConfiguration")["ExternalId"] = "other"
	}
	noSenders := func(pool, _ map[string]any) {
		for _, name := range []string{"CustomSMSSender", "CustomEmailSender", "KMSKeyID"} {
			delete(object(pool, "LambdaConfig"), name)
		}
	}
	shows5 := func(pool, _ map[string]any) {
		object(pool, "AdminCreateUserConfig")["UnusedAccountValidityDays"] = json.Number("5")
	}
	const temporary = "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	for name, c := range map[string]struct {
		off   bool
		edit  func(pool, mfa map[string]any)
		rule  string
		more  string // of the baseline
		want  outcome.Ending
		named string // the setting that drifts
		after map[string]string
	}{
		"MFA off, the factor absent": {off: true, rule: "{SmsMfaConfiguration: {absent: true}}", want: outcome.Unchanged},
		"MFA off, all factors off": {off: true, rule: "{MfaConfiguration: 'OFF', SmsMfaConfiguration: {absent: true}, " +
			"EmailMfaConfiguration: {absent: true}, SoftwareTokenMfaConfiguration: {Enabled: false}}",
			want: outcome.Unchanged},
		"MFA off, the factor absent but for its text": {off: true, rule: "{SmsMfaConfiguration: {absent: true}}",
			more: exempt("SmsMfaConfiguration.SmsAuthenticationMessage"), want: outcome.Unchanged},
		"MFA on, the factor absent but for its text": {rule: "{SmsMfaConfiguration: {absent: true}}",
			more: exempt("SmsMfaConfiguration.SmsAuthenticationMessage"), want: outcome.Exempted,
			named: "SmsMfaConfiguration.SmsAuthenticationMessage"},
		"exactly its text": {rule: "{SmsMfaConfiguration: {exactly: {SmsAuthenticationMessage: '" + text + "'}}}",
			want: outcome.Unchanged},
		"exactly another text": {rule: "{SmsMfaConfiguration: {exactly: {SmsAuthenticationMessage: 'New {####}'}}}",
			want: outcome.Remediated, named: "SmsMfaConfiguration",
			after: map[string]string{block + "SmsAuthenticationMessage": `"New {####}"`,
				"SmsAuthenticationMessage": `"New {####}"`}},
		"a sender in a missing factor": {edit: noText, rule: "{SmsMfaConfiguration: {SmsConfiguration: {SnsCallerArn: '" +
			senderARN + "'}}}", want: outcome.Remediated, named: "SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
			after: factor},
		"a sender in a factor, and MFA on": {off: true, rule: "{MfaConfiguration: OPTIONAL, SmsMfaConfiguration: " +
			"{SmsConfiguration: {SnsCallerArn: '" + senderARN + "'}}}", want: outcome.Remediated, named: "MfaConfiguration",
			after: factor},
		"all of it, the factor is missing": {edit: noText, rule: "{SmsAuthenticationMessage: '" + text +
			"', SmsConfiguration: {exactly: " + sender + "}, SmsMfaConfiguration: {exactly: {SmsAuthenticationMessage: '" +
			text + "', SmsConfiguration: " + sender + "}}}", want: outcome.Remediated, named: "SmsMfaConfiguration",
			after: factor},
		"all of it, the factor is missing and the sender is another": {edit: other, rule: "{SmsAuthenticationMessage: '" +
			text + "', SmsConfiguration: {exactly: " + sender + "}, SmsMfaConfiguration: {exactly: " +
			"{SmsAuthenticationMessage: '" + text + "', SmsConfiguration: " + sender + "}}}", want: outcome.Remediated,
			named: "SmsMfaConfiguration", after: map[string]string{"SmsConfiguration.ExternalId": `"CANARY-external-id"`}},
		"the factor is to be there": {edit: noText, rule: "{SmsMfaConfiguration: {present: true, set: {SmsConfiguration: " +
			sender + "}}}", want: outcome.Remediated, named: "SmsMfaConfiguration", after: factor},
		"exactly its sender": {rule: "{SmsMfaConfiguration: {exactly: {SmsConfiguration: " + sender + "}}}",
			want: outcome.Remediated, named: "SmsMfaConfiguration", after: noTextLeft},
		"the factor absent but for its sender": {rule: "{SmsMfaConfiguration: {absent: true}}",
			more: exempt("SmsMfaConfiguration.SmsConfiguration"), want: outcome.Remediated, named: "SmsMfaConfiguration",
			after: noTextLeft},
		"triggers absent but for a version": {edit: noSenders, rule: "{LambdaConfig: {absent: true}}",
			more: exempt("LambdaConfig.PreTokenGenerationConfig.LambdaVersion"), want: outcome.Remediated,
			named: "LambdaConfig", after: map[string]string{"LambdaConfig.PreSignUp": "",
				"LambdaConfig.PreTokenGenerationConfig.LambdaVersion": `"V2_0"`}},
		"exactly other days, under the older name": {rule: "{AdminCreateUserConfig: {exactly: " +
			"{AllowAdminCreateUserOnly: true, UnusedAccountValidityDays: 5}}}", want: outcome.Remediated,
			named: "AdminCreateUserConfig", after: map[string]string{temporary: "5"}},
		"exactly the days that it shows, and does not read": {edit: shows5, rule: "{AdminCreateUserConfig: {exactly: " +
			"{AllowAdminCreateUserOnly: true, UnusedAccountValidityDays: 5}}}", want: outcome.Remediated,
			named: "AdminCreateUserConfig", after: map[string]string{temporary: "5"}},
		"exactly, and nothing of the days": {edit: shows5, rule: "{AdminCreateUserConfig: {exactly: " +
			"{AllowAdminCreateUserOnly: true}}}", want: outcome.Remediated, named: "AdminCreateUserConfig",
			after: map[string]string{temporary: "3"}},
		"other days, and nothing under the older name": {edit: func(pool, _ map[string]any) {
			object(pool, "AdminCreateUserConfig")["UnusedAccountValidityDays"] = json.Number("3")
		}, rule: "{AdminCreateUserConfig: {absent: true}, Policies: {PasswordPolicy: " +
			"{TemporaryPasswordValidityDays: 7}}}", want: outcome.Remediated, named: temporary,
			after: map[string]string{temporary: "7"}},
		"the default name of a level": {edit: func(pool, _ map[string]any) { delete(pool, "AcrConfiguration") },
			rule: "{AcrConfiguration: {Level1: {AcrValue: 'urn:cognito:loa:1'}}}", want: outcome.Unchanged},
		"days under the older name": {edit: days,
			rule: "{Policies: {PasswordPolicy: {TemporaryPasswordValidityDays: {atMost: 7}}}}", want: outcome.Unchanged},
	} {
		for mode, m := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, m)
				if c.off {
					b.mirrored(c.edit)
				} else {
					b.rich(c.edit)
				}
				before := b.snapshot(t)
				required := parse(t, "version: 1\nrules: [{name: a, require: "+c.rule+"}]\n"+c.more)
				out := b.reconcile(t, required)
				if out.Outcome != c.want || (c.named == "") != (len(out.Drifts) == 0) ||
					c.named != "" && states(out)[c.named] == "" {
					t.Errorf("%s (%s), %v", out.Outcome, out.Reason, out.Drifts)
				}
				after := b.snapshot(t)
				for path, want := range c.after {
					if after[path] != want {
						t.Errorf("%s is %s, want %s", path, after[path], want)
					}
				}
				if moved := difference(before, after); c.after == nil && len(moved)+len(b.writes()) > 0 {
					t.Errorf("wrote %v, moved %v", b.writes(), moved)
				}
				if again := b.reconcile(t, required); len(again.Writes) > 0 {
					t.Errorf("again: %s, %v", again.Outcome, again.Drifts)
				}
			})
		}
	}
}

// A fact is one that has two names. ok is the text of its value in a pool that is fine, and other that of another one.
type fact struct {
	one, two  string
	ok, other string
	number    bool
	inMFA     bool // the second name is in the SMS factor
	always    bool // it cannot be absent
}

var facts = []fact{
	{one: "SmsVerificationMessage", two: "VerificationMessageTemplate.SmsMessage", ok: "A {####}", other: "B {####}"},
	{one: "EmailVerificationMessage", two: "VerificationMessageTemplate.EmailMessage", ok: "A {####}", other: "B {####}"},
	{one: "EmailVerificationSubject", two: "VerificationMessageTemplate.EmailSubject", ok: "A", other: "B"},
	{one: "LambdaConfig.PreTokenGeneration", two: "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
		ok:    "arn:aws:lambda:eu-west-1:111122223333:function:one",
		other: "arn:aws:lambda:eu-west-1:111122223333:function:two"},
	{one: "SmsAuthenticationMessage", two: "SmsMfaConfiguration.SmsAuthenticationMessage", ok: "A {####}",
		other: "B {####}", inMFA: true},
	{one: "SmsConfiguration.SnsCallerArn", two: "SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
		ok: "arn:aws:iam::111122223333:role/one", other: "arn:aws:iam::111122223333:role/two", inMFA: true, always: true},
	{one: "AdminCreateUserConfig.UnusedAccountValidityDays", two: "Policies.PasswordPolicy.TemporaryPasswordValidityDays",
		ok: "3", other: "9", number: true, always: true},
}

// value is the text as a value of JSON.
func (f fact) value(text string) any {
	if f.number {
		return json.Number(text)
	}
	return text
}

// An operator of a baseline, and whether the fact has to be changed where its value is ok, another one, or absent.
type operator struct {
	text                           string
	fixesOK, fixesOther, fixesNone bool
	numbers                        bool
}

var twinOperators = []operator{
	{text: "'OK'", fixesOther: true, fixesNone: true},
	{text: "{oneOf: ['OK', 'OK2'], set: 'OK'}", fixesOther: true, fixesNone: true},
	{text: "{present: true, set: 'OK'}", fixesNone: true},
	{text: "{absent: true}", fixesOK: true, fixesOther: true},
	{text: "{atMost: OK}", fixesOther: true, fixesNone: true, numbers: true},
	{text: "{atMost: 10, set: OK}", fixesNone: true, numbers: true},
	{text: "{atLeast: OK}", fixesNone: true, numbers: true},
	{text: "{matches: 'GLOB', set: 'OK'}", fixesOther: true, fixesNone: true},
}

// set sets a fact in the documents of a pool by one of its names, or takes it away.
func (f fact) set(pool, mfa map[string]any, name string, v any) {
	path, version := name, strings.TrimSuffix(name, "LambdaArn")+"LambdaVersion"
	if strings.HasPrefix(name, "SmsMfa") {
		path = "mfa:" + name
	}
	switch {
	case !strings.HasSuffix(name, "LambdaArn"):
		sets(path, v)(pool, mfa)
	case v == nil:
		sets(strings.TrimSuffix(name, ".LambdaArn"), nil)(pool, mfa)
	default:
		sets(name, v, version, "V1_0")(pool, mfa)
	}
}

// TestTwinsThroughARun: by whichever name a fact is required, and under one name, the other or both in the pool: what
// meets the requirement is left alone; else the run writes it under every name that the pool shows, moves nothing
// else, and the next run finds nothing to do.
func TestTwinsThroughARun(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(facts).Draw(t, "fact")
		op := rapid.SampledFrom(twinOperators).Draw(t, "operator")
		names := [2]string{f.one, f.two}
		setting := rapid.SampledFrom(names[:]).Draw(t, "required by")
		live := rapid.SampledFrom([]string{f.ok, f.other, ""}).Draw(t, "live")
		under := rapid.SampledFrom([]string{"one", "two", "both"}).Draw(t, "under")
		if op.numbers && !f.number || f.number && strings.Contains(op.text, "matches") || f.always && live == "" ||
			(f.always || strings.HasSuffix(setting, "LambdaArn")) && strings.Contains(op.text, "absent") ||
			f.inMFA && under == "two" {
			return
		}
		text := strings.NewReplacer("GLOB", strings.ReplaceAll(f.ok, "{####}", "*"), "OK", f.ok).Replace(op.text)
		if f.number {
			text = strings.ReplaceAll(text, "'", "")
		}
		path := strings.Split(setting, ".")
		required, err := baseline.Parse("test.yaml", fmt.Appendf(nil, "version: 1\nrules: [{name: a, require: {%s: %s%s}]\n",
			strings.Join(path, ": {"), text, strings.Repeat("}", len(path))))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b, stop := start(t.Fatalf, rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).
			Draw(t, "mode"))
		defer stop()
		b.rich(func(pool, mfa map[string]any) {
			f.set(pool, mfa, f.one, nil)
			f.set(pool, mfa, f.two, nil)
			if live == "" {
				return
			}
			if under != "two" {
				f.set(pool, mfa, f.one, f.value(live))
			}
			if under != "one" {
				f.set(pool, mfa, f.two, f.value(live))
			}
			if f.inMFA && under == "one" {
				delete(mfa, "SmsMfaConfiguration")
			}
		})
		before := b.snapshot(t)
		out, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
		if err != nil {
			t.Fatal(err)
		}
		fixes := map[string]bool{f.ok: op.fixesOK, f.other: op.fixesOther, "": op.fixesNone}[live]
		if f.inMFA && live != "" && under == "one" && setting == f.two {
			fixes = true // the factor is missing, or its text is there all the same
		}
		f.check(t, b, before, out, fixes, op)
		again, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
		if err != nil || len(again.Writes) > 0 {
			t.Fatalf("again: %s, %v (%v)", again.Outcome, again.Drifts, err)
		}
	})
}

// check compares the pool after a run with what it has to be.
func (f fact) check(t *rapid.T, b bench, before map[string]string, out outcome.Outcome, fixes bool, op operator) {
	after := b.snapshot(t)
	moved := difference(before, after)
	if !fixes {
		if out.Outcome != outcome.Unchanged || len(moved)+len(b.writes()) > 0 {
			t.Fatalf("nothing is to be done: %s (%s), %v, moved %v", out.Outcome, out.Reason, out.Drifts, moved)
		}
		return
	}
	want := fmt.Sprintf("%q", f.ok)
	switch {
	case f.number:
		want = f.ok
	case strings.Contains(op.text, "absent"):
		want = ""
	}
	one, two := after[f.one], after[f.two]+after["mfa:"+f.two]
	if out.Outcome != outcome.Remediated || one != want && two != want || one != want && one != "" ||
		two != want && two != "" {
		t.Fatalf("%s (%s), %v: %q and %q, want %q", out.Outcome, out.Reason, out.Drifts, one, two, want)
	}
	for _, path := range moved {
		path = strings.TrimPrefix(path, "mfa:")
		if path != f.one && path != f.two && path != "LambdaConfig.PreTokenGenerationConfig.LambdaVersion" &&
			(!f.inMFA || !strings.HasPrefix(path, "SmsMfaConfiguration.")) {
			t.Fatalf("%s moved", path)
		}
	}
}
