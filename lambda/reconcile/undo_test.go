package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
)

// undo brings the pool to what it was before the run of a record, by the record alone, and returns what it cannot
// undo.
func (w ledgered) undo(t *testing.T, record string) (outcome.Outcome, []string) {
	t.Helper()
	rec, err := w.ledger.Record(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	required, kept := baseline.OfPaths("undo", "sha256:u", poolID, rec.Before.State().Own(), rec.Changed())
	out, err := w.process(required).ReconcileFrom(t.Context(), poolID, "", call("two", "Admin", time.Time{}).Cause)
	if err != nil {
		t.Fatal(err)
	}
	return out, kept
}

// fix brings the pool to a baseline, closes the record and returns it.
func (w ledgered) fix(t *testing.T, required *baseline.Baseline) (outcome.Outcome, outcome.Record) {
	t.Helper()
	r := w.process(required)
	out, err := r.ReconcileFrom(t.Context(), poolID, "", call("one", "Admin", time.Time{}).Cause)
	if err == nil {
		err = r.Close(t.Context(), out)
	}
	if err != nil || out.Record == "" {
		t.Fatalf("%s, record %q (%s): %v", out.Outcome, out.Record, out.Reason, err)
	}
	rec, err := w.ledger.Record(t.Context(), out.Record)
	if err != nil {
		t.Fatal(err)
	}
	return out, rec
}

// TestUndoOfTheHalf: of a setting that stands in two documents one is written, and the other refused. People are
// notified of that, and undo takes back what was written.
func TestUndoOfTheHalf(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.whole(nil)
	before := w.snapshot(t)
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException", Message: "no",
		Then: func(s *cognitotest.Server) {
			s.Edit(poolID, func(_, mfa map[string]any) { // as on a service that keeps the two apart
				object(mfa, "SmsMfaConfiguration")["SmsAuthenticationMessage"] = "Sign-in code {####} CANARY-sms-authentication"
			})
		}})
	out, rec := w.fix(t, parse(t, `version: 1
rules: [{name: all, require: {SmsMfaConfiguration: {SmsAuthenticationMessage: "New {####}"}}}]`))
	if out.Outcome != outcome.Unfixable || len(out.Drifts) != 1 || out.Drifts[0].Code != outcome.CodeHalf ||
		!strings.HasSuffix(out.Reason, "no; it was written in UserPool, which has the same setting") {
		t.Fatalf("%s (%s) %+v", out.Outcome, out.Reason, out.Drifts)
	}
	if moved := difference(before, w.snapshot(t)); !slices.Equal(moved, []string{"SmsAuthenticationMessage"}) {
		t.Errorf("moved: %q", moved)
	}
	w.fake.ClearFaults()
	w.pass(time.Second)
	out, kept := w.undo(t, rec.ID)
	if moved := difference(before, w.snapshot(t)); len(moved) > 0 || len(kept) > 0 || out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s), still moved: %q", out.Outcome, out.Reason, moved)
	}
}
