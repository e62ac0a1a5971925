package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
)

const everyClient = "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}, clients: [{names: ['web-*'], require: {PreventUserExistenceErrors: ENABLED}}]}]"

// crowded is a region whose pool has so many clients, of which the first ones are weak.
func crowded(t *testing.T, clients, weak int) *region {
	r := newRegion(parse(t, everyClient), 100)
	pool, mfa := cognitotest.Rich()
	r.fake.Put(poolID, pool, mfa)
	for i := range clients {
		shows := "ENABLED"
		if i < weak {
			shows = "LEGACY"
		}
		r.fake.PutClient(poolID, fmt.Sprintf("web%04d", i), map[string]any{"ClientName": "web-app", "PreventUserExistenceErrors": shows, "AuthSessionValidity": json.Number("3"),
			"RefreshTokenValidity": json.Number("30"), "ExplicitAuthFlows": list("ALLOW_USER_SRP_AUTH")})
	}
	return r
}

// update is an event of a call of UpdateUserPool that was made at the time given, and names no setting.
func (r *region) update(id string, at time.Time) []byte {
	return r.fake.Event(cognitotest.Call{Operation: "UpdateUserPool", PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q}`, poolID), RequestID: id}, administrator, at)
}

func ofSweep(at time.Time) []byte {
	return fmt.Appendf(nil, `{"id":"sweep","source":"poolkeeper","detail-type":"Reconcile User Pool","time":%q,"detail":{"userPoolId":%q,"sweep":%[1]q}}`, at.UTC().Format(time.RFC3339), poolID)
}

// TestLongRead reads a pool for longer than it is taken for at once, while events about it keep coming: it stays taken, and nothing is lost.
func TestLongRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 600, 1)
		began := time.Now()
		r.deliver(t.Context(), ofSweep(began), 0)
		for i := range 6 {
			after := time.Duration(i) * 90 * time.Second
			r.deliver(t.Context(), r.update(fmt.Sprint("call", i), began.Add(after)), after+5*time.Second)
		}
		r.queued.Wait()
		if len(r.lost) > 0 || len(r.deferred) > 0 {
			t.Errorf("lost %v, deferred %v", r.lost, r.deferred)
		}
		if shows := r.fake.Client(poolID, "web0000")["PreventUserExistenceErrors"]; shows != "ENABLED" {
			t.Errorf("the weak client is %v: %+v", shows, r.ended)
		}
	})
}

// TestEventDuringALongRun lets somebody weaken a pool while hundreds of its clients are written: the event of that waits as long as it takes, and puts it right.
func TestEventDuringALongRun(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{10 * time.Second, 55 * time.Second, 100 * time.Second, 150 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t, 250, 250)
				began := time.Now()
				r.deliver(t.Context(), ofSweep(began), 0)
				r.queued.Go(func() {
					time.Sleep(after)
					r.fake.Edit(poolID, unprotected)
				})
				r.deliver(t.Context(), r.update("theirs", began.Add(after)), after+5*time.Second)
				r.queued.Wait()
				if pool, _, _ := r.fake.Pool(poolID); len(r.lost) > 0 || pool["DeletionProtection"] != "ACTIVE" {
					t.Errorf("lost %v, deferred %v, the pool is %v: %+v", r.lost, r.deferred, pool["DeletionProtection"], r.ended)
				}
			})
		})
	}
}

// failing is a ledger that fails to keep what was taken, from some time on.
type failing struct {
	reconcile.Ledger
	fails atomic.Bool
}

func (f *failing) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	if f.fails.Load() {
		return false, errors.New("the table is not there")
	}
	return f.Ledger.Keep(ctx, key, owner, note, until)
}

// TestBeatThatFails loses the pool, or the ledger, while it is read: who lost the pool writes nothing, and without a ledger all goes on.
func TestBeatThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		strikes func(r *region)
		writes  int
	}{
		"the pool is taken": {func(r *region) {
			key := reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}
			if _, _, err := r.ledger.Take(t.Context(), key, "somebody", time.Now().Add(24*time.Hour), time.Now().Add(24*time.Hour)); err != nil {
				t.Error(err)
			}
		}, 0},
		"the ledger fails": {func(r *region) { r.ledger.(*failing).fails.Store(true) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t, 300, 1)
				r.ledger = &failing{Ledger: r.ledger}
				go func() {
					time.Sleep(30 * time.Second)
					c.strikes(r)
				}()
				out, err := r.invoke(t.Context(), ofSweep(time.Now()))
				writes := 0
				for _, call := range r.fake.Calls() {
					if call.Operation == "UpdateUserPoolClient" {
						writes++
					}
				}
				if writes != c.writes || (err == nil) != (c.writes > 0) {
					t.Errorf("%d writes, %s (%s), %v", writes, out.Outcome, out.Reason, err)
				}
			})
		})
	}
}
