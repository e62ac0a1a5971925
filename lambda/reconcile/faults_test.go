package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

const deletionProtection = "DeletionProtection: ACTIVE"

func unprotected(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" }

// A faultCase is an error of a call of a remediation, and what comes of it.
type faultCase struct {
	fault   cognitotest.Fault
	outcome outcome.Ending
	says    string // part of the reason
	fixed   bool   // the pool is right already, before the event comes again
}

func refusedWrite(code, message string) cognitotest.Fault {
	return cognitotest.Fault{Operation: "UpdateUserPool", Error: code, Message: message}
}

func refusedRead(code, message string) cognitotest.Fault {
	return cognitotest.Fault{Operation: "DescribeUserPool", Error: code, Message: message}
}

func answeredRead(operation, body string) cognitotest.Fault {
	return cognitotest.Fault{Operation: operation, Body: []byte(body)}
}

// lostWrite is a write whose answer does not come.
func lostWrite(times int, applied bool) cognitotest.Fault {
	return cognitotest.Fault{Operation: "UpdateUserPool", Times: times, Drop: true, Apply: applied}
}

func (c faultCase) times(n int) faultCase {
	c.fault.Times = n
	return c
}

// faultCases have each class of error once. TestClassify says which error is of which class.
func faultCases() map[string]faultCase {
	const throttled, sms = "TooManyRequestsException", "(the role for text messages is " +
		"arn:aws:iam::111122223333:role/cognito-sms)"
	fixed := faultCase{outcome: outcome.Remediated, fixed: true}
	is := func(f cognitotest.Fault) faultCase { fixed.fault = f; return fixed }
	ends := func(as outcome.Ending, says string, f cognitotest.Fault) faultCase {
		return faultCase{fault: f, outcome: as, says: says}
	}
	applied := refusedWrite("InternalErrorException", "")
	applied.Status, applied.Apply = 500, true
	unread := refusedRead(throttled, "")
	unread.Skip = 2
	unverified := ends(outcome.Deferred, throttled, unread)
	unverified.fixed = true
	moved := ends(outcome.Unconverged, `UserPoolTags.team (UserPool): "identity" -> absent`, cognitotest.Fault{
		Operation: "UpdateUserPool", Times: 1, Change: sets("UserPoolTags.team", nil)})
	return map[string]faultCase{
		"throttled read":                  is(refusedRead(throttled, "")).times(2),
		"throttled read for good":         ends(outcome.Deferred, throttled, refusedRead(throttled, "")),
		"throttled write":                 is(refusedWrite(throttled, "")).times(2),
		"throttled write for good":        ends(outcome.Deferred, throttled, refusedWrite(throttled, "")),
		"server fault after applying":     is(applied).times(1),
		"connection lost before applying": is(lostWrite(1, false)),
		"connection lost after applying":  is(lostWrite(1, true)),
		"connection lost for good":        ends(outcome.Deferred, "no answer", lostWrite(0, false)),
		"import in progress": ends(outcome.Deferred, "UserImportInProgressException",
			refusedWrite("UserImportInProgressException", "busy importing")),
		"write denied": ends(outcome.Unfixable, "iam:PassRole", refusedWrite("AccessDeniedException",
			"not authorized to perform: iam:PassRole on resource: sms")),
		"read denied": ends(outcome.Unfixable, "DescribeUserPool", refusedRead("AccessDeniedException",
			"not authorized to perform: cognito-idp:DescribeUserPool")),
		"refused": ends(outcome.Unfixable, "something new", refusedWrite("InvalidParameterException", "something new")),
		// A role that is new may be seen a moment later.
		"SMS role not yet seen": is(refusedWrite("InvalidSmsRoleTrustRelationshipException", "no trust")).times(1),
		"SMS role broken": ends(outcome.Unfixable, "cannot publish "+sms,
			refusedWrite("InvalidSmsRoleAccessPolicyException", "cannot publish")),
		"SMS role broken, in other words": ends(outcome.Unfixable, sms, refusedWrite("InvalidParameterException",
			"Role does not have a trust relationship allowing Cognito to assume the role")),
		"gone before the read": ends(outcome.Ignored, "no such user pool", refusedRead("ResourceNotFoundException", "gone")),
		"secondary replica, read": ends(outcome.Ignored, "primary",
			refusedRead("OperationNotEnabledException", "secondary")),
		"secondary replica, write": ends(outcome.Ignored, "primary",
			refusedWrite("OperationNotEnabledException", "secondary")),
		"unknown code": ends(outcome.Deferred, "BrandNewException", refusedWrite("BrandNewException", "hm")),
		"an answer that is no pool": ends(outcome.Deferred, "the response has no UserPool",
			answeredRead("DescribeUserPool", `{}`)),
		"an answer of another pool": ends(outcome.Deferred, "for another pool",
			answeredRead("DescribeUserPool", `{"UserPool":{"Id":"eu-west-1_Other0001"}}`)),
		"an answer that is no JSON": ends(outcome.Deferred, "", answeredRead("DescribeUserPool", `<html>`)),
		// It would read as MFA off.
		"an MFA answer that is empty": ends(outcome.Deferred, "MfaConfiguration",
			answeredRead("GetUserPoolMfaConfig", `{}`)),
		"verification cannot be read": unverified,
		"accepted, but not applied": ends(outcome.Unconverged, "not have the written value", cognitotest.Fault{
			Operation: "UpdateUserPool", Change: unprotected}),
		"accepted, and something else moved": moved,
	}
}

// TestFaults injects each class of error into a remediation. Whatever happens, nothing moves but what was to be fixed;
// and once the fault is over, the event that is delivered again brings the pool to the baseline.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range faultCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Measured)
			b.rich(unprotected)
			before := b.snapshot(t)
			b.fake.Inject(c.fault)
			r := b.reconciler(require(t, deletionProtection))
			out, err := r.Reconcile(t.Context(), onPool(event.Cause{}))
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) {
				t.Errorf("%s (%s), want %s with %q", out.Outcome, out.Reason, c.outcome, c.says)
			}
			var later *outcome.DeferredError
			if deferred := errors.As(err, &later); deferred != (c.outcome == outcome.Deferred) || !deferred && err != nil {
				t.Errorf("the error is %v", err)
			}
			var want []string
			if c.fixed {
				want = []string{protected}
			} else if len(out.Drifts) > 0 && strings.HasPrefix(out.Drifts[0].Reason, "written") {
				t.Errorf("nothing was written, but it says: %s", out.Drifts[0].Reason)
			}
			if moved := difference(before, b.snapshot(t)); c.fault.Change == nil && !slices.Equal(moved, want) {
				t.Errorf("%v moved, want %v", moved, want)
			}
			b.fake.ClearFaults()
			if _, err := r.Reconcile(t.Context(), onPool(event.Cause{})); err != nil {
				t.Fatalf("the event, delivered again: %v", err)
			}
			if b.snapshot(t)[protected] != `"ACTIVE"` {
				t.Error("the event, delivered again, did not bring the pool to the baseline")
			}
		})
	}
}

// TestConcurrentWriterIsPreserved: somebody changes the pool between our read and our write, and Cognito refuses our
// write for it. The next plan is made of the pool as it is then.
func TestConcurrentWriterIsPreserved(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "ConcurrentModificationException",
		Then: func(s *cognitotest.Server) { s.Edit(poolID, sets("UserPoolTags.added", "meanwhile")) }})
	out := b.reconcile(t, require(t, deletionProtection))
	pool, _, _ := b.fake.Pool(poolID)
	if out.Outcome != outcome.Remediated || pool["DeletionProtection"] != "ACTIVE" ||
		lookup(pool, "UserPoolTags.added") != "meanwhile" {
		t.Errorf("%s (%s), tags %v", out.Outcome, out.Reason, pool["UserPoolTags"])
	}
}

// TestDeletedBetweenReadAndWrite: a pool that is gone is no error and no failure.
func TestDeletedBetweenReadAndWrite(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "ResourceNotFoundException",
		Message: "User pool does not exist."})
	b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Error: "ResourceNotFoundException",
		Message: "User pool does not exist."})
	if out := b.reconcile(t, require(t, deletionProtection)); out.Outcome != outcome.Ignored || len(out.Writes) != 0 {
		t.Errorf("%s (%s) with %v", out.Outcome, out.Reason, out.Writes)
	}
}

// TestDroppedFirstOfTwoWrites: the first of two writes applied without an answer; the second goes out in a plan of
// what is left.
func TestDroppedFirstOfTwoWrites(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Measured)
	b.rich(edits(totpOnly("OFF"), mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP"))))
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Drop: true, Apply: true})
	out := b.reconcile(t, require(t, totpAlways+"\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD]}}"))
	if out.Outcome != outcome.Remediated || len(out.Drifts) != 3 {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
	}
}

// TestOwnedSettingBreaksMeanwhile: a required setting that held breaks between our write and our reading back, and is
// fixed too.
func TestOwnedSettingBreaksMeanwhile(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1,
		Change: sets(policy+"MinimumLength", json.Number("6"))})
	out := b.reconcile(t, require(t, deletionProtection+"\nPolicies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}"))
	want := map[string]outcome.State{"DeletionProtection": fixed, "Policies.PasswordPolicy.MinimumLength": fixed}
	if diff := cmp.Diff(want, states(out)); diff != "" || out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s)\n%s", out.Outcome, out.Reason, diff)
	}
}

// TestNoSideEffectThatCannotBeRestored: where the service takes no update of the pool, no call is made that may take
// its sender of text messages, whatever else is required.
func TestNoSideEffectThatCannotBeRestored(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"", deletionProtection + "\nUserPoolTags: {env: dev}\n"} {
		b := serve(t, cognitotest.Measured)
		b.rich(edits(mfaOff, unprotected))
		before := b.snapshot(t)
		b.fake.Inject(takesSMS)
		b.fake.Inject(refusedWrite("AccessDeniedException", "not authorized to perform: iam:PassRole"))
		out := b.reconcile(t, require(t, more+totpOptional))
		if moved := difference(before, b.snapshot(t)); len(moved) > 0 || out.Outcome != outcome.Unfixable ||
			!strings.Contains(out.Reason, "iam:PassRole") {
			t.Errorf("%s (%s), moved %v", out.Outcome, out.Reason, moved)
		}
	}
}

// TestSideEffectIsRestored: turning MFA on without the SMS block takes the pool's SmsConfiguration, and the write that
// is to bring it back goes wrong. It is given back in the next try, although the pool that is read then no longer
// shows it; and where it cannot be, that is said at once, for the event's next delivery would find nothing amiss.
func TestSideEffectIsRestored(t *testing.T) {
	t.Parallel()
	throttled, refused := refusedWrite("TooManyRequestsException", ""), refusedWrite("InvalidParameterException", "no")
	throttled.Skip, refused.Skip = 1, 1 // the write that tries whether the pool can be updated
	once := throttled
	once.Times = 1
	for name, c := range map[string]struct {
		fault   cognitotest.Fault
		outcome outcome.Ending
		says    string
	}{
		"no further fault":     {cognitotest.Fault{Operation: "none"}, outcome.Remediated, ""},
		"throttled once":       {once, outcome.Remediated, ""},
		"lost before applying": {lostWrite(2, false), outcome.Remediated, ""},
		"lost after applying":  {lostWrite(1, true), outcome.Remediated, ""},
		"throttled for good":   {throttled, outcome.Deferred, "TooManyRequestsException"},
		"refused":              {refused, outcome.Unconverged, "SmsConfiguration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Measured)
			b.rich(mfaOff)
			before := b.snapshot(t)
			b.fake.Inject(takesSMS)
			b.fake.Inject(c.fault)
			r := b.reconciler(require(t, totpOptional))
			kept := func() bool {
				return !slices.ContainsFunc(difference(before, b.snapshot(t)),
					func(path string) bool { return strings.HasPrefix(path, "SmsConfiguration") })
			}
			out, _ := r.Reconcile(t.Context(), onPool(event.Cause{EventID: "e"}))
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) || kept() != (c.says == "") {
				t.Errorf("%s (%s), want %s with %q, kept: %v", out.Outcome, out.Reason, c.outcome, c.says, kept())
			}
			if c.outcome != outcome.Deferred {
				return
			}
			b.fake.ClearFaults()
			again, err := r.Reconcile(t.Context(), onPool(event.Cause{EventID: "e"}))
			if err != nil || again.Outcome != outcome.Remediated || !kept() {
				t.Errorf("delivered again: %s (%s): %v, kept: %v", again.Outcome, again.Reason, err, kept())
			}
		})
	}
}

// TestSecondOfTwoWritesRefused: what the first write fixed stays fixed, and the outcome says what could not be.
func TestSecondOfTwoWritesRefused(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(edits(totpOnly("OFF"), mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP"))))
	before := b.snapshot(t)
	b.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException",
		Message: "not today"})
	out := b.reconcile(t, require(t, totpAlways+"\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD]}}"))
	want := map[string]outcome.State{"MfaConfiguration": left, "SoftwareTokenMfaConfiguration.Enabled": left,
		"Policies.SignInPolicy.AllowedFirstAuthFactors": fixed}
	if diff := cmp.Diff(want, states(out)); diff != "" || out.Outcome != outcome.Partial ||
		!strings.Contains(out.Reason, "not today") {
		t.Errorf("%s (%s)\n%s", out.Outcome, out.Reason, diff)
	}
	if diff := difference(before, b.snapshot(t)); !slices.Equal(diff,
		[]string{"Policies.SignInPolicy.AllowedFirstAuthFactors"}) {
		t.Errorf("moved: %v", diff)
	}
}

// TestRefusalNamesOneSetting: the service refuses a write for one of three settings; the other two are still put
// right, in a plan without the one that the answer names.
func TestRefusalNamesOneSetting(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(alsoUnprotected(policy+"PasswordHistorySize", nil, policy+"RequireSymbols", false))
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "FeatureUnavailableInTierException",
		Message: "1 validation error detected: Value '3' at 'policies.passwordPolicy.passwordHistorySize' failed to " +
			"satisfy constraint: feature not available"})
	out := b.reconcile(t,
		require(t, deletionProtection+"\nPolicies: {PasswordPolicy: {PasswordHistorySize: 3, RequireSymbols: true}}"))
	want := map[string]outcome.State{"DeletionProtection": fixed,
		"Policies.PasswordPolicy.PasswordHistorySize": left, "Policies.PasswordPolicy.RequireSymbols": fixed}
	if diff := cmp.Diff(want, states(out)); diff != "" || out.Outcome != outcome.Partial {
		t.Errorf("%s (%s)\n%s", out.Outcome, out.Reason, diff)
	}
}

// TestOldValidityDaysAreMoved: the service wants the older validity days under the newer name, says so, and gets it:
// the same number of days.
func TestOldValidityDaysAreMoved(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(edits(unprotected, unusual["the older validity days alone"]))
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "InvalidParameterException",
		Message: "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"})
	out := b.reconcile(t, require(t, deletionProtection))
	if out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
	if got := b.snapshot(t)[days]; got != "9" {
		t.Errorf("%s is %q", days, got)
	}
}

// TestStaleVerification: a read shows the old state for a while after the write; that is no failure.
func TestStaleVerification(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	stale, _, _ := b.fake.Pool(poolID)
	b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 2, Times: 2,
		Body: marshal(t, map[string]any{"UserPool": stale})})
	if out := b.reconcile(t, require(t, deletionProtection)); out.Outcome != outcome.Remediated || len(out.Writes) != 1 {
		t.Errorf("%s (%s) with %v", out.Outcome, out.Reason, out.Writes)
	}
}

// TestDeadline: with too little time to write and to verify, nothing is written.
func TestDeadline(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	out, err := b.reconciler(require(t, deletionProtection)).Reconcile(ctx, onPool(event.Cause{}))
	if out.Outcome != outcome.Deferred || err == nil || len(b.writes()) != 0 ||
		!strings.Contains(err.Error(), "too little time") {
		t.Errorf("%s: %v, writes %v", out.Outcome, err, b.writes())
	}
}

// TestCalls counts the calls of an event: two reads where nothing is to be done, else two more under the lease, a
// write, and two to verify it.
func TestCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper func(pool, mfa map[string]any)
		want   int
	}{"compliant": {nil, 2}, "drifted in one document": {unprotected, 7}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.rich(c.tamper)
			b.reconcile(t, require(t, deletionProtection))
			if got := len(b.fake.Calls()); got != c.want {
				t.Errorf("%d calls, want %d", got, c.want)
			}
		})
	}
}
