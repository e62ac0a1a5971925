package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestUndo damages a setting, has it put right, and takes that back from the record alone: the pool is as it was when it was damaged, but for what somebody else changed since.
func TestUndo(t *testing.T) {
	t.Parallel()
	for i, setting := range everyLeaf() {
		if i%3 != 0 || strings.Contains(setting, ".EumsSms.") {
			continue // each third takes long enough; a pool sends through one service or the other
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
			whole := baseline.OfSettings("as-it-was", "sha256:a", poolID, healthy.Own(), healthy.Offered())
			r := w.keeper(whole)
			out, err := r.ReconcileFrom(t.Context(), poolID, "", call("one", "Admin", time.Time{}).Cause)
			if err != nil {
				t.Fatal(err)
			}
			if out.Record == "" {
				t.Fatalf("%s, and no record (%s)", out.Outcome, out.Reason)
			}
			rec, err := w.ledger.Record(t.Context(), out.Record)
			if err != nil {
				t.Fatal(err)
			}
			if rec.Outcome != out.Outcome || len(rec.Sent) != len(out.Writes) || len(rec.Sent[0].Body) == 0 || rec.Cause.EventID != "one" {
				t.Errorf("the record is %s of %s with %d writes, the outcome %s with %d", rec.Outcome, rec.Cause.EventID, len(rec.Sent), out.Outcome, len(out.Writes))
			}
			w.fake.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["since"] = "then" })
			required, kept := baseline.OfPaths("undo", "sha256:u", poolID, rec.Before.State().Own(), rec.Changed())
			r = w.keeper(required)
			out, err = r.ReconcileFrom(t.Context(), poolID, "", call("two", "Admin", time.Time{}).Cause)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range difference(damaged, w.snapshot(t)) {
				// What the service would not take is left, with the reason: the fake took it only because it was told to take anything.
				excused := out.Outcome == reconcile.Unfixable && out.Reason != "" && path == setting || path == "UserPoolTags.since" || path == "AdminCreateUserConfig.UnusedAccountValidityDays"
				for _, k := range kept {
					excused = excused || userpool.Touches(k, strings.TrimPrefix(path, "mfa:"))
				}
				if !excused {
					t.Errorf("%s is %q, was %q: %s (%s)", path, w.snapshot(t)[path], damaged[path], out.Outcome, out.Reason)
				}
			}
		})
	}
}

// TestUndoOfTheHalf: of a setting that stands in two documents one is written, and the other refused. That is told, and undo takes back what was written.
func TestUndoOfTheHalf(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.whole(nil)
	before := w.snapshot(t)
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException", Message: "no", Then: func(s *cognitotest.Server) {
		s.Edit(poolID, func(_, mfa map[string]any) { // as on a service that keeps the two apart
			object(mfa, "SmsMfaConfiguration")["SmsAuthenticationMessage"] = "Sign-in code {####} CANARY-sms-authentication"
		})
	}})
	r := w.keeper(parse(t, "version: 1\nrules: [{name: all, require: {SmsMfaConfiguration: {SmsAuthenticationMessage: \"New {####}\"}}}]\n"))
	out, err := r.ReconcileFrom(t.Context(), poolID, "", call("one", "Admin", time.Time{}).Cause)
	if err != nil || out.Outcome != reconcile.Unfixable || len(out.Drifts) != 1 || out.Drifts[0].Left != reconcile.LeftHalf ||
		!strings.HasSuffix(out.Reason, "InvalidParameterException: no; it was written in UserPool, where it stands too") {
		t.Fatalf("%v: %s (%s) %+v", err, out.Outcome, out.Reason, out.Drifts)
	}
	if moved := difference(before, w.snapshot(t)); !slices.Equal(moved, []string{"SmsAuthenticationMessage"}) {
		t.Errorf("moved: %q", moved)
	}
	w.fake.ClearFaults()
	rec, err := w.ledger.Record(t.Context(), out.Record)
	if err != nil {
		t.Fatal(err)
	}
	required, kept := baseline.OfPaths("undo", "sha256:u", poolID, rec.Before.State().Own(), rec.Changed())
	out, err = w.keeper(required).ReconcileFrom(t.Context(), poolID, "", call("two", "Admin", time.Time{}).Cause)
	if moved := difference(before, w.snapshot(t)); err != nil || len(moved) > 0 || len(kept) > 0 || out.Outcome != reconcile.Remediated {
		t.Errorf("%v: %s (%s), still moved: %q", err, out.Outcome, out.Reason, moved)
	}
}
