package report

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

var update = flag.Bool("update", false, "write the goldens anew")

var cause = event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool",
	Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory", SourceIP: "198.51.100.23",
	UserAgent: "aws-cli/2.31.0", Issuer: "arn:aws:iam::111122223333:role/AppAdmin", MFA: "false", RequestID: "5d4c2a6e",
	Time: time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)}

const record = "eu-west-1_AbCdEf123.20261001T091542.051000Z"

func ended(ending outcome.Ending, reason string, drifts ...outcome.Finding) outcome.Outcome {
	return outcome.Outcome{Outcome: ending, UserPoolID: "eu-west-1_AbCdEf123", Baseline: "sha256:ab", Cause: cause,
		Drifts: drifts, Writes: []string{}, Reason: reason, Details: outcome.Details{PoolName: "customers",
			PoolARN: "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEf123",
			Times:   outcome.Times{Seen: cause.Time.Add(2 * time.Second)}}}
}

// wrote is the outcome of a run that wrote the pool once.
func wrote(out outcome.Outcome, owned, unmanaged int) outcome.Outcome {
	out.Writes, out.Record, out.Details.RequestIDs = []string{"UpdateUserPool"}, record, []string{"7c1d9b2e"}
	out.Verified = outcome.Verified{Owned: owned, UnmanagedUnchanged: unmanaged}
	out.Details.Times.Written = cause.Time.Add(2051 * time.Millisecond)
	out.Details.Times.Verified = cause.Time.Add(2072 * time.Millisecond)
	out.Details.Duration = 72 * time.Millisecond
	return out
}

// The findings of the outcomes.
var (
	repaired = outcome.Finding{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateFixed, Source: baseline.Position{File: "baseline/baseline.yaml", Line: 11, Column: 27}}
	unfixable = outcome.Finding{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED",
		State:  outcome.StateUnfixable,
		Reason: "UserPoolAddOns.AdvancedSecurityMode AUDIT and ENFORCED need UserPoolTier PLUS",
		Source: baseline.Position{File: "baseline/baseline.yaml", Line: 16, Column: 31}}
	permitted = outcome.Finding{Setting: "AutoVerifiedAttributes", Rule: "email", Want: "contains email",
		Have: []any{"phone_number"}, State: outcome.StateExempted,
		Reason: "until 2027-01-31T00:00:00Z, identity-team: migration"}
	audited = outcome.Finding{Setting: "Policies.PasswordPolicy.MinimumLength", Rule: "audited", Want: ">= 12",
		Have: json.Number("6"), State: outcome.StateReported, Reason: "the rule only audits",
		Code: outcome.CodeAudited}
	flapping = outcome.Finding{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateUnfixable, Code: outcome.CodeFlapping, Source: repaired.Source,
		Reason: "it was written 5 times within 60 minutes, and changed back each time (role terraform-ci called 5 times): " +
			"two automations undo each other, so poolkeeper skips it until one of them stops (flapBudget: 5 times " +
			"in 60 minutes)"}
	missing = outcome.Finding{Setting: "SmsConfiguration", Want: "the value before the write",
		State: outcome.StateUnfixable, Code: outcome.CodeRestore,
		Reason: "poolkeeper's write removed it, and it could not be restored: " +
			"calling UpdateUserPool: AccessDeniedException: not authorized to perform iam:PassRole"}
	lostUpdate = outcome.Finding{Setting: "UserPool", Rule: "every-pool", Want: "the changes of the call",
		State: outcome.StateReported, Code: outcome.CodeLostUpdate, Reason: "UpdateUserPool was called by " + cause.Actor +
			" at 2026-10-01T09:15:40Z, between poolkeeper's read and its UpdateUserPool at 2026-10-01T09:15:41Z, which " +
			"sent the whole document as it was read: the changes of the call may be lost (its parameters: userPoolId, " +
			"userPoolTags; record " + record + ")"}
	cutShort = outcome.Finding{Setting: "UserPool", Want: "a run that finishes", Have: "an interrupted run",
		State: outcome.StateReported, Code: outcome.CodeInterrupted,
		Reason: "an earlier run began at 2026-10-01T09:10:02Z, wrote UpdateUserPool (accepted) and was interrupted " +
			"before it could notify anybody (record " + record + ")"}
	trigger = outcome.Finding{Setting: "LambdaConfig.PreSignUp", Rule: "watched",
		Want: "no trigger that no rule requires", Have: "arn:aws:lambda:eu-west-1:111122223333:function:stranger",
		State: outcome.StateReported, Code: outcome.CodeWatched,
		Reason: "found after UpdateUserPool by " + cause.Actor + "; poolkeeper only reports triggers and never removes them"}
	group1 = outcome.Finding{Setting: "groups[admins]", Rule: "watched", Want: "no change", Have: "added",
		State: outcome.StateReported, Reason: "added by " + cause.Actor + "; poolkeeper only reports this and never undoes " +
			"it"}
	removed = outcome.Finding{Setting: "UserPool", Rule: "crown", Want: "a pool that a rule names", Have: "deleted",
		State: outcome.StateReported, Code: outcome.CodeDeleted, Reason: "deleted by " + cause.Actor}
)

// outcomes are those of which the goldens hold each text.
func outcomes() map[string]outcome.Outcome {
	remediated := wrote(ended(outcome.Remediated, "", repaired, permitted), 9, 61)
	stack := remediated
	const service = "cloudformation.amazonaws.com"
	stack.Cause.InvokedBy, stack.Cause.SourceIP, stack.Cause.UserAgent = service, service, service
	stack.Cause.MFA = ""
	scanned := remediated
	scanned.Cause = event.Cause{EventID: "9b8a7c6d", EventName: "Scheduled Event", Time: cause.Time}
	undetected := scanned
	undetected.Undetected = 1
	const moved = "settings changed that no write should have changed: "
	gone := ended(outcome.Drifted, "the user pool was deleted", removed)
	gone.Critical, gone.Cause.EventName, gone.Details.PoolName = true, "DeleteUserPool", ""
	late := wrote(ended(outcome.Deferred, "throttled"), 0, 0)
	late.Details.Times.Verified, late.Details.LedgerError = time.Time{}, "writing the record: no table"
	written := repaired
	written.Code = outcome.CodeInterrupted
	written.Reason = "written by the run of record " + record + ", which was interrupted; the setting is compliant now"
	unreadable := ended(outcome.Unfixable, "calling DescribeUserPool: AccessDeniedException: no identity-based "+
		"policy allows the cognito-idp:DescribeUserPool action")
	unreadable.Details.PoolName, unreadable.Details.PoolARN, unreadable.Drifts = "", "", []outcome.Finding{}
	return map[string]outcome.Outcome{
		"remediated":        remediated,
		"by-cloudformation": stack,
		"in-a-scan":         scanned,
		"undetected":        undetected,
		"partial":           wrote(ended(outcome.Partial, unfixable.Reason, repaired, unfixable), 8, 61),
		"unfixable":         ended(outcome.Unfixable, unfixable.Reason, unfixable),
		"unreadable":        unreadable,
		"unconverged":       wrote(ended(outcome.Unconverged, moved+"UserPoolTags.team", repaired), 9, 60),
		"not-restored": wrote(ended(outcome.Unconverged, moved+"SmsConfiguration; "+missing.Reason, missing),
			9, 60),
		"flapping":             ended(outcome.Unconverged, flapping.Reason, flapping),
		"drifted":              ended(outcome.Drifted, audited.Reason, audited),
		"watched":              ended(outcome.Drifted, trigger.Reason+"; "+group1.Reason, trigger, group1),
		"lost-update":          ended(outcome.Drifted, lostUpdate.Reason, lostUpdate),
		"interrupted":          ended(outcome.Remediated, cutShort.Reason, cutShort, written),
		"deleted":              gone,
		"exempted":             ended(outcome.Exempted, "", permitted),
		"unchanged":            ended(outcome.Unchanged, ""),
		"ignored":              {Outcome: outcome.Ignored, Reason: "malformed: the payload is not a JSON object"},
		"deferred":             ended(outcome.Deferred, "another run has the lease of the pool"),
		"deferred-after-write": late,
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{"absent": nil, "ACTIVE": "ACTIVE", `"\x1b[2Jgone\n"`: "\x1b[2Jgone\n",
		`["a"]`: []any{"a"}, "12": json.Number("12"), "true": true,
		`{"From":"Example <a@example.com>"}`: map[string]any{"From": "Example <a@example.com>"},
		`["\u009b2J\u202e\udb40\udc01é"]`:    []any{"\u009b2J\u202e\U000e0001é"}} {
		if got := Value(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// TestNotifies: people are notified of every write, of what a person has to act on, and of what a run before was
// interrupted in. What a scan found without a write is in the metrics.
func TestNotifies(t *testing.T) {
	t.Parallel()
	always := []string{"remediated", "by-cloudformation", "in-a-scan", "undetected", "partial", "unconverged",
		"not-restored", "interrupted", "deferred-after-write"}
	events := []string{"unfixable", "unreadable", "flapping", "drifted", "watched", "lost-update", "deleted"}
	for name, out := range outcomes() {
		if got, want := Notifies(out, true), slices.Contains(always, name); got != want {
			t.Errorf("%s in a scan: %v", name, got)
		}
		if got, want := Notifies(out, false), slices.Contains(append(events, always...), name); got != want {
			t.Errorf("%s after an event: %v", name, got)
		}
	}
}

func TestLogScan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scan  outcome.ScanResult
		level string
	}{
		"good":     {outcome.ScanResult{Outcome: outcome.Scanned, Pools: 1}, `"level":"INFO"`},
		"failed":   {outcome.ScanResult{Outcome: outcome.Scanned, Failed: []outcome.Failure{{}}}, `"level":"ERROR"`},
		"deferred": {outcome.ScanResult{Outcome: outcome.Deferred}, `"level":"ERROR"`},
		"skipped":  {outcome.ScanResult{Outcome: outcome.Ignored}, `"level":"INFO"`},
	} {
		var b bytes.Buffer
		LogScan(context.Background(), slog.New(slog.NewJSONHandler(&b, nil)), c.scan)
		if !bytes.Contains(b.Bytes(), []byte(c.level)) {
			t.Errorf("%s: %s", name, b.Bytes())
		}
	}
}

// TestScanMetrics: a scan is counted by what it cost, and not where it cost nothing.
func TestScanMetrics(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	scan := outcome.ScanResult{Outcome: outcome.Scanned}
	if err := ScanMetrics(&b, "keeper", cause.Time, scan, Counts{}); err != nil || b.Len() > 0 {
		t.Errorf("%s, %v", b.Bytes(), err)
	}
	err := ScanMetrics(&b, "keeper", cause.Time, scan, Counts{Calls: 3})
	if err != nil || !strings.Contains(b.String(), `"ApiCalls":3`) || strings.Contains(b.String(), "Throttled") {
		t.Errorf("%s, %v", b.Bytes(), err)
	}
}

// TestPlan: a drift of each kind, as a terminal shows it and as a file does. What is exempted is gray, with its end; a
// setting that rises says what it may cost.
func TestPlan(t *testing.T) {
	t.Parallel()
	at := func(line int) baseline.Position { return baseline.Position{File: "b.yaml", Line: line, Column: 9} }
	planned, left, pardoned := repaired, audited, permitted
	planned.State = outcome.StatePlanned
	tier := outcome.Finding{Setting: "UserPoolTier", Rule: "tiers", Want: "PLUS", Have: "LITE",
		State: outcome.StatePlanned, Source: at(4)}
	falls := outcome.Finding{Setting: "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", Rule: "tiers",
		Have: "AUDIT", State: outcome.StatePlanned, Source: at(5)}
	left.Source, pardoned.Source = at(6), at(7)
	out := ended(outcome.Drifted, "", planned, unfixable, tier, falls, left, pardoned)
	out.Writes, out.Details.PoolName = []string{"UpdateUserPool", "SetUserPoolMfaConfig"}, "a\x1b[2Jname"
	preview := outcome.Preview{Outcome: out}
	for name, paint := range map[string]Paint{"plan.txt": false, "plan-painted.txt": true} {
		golden(t, name, []byte(Plan(preview, paint)))
	}
}
