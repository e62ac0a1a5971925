package reconcile_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
)

// TestLoadStorm delivers 10,000 events about one pool, one of which is of damage: as a backlog, all at once and long after the calls, and live, each some seconds after its call. One look sees what many calls did.
func TestLoadStorm(t *testing.T) {
	t.Parallel()
	required := require(t, loadBaseline)
	const calls = 10000
	for name, c := range map[string]struct {
		gap         time.Duration // between two calls
		delay       time.Duration // from a call to its event
		concurrency int
		together    bool // all events come with that of the last call
		most        func(took time.Duration) int
	}{
		"backlog":                            {10 * time.Millisecond, 3 * time.Minute, 100, true, func(time.Duration) int { return 6 }},
		"backlog, ten times as many at once": {10 * time.Millisecond, 3 * time.Minute, 1000, true, func(time.Duration) int { return 6 }},
		// A pool is let alone for two seconds after each look.
		"live": {50 * time.Millisecond, 5 * time.Second, 100, false, func(took time.Duration) int { return int(took/(2*time.Second)) + 6 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRegion(required, c.concurrency)
				pool, mfa := cognitotest.Rich()
				r.fake.Put(poolID, pool, mfa)
				r.fake.Edit(poolID, func(pool, mfa map[string]any) { weaken(pool, mfa, 0) })
				body := fmt.Appendf(nil, `{"UserPoolId":%q}`, poolID)
				r.wrote = func(call cognitotest.Call) {
					call.Body = body
					r.deliver(t.Context(), r.fake.Event(call, keeperActor, time.Now()), c.delay)
				}
				began := time.Now()
				for i := range calls {
					at := began.Add(time.Duration(i) * c.gap)
					delivered := at.Add(c.delay)
					if c.together {
						delivered = began.Add(calls*c.gap + c.delay)
					}
					call := cognitotest.Call{Operation: "UpdateUserPool", PoolID: poolID, Body: body, RequestID: fmt.Sprintf("call-%d", i)}
					r.deliver(t.Context(), r.fake.Event(call, administrator, at), delivered.Sub(began))
				}
				r.queued.Wait()
				took := time.Since(began)
				remediated := 0
				for _, outs := range r.ended {
					for _, out := range outs {
						if out.Outcome == reconcile.Remediated {
							remediated++
						}
					}
				}
				t.Logf("calls: %s; throttled: %d; deferred: %v; %.0f s in all", r.made(), r.throttled, r.deferred, took.Seconds())
				if reads := r.calls["DescribeUserPool"]; reads > c.most(took) {
					t.Errorf("%d reads, want %d at most", reads, c.most(took))
				}
				if remediated != 1 || r.calls["UpdateUserPool"] != 1 {
					t.Errorf("remediated %d times, with %d writes", remediated, r.calls["UpdateUserPool"])
				}
				if len(r.ended) != calls+1 {
					t.Errorf("%d events were handled, of %d", len(r.ended), calls+1)
				}
				for id, reason := range r.lost {
					t.Errorf("lost: %s: %s", id, reason)
				}
				if pool, _, _ := r.fake.Pool(poolID); fmt.Sprint(object(pool, "Policies", "PasswordPolicy")["MinimumLength"]) != "14" {
					t.Error("the pool is not as the baseline has it")
				}
			})
		})
	}
}
