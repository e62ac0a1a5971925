package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// plant makes n pools, of which those whose number is in drifted lack deletion protection.
func (b bench) plant(n int, drifted ...int) {
	for i := range n {
		pool, mfa := cognitotest.Rich()
		for _, d := range drifted {
			if d == i {
				pool["DeletionProtection"] = "INACTIVE"
			}
		}
		b.fake.Put(fmt.Sprintf("eu-west-1_Pool%05d", i), pool, mfa)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.plant(130, 7, 64, 129)
	b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", PoolID: "eu-west-1_Pool00064", Error: "UserImportInProgressException", Message: "importing"})
	b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", PoolID: "eu-west-1_Pool00100", Error: "ResourceNotFoundException", Message: "gone"})
	var seen int
	sweep, err := b.reconciler(require(t, deletionProtection)).Sweep(t.Context(), event.Cause{}, func(reconcile.Outcome) { seen++ })
	if err != nil {
		t.Fatal(err)
	}
	want := reconcile.Sweeping{Outcome: reconcile.Swept, Pools: 130,
		Outcomes: map[reconcile.Word]int{reconcile.Unchanged: 126, reconcile.Remediated: 2, reconcile.Deferred: 1, reconcile.Ignored: 1},
		Failed:   []reconcile.Failure{{UserPoolID: "eu-west-1_Pool00064", Outcome: reconcile.Deferred, Reason: "calling UpdateUserPool: UserImportInProgressException: importing"}}}
	if diff := cmp.Diff(want, sweep); diff != "" || seen != 130 {
		t.Errorf("%d outcomes seen (-want +got):\n%s", seen, diff)
	}
}

// TestSweepStopsInTime: pools that there is no time for are not begun, and the event comes again for them.
func TestSweepStopsInTime(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.plant(10)
	r := b.reconciler(require(t, deletionProtection))
	ctx, cancel := context.WithTimeout(t.Context(), 13*time.Second)
	defer cancel()
	slow := 0
	r.Sleep = func(ctx context.Context, _ time.Duration) error {
		if slow++; slow == 3 {
			time.Sleep(1200 * time.Millisecond)
		}
		return ctx.Err()
	}
	sweep, err := r.Sweep(ctx, event.Cause{}, func(reconcile.Outcome) {})
	var later *reconcile.DeferredError
	if !errors.As(err, &later) || sweep.Outcome != reconcile.Deferred || sweep.Pools != 3 || !strings.Contains(err.Error(), "not every pool") {
		t.Errorf("%+v: %v", sweep, err)
	}
}

func TestSweepThatCannotList(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.fake.Inject(cognitotest.Fault{Operation: "ListUserPools", Error: "AccessDeniedException", Message: "not authorized to perform: cognito-idp:ListUserPools"})
	sweep, err := b.reconciler(require(t, deletionProtection)).Sweep(t.Context(), event.Cause{}, func(reconcile.Outcome) {})
	if err == nil || sweep.Outcome != reconcile.Deferred || !strings.Contains(err.Error(), "ListUserPools") {
		t.Errorf("%+v: %v", sweep, err)
	}
}

// TestSweepKeepsPace: with the documented rates enforced, a sweep by the real clock is never throttled.
func TestSweepKeepsPace(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract, cognitotest.WithRateLimits())
	b.plant(12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	throttled := 0
	b.fake.ResetCalls()
	sweep, err := reconcile.New(b.client, require(t, deletionProtection), "").Sweep(t.Context(), event.Cause{}, func(out reconcile.Outcome) {
		if len(out.Writes) != 1 {
			throttled++
		}
	})
	if err != nil || sweep.Outcomes[reconcile.Remediated] != 12 || throttled > 0 {
		t.Errorf("%+v: %v", sweep, err)
	}
	// A compliant or fixed pool costs exactly its calls: a throttled one would have cost more.
	if got, want := len(b.fake.Calls()), 1+12*5; got != want {
		t.Errorf("%d calls, want %d", got, want)
	}
}

// TestHandle runs fixtures of every kind of event through the handler.
func TestHandle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcome reconcile.Word
		says    string
	}{
		"update-user-pool":    {reconcile.Remediated, ""},
		"mfa-off-console":     {reconcile.Remediated, ""},
		"reconcile-user-pool": {reconcile.Remediated, ""},
		"tag-resource":        {reconcile.Remediated, ""},
		"own-write":           {reconcile.Drifted, "our own write"},
		"failed-call":         {reconcile.Ignored, "failed-call"},
		"replica-secondary":   {reconcile.Ignored, "replica-secondary"},
		"not-an-object":       {reconcile.Ignored, "malformed"},
		"scheduled-event":     {reconcile.Swept, ""},
		"request-null":        {reconcile.Swept, "CloudTrail left out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload, err := os.ReadFile(filepath.Join("..", "event", "testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			b := serve(t, cognitotest.Contract)
			b.rich(unprotected)
			r := b.reconciler(require(t, deletionProtection))
			r.OwnRole = "arn:aws:iam::111122223333:role/poolkeeper"
			var outcomes []reconcile.Word
			result, err := r.Handle(t.Context(), payload, event.Home{Account: "111122223333", Region: "eu-west-1"}, func(out reconcile.Outcome) { outcomes = append(outcomes, out.Outcome) })
			if err != nil {
				t.Fatal(err)
			}
			outcome, reason := c.outcome, ""
			switch result := result.(type) {
			case reconcile.Outcome:
				outcome, reason = result.Outcome, result.Reason
			case reconcile.Sweeping:
				outcome, reason = result.Outcome, result.Reason
				if result.Outcomes[reconcile.Remediated] != 1 {
					t.Errorf("the sweep did %v", result.Outcomes)
				}
			}
			if outcome != c.outcome || !strings.Contains(reason, c.says) || len(outcomes) != 1 {
				t.Errorf("%s (%s), %d outcomes, want %s with %q", outcome, reason, len(outcomes), c.outcome, c.says)
			}
		})
	}
}

// TestOutcomeJSON holds the answer of the function to the shape that others rely on.
func TestOutcomeJSON(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(unprotected)
	payload, err := os.ReadFile("../event/testdata/update-user-pool.json")
	if err != nil {
		t.Fatal(err)
	}
	result, err := b.reconciler(require(t, deletionProtection)).Handle(t.Context(), payload, event.Home{}, func(reconcile.Outcome) {})
	if err != nil {
		t.Fatal(err)
	}
	got := tree(t, string(marshal(t, result)))
	cause, _ := got["cause"].(map[string]any)
	if cause["eventName"] != "UpdateUserPool" || cause["actor"] != "arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory" || cause["eventId"] == nil {
		t.Errorf("cause %v", cause)
	}
	digest, _ := got["baseline"].(string)
	if !strings.HasPrefix(digest, "sha256:") {
		t.Errorf("baseline %q", digest)
	}
	verified, _ := got["verified"].(map[string]any)
	if fmt.Sprint(verified["owned"]) != "1" || fmt.Sprint(verified["unmanagedUnchanged"]) != "87" {
		t.Errorf("verified %v", verified)
	}
	delete(got, "cause")
	delete(got, "baseline")
	delete(got, "verified")
	want := tree(t, `{"outcome": "remediated", "userPoolId": "eu-west-1_AbCdEf123", "writes": ["UpdateUserPool"], "reason": "",
		"drifts": [{"setting": "DeletionProtection", "rule": "every-pool", "want": "ACTIVE", "have": "INACTIVE", "state": "fixed"}]}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
