package report

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

var update = flag.Bool("update", false, "write the goldens anew")

var cause = event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory", SourceIP: "198.51.100.23",
	UserAgent: "aws-cli/2.31.0", Issuer: "arn:aws:iam::111122223333:role/AppAdmin", MFA: "false", RequestID: "5d4c2a6e", Time: time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)}

func outcome(word reconcile.Word, reason string, drifts ...reconcile.Drift) reconcile.Outcome {
	return reconcile.Outcome{Outcome: word, UserPoolID: "eu-west-1_AbCdEf123", PoolName: "customers", PoolARN: "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEf123",
		Baseline: "sha256:ab", Cause: cause, Drifts: drifts, Writes: []string{}, Reason: reason, Times: reconcile.Times{Seen: cause.Time.Add(2 * time.Second)}}
}

var (
	fixed = reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE", State: reconcile.Fixed,
		Source: baseline.Position{File: "baseline/baseline.yaml", Line: 11, Column: 27}}
	unfixable = reconcile.Drift{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED", Have: nil, State: reconcile.NotFixable,
		Reason: "UserPoolAddOns.AdvancedSecurityMode AUDIT and ENFORCED need UserPoolTier PLUS", Source: baseline.Position{File: "baseline/baseline.yaml", Line: 16, Column: 31}}
	exempted = reconcile.Drift{Setting: "AutoVerifiedAttributes", Rule: "email", Want: "contains email", Have: []any{"phone_number"}, State: reconcile.Exempted, Reason: "until 2027-01-31T00:00:00Z, identity-team: migration"}
	reported = reconcile.Drift{Setting: "Policies.PasswordPolicy.MinimumLength", Rule: "audited", Want: ">= 12", Have: json.Number("6"), State: reconcile.Reported, Reason: "the rule only audits", Left: reconcile.LeftAudited}
)

func outcomes() map[string]reconcile.Outcome {
	remediated := outcome(reconcile.Remediated, "", fixed, exempted)
	remediated.Writes, remediated.Verified = []string{"UpdateUserPool"}, reconcile.Verified{Owned: 9, UnmanagedUnchanged: 61}
	remediated.RequestIDs = []string{"1"}
	remediated.Times.Written, remediated.Times.Verified = cause.Time.Add(2051*time.Millisecond), cause.Time.Add(2072*time.Millisecond)
	remediated.Durations = reconcile.Durations{Read: 21 * time.Millisecond, Write: 30 * time.Millisecond, Verify: 20500 * time.Microsecond, Total: 72 * time.Millisecond}
	partial := outcome(reconcile.Partial, unfixable.Reason, fixed, unfixable)
	partial.Writes, partial.Verified = []string{"UpdateUserPool"}, reconcile.Verified{Owned: 8, UnmanagedUnchanged: 61}
	partial.Times.Written, partial.Times.Verified = cause.Time.Add(2051*time.Millisecond), cause.Time.Add(2072*time.Millisecond)
	partial.RequestIDs = []string{"7c1d9b2e"}
	nobody := reconcile.Outcome{Outcome: reconcile.Ignored, Reason: "malformed: the payload is no JSON object"}
	gone := outcome(reconcile.Drifted, "the user pool was deleted", reconcile.Drift{Setting: "UserPool", Rule: "crown", Want: "a pool that a rule names", Have: "deleted", State: reconcile.Reported,
		Reason: "deleted by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory"})
	gone.Critical, gone.Cause.EventName = true, "DeleteUserPool"
	unconverged := outcome(reconcile.Unconverged, "settings moved that were not to: UserPoolTags.team", fixed)
	unconverged.Writes, unconverged.RequestIDs, unconverged.Verified = []string{"UpdateUserPool"}, []string{"7c1d9b2e"}, reconcile.Verified{Owned: 9, UnmanagedUnchanged: 60}
	unconverged.Times.Written, unconverged.Times.Verified = partial.Times.Written, partial.Times.Verified
	deferred := outcome(reconcile.Deferred, "throttled")
	deferred.Writes, deferred.Times.Written = []string{"UpdateUserPool"}, partial.Times.Written
	stack := remediated
	stack.Cause.InvokedBy, stack.Cause.SourceIP, stack.Cause.UserAgent, stack.Cause.MFA = cloudFormation, cloudFormation, cloudFormation, ""
	swept := remediated
	swept.Cause = event.Cause{EventID: "9b8a7c6d", EventName: "Scheduled Event", Time: cause.Time}
	missed := swept
	missed.Record, missed.Missed = "eu-west-1_AbCdEf123.20261001T091542.051000Z", &reconcile.Missed{Since: cause.Time.Add(-6 * time.Hour), Settings: []string{"DeletionProtection"}}
	late := remediated
	late.Drifts, late.Record = []reconcile.Drift{fixed}, "eu-west-1_AbCdEf123.20261001T091542.051000Z"
	late.Times.Verified = cause.Time.Add(time.Minute)
	late.Reason = "the invocation that wrote this ended before it could say so, and another has looked since: record " + late.Record
	flaps := fixed
	flaps.State, flaps.Left = reconcile.NotFixable, reconcile.LeftFlapping
	flaps.Reason = "it was written 5 times within 60 minutes, and role terraform-ci set it 5 times after us: two automations take turns, so it is left until one of them stops (flapBudget: 5 times in 60 minutes)"
	flapping := outcome(reconcile.Unconverged, flaps.Reason, flaps)
	taken := reconcile.Drift{Setting: "SmsConfiguration", Want: "what it was before", State: reconcile.NotFixable,
		Reason: "a write of ours took it from the pool, and it cannot be given back: calling UpdateUserPool: AccessDeniedException: not authorized to perform iam:PassRole", Left: reconcile.LeftTaken}
	owed := outcome(reconcile.Unconverged, "settings moved that were not to: SmsConfiguration; "+taken.Reason, taken)
	lost := reported
	lost.Setting, lost.Want, lost.Have, lost.Left = "UserPoolTags", "what role AppAdmin set", map[string]any{"env": "prod"}, ""
	lost.Reason = "role AppAdmin set it at 2026-10-01T09:15:40Z, between our read and our UpdateUserPool at 2026-10-01T09:15:41Z, which sent it as it was before: it may be lost (record eu-west-1_AbCdEf123.20261001T091540.500000Z)"
	overwritten := outcome(reconcile.Drifted, lost.Reason, lost)
	overwritten.Overwritten = []string{"UserPoolTags"}
	again, trigger := reported, reported
	again.Told = cause.Time.Add(-time.Hour)
	trigger.Setting, trigger.Rule, trigger.Want, trigger.Have = "LambdaConfig.PreSignUp", "watched", "no trigger that no rule requires", "arn:aws:lambda:eu-west-1:111122223333:function:stranger"
	trigger.Reason, trigger.Left = "found after UpdateUserPool by "+cause.Actor+"; triggers are watched, and never undone", reconcile.LeftWatched
	const denied = "calling DescribeUserPool: AccessDeniedException: no identity-based policy allows the cognito-idp:DescribeUserPool action"
	unreadable := outcome(reconcile.Unfixable, denied)
	unreadable.PoolName, unreadable.PoolARN, unreadable.Drifts = "", "", []reconcile.Drift{}
	return map[string]reconcile.Outcome{
		"told-again": outcome(reconcile.Drifted, again.Reason, again), "more": outcome(reconcile.Drifted, again.Reason+"; "+trigger.Reason, again, trigger), "unreadable": unreadable,
		"missed": missed, "told-late": late, "flapping": flapping, "owed": owed, "overwritten": overwritten,
		"remediated": remediated, "partial": partial, "unfixable": outcome(reconcile.Unfixable, "needs PLUS", unfixable), "drifted": outcome(reconcile.Drifted, "the rule only audits", reported),
		"unchanged": outcome(reconcile.Unchanged, "", exempted), "ignored": nobody, "deferred": deferred,
		"deleted":     gone,
		"unconverged": unconverged, "by-cloudformation": stack, "in-a-sweep": swept,
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

func TestText(t *testing.T) {
	t.Parallel()
	for name, out := range outcomes() {
		var plain, painted bytes.Buffer
		if err := Text(&plain, out, false); err != nil {
			t.Fatal(err)
		}
		if err := Text(&painted, out, true); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", plain.Bytes())
		if !bytes.Contains(painted.Bytes(), []byte("\x1b[")) || bytes.Contains(plain.Bytes(), []byte("\x1b[")) {
			t.Errorf("%s: colour where there should be none, or none where there should be", name)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{"absent": nil, "ACTIVE": "ACTIVE", `"\x1b[2Jgone\n"`: "\x1b[2Jgone\n", `["a"]`: []any{"a"}, "12": json.Number("12"), "true": true,
		`{"From":"Example <a@example.com>"}`: map[string]any{"From": "Example <a@example.com>"}, `["\u009b2J\u202e\udb40\udc01é"]`: []any{"\u009b2J\u202e\U000e0001é"}} {
		if got := Value(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestSweepText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := Sweep(&b, reconcile.Sweeping{Outcome: reconcile.Swept, Pools: 12, Outcomes: map[reconcile.Word]int{reconcile.Unchanged: 10, reconcile.Remediated: 1, reconcile.Deferred: 1},
		Failed: []reconcile.Failure{{UserPoolID: "eu-west-1_AbCdEf123", Outcome: reconcile.Deferred, Reason: "throttled"}}, Reason: "because"}, false)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "sweep.txt", b.Bytes())
}

func TestLog(t *testing.T) {
	t.Parallel()
	for name, out := range outcomes() {
		var b bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		Log(context.Background(), logger, out)
		if bytes.Count(b.Bytes(), []byte("\n")) != 1 || !json.Valid(b.Bytes()) {
			t.Errorf("%s: not one line of JSON: %s", name, b.Bytes())
		}
		golden(t, name+".json", b.Bytes())
	}
}

// TestLogOfRepeated: an outcome that is not told is logged as ever, and marked.
func TestLogOfRepeated(t *testing.T) {
	t.Parallel()
	out := outcomes()["drifted"]
	out.Repeated = true
	var b bytes.Buffer
	Log(context.Background(), slog.New(slog.NewJSONHandler(&b, nil)), out)
	if line := b.String(); Told(out) || !strings.Contains(line, `"level":"WARN"`) || !strings.Contains(line, `"repeated":true`) || !strings.Contains(line, out.Reason) {
		t.Errorf("told %v: %s", Told(out), line)
	}
}

func TestLogSweep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sweep reconcile.Sweeping
		level string
	}{
		"good":        {reconcile.Sweeping{Outcome: reconcile.Swept, Pools: 1}, `"level":"INFO"`},
		"failed":      {reconcile.Sweeping{Outcome: reconcile.Swept, Failed: []reconcile.Failure{{}}}, `"level":"ERROR"`},
		"deferred":    {reconcile.Sweeping{Outcome: reconcile.Deferred}, `"level":"ERROR"`},
		"a duplicate": {reconcile.Sweeping{Outcome: reconcile.Ignored}, `"level":"INFO"`},
		"no ledger":   {reconcile.Sweeping{Outcome: reconcile.Swept, LedgerFaults: []string{"taking the event: no table"}}, `"ledger_faults":["taking the event: no table"]`},
	} {
		var b bytes.Buffer
		LogSweep(context.Background(), slog.New(slog.NewJSONHandler(&b, nil)), c.sweep)
		if !bytes.Contains(b.Bytes(), []byte(c.level)) {
			t.Errorf("%s: %s", name, b.Bytes())
		}
		var metrics bytes.Buffer
		if err := SweepMetrics(&metrics, "keeper", cause.Time, c.sweep, Counts{}); err != nil || bytes.Contains(metrics.Bytes(), []byte(`"LedgerFailed":1`)) != (name == "no ledger") {
			t.Errorf("%s: %s, %v", name, metrics.Bytes(), err)
		}
	}
}
