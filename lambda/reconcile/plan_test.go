package reconcile_test

import (
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// TestReconcileFrom: a pool that moved since it was planned is not written, whatever moved.
func TestReconcileFrom(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	r := b.reconciler(require(t, "DeletionProtection: ACTIVE"))
	preview, err := r.Plan(t.Context(), poolID)
	if err != nil {
		t.Fatal(err)
	}
	b.fake.Edit(poolID, sets("UserPoolTags.env", "other"))
	out, err := r.ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{})
	if err != nil || out.Outcome != outcome.Drifted || out.Reason != outcome.MovedReason || len(b.writes()) != 0 {
		t.Errorf("%s (%s) %v after %v", out.Outcome, out.Reason, err, b.writes())
	}
	b.fake.Edit(poolID, sets("EstimatedNumberOfUsers", 7))
	if preview, err = r.Plan(t.Context(), poolID); err != nil {
		t.Fatal(err)
	}
	b.fake.Edit(poolID, sets("EstimatedNumberOfUsers", 8))
	if out, err = r.ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{}); err != nil ||
		out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s) %v: the number of users changes by itself", out.Outcome, out.Reason, err)
	}
}

// TestUnwritable: what no call writes back is named, and what changes by itself is not.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(sets("FutureThing", "a", "LambdaConfig.FutureTrigger", "b"))
	then, err := b.client.Read(t.Context(), poolID, userpool.Everything())
	if err != nil {
		t.Fatal(err)
	}
	b.fake.Edit(poolID, sets("Domain", "other", "EstimatedNumberOfUsers", 99, "FutureThing", "b",
		"LambdaConfig.FutureTrigger", nil)) // which is restored with its object
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
