package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// TestDuplicateSweep delivers the event of a sweep several times, one after the other and at once: the pools are listed and sent once. One that failed is another matter.
func TestDuplicateSweep(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	begins := `{"id": "6a7e8feb", "source": "poolkeeper", "detail-type": "Sweep", "time": "1999-12-31T23:59:50Z", "detail": {"reason": "schedule"}}`
	goesOn := `{"id": "6a7e8feb", "source": "poolkeeper", "detail-type": "Sweep", "time": "1999-12-31T23:59:50Z", "detail": {"token": "60", "started": "1999-12-31T23:59:00Z", "pools": 60}}`
	for name, c := range map[string]struct {
		payload      string
		fails        bool // the first time
		pools, lists int
	}{"one that begins": {begins, false, 200, 4}, "one that goes on": {goesOn, false, 140, 3}, "one that failed": {begins, true, 200, 5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				failing := c.fails
				l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, refuses: func() bool { return failing }}
				a := &account{ids: poolIDs(200), page: 60}
				book := ledger.NewMemory()
				deliver := func() (reconcile.Sweeping, error) {
					r := reconcile.New(a, required, "")
					r.Bus, r.Ledger, r.Patience = l, book, reconcile.Unattended
					result, err := r.Handle(t.Context(), []byte(c.payload), event.Home{}, func(reconcile.Outcome) {})
					return result.(reconcile.Sweeping), err
				}
				if c.fails {
					if _, err := deliver(); err == nil {
						t.Fatal("it did not fail")
					}
					failing = false
				}
				var at sync.WaitGroup
				for range 3 {
					at.Go(func() {
						sweep, err := deliver()
						if err != nil { // it is tried again
							time.Sleep(time.Minute)
							sweep, err = deliver()
						}
						if err != nil || sweep.Outcome != reconcile.Swept && !strings.Contains(sweep.Reason, "the event was handled before") {
							t.Errorf("%+v, %v", sweep, err)
						}
					})
				}
				at.Wait()
				if sweep, err := deliver(); err != nil || sweep.Outcome != reconcile.Ignored {
					t.Errorf("%+v, %v", sweep, err)
				}
				if len(l.took) != c.pools || a.lists != c.lists {
					t.Errorf("%d pools were sent, and %d pages listed", len(l.took), a.lists)
				}
			})
		})
	}
}

// TestSweepOfTheFuture: an event that claims to be the schedule's next one makes a sweep, and takes nothing from that one.
func TestSweepOfTheFuture(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
		book := ledger.NewMemory()
		const forged, timely = "", `"time": "2000-01-01T06:00:00Z", `
		for i, c := range []struct {
			time string
			want reconcile.Word
		}{{timely, reconcile.Swept}, {forged, reconcile.Swept}, {`"time": "2000-01-01T00:00:00Z", `, reconcile.Swept}, {timely, reconcile.Swept}, {timely, reconcile.Ignored}} {
			r := reconcile.New(&account{ids: poolIDs(3), page: 60}, required, "")
			r.Bus, r.Ledger = l, book
			result, err := r.Handle(t.Context(), []byte(`{"id": "schedule/2000-01-01T06:00:00Z", `+c.time+`"source": "poolkeeper", "detail-type": "Sweep", "detail": {"reason": "schedule"}}`), event.Home{}, func(reconcile.Outcome) {})
			if sweep := result.(reconcile.Sweeping); err != nil || sweep.Outcome != c.want {
				t.Errorf("delivery %d: %+v, %v", i+1, sweep, err)
			}
			if i == 2 {
				time.Sleep(6 * time.Hour)
			}
		}
	})
}

// TestCallsOfWhichThePoolIsLeftOut makes a call every two seconds of which CloudTrail leaves out the pool: for each there is a sweep that begins after it, and there are no more than one in half a minute.
// Those that are delivered at once share one.
func TestCallsOfWhichThePoolIsLeftOut(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	template, err := os.ReadFile("../event/testdata/request-null.json")
	if err != nil {
		t.Fatal(err)
	}
	decoded := event.Decode(template, event.Home{})
	for name, c := range map[string]struct{ every, most int }{"one after the other": {2, 30}, "at once": {0, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const calls = 300
				l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
				a := &account{ids: poolIDs(100), page: 60}
				book := ledger.NewMemory()
				began, latest := time.Now(), time.Time{}
				var lambda sync.WaitGroup
				for i := range calls {
					lambda.Go(func() {
						made := began.Add(time.Duration(i*c.every) * time.Second)
						time.Sleep(time.Until(made.Add(4 * time.Second)))
						request := decoded
						request.Cause.EventID, request.Cause.Time = fmt.Sprint("call", i), made
						r := reconcile.New(a, required, "")
						r.Bus, r.Ledger, r.Patience = l, book, reconcile.Unattended
						ctx, stop := context.WithTimeout(t.Context(), lambdaTimeout)
						defer stop()
						result, err := r.Do(ctx, request, func(reconcile.Outcome) {})
						for try := 0; err != nil && try < len(retryAfter); try++ {
							time.Sleep(retryAfter[try])
							result, err = r.Do(ctx, request, func(reconcile.Outcome) {})
						}
						if sweep := result.(reconcile.Sweeping); err != nil || sweep.Outcome != reconcile.Swept && !strings.Contains(sweep.Reason, "after this call") {
							t.Errorf("%+v, %v", sweep, err)
						}
					})
				}
				lambda.Wait()
				for started, pools := range l.sweeps {
					if pools != len(a.ids) {
						t.Errorf("the sweep of %s sent %d pools", started, pools)
					}
					if started.After(latest) {
						latest = started
					}
				}
				if last := began.Add((calls - 1) * time.Duration(c.every) * time.Second); !latest.After(last) {
					t.Errorf("no sweep began after the last call, which was %s after the latest one", last.Sub(latest))
				}
				starts := slices.SortedFunc(maps.Keys(l.sweeps), time.Time.Compare)
				for i, at := range starts[1:] {
					if apart := at.Sub(starts[i]); apart < 29*time.Second { // they are named by the whole second
						t.Errorf("a sweep began %s after another", apart)
					}
				}
				if len(starts) > c.most {
					t.Errorf("%d sweeps", len(starts))
				}
			})
		})
	}
}

// TestCallsDuringALongSweep makes calls without a pool while a sweep for one of them takes twelve minutes: none of their events is given up.
func TestCallsDuringALongSweep(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
		book, began := ledger.NewMemory(), time.Now()
		const calls = 6
		made := func(i int) time.Time { return began.Add(time.Duration(i*20) * time.Second) }
		var lambda sync.WaitGroup
		for i := range calls {
			lambda.Go(func() {
				time.Sleep(time.Until(made(i).Add(4 * time.Second)))
				for try := 0; ; try++ {
					r := reconcile.New(&account{ids: poolIDs(3500), page: 60}, required, "")
					r.Bus, r.Ledger, r.Patience = l, book, reconcile.Unattended
					ctx, stop := context.WithTimeout(t.Context(), lambdaTimeout)
					request := event.Request{Kind: event.All, Reason: event.RequestLeftOut, Cause: event.Cause{EventID: fmt.Sprint("call", i), EventName: "UpdateUserPool", Time: made(i)}}
					_, err := r.Do(ctx, request, func(reconcile.Outcome) {})
					stop()
					if err == nil {
						return
					}
					if try == len(retryAfter) {
						t.Errorf("call %d is given up after %s: %v", i, time.Since(began), err)
						return
					}
					time.Sleep(retryAfter[try])
				}
			})
		}
		lambda.Wait()
		latest := time.Time{}
		for started := range l.sweeps {
			if started.After(latest) {
				latest = started
			}
		}
		if !latest.After(made(calls-1)) || len(l.sweeps) > 2 {
			t.Errorf("%d sweeps, the last at %s", len(l.sweeps), latest.Sub(began))
		}
	})
}

// TestFailedSweepCoversNothing: a sweep that a call asked for and that failed is made when its event comes again, which does not take the failed one for the sweep that answers it.
func TestFailedSweepCoversNothing(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		failing := true
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, refuses: func() bool { return failing }}
		book, made := ledger.NewMemory(), time.Now()
		for i, want := range []reconcile.Word{reconcile.Deferred, reconcile.Swept, reconcile.Ignored} {
			time.Sleep(time.Minute)
			r := reconcile.New(&account{ids: poolIDs(200), page: 60}, required, "")
			r.Bus, r.Ledger, r.Patience = l, book, reconcile.Unattended
			result, _ := r.Do(t.Context(), event.Request{Kind: event.All, Reason: event.RequestLeftOut, Cause: event.Cause{EventID: "call", EventName: "UpdateUserPool", Time: made}}, func(reconcile.Outcome) {})
			if sweep := result.(reconcile.Sweeping); sweep.Outcome != want {
				t.Errorf("delivery %d: %+v", i+1, sweep)
			}
			failing = false
		}
		if len(l.pools) != 200 {
			t.Errorf("%d pools were sent", len(l.pools))
		}
	})
}

// TestOwnCallLeadsToNoWrite: a call of our own role of which CloudTrail left out the pool leads to a sweep that reports and writes nothing, be it with a bus or without, and be there a ledger or none. Were it
// answered with writes, and a setting did not hold, these would lead to sweeps again, without an end.
func TestOwnCallLeadsToNoWrite(t *testing.T) {
	t.Parallel()
	payload, err := os.ReadFile("../event/testdata/update-user-pool.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, bus := range []bool{true, false} {
		for _, remembers := range []bool{true, false} {
			for role, want := range map[string]reconcile.Word{"Keeper": reconcile.Drifted, "AppAdmin": reconcile.Remediated} {
				w, required, _ := weakened(t)
				r := w.keeper(required)
				if !remembers {
					r.Ledger = nil
				}
				var members []event.Request
				if bus {
					r.Bus = &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, sees: func(q event.Request) { members = append(members, q) }}
				}
				outcomes := map[reconcile.Word]int{}
				count := func(out reconcile.Outcome) { outcomes[out.Outcome]++ }
				if _, err := r.Handle(t.Context(), leftOut(t, payload, role), event.Home{}, count); err != nil {
					t.Fatal(err)
				}
				for _, member := range members {
					if _, err := r.Do(t.Context(), member, count); err != nil {
						t.Fatal(err)
					}
				}
				if len(outcomes) != 1 || outcomes[want] != 1 || len(w.writes()) > 0 != (want == reconcile.Remediated) {
					t.Errorf("bus %v, ledger %v, %s: %v, %v", bus, remembers, role, outcomes, w.writes())
				}
			}
		}
	}
}

// TestNobodyReliesOnOwnSweep: the calls of our own role share a sweep among themselves, and no call of others is left to it.
func TestNobodyReliesOnOwnSweep(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
		book, made := ledger.NewMemory(), time.Now()
		time.Sleep(time.Minute)
		for i, c := range []struct {
			role string
			want reconcile.Word
		}{{"Keeper", reconcile.Swept}, {"Keeper", reconcile.Ignored}, {"AppAdmin", reconcile.Swept}, {"AppAdmin", reconcile.Ignored}} {
			r := reconcile.New(&account{ids: poolIDs(20), page: 60}, required, ownRole)
			r.Bus, r.Ledger, r.Patience = l, book, reconcile.Unattended
			result, err := r.Do(t.Context(), event.Request{Kind: event.All, Reason: event.RequestLeftOut,
				Cause: event.Cause{EventID: fmt.Sprint("call", i), EventName: "UpdateUserPool", Issuer: "arn:aws:iam::111122223333:role/" + c.role, Time: made}}, func(reconcile.Outcome) {})
			if sweep, _ := result.(reconcile.Sweeping); err != nil || sweep.Outcome != c.want {
				t.Errorf("%d: %+v, %v", i, sweep, err)
			}
		}
	})
}

// leftOut is the event of a call by a role, without what was asked for.
func leftOut(t *testing.T, payload []byte, role string) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	detail := object(e, "detail")
	detail["requestParameters"] = nil
	issuer := object(detail, "userIdentity", "sessionContext", "sessionIssuer")
	issuer["arn"], issuer["type"], object(detail, "userIdentity")["type"] = "arn:aws:iam::111122223333:role/"+role, "Role", "AssumedRole"
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
