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
	"poolkeeper/lambda/reconcile"
)

var update = flag.Bool("update", false, "write the goldens anew")

var cause = event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool",
	Actor: "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory", SourceIP: "198.51.100.23",
	UserAgent: "aws-cli/2.31.0", Issuer: "arn:aws:iam::111122223333:role/AppAdmin", MFA: "false", RequestID: "5d4c2a6e",
	Time: time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)}

const record = "eu-west-1_AbCdEf123.20261001T091542.051000Z"

func outcome(ending reconcile.Ending, reason string, drifts ...reconcile.Drift) reconcile.Outcome {
	return reconcile.Outcome{Outcome: ending, UserPoolID: "eu-west-1_AbCdEf123", Baseline: "sha256:ab", Cause: cause,
		Drifts: drifts, Writes: []string{}, Reason: reason, Details: reconcile.Details{PoolName: "customers",
			PoolARN: "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEf123",
			Times:   reconcile.Times{Seen: cause.Time.Add(2 * time.Second)}}}
}

// wrote is the outcome of a run that wrote the pool once.
func wrote(out reconcile.Outcome, owned, unmanaged int) reconcile.Outcome {
	out.Writes, out.Record, out.Details.RequestIDs = []string{"UpdateUserPool"}, record, []string{"7c1d9b2e"}
	out.Verified = reconcile.Verified{Owned: owned, UnmanagedUnchanged: unmanaged}
	out.Details.Times.Written = cause.Time.Add(2051 * time.Millisecond)
	out.Details.Times.Verified = cause.Time.Add(2072 * time.Millisecond)
	out.Details.Durations = reconcile.Durations{Read: 21 * time.Millisecond, Write: 30 * time.Millisecond,
		Verify: 20500 * time.Microsecond, Total: 72 * time.Millisecond}
	return out
}

// The findings of the outcomes.
var (
	repaired = reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: reconcile.StateFixed, Source: baseline.Position{File: "baseline/baseline.yaml", Line: 11, Column: 27}}
	unfixable = reconcile.Drift{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED",
		State:  reconcile.StateUnfixable,
		Reason: "UserPoolAddOns.AdvancedSecurityMode AUDIT and ENFORCED need UserPoolTier PLUS",
		Source: baseline.Position{File: "baseline/baseline.yaml", Line: 16, Column: 31}}
	permitted = reconcile.Drift{Setting: "AutoVerifiedAttributes", Rule: "email", Want: "contains email",
		Have: []any{"phone_number"}, State: reconcile.StateExempted,
		Reason: "until 2027-01-31T00:00:00Z, identity-team: migration"}
	audited = reconcile.Drift{Setting: "Policies.PasswordPolicy.MinimumLength", Rule: "audited", Want: ">= 12",
		Have: json.Number("6"), State: reconcile.StateReported, Reason: "the rule only audits",
		Code: reconcile.CodeAudited}
	flapping = reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: reconcile.StateUnfixable, Code: reconcile.CodeFlapping, Source: repaired.Source,
		Reason: "it was written 5 times within 60 minutes, and set back each time (role terraform-ci called 5 times): " +
			"two automations take turns, so it is skipped until one of them stops (flapBudget: 5 times in 60 minutes)"}
	missing = reconcile.Drift{Setting: "SmsConfiguration", Want: "what it was before", State: reconcile.StateUnfixable,
		Code: reconcile.CodeRestore, Reason: "a write of ours took it from the pool, and it could not be restored: " +
			"calling UpdateUserPool: AccessDeniedException: not authorized to perform iam:PassRole"}
	lostUpdate = reconcile.Drift{Setting: "UserPool", Rule: "every-pool", Want: "what the call set",
		State: reconcile.StateReported, Code: reconcile.CodeLostUpdate, Reason: "UpdateUserPool by " + cause.Actor +
			" was made at 2026-10-01T09:15:40Z, between our read and our UpdateUserPool at 2026-10-01T09:15:41Z, which " +
			"sent the whole document as it was read: what the call set may be lost (its parameters: userPoolId, " +
			"userPoolTags; record " + record + ")"}
	cutShort = reconcile.Drift{Setting: "UserPool", Want: "a run that ends", Have: "an interrupted run",
		State: reconcile.StateReported, Code: reconcile.CodeInterrupted,
		Reason: "an earlier run began at 2026-10-01T09:10:02Z, wrote UpdateUserPool (accepted) and was interrupted " +
			"before it could notify anybody (record " + record + ")"}
	trigger = reconcile.Drift{Setting: "LambdaConfig.PreSignUp", Rule: "watched",
		Want: "no trigger that no rule requires", Have: "arn:aws:lambda:eu-west-1:111122223333:function:stranger",
		State: reconcile.StateReported, Code: reconcile.CodeWatched,
		Reason: "found after UpdateUserPool by " + cause.Actor + "; triggers are watched, and never undone"}
	group1 = reconcile.Drift{Setting: "groups[admins]", Rule: "watched", Want: "no change", Have: "added",
		State: reconcile.StateReported, Reason: "added by " + cause.Actor + "; this is watched, and never undone"}
	removed = reconcile.Drift{Setting: "UserPool", Rule: "crown", Want: "a pool that a rule names", Have: "deleted",
		State: reconcile.StateReported, Code: reconcile.CodeDeleted, Reason: "deleted by " + cause.Actor}
)

// outcomes are those of which the goldens hold each text.
func outcomes() map[string]reconcile.Outcome {
	remediated := wrote(outcome(reconcile.Remediated, "", repaired, permitted), 9, 61)
	stack := remediated
	stack.Cause.InvokedBy, stack.Cause.SourceIP, stack.Cause.UserAgent = cloudFormation, cloudFormation, cloudFormation
	stack.Cause.MFA = ""
	scanned := remediated
	scanned.Cause = event.Cause{EventID: "9b8a7c6d", EventName: "Scheduled Event", Time: cause.Time}
	undetected := scanned
	undetected.Undetected = 1
	const moved = "settings moved that no write was to change: "
	gone := outcome(reconcile.Drifted, "the user pool was deleted", removed)
	gone.Critical, gone.Cause.EventName, gone.Details.PoolName = true, "DeleteUserPool", ""
	late := wrote(outcome(reconcile.Deferred, "throttled"), 0, 0)
	late.Details.Times.Verified = time.Time{}
	written := repaired
	written.Code = reconcile.CodeInterrupted
	written.Reason = "written by the run of record " + record + ", which was interrupted; it holds now"
	unreadable := outcome(reconcile.Unfixable, "calling DescribeUserPool: AccessDeniedException: no identity-based "+
		"policy allows the cognito-idp:DescribeUserPool action")
	unreadable.Details.PoolName, unreadable.Details.PoolARN, unreadable.Drifts = "", "", []reconcile.Drift{}
	return map[string]reconcile.Outcome{
		"remediated":        remediated,
		"by-cloudformation": stack,
		"in-a-scan":         scanned,
		"undetected":        undetected,
		"partial":           wrote(outcome(reconcile.Partial, unfixable.Reason, repaired, unfixable), 8, 61),
		"unfixable":         outcome(reconcile.Unfixable, unfixable.Reason, unfixable),
		"unreadable":        unreadable,
		"unconverged":       wrote(outcome(reconcile.Unconverged, moved+"UserPoolTags.team", repaired), 9, 60),
		"not-restored": wrote(outcome(reconcile.Unconverged, moved+"SmsConfiguration; "+missing.Reason, missing),
			9, 60),
		"flapping":             outcome(reconcile.Unconverged, flapping.Reason, flapping),
		"drifted":              outcome(reconcile.Drifted, audited.Reason, audited),
		"watched":              outcome(reconcile.Drifted, trigger.Reason+"; "+group1.Reason, trigger, group1),
		"lost-update":          outcome(reconcile.Drifted, lostUpdate.Reason, lostUpdate),
		"interrupted":          outcome(reconcile.Remediated, cutShort.Reason, cutShort, written),
		"deleted":              gone,
		"exempted":             outcome(reconcile.Exempted, "", permitted),
		"unchanged":            outcome(reconcile.Unchanged, ""),
		"ignored":              {Outcome: reconcile.Ignored, Reason: "malformed: the payload is no JSON object"},
		"deferred":             outcome(reconcile.Deferred, "another run has the lease of the pool"),
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
			t.Errorf("%s: color where there should be none, or none where there should be", name)
		}
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

func TestScanText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := Scan(&b, reconcile.ScanResult{Outcome: reconcile.Scanned, Pools: 12, Reason: "because",
		Outcomes: map[reconcile.Ending]int{reconcile.Unchanged: 9, reconcile.Exempted: 1, reconcile.Remediated: 1,
			reconcile.Deferred: 1},
		Failed: []reconcile.Failure{{UserPoolID: "eu-west-1_AbCdEf123", Outcome: reconcile.Deferred,
			Reason: "throttled"}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scan.txt", b.Bytes())
}

func TestLog(t *testing.T) {
	t.Parallel()
	for name, out := range outcomes() {
		var b bytes.Buffer
		options := slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}
		Log(context.Background(), slog.New(slog.NewJSONHandler(&b, &options)), out)
		if bytes.Count(b.Bytes(), []byte("\n")) != 1 || !json.Valid(b.Bytes()) {
			t.Errorf("%s: not one line of JSON: %s", name, b.Bytes())
		}
		golden(t, name+".json", b.Bytes())
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

// TestLedgerError: an outcome whose ledger failed is logged as ever, with the error.
func TestLedgerError(t *testing.T) {
	t.Parallel()
	out := outcomes()["remediated"]
	out.Details.LedgerError = "writing the record: no table"
	var log, metrics bytes.Buffer
	Log(context.Background(), slog.New(slog.NewJSONHandler(&log, nil)), out)
	if err := Metrics(&metrics, "keeper", cause.Time, out, Counts{}); err != nil {
		t.Fatal(err)
	}
	if line := log.String(); !strings.Contains(line, `"level":"WARN"`) ||
		!strings.Contains(line, `"ledger_error":"writing the record: no table"`) {
		t.Error(line)
	}
	if !strings.Contains(metrics.String(), `"LedgerFailed":1`) {
		t.Error(metrics.String())
	}
}

func TestLogScan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scan  reconcile.ScanResult
		level string
	}{
		"good":     {reconcile.ScanResult{Outcome: reconcile.Scanned, Pools: 1}, `"level":"INFO"`},
		"failed":   {reconcile.ScanResult{Outcome: reconcile.Scanned, Failed: []reconcile.Failure{{}}}, `"level":"ERROR"`},
		"deferred": {reconcile.ScanResult{Outcome: reconcile.Deferred}, `"level":"ERROR"`},
		"skipped":  {reconcile.ScanResult{Outcome: reconcile.Ignored}, `"level":"INFO"`},
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
	scan := reconcile.ScanResult{Outcome: reconcile.Scanned}
	if err := ScanMetrics(&b, "keeper", cause.Time, scan, Counts{}); err != nil || b.Len() > 0 {
		t.Errorf("%s, %v", b.Bytes(), err)
	}
	err := ScanMetrics(&b, "keeper", cause.Time, scan, Counts{Calls: 3})
	if err != nil || !strings.Contains(b.String(), `"ApiCalls":3`) || strings.Contains(b.String(), "Throttled") {
		t.Errorf("%s, %v", b.Bytes(), err)
	}
}
