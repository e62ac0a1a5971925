package reconcile_test

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// slow delays each write and each document that is read by up to a few milliseconds, so that two processes meet in
// every order.
type slow struct {
	reconcile.Pools
	wrote *atomic.Bool
}

func (s slow) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	time.Sleep(rand.N(3 * time.Millisecond))
	return s.Pools.Read(ctx, id, want)
}

func (s slow) Write(ctx context.Context, id string, r userpool.Request) (string, error) {
	time.Sleep(rand.N(3 * time.Millisecond))
	request, err := s.Pools.Write(ctx, id, r)
	s.wrote.Store(s.wrote.Load() || err == nil)
	time.Sleep(rand.N(3 * time.Millisecond))
	return request, err
}

// runs is how often each of two processes handles an event in a round.
const runs = 4

// duel has two processes remediate one pool at the same time, while somebody turns MFA off again after each of them,
// and reports whether both wrote. SetUserPoolMfaConfig drops the SMS sender each time; it is never lost.
func duel(t *testing.T, books reconcile.Ledger, want outcome.Ending) (bothWrote bool) {
	t.Helper()
	b, stop := start(t.Fatalf, cognitotest.Measured)
	defer stop()
	b.whole(mfaOff)
	before := b.snapshot(t)
	b.fake.Inject(takesSMS)
	required := parse(t, "version: 1\nflapBudget: {times: 1000, minutes: 60}\nrules: [{name: all, require: {"+
		strings.ReplaceAll(totpOptional, "\n", ", ")+"}}]")
	var wrote [2]atomic.Bool
	var both sync.WaitGroup
	for i := range wrote {
		r := b.reconciler(required)
		r.Pools, r.Ledger, r.LeaseWait, r.Now = slow{b.client, &wrote[i]}, books, time.Hour, time.Now
		r.Sleep = func(context.Context, time.Duration) error { time.Sleep(time.Millisecond); return nil }
		both.Go(func() {
			for range runs {
				cause := event.Cause{EventID: crand.Text(), EventName: "SetUserPoolMfaConfig"}
				out, err := r.Reconcile(t.Context(), onPool(cause))
				if want == outcome.Deferred {
					if out.Outcome != want || err == nil {
						t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
					}
				} else if err = cmp.Or(err, r.Close(t.Context(), out)); err != nil {
					t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
				}
				b.fake.Edit(poolID, mfaOff)
			}
		})
	}
	both.Wait()
	if moved := difference(before, b.snapshot(t)); len(moved) > 0 {
		t.Errorf("with MFA off again, these differ: %q", moved)
	}
	return wrote[0].Load() && wrote[1].Load()
}

// TestTwoProcesses: two processes at once on one pool with MFA and SMS never lose the SMS sender, and both get to write
// in most rounds. Without the ledger, none of them writes. Each round has a ledger of its own: a run reads all records
// of its pool, of which there would be thousands.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	rounds := 10
	if os.Getenv("POOLKEEPER_CAMPAIGN") == "full" {
		rounds = 200
	}
	for name, open := range map[string]func(t *testing.T) (fresh func(round int) reconcile.Ledger){
		"memory": func(*testing.T) func(int) reconcile.Ledger {
			return func(int) reconcile.Ledger { return ledger.NewMemory() }
		},
		"dynalite": func(t *testing.T) func(int) reconcile.Ledger { return tables(t, mototest.Dynalite(t)) },
		"moto": func(t *testing.T) func(int) reconcile.Ledger {
			return tables(t, mototest.OneAtATime(t, mototest.Start(t)))
		},
		"no ledger": func(*testing.T) func(int) reconcile.Ledger {
			return func(int) reconcile.Ledger { return down{} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fresh, bothWrote, want := open(t), 0, outcome.Remediated
			if name == "no ledger" {
				want = outcome.Deferred
			}
			for round := range rounds {
				if duel(t, fresh(round), want) {
					bothWrote++
				}
			}
			t.Logf("%d rounds, both processes wrote in %d", rounds, bothWrote)
			if want == outcome.Deferred && bothWrote > 0 || want != outcome.Deferred && bothWrote*2 < rounds {
				t.Errorf("both processes wrote in %d of %d rounds", bothWrote, rounds)
			}
		})
	}
}

// tables makes a table for each round.
func tables(t *testing.T, url string) func(round int) reconcile.Ledger {
	return func(round int) reconcile.Ledger {
		name := fmt.Sprint("ledger", round)
		return ledger.Table{Client: mototest.Table(t, url, name), Name: name}
	}
}

// down is a ledger that cannot be reached.
type down struct{}

var errDown = errors.New("the table is gone")

func (down) Acquire(context.Context, string, string, time.Time, time.Time) (bool, error) {
	return false, errDown
}

func (down) History(context.Context, string, time.Time, bool) (outcome.History, error) {
	return outcome.History{}, errDown
}

func (down) Record(context.Context, string) (outcome.Record, error) {
	return outcome.Record{}, errDown
}
func (down) Put(context.Context, outcome.Record) error                { return errDown }
func (down) Note(context.Context, string, map[string]time.Time) error { return errDown }
