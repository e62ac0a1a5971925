package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestTheOneAheadLooks lets one event wait long for a pool, and another rely on it, about a change that was made meanwhile: whatever is known of the one that waits, the change is put right.
func TestTheOneAheadLooks(t *testing.T) {
	t.Parallel()
	of := func(r *region, operation, id, more string, actor cognitotest.Actor, made time.Time) []byte {
		return r.fake.Event(cognitotest.Call{Operation: operation, PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q%s}`, poolID, more), RequestID: id}, actor, made)
	}
	for name, ahead := range map[string]func(r *region, began time.Time) []byte{
		"its call was seen by the look that it waits for": func(r *region, began time.Time) []byte {
			return of(r, "UpdateUserPool", "ahead", "", administrator, began.Add(-15*time.Second))
		},
		"a call of our own role": func(r *region, began time.Time) []byte {
			return of(r, "UpdateUserPool", "ahead", "", keeperActor, began.Add(20*time.Second))
		},
		"a call about one client": func(r *region, began time.Time) []byte {
			return of(r, "UpdateUserPoolClient", "ahead", `,"ClientId":"web0001"`, administrator, began.Add(20*time.Second))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t, 600, 1)
				time.Sleep(time.Minute)
				began := time.Now()
				r.deliver(t.Context(), ofSweep(began), 0)
				r.deliver(t.Context(), ahead(r, began), 30*time.Second)
				r.queued.Go(func() {
					time.Sleep(45 * time.Second)
					r.fake.Edit(poolID, unprotected)
				})
				r.deliver(t.Context(), r.update("theirs", began.Add(45*time.Second)), 50*time.Second)
				r.queued.Wait()
				if pool, _, _ := r.fake.Pool(poolID); pool["DeletionProtection"] != "ACTIVE" || len(r.lost) > 0 {
					t.Errorf("the pool is %v, lost %v: %+v", pool["DeletionProtection"], r.lost, r.ended)
				}
			})
		})
	}
}

// TestAllKindsAreLeftToTheOneAhead lets events of several kinds wait for a pool that is held for longer than Lambda tries them: none is given up.
func TestAllKindsAreLeftToTheOneAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 800, 800)
		began := time.Now()
		r.deliver(t.Context(), ofSweep(began), 0)
		for i, c := range []struct{ operation, more string }{{"UpdateUserPool", ""}, {"SetUserPoolMfaConfig", ""}, {"UpdateUserPoolClient", `,"ClientId":"web0001"`}, {"UpdateUserPool", ""}} {
			call := cognitotest.Call{Operation: c.operation, PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q%s}`, poolID, c.more), RequestID: fmt.Sprint("call", i)}
			r.deliver(t.Context(), r.fake.Event(call, administrator, began.Add(20*time.Second)), time.Duration(25+i)*time.Second)
		}
		r.queued.Wait()
		if len(r.lost) > 0 {
			t.Errorf("lost %v, deferred %v", r.lost, r.deferred)
		}
	})
}

// placeless is a ledger that fails wherever somebody stands in line.
type placeless struct{ reconcile.Ledger }

func (p placeless) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	if key.Kind == reconcile.PlaceKey {
		return nil, false, errors.New("throttled")
	}
	return p.Ledger.Take(ctx, key, owner, now, until)
}

// TestNoPlace: where nobody can stand in line, a pool that somebody has is left to that one all the same.
func TestNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 250, 250)
		r.ledger = placeless{r.ledger}
		began := time.Now()
		var other, last time.Duration
		r.wrote = func(call cognitotest.Call) {
			switch call.Operation {
			case "UpdateUserPool":
				other = time.Since(began)
			case "UpdateUserPoolClient":
				last = time.Since(began)
			}
		}
		r.deliver(t.Context(), ofSweep(began), 0)
		r.queued.Go(func() {
			time.Sleep(55 * time.Second)
			r.fake.Edit(poolID, unprotected)
		})
		r.deliver(t.Context(), r.update("theirs", began.Add(55*time.Second)), 60*time.Second)
		r.queued.Wait()
		if last == 0 || other > 0 && other < last {
			t.Errorf("the other wrote after %s, and the one that had the pool until %s", other, last)
		}
	})
}

// TestMFADuringALongRead lets a person turn MFA off while the clients are read. UpdateUserPool carries what another document says of it, so that is read again too.
func TestMFADuringALongRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 600, 0)
		r.fake.Edit(poolID, func(pool, mfa map[string]any) {
			pool["DeletionProtection"], pool["MfaConfiguration"], mfa["MfaConfiguration"] = "INACTIVE", "OPTIONAL", "OPTIONAL"
		})
		r.queued.Go(func() {
			time.Sleep(80 * time.Second)
			r.fake.Edit(poolID, func(pool, mfa map[string]any) { pool["MfaConfiguration"], mfa["MfaConfiguration"] = "OFF", "OFF" })
		})
		r.deliver(t.Context(), ofSweep(time.Now()), 0)
		r.queued.Wait()
		if pool, mfa, _ := r.fake.Pool(poolID); mfa["MfaConfiguration"] != "OFF" || pool["DeletionProtection"] != "ACTIVE" {
			t.Errorf("MFA is %v, the pool %v: %+v", mfa["MfaConfiguration"], pool["DeletionProtection"], r.ended)
		}
	})
}

// failsOnce fails to keep a pool, once, after something was written.
type failsOnce struct {
	reconcile.Ledger
	wrote  *atomic.Int32
	failed atomic.Bool
}

func (o *failsOnce) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	if key.Kind == reconcile.PoolKey && o.wrote.Load() > 0 && !o.failed.Swap(true) {
		return false, errors.New("throttled")
	}
	return o.Ledger.Keep(ctx, key, owner, note, until)
}

// TestOneFailureIsNoHold takes a pool away from a run that the ledger failed once to tell so: it writes no more than it has to before it asks again.
func TestOneFailureIsNoHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 700, 700)
		var wrote, after atomic.Int32
		var taken atomic.Bool
		book := r.ledger
		r.ledger = &failsOnce{Ledger: book, wrote: &wrote}
		r.wrote = func(cognitotest.Call) {
			wrote.Add(1)
			if taken.Load() {
				after.Add(1)
			}
		}
		ended := make(chan struct{})
		go func() {
			for !taken.Load() {
				select {
				case <-ended:
					return
				case <-time.After(time.Second):
				}
				if wrote.Load() > 0 {
					_, ok, _ := book.Take(t.Context(), reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}, "somebody", time.Now().Add(-5*time.Second), time.Now().Add(time.Hour))
					taken.Store(ok)
				}
			}
		}()
		out, err := r.invoke(t.Context(), ofSweep(time.Now()))
		close(ended)
		if after.Load() > 15 || taken.Load() && err == nil {
			t.Errorf("%d writes after somebody else had taken the pool: %s, %v", after.Load(), out.Outcome, err)
		}
	})
}

// slowly reads for ten seconds; once, somebody changes the pool right after. It dies before its second write.
type slowly struct {
	reconcile.Pools
	w      ledgered
	change func()
	writes int
}

func (s *slowly) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	state, err := s.Pools.Read(ctx, id, want)
	s.w.pass(10 * time.Second)
	if s.change != nil {
		s.change()
		s.change = nil
	}
	return state, err
}

func (s *slowly) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	if s.writes++; s.writes == 2 {
		panic(death{})
	}
	return s.Pools.Write(ctx, id, request)
}

// TestOwedIsWhatWasThereLast: what is given back is what the pool had when it was written to, and not what it had when it was first read.
func TestOwedIsWhatWasThereLast(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required, request := require(t, noTextFactor), call("one", "Admin", w.time())
	w.pass(time.Minute)
	r := w.keeper(required)
	r.Pools = &slowly{Pools: r.Pools, w: w, change: func() {
		w.fake.Edit(poolID, func(pool, mfa map[string]any) {
			object(pool, "SmsConfiguration")["ExternalId"] = "theirs"
			object(mfa, "SmsMfaConfiguration", "SmsConfiguration")["ExternalId"] = "theirs"
		})
	}}
	func() {
		defer func() {
			if _, died := recover().(death); !died {
				t.Fatal("it was not killed")
			}
		}()
		_, _ = r.Answer(t.Context(), request)
	}()
	if !lost() {
		t.Fatal("the first write took nothing: the test shows nothing")
	}
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if pool, _, _ := w.fake.Pool(poolID); lost() || object(pool, "SmsConfiguration")["ExternalId"] != "theirs" {
		t.Errorf("%s (%s): given back is %v", out.Outcome, out.Reason, pool["SmsConfiguration"])
	}
}
