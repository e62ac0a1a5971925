package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
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

// TestTheRetryOfTheOneAheadLooks lets the one that waits give up after its time, and be tried again once the pool is free: others relied on it meanwhile, so it looks at everything, though its own call was
// seen.
func TestTheRetryOfTheOneAheadLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 620, 620)
		time.Sleep(time.Minute)
		began := time.Now()
		r.deliver(t.Context(), ofSweep(began), 0)
		ahead := r.fake.Event(cognitotest.Call{Operation: "UpdateUserPoolClient", PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q,"ClientId":"web0001"}`, poolID), RequestID: "ahead"}, administrator, began.Add(20*time.Second))
		r.deliver(t.Context(), ahead, 45*time.Second)
		r.queued.Go(func() {
			time.Sleep(300 * time.Second)
			r.fake.Edit(poolID, unprotected)
		})
		r.deliver(t.Context(), r.update("theirs", began.Add(300*time.Second)), 301*time.Second)
		r.queued.Wait()
		if pool, _, _ := r.fake.Pool(poolID); pool["DeletionProtection"] != "ACTIVE" || len(r.lost) > 0 {
			t.Errorf("the pool is %v, lost %v: %+v", pool["DeletionProtection"], r.lost, r.ended)
		}
	})
}

// sweptAs is the event of another sweep.
func sweptAs(id string, at time.Time) []byte {
	return bytes.Replace(ofSweep(at), []byte(`"id":"sweep"`), fmt.Appendf(nil, `"id":%q`, id), 1)
}

// TestSweepsAreNotStarved lets events come every hundred seconds about a pool that takes longer to read: the event of another sweep about it is not given up.
func TestSweepsAreNotStarved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 900, 0)
		time.Sleep(time.Minute)
		began := time.Now()
		r.deliver(t.Context(), ofSweep(began), 0)
		for i := range 4 {
			after := time.Duration(10+i*100) * time.Second
			r.deliver(t.Context(), r.update(fmt.Sprint("call", i), began.Add(after)), after+time.Second)
		}
		r.deliver(t.Context(), sweptAs("second", began.Add(15*time.Second)), 15*time.Second)
		r.queued.Wait()
		if len(r.lost) > 0 {
			t.Errorf("lost %v", r.lost)
		}
	})
}

// TestLeftIsNotMissed: what an event told of that was left to the one that waits is no drift of which nobody told, though a sweep found it first.
func TestLeftIsNotMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t, 600, 0)
		time.Sleep(time.Minute)
		r.deliver(t.Context(), sweptAs("first", time.Now()), 0)
		r.queued.Wait()
		time.Sleep(time.Hour)
		began := time.Now()
		r.fake.Edit(poolID, func(pool, _ map[string]any) {
			pool["DeletionProtection"], pool["LastModifiedDate"] = "INACTIVE", epoch(began)
		})
		r.deliver(t.Context(), sweptAs("second", began.Add(5*time.Second)), 5*time.Second)
		ahead := r.fake.Event(cognitotest.Call{Operation: "UpdateUserPoolClient", PoolID: poolID, Body: fmt.Appendf(nil, `{"UserPoolId":%q,"ClientId":"web0001"}`, poolID), RequestID: "ahead"}, administrator, began)
		r.deliver(t.Context(), ahead, 15*time.Second)
		r.deliver(t.Context(), r.update("theirs", began), 20*time.Second)
		r.queued.Wait()
		time.Sleep(6 * time.Hour)
		r.deliver(t.Context(), sweptAs("third", time.Now()), 0)
		r.queued.Wait()
		for id, outs := range r.ended {
			for _, out := range outs {
				if out.Missed != nil {
					t.Errorf("%s counts %v", id, out.Missed)
				}
			}
		}
	})
}

// pollFails fails one asking for a pool, from some time on.
type pollFails struct {
	reconcile.Ledger
	from   time.Time
	failed atomic.Bool
}

func (p *pollFails) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	if key.Kind == reconcile.PoolKey && time.Now().After(p.from) && !p.failed.Swap(true) {
		return nil, false, errors.New("throttled")
	}
	return p.Ledger.Take(ctx, key, owner, now, until)
}

// placeless is a ledger that fails wherever somebody stands in line.
type placeless struct{ reconcile.Ledger }

func (p placeless) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	if key.Kind == reconcile.PlaceKey {
		return nil, false, errors.New("throttled")
	}
	return p.Ledger.Take(ctx, key, owner, now, until)
}

// TestHeldThoughTheLedgerFails: where nobody can stand in line, or an asking for the pool fails once, the pool is left to the one that has it all the same.
func TestHeldThoughTheLedgerFails(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(book reconcile.Ledger) reconcile.Ledger{
		"the place": func(book reconcile.Ledger) reconcile.Ledger { return placeless{book} },
		"one asking": func(book reconcile.Ledger) reconcile.Ledger {
			return &pollFails{Ledger: book, from: time.Now().Add(61 * time.Second)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t, 250, 250)
				r.ledger = fails(r.ledger)
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
				r.deliver(t.Context(), r.update("theirs", began.Add(55*time.Second)), 56*time.Second)
				r.queued.Wait()
				if last == 0 || other > 0 && other < last {
					t.Errorf("the other wrote after %s, and the one that had the pool until %s", other, last)
				}
			})
		})
	}
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

// TestClientThatGetsARiskOfItsOwn gives a client a risk configuration of its own while the pool is read, whose configuration it had till then: it is not written over with the pool's.
func TestClientThatGetsARiskOfItsOwn(t *testing.T) {
	t.Parallel()
	w := withEverything(t, cognitotest.Measured)
	required := parse(t, strings.ReplaceAll(allDocuments, "web-*", "*")+
		"      - {names: [mobile-app], require: {RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}}}\n")
	w.answer(t, required, w.swept("first", event.Purpose{}))
	weakRisk(w.bench)
	risk := w.fake.Risk(poolID, "")
	object(risk, "RiskExceptionConfiguration")["SkippedIPRangeList"] = list("203.0.113.0/24")
	w.fake.PutRisk(poolID, "", risk)
	w.fake.PutRisk(poolID, "mobile", map[string]any{})
	w.pass(time.Hour)
	var theirs event.Request
	r := w.keeper(required)
	r.Pools = &slowly{Pools: r.Pools, w: w, writes: -1000, change: func() {
		theirs = event.Decode(w.make(t, "SetRiskConfiguration", `"ClientId":"mobile","CompromisedCredentialsRiskConfiguration":{"Actions":{"EventAction":"BLOCK"}},"RiskExceptionConfiguration":{"BlockedIPRangeList":["198.51.100.0/24"]}`), home)
		w.pass(10 * time.Second)
	}}
	out, err := r.Answer(t.Context(), w.swept("second", event.Purpose{}))
	if err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	later := w.answer(t, required, theirs)
	blocked := object(w.fake.Risk(poolID, "mobile"), "RiskExceptionConfiguration")["BlockedIPRangeList"]
	if fmt.Sprint(blocked) != "[198.51.100.0/24]" && len(later.Overwritten) == 0 {
		t.Errorf("%s (%s), then %s (%s): it is %v, and nobody said so", out.Outcome, out.Reason, later.Outcome, later.Reason, blocked)
	}
}
