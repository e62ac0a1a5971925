package reconcile_test

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

// runs is how often each of two processes handles an event in a round.
const runs = 4

// duel has two processes remediate one pool at the same time, while somebody turns MFA off again after each of them,
// and reports whether both wrote. SetUserPoolMfaConfig drops the SMS sender each time; it is never lost. Each call is
// delayed by up to a few milliseconds, so that the two meet in every order.
func duel(t *testing.T, books reconcile.Ledger, want outcome.Ending) (bothWrote bool) {
	t.Helper()
	b := serve(t, cognitotest.Measured)
	defer b.fake.Close()
	b.whole(mfaOff)
	before := b.snapshot(t)
	b.fake.Inject(takesSMS)
	required := parse(t, "version: 1\nflapBudget: {times: 1000, minutes: 60}\nrules: [{name: all, require: {"+
		strings.ReplaceAll(totpOptional, "\n", ", ")+"}}]")
	var two [2]process
	var both sync.WaitGroup
	for i := range two {
		two[i].Pools, two[i].strike = b.client, func(string, int) wrong {
			time.Sleep(rand.N(3 * time.Millisecond))
			return wrong{}
		}
		r := b.reconciler(required)
		r.Pools, r.Ledger, r.LeaseWait, r.Now = &two[i], books, time.Hour, time.Now
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
	return two[0].met["Write"] > 0 && two[1].met["Write"] > 0
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
		"ministack": func(t *testing.T) func(int) reconcile.Ledger { return tables(t, mototest.Ministack(t)) },
		"moto": func(t *testing.T) func(int) reconcile.Ledger {
			return tables(t, mototest.OneAtATime(t, mototest.Start(t)))
		},
		"no ledger": func(*testing.T) func(int) reconcile.Ledger {
			return func(int) reconcile.Ledger { return unreachable(nil) }
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
