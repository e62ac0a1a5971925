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
