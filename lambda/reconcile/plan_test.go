package reconcile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// TestReconcileFrom: a pool that moved since it was planned is not written, whatever moved.
func TestReconcileFrom(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
	r := b.reconciler(require(t, "DeletionProtection: ACTIVE"))
	preview, err := r.Plan(t.Context(), poolID)
	if err != nil {
		t.Fatal(err)
	}
	b.fake.Edit(poolID, func(pool, _ map[string]any) { pool["UserPoolTags"] = map[string]any{"env": "other"} })
	out, err := r.ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{})
	if err != nil || out.Outcome != outcome.Drifted || out.Reason != outcome.MovedReason || len(b.writes()) != 0 {
		t.Errorf("%s (%s) %v after %v", out.Outcome, out.Reason, err, b.writes())
	}
	b.fake.Edit(poolID, func(pool, _ map[string]any) { pool["EstimatedNumberOfUsers"] = 7 })
	if preview, err = r.Plan(t.Context(), poolID); err != nil {
		t.Fatal(err)
	}
	b.fake.Edit(poolID, func(pool, _ map[string]any) { pool["EstimatedNumberOfUsers"] = 8 })
	if out, err = r.ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{}); err != nil ||
		out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s) %v: the number of users changes by itself", out.Outcome, out.Reason, err)
	}
}

// TestPlanGoesOn: where a requirement can only be written once another one is, the plan shows both, as the run does.
func TestPlanGoesOn(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, mode)
			b.rich(nil)
			r := b.reconciler(require(t, `MfaConfiguration: "ON"
EmailMfaConfiguration: {absent: true}
Policies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD]}}
AccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_email, Priority: 1}]}`))
			preview, err := r.Plan(t.Context(), poolID)
			if err != nil {
				t.Fatal(err)
			}
			out, err := r.Reconcile(t.Context(), onPool(event.Cause{}))
			if err != nil || out.Outcome != outcome.Remediated {
				t.Errorf("%s (%s) %v", out.Outcome, out.Reason, err)
			}
			if diff := cmp.Diff(out.Writes, preview.Writes); diff != "" {
				t.Errorf("what was written, and what was planned (-written +planned):\n%s", diff)
			}
			for setting, state := range states(preview.Outcome) {
				if state != outcome.StatePlanned || states(out)[setting] != outcome.StateFixed {
					t.Errorf("%s is %s in the plan, and %s after the run", setting, state, states(out)[setting])
				}
			}
		})
	}
}

// TestSnapshot: the baseline that is made of any pool is without fault, and the pool is in sync with it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, stop := start(t.Fatalf, cognitotest.Contract)
		defer stop()
		drawPool(t).plant(&b)
		state, err := b.client.Read(t.Context(), poolID, userpool.Everything())
		if err != nil {
			t.Fatal(err)
		}
		text, err := baseline.Snapshot(state.Identity(), state.Own())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "CANARY") {
			t.Fatal("a planted secret stands in it")
		}
		made, err := baseline.Parse("snapshot.yaml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		preview, err := b.reconciler(made).Plan(t.Context(), poolID)
		if err != nil || preview.Outcome.Outcome != outcome.Unchanged {
			t.Fatalf("%v: %s %v\n%s", err, preview.Outcome.Outcome, preview.Drifts, text)
		}
	})
}

// TestUnwritable: what no call writes back is named, and what changes by itself is not.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(func(pool, _ map[string]any) { pool["FutureThing"] = "a" })
	then, err := b.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	b.fake.Edit(poolID, func(pool, _ map[string]any) {
		pool["Domain"], pool["EstimatedNumberOfUsers"], pool["FutureThing"] = "other", 99, "b"
	})
	now, err := b.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(then.Unwritable(now), " "); got != "UserPool.Domain UserPool.FutureThing" {
		t.Errorf("got %s", got)
	}
	for text, want := range map[string]string{"{": "reading the backup", `{"format":"x"}`: "not a backup of",
		`{"format":"poolkeeper backup","version":1,"userPoolId":"p","documents":{"UserPool":{"Id":"p"}},"whole":true}`:     "MfaConfig is missing",
		`{"format":"poolkeeper backup","version":1,"userPoolId":"p","documents":{"MfaConfig":{"MfaConfiguration":"OFF"}}}`: "UserPool is missing"} {
		if _, err := userpool.DecodeBackup([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
