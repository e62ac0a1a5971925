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
func (w bench) undo(t *testing.T, record string) (outcome.Outcome, []string) {
	t.Helper()
	rec, err := w.ledger.Record(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	required, kept := baseline.OfPaths("undo", "sha256:u", poolID, rec.Before.State().Own(), rec.Changed())
	out, err := w.reconciler(required).ReconcileFrom(t.Context(), poolID, "", call("two", "Admin", time.Time{}).Cause)
	if err != nil {
		t.Fatal(err)
	}
	return out, kept
}

// TestUndoOfTheHalf: of a setting that stands in two documents one is written, and the other refused. People are
// notified of that, and undo takes back what was written.
func TestUndoOfTheHalf(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	before := w.snapshot(t)
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException", Message: "no",
		Then: func(s *cognitotest.Server) { // as on a service that keeps the two apart
			s.Edit(poolID, sets(block+"SmsAuthenticationMessage", "Sign-in code {####} CANARY-sms-authentication"))
		}})
	out := w.answer(t, parse(t, inRule(`SmsMfaConfiguration: {SmsAuthenticationMessage: "New {####}"}`)),
		call("one", "Admin", time.Time{}))
	if out.Outcome != outcome.Unfixable || len(out.Drifts) != 1 || out.Drifts[0].Code != outcome.CodeHalf ||
		!strings.HasSuffix(out.Reason, "no; it was written in UserPool, which has the same setting") {
		t.Fatalf("%s (%s) %+v", out.Outcome, out.Reason, out.Drifts)
	}
	if moved := difference(before, w.snapshot(t)); !slices.Equal(moved, []string{"SmsAuthenticationMessage"}) {
		t.Errorf("moved: %q", moved)
	}
	w.fake.ClearFaults()
	w.pass(time.Second)
	out, kept := w.undo(t, out.Record)
	if moved := difference(before, w.snapshot(t)); len(moved) > 0 || len(kept) > 0 || out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s), still moved: %q", out.Outcome, out.Reason, moved)
	}
}

// TestUndoOfDays: days that were required under their older name are written under the newer one, and undone there.
func TestUndoOfDays(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"UnusedAccountValidityDays: 5", "exactly: {UnusedAccountValidityDays: 5}"} {
		w := withLedger(t)
		w.fake.Edit(poolID, func(pool, _ map[string]any) {
			delete(pool, "AdminCreateUserConfig")
		})
		before := w.snapshot(t)
		out := w.answer(t, parse(t, inRule("AdminCreateUserConfig: {"+rule+"}")), call("one", "Admin", time.Time{}))
		w.pass(time.Second)
		out, kept := w.undo(t, out.Record)
		if moved := difference(before, w.snapshot(t)); len(moved) > 0 || len(kept) > 0 || out.Outcome != outcome.Remediated {
			t.Errorf("%s (%s), still moved: %q, kept %q", out.Outcome, out.Reason, moved, kept)
		}
	}
}
