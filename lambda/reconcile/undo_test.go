package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
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

// TestUndo damages a setting, has it put right, and undoes that from the record alone: the pool is as it was when it
// was damaged, but for what somebody else changed since.
func TestUndo(t *testing.T) {
	t.Parallel()
	for i, setting := range everyLeaf() {
		if i%6 != 0 || strings.Contains(setting, ".EumsSms.") {
			continue // each sixth takes long enough; a pool sends through one service or the other
		}
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			w := withLedger(t)
			w.bench = serve(t, cognitotest.Contract, cognitotest.WithoutValidators())
			w.whole(nil)
			healthy, err := w.client.Read(t.Context(), poolID, userpool.Everything())
			if err != nil {
				t.Fatal(err)
			}
			w.damage(t, setting)
			damaged := w.snapshot(t)
			whole, _ := baseline.OfSettings("as-it-was", "sha256:a", poolID, healthy.Own(), healthy.Offered())
			out, rec := w.fix(t, whole)
			if rec.Outcome != out.Outcome || rec.Cause.EventID != "one" || len(rec.Sent) < len(out.Writes) ||
				len(rec.Sent[0].Body) == 0 {
				t.Errorf("the record is %s of %s with %d writes, the outcome %s with %d", rec.Outcome, rec.Cause.EventID,
					len(rec.Sent), out.Outcome, len(out.Writes))
			}
			w.fake.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["since"] = "then" })
			w.pass(time.Second)
			out, kept := w.undo(t, rec.ID)
			now := w.snapshot(t)
			for _, path := range difference(damaged, now) {
				// What the service would not take is skipped, with the reason.
				excused := out.Outcome == outcome.Unfixable && out.Reason != "" && path == setting ||
					path == "UserPoolTags.since" || path == "AdminCreateUserConfig.UnusedAccountValidityDays"
				for _, k := range kept {
					excused = excused || userpool.Touches(k, plainPath(path))
				}
				if !excused {
					t.Errorf("%s is %q, was %q: %s (%s)", path, now[path], damaged[path], out.Outcome, out.Reason)
				}
			}
		})
	}
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
