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
		if len(r.lost) > 0 {
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

// failing is a ledger that fails so often to keep what was taken, from some time on.
type failing struct {
	reconcile.Ledger
	fails atomic.Int32
}

func (f *failing) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	if f.fails.Add(-1) >= 0 {
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
		"the ledger fails": {func(r *region) { r.ledger.(*failing).fails.Store(1000) }, 1},
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

// TestChangeDuringALongRead lets a person tag a pool while its clients are read, a minute after the pool itself was, and before what is wrong with it is put right: the tag is not written over, whether the
// ledger fails to hold the pool for a moment or not.
func TestChangeDuringALongRead(t *testing.T) {
	t.Parallel()
	for name, failures := range map[string]int32{"": 0, "the ledger fails once": 1, "the ledger fails for two beats": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t, 600, 1)
				shaky := &failing{Ledger: r.ledger}
				r.ledger = shaky
				r.fake.Edit(poolID, unprotected)
				began, tagged := time.Now(), 80*time.Second
				r.deliver(t.Context(), ofSweep(began), 0)
				r.queued.Go(func() {
					time.Sleep(15 * time.Second)
					shaky.fails.Store(failures)
				})
				r.queued.Go(func() {
					time.Sleep(tagged)
					r.fake.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["theirs"] = "new" })
				})
				tags := r.fake.Event(cognitotest.Call{Operation: "UpdateUserPool", PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q,"UserPoolTags":{"theirs":"new"}}`, poolID), RequestID: "theirs"}, administrator, began.Add(tagged))
				r.deliver(t.Context(), tags, tagged+5*time.Second)
				r.queued.Wait()
				pool, _, _ := r.fake.Pool(poolID)
				if tag := object(pool, "UserPoolTags")["theirs"]; tag != "new" || pool["DeletionProtection"] != "ACTIVE" || len(r.lost) > 0 {
					t.Errorf("the tag is %v, the pool %v, lost %v: %+v", tag, pool["DeletionProtection"], r.lost, r.ended)
				}
				if shows := r.fake.Client(poolID, "web0000")["PreventUserExistenceErrors"]; shows != "ENABLED" {
					t.Errorf("the weak client is %v", shows)
				}
			})
		})
	}
}

// TestClientChangedDuringALongRead lets a person change a client that is about to be written, after it was read: what the person set stays.
func TestClientChangedDuringALongRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 300, 1)
		r.queued.Go(func() {
			time.Sleep(40 * time.Second)
			client := r.fake.Client(poolID, "web0000")
			client["RefreshTokenValidity"] = json.Number("7")
			r.fake.PutClient(poolID, "web0000", client)
		})
		r.deliver(t.Context(), ofSweep(time.Now()), 0)
		r.queued.Wait()
		if client := r.fake.Client(poolID, "web0000"); client["PreventUserExistenceErrors"] != "ENABLED" || fmt.Sprint(client["RefreshTokenValidity"]) != "7" {
			t.Errorf("it is %v: %+v", client, r.ended)
		}
	})
}

// TestVerificationKeepsTheHold writes so many clients that the hold is about to end when they are read back: nobody else gets in between.
func TestVerificationKeepsTheHold(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{200, 230, 240, 245, 260} {
		t.Run(fmt.Sprint(clients), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t, clients, clients)
				began := time.Now()
				r.deliver(t.Context(), ofSweep(began), 0)
				r.deliver(t.Context(), r.update("theirs", began.Add(80*time.Second)), 85*time.Second)
				r.queued.Wait()
				taken := r.deferred["the work took so long that another invocation has taken the pool"]
				if len(r.lost) > 0 || taken > 0 {
					t.Errorf("lost %v, deferred %v: %+v", r.lost, r.deferred, r.ended)
				}
			})
		})
	}
}

// TestOthersGoFirst lets many events about a pool wait that takes minutes to read, where the function may run ten times at once: an event about another pool does not wait behind them.
func TestOthersGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 600, 1)
		r.free = make(chan struct{}, 10)
		pool, mfa := cognitotest.Rich()
		delete(pool, "Arn")
		pool["DeletionProtection"] = "INACTIVE"
		r.fake.Put(loadPool(1), pool, mfa)
		began, after := time.Now(), time.Duration(0)
		r.wrote = func(call cognitotest.Call) {
			if call.Operation == "UpdateUserPool" && after == 0 {
				after = time.Since(began)
			}
		}
		r.deliver(t.Context(), ofSweep(began), 0)
		for i := range 20 {
			at := time.Duration(i) * 100 * time.Millisecond
			r.deliver(t.Context(), r.update(fmt.Sprint("call", i), began.Add(at)), 5*time.Second+at)
		}
		r.deliver(t.Context(), r.fake.Event(cognitotest.Call{Operation: "UpdateUserPool", PoolID: loadPool(1), Body: fmt.Appendf(nil, `{"UserPoolId":%q}`, loadPool(1)), RequestID: "other"}, administrator, began.Add(10*time.Second)), 15*time.Second)
		r.queued.Wait()
		if after == 0 || after > time.Minute || len(r.lost) > 0 {
			t.Errorf("the other pool was put right after %s, lost %v", after, r.lost)
		}
	})
}

// TestWatchedChangeIsToldOnce delivers the event of a change that is only watched twice, while the pool is read for minutes: one of them tells of it.
func TestWatchedChangeIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 700, 1)
		r.required = parse(t, everyClient[:len(everyClient)-2]+", watch: [groups]}]")
		began := time.Now()
		r.deliver(t.Context(), ofSweep(began), 0)
		created := r.fake.Event(cognitotest.Call{Operation: "CreateGroup", PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q,"GroupName":"admins"}`, poolID), RequestID: "group"}, administrator, began.Add(5*time.Second))
		for i := range 2 {
			r.deliver(t.Context(), created, 8*time.Second+time.Duration(i)*time.Second)
		}
		r.queued.Wait()
		told := 0
		for _, outs := range r.ended {
			for _, out := range outs {
				if out.Outcome == reconcile.Drifted {
					told++
				}
			}
		}
		if told != 1 || len(r.lost) > 0 {
			t.Errorf("told %d times, lost %v: %+v", told, r.lost, r.ended)
		}
	})
}

// unlisted is a ledger that does not list records.
type unlisted struct{ reconcile.Ledger }

func (unlisted) Records(context.Context, string, time.Time) ([]reconcile.Record, error) {
	return nil, errors.New("throttled")
}

// TestGivenBackByTheFaulty: a pool that was taken is given back, even if the ledger fails in the same moment.
func TestGivenBackByTheFaulty(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.answer(t, required, request) // it has written
	r := w.keeper(required)
	r.Ledger = unlisted{w.ledger}
	if out, err := r.Answer(t.Context(), call("two", "Admin", w.time().Add(-2*time.Second))); err != nil || len(out.LedgerFaults) == 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, taken, err := w.ledger.Take(t.Context(), reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}, "next", w.time(), w.time().Add(time.Minute)); !taken || err != nil {
		t.Errorf("the run has ended, and the pool is still taken: %v", err)
	}
}

// TestSlowFirstWrite: where the first of two writes takes long, the record says of the second too when what it sent was read.
func TestSlowFirstWrite(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required, request := require(t, noTextFactor), call("one", "Admin", w.time())
	w.pass(time.Minute)
	began := w.time()
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Times: 1, Then: func(*cognitotest.Server) { w.pass(8 * time.Second) }})
	out := w.answer(t, required, request)
	record, err := w.ledger.Record(t.Context(), out.Record)
	if err != nil || lost() || len(record.Sent) != 2 {
		t.Fatalf("%s (%s), %d writes, %v", out.Outcome, out.Reason, len(record.Sent), err)
	}
	for _, s := range record.Sent {
		if s.Read.Before(began) || s.Read.After(s.At) {
			t.Errorf("what %s sent was read at %s, and sent at %s; the run began at %s", s.Call, s.Read, s.At, began)
		}
	}
}
