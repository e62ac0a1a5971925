package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

const deletionProtection = "DeletionProtection: ACTIVE"

func unprotected(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" }

// TestFaults injects each class of error into each call of a remediation. Whatever happens, nothing moves but what was
// to be fixed; and once the fault is over, the event that Lambda delivers again brings the pool to the baseline.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason  string
		fault   cognitotest.Fault
		outcome outcome.Ending
		says    string // part of the reason
		fixed   bool   // the pool is right already, before the event comes again
	}{
		"throttled read": {"the SDK tries reads again",
			cognitotest.Fault{Operation: "DescribeUserPool", Times: 2, Error: "TooManyRequestsException"},
			outcome.Remediated, "", true},
		"throttled read for good": {"then the event is deferred",
			cognitotest.Fault{Operation: "DescribeUserPool", Error: "TooManyRequestsException"}, outcome.Deferred,
			"TooManyRequestsException", false},
		"throttled write": {"a write is planned again, not resent",
			cognitotest.Fault{Operation: "UpdateUserPool", Times: 2, Error: "TooManyRequestsException"}, outcome.Remediated,
			"", true},
		"throttled write for good": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "TooManyRequestsException"}, outcome.Deferred, "TooManyRequestsException", false},
		"concurrent modification": {"read and planned again",
			cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "ConcurrentModificationException"},
			outcome.Remediated, "", true},
		"concurrent modification for good": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "ConcurrentModificationException"}, outcome.Deferred, "ConcurrentModificationException", false},
		"server fault before applying": {"", cognitotest.Fault{Operation: "UpdateUserPool", Times: 1,
			Error: "InternalErrorException", Status: 500}, outcome.Remediated, "", true},
		"server fault after applying": {"the pool is read before anything else",
			cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "InternalErrorException", Status: 500,
				Apply: true}, outcome.Remediated, "", true},
		"unknown 5xx": {"", cognitotest.Fault{Operation: "UpdateUserPool", Times: 1,
			Error: "GatewayWobble", Status: 503}, outcome.Remediated, "", true},
		"connection lost before applying": {"", cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Drop: true},
			outcome.Remediated, "", true},
		"connection lost after applying": {"", cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Drop: true,
			Apply: true}, outcome.Remediated, "", true},
		"connection lost for good": {"", cognitotest.Fault{Operation: "UpdateUserPool", Drop: true},
			outcome.Deferred, "no answer", false},
		"read lost": {"the SDK tries again",
			cognitotest.Fault{Operation: "GetUserPoolMfaConfig", Times: 1, Drop: true}, outcome.Remediated, "", true},
		"import in progress": {"takes minutes or hours",
			cognitotest.Fault{Operation: "UpdateUserPool", Error: "UserImportInProgressException", Message: "busy importing"},
			outcome.Deferred, "UserImportInProgressException", false},
		"write denied": {"the text names the action",
			cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException",
				Message: "not authorized to perform: iam:PassRole on resource: sms"}, outcome.Unfixable, "iam:PassRole", false},
		"read denied": {"", cognitotest.Fault{Operation: "DescribeUserPool",
			Error: "AccessDeniedException", Message: "not authorized to perform: cognito-idp:DescribeUserPool"},
			outcome.Unfixable, "DescribeUserPool", false},
		"not authorized": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "NotAuthorizedException", Message: "no"}, outcome.Unfixable, "NotAuthorizedException", false},
		"refused": {"reported word for word",
			cognitotest.Fault{Operation: "UpdateUserPool", Error: "InvalidParameterException", Message: "something new"},
			outcome.Unfixable, "something new", false},
		"tier": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "FeatureUnavailableInTierException", Message: "need to be disabled: Threat Protection"},
			outcome.Unfixable, "Threat Protection", false},
		"tier change refused": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "TierChangeNotAllowedException", Message: "no"}, outcome.Unfixable, "TierChangeNotAllowedException", false},
		"tagging": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "UserPoolTaggingException", Message: "too many"}, outcome.Unfixable, "too many", false},
		"e-mail role broken": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "InvalidEmailRoleAccessPolicyException", Message: "no"}, outcome.Unfixable, "InvalidEmailRole", false},
		"SMS role not yet seen": {"tried again briefly",
			cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "InvalidSmsRoleTrustRelationshipException",
				Message: "no trust"}, outcome.Remediated, "", true},
		"SMS role broken": {"blocks every write of the pool",
			cognitotest.Fault{Operation: "UpdateUserPool", Error: "InvalidSmsRoleAccessPolicyException",
				Message: "cannot publish"}, outcome.Unfixable,
			"cannot publish (the role for text messages is arn:aws:iam::111122223333:role/cognito-sms)", false},
		"SMS role broken, in other words": {"",
			cognitotest.Fault{Operation: "UpdateUserPool", Error: "InvalidParameterException",
				Message: "Role does not have a trust relationship allowing Cognito to assume the role"}, outcome.Unfixable,
			"(the role for text messages is arn:aws:iam::111122223333:role/cognito-sms)", false},
		"gone before the read": {"no error",
			cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException", Message: "gone"},
			outcome.Ignored, "no such user pool", false},
		"secondary replica, read": {"", cognitotest.Fault{Operation: "DescribeUserPool",
			Error: "OperationNotEnabledException", Message: "secondary"}, outcome.Ignored, "primary", false},
		"secondary replica, write": {"", cognitotest.Fault{Operation: "UpdateUserPool",
			Error: "OperationNotEnabledException", Message: "secondary"}, outcome.Ignored, "primary", false},
		"unknown code": {"reported, and the invocation fails",
			cognitotest.Fault{Operation: "UpdateUserPool", Error: "BrandNewException", Message: "hm"}, outcome.Deferred,
			"BrandNewException", false},
		"unknown code on a read": {"", cognitotest.Fault{Operation: "GetUserPoolMfaConfig",
			Error: "BrandNewException", Message: "hm"}, outcome.Deferred, "BrandNewException", false},
		"expired credentials": {"", cognitotest.Fault{Operation: "DescribeUserPool",
			Error: "ExpiredTokenException", Message: "expired"}, outcome.Deferred, "ExpiredTokenException", false},
		"an answer that is no pool": {"leads to no write",
			cognitotest.Fault{Operation: "DescribeUserPool", Body: []byte(`{}`)}, outcome.Deferred,
			"the response has no UserPool", false},
		"an answer of another pool": {"", cognitotest.Fault{Operation: "DescribeUserPool",
			Body: []byte(`{"UserPool":{"Id":"eu-west-1_Other0001"}}`)}, outcome.Deferred, "for another pool", false},
		"an answer that is no JSON": {"", cognitotest.Fault{Operation: "DescribeUserPool", Body: []byte(`<html>`)},
			outcome.Deferred, "", false},
		"an MFA answer that is empty": {"it would read as MFA off",
			cognitotest.Fault{Operation: "GetUserPoolMfaConfig", Body: []byte(`{}`)}, outcome.Deferred, "MfaConfiguration",
			false},
		"verification cannot be read": {"deferred: the next event sees what holds",
			cognitotest.Fault{Operation: "DescribeUserPool", Skip: 2, Error: "TooManyRequestsException"}, outcome.Deferred,
			"TooManyRequestsException", true},
		"accepted, but not applied": {"read back for a second or two",
			cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected}, outcome.Unconverged,
			"not have the written value", false},
		"accepted, and something else moved": {"the service changed a setting of nobody's",
			cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Change: func(pool, _ map[string]any) {
				pool["UserPoolTags"] = map[string]any{"env": "prod"}
			}}, outcome.Unconverged,
			`UserPoolTags.team (UserPool): "identity" -> absent`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Measured)
			b.rich(unprotected)
			before := b.snapshot(t)
			b.fake.Inject(c.fault)
			r := b.reconciler(require(t, deletionProtection))
			out, err := r.Reconcile(t.Context(), onPool(event.Cause{}))
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) {
				t.Errorf("%s (%s), want %s with %q: %s", out.Outcome, out.Reason, c.outcome, c.says, c.reason)
			}
			var later *outcome.DeferredError
			if deferred := errors.As(err, &later); deferred != (c.outcome == outcome.Deferred) || !deferred && err != nil {
				t.Errorf("the error is %v", err)
			}
			moved := difference(before, b.snapshot(t))
			if c.fault.Change == nil {
				want := []string{}
				if c.fixed {
					want = []string{"DeletionProtection"}
				}
				if diff := cmp.Diff(want, append([]string{}, moved...)); diff != "" {
					t.Errorf("what moved (-want +got):\n%s", diff)
				}
			}
			b.fake.ClearFaults()
			if _, err := r.Reconcile(t.Context(), onPool(event.Cause{})); err != nil {
				t.Fatalf("the event, delivered again: %v", err)
			}
			if pool, _, _ := b.fake.Pool(poolID); pool["DeletionProtection"] != "ACTIVE" {
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
		Then: func(s *cognitotest.Server) {
			s.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["added"] = "meanwhile" })
		}})
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
	b.rich(edits(totpOnly("OFF"), mfaOff, factorsAre("PASSWORD", "EMAIL_OTP")))
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Drop: true, Apply: true})
	out := b.reconcile(t,
		require(t, "MfaConfiguration: ON\nSoftwareTokenMfaConfiguration: {Enabled: true}\nPolicies: {SignInPolicy: "+
			"{AllowedFirstAuthFactors: [PASSWORD]}}"))
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
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Change: func(pool, _ map[string]any) {
		object(pool, "Policies", "PasswordPolicy")["MinimumLength"] = json.Number("6")
	}})
	out := b.reconcile(t, require(t, deletionProtection+"\nPolicies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}"))
	want := map[string]outcome.State{"DeletionProtection": fixed, "Policies.PasswordPolicy.MinimumLength": fixed}
	if diff := cmp.Diff(want, states(out)); diff != "" || out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s)\n%s", out.Outcome, out.Reason, diff)
	}
}

// TestSideEffectIsMadeGood: turning MFA on without the SMS block takes the pool's SmsConfiguration, and the write that
// is to bring it back goes wrong. It is given back in the next plan, although the pool that is read then no longer
// shows it; and where it cannot be, that is said at once, for the event's next delivery would find nothing amiss.
func TestSideEffectIsMadeGood(t *testing.T) {
	t.Parallel()
	const wants = "MfaConfiguration: OPTIONAL\nSoftwareTokenMfaConfiguration: {Enabled: true}"
	takes := cognitotest.Fault{Operation: "SetUserPoolMfaConfig",
		Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }}
	for name, c := range map[string]struct {
		fault   cognitotest.Fault
		outcome outcome.Ending
		says    string
		kept    bool
	}{
		"no further fault": {cognitotest.Fault{Operation: "none"}, outcome.Remediated, "", true},
		"throttled once": {cognitotest.Fault{Operation: "UpdateUserPool", Times: 1,
			Error: "TooManyRequestsException"}, outcome.Remediated, "", true},
		"lost before applying": {cognitotest.Fault{Operation: "UpdateUserPool", Times: 2, Drop: true}, outcome.Remediated,
			"", true},
		"lost after applying": {cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Drop: true, Apply: true},
			outcome.Remediated, "", true},
		"throttled for good": {cognitotest.Fault{Operation: "UpdateUserPool", Error: "TooManyRequestsException"},
			outcome.Deferred, "TooManyRequestsException", false},
		"refused": {cognitotest.Fault{Operation: "UpdateUserPool", Error: "InvalidParameterException",
			Message: "no"}, outcome.Unconverged, "SmsConfiguration", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Measured)
			b.rich(mfaOff)
			before := b.snapshot(t)
			b.fake.Inject(takes)
			b.fake.Inject(c.fault)
			r := b.reconciler(require(t, wants))
			out, _ := r.Reconcile(t.Context(), onPool(event.Cause{EventID: "e"}))
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) {
				t.Errorf("%s (%s), want %s with %q", out.Outcome, out.Reason, c.outcome, c.says)
			}
			lost := slices.ContainsFunc(difference(before, b.snapshot(t)),
				func(path string) bool { return strings.HasPrefix(path, "SmsConfiguration") })
			if lost == c.kept {
				t.Errorf("SmsConfiguration lost: %v", lost)
			}
			if c.outcome != outcome.Deferred {
				return
			}
			b.fake.ClearFaults()
			again, err := r.Reconcile(t.Context(), onPool(event.Cause{EventID: "e"}))
			if err != nil || again.Outcome != outcome.Remediated {
				t.Errorf("delivered again: %s (%s): %v", again.Outcome, again.Reason, err)
			}
			for _, path := range difference(before, b.snapshot(t)) {
				if strings.HasPrefix(path, "SmsConfiguration") {
					t.Errorf("%s was not restored", path)
				}
			}
		})
	}
}

// TestSecondOfTwoWritesRefused: what the first write fixed stays fixed, and the outcome says what could not be.
func TestSecondOfTwoWritesRefused(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(edits(totpOnly("OFF"), mfaOff, factorsAre("PASSWORD", "EMAIL_OTP")))
	before := b.snapshot(t)
	b.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException",
		Message: "not today"})
	out := b.reconcile(t,
		require(t, "MfaConfiguration: ON\nSoftwareTokenMfaConfiguration: {Enabled: true}\nPolicies: {SignInPolicy: "+
			"{AllowedFirstAuthFactors: [PASSWORD]}}"))
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
	b.rich(func(pool, mfa map[string]any) {
		unprotected(pool, mfa)
		object(pool, "Policies", "PasswordPolicy")["PasswordHistorySize"] = "0"
		delete(object(pool, "Policies", "PasswordPolicy"), "PasswordHistorySize")
		object(pool, "Policies", "PasswordPolicy")["RequireSymbols"] = false
	})
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
	b.rich(edits(unprotected, knownCases["old pool with the older validity days alone"].tamper))
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Error: "InvalidParameterException",
		Message: "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"})
	out := b.reconcile(t, require(t, deletionProtection))
	if out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
	both(absent("AdminCreateUserConfig.UnusedAccountValidityDays"),
		sent("Policies.PasswordPolicy.TemporaryPasswordValidityDays", "9"))(t, b)
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

// TestSimultaneousDeliveries: fifty deliveries of one event at once end in the right state and lose nothing of
// nobody's.
func TestSimultaneousDeliveries(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	before := b.snapshot(t)
	r := b.reconciler(require(t, deletionProtection))
	r.LeaseWait = time.Hour
	r.Sleep = func(context.Context, time.Duration) error { time.Sleep(time.Millisecond); return nil }
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if out, err := r.Reconcile(t.Context(), onPool(event.Cause{})); err != nil ||
				out.Outcome != outcome.Remediated && out.Outcome != outcome.Unchanged {
				t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
			}
		})
	}
	wait.Wait()
	if diff := difference(before, b.snapshot(t)); !slices.Equal(diff, []string{"DeletionProtection"}) {
		t.Errorf("moved: %v", diff)
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
