package reconcile_test

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
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

// A duel is two processes at once on one pool, again and again.
type duel struct {
	rounds, bothWrote int
}

// fight has two processes remediate one pool at the same time, while somebody turns MFA off again after each of them.
// SetUserPoolMfaConfig drops the SMS sender each time; it is never lost.
func (d *duel) fight(t *testing.T, books reconcile.Ledger, rounds int) {
	t.Helper()
	for range rounds {
		b, stop := start(t.Fatalf, cognitotest.Measured)
		b.whole(mfaOff)
		pool, _, _ := b.fake.Pool(poolID)
		sender := pool["SmsConfiguration"]
		b.fake.Inject(takesSMS)
		var wrote [2]atomic.Bool
		var both sync.WaitGroup
		for i := range 2 {
			r := b.reconciler(require(t, mfaAndTOTP))
			r.Pools, r.Ledger, r.LeaseWait, r.Now = slow{b.client, &wrote[i]}, books, time.Hour, time.Now
			r.Sleep = func(context.Context, time.Duration) error { time.Sleep(time.Millisecond); return nil }
			both.Go(func() {
				for range 4 {
					cause := event.Cause{EventID: crand.Text(), EventName: "SetUserPoolMfaConfig"}
					out, err := r.Reconcile(t.Context(), onPool(cause))
					if err == nil {
						err = r.Close(t.Context(), out)
					}
					if err != nil {
						t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
					}
					b.fake.Edit(poolID, mfaOff)
				}
			})
		}
		both.Wait()
		d.rounds++
		if wrote[0].Load() && wrote[1].Load() {
			d.bothWrote++
		}
		pool, _, _ = b.fake.Pool(poolID)
		if got := pool["SmsConfiguration"]; !sameJSON(t, got, sender) {
			t.Errorf("round %d: the SMS sender is %v, want %v", d.rounds, got, sender)
		}
		stop()
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	return string(marshal(t, a)) == string(marshal(t, b))
}

// TestTwoProcesses: two processes at once on one pool with MFA and SMS never lose the SMS sender, and both get to write
// in most rounds.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	d := &duel{}
	d.fight(t, unbudgeted{ledger.NewMemory()}, 20)
	t.Logf("%d rounds, both wrote in %d", d.rounds, d.bothWrote)
	if d.bothWrote*2 < d.rounds {
		t.Errorf("both wrote in %d of %d rounds only", d.bothWrote, d.rounds)
	}
}

// unbudgeted hides the closed records, so that no flap budget is used up.
type unbudgeted struct{ reconcile.Ledger }

func (u unbudgeted) History(ctx context.Context, pool string, since time.Time, consistent bool,
) (reconcile.History, error) {
	h, err := u.Ledger.History(ctx, pool, since, consistent)
	var open []reconcile.Record
	for _, record := range h.Records {
		if record.Open() {
			open = append(open, record)
		}
	}
	h.Records = open
	return h, err
}

// TestLedgerDown: without the ledger a run goes on, and says once what failed, but for writes that may take something
// from the pool: these are deferred.
func TestLedgerDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		required string
		tamper   func(pool, mfa map[string]any)
		outcome  reconcile.Ending
		says     string
	}{
		"one document":     {deletionProtection, unprotected, reconcile.Remediated, ""},
		"MFA and SMS":      {mfaAndTOTP, mfaOff, reconcile.Deferred, "needs the ledger"},
		"nothing to write": {deletionProtection, nil, reconcile.Unchanged, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Measured)
			b.rich(c.tamper)
			before := b.snapshot(t)
			b.fake.Inject(takesSMS)
			r := b.reconciler(require(t, c.required))
			r.Ledger = down{}
			out, err := r.Reconcile(t.Context(), onPool(event.Cause{EventID: "e"}))
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) {
				t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
			}
			if !strings.Contains(out.Details.LedgerError, "the table is gone") {
				t.Errorf("the ledger's error is %q", out.Details.LedgerError)
			}
			for _, path := range difference(before, b.snapshot(t)) {
				if path != "DeletionProtection" {
					t.Errorf("%s is not what it was", path)
				}
			}
		})
	}
}

// down is a ledger that cannot be reached.
type down struct{}

var errDown = errors.New("the table is gone")

func (down) Acquire(context.Context, string, string, time.Time, time.Time) (bool, error) {
	return false, errDown
}

func (down) History(context.Context, string, time.Time, bool) (reconcile.History, error) {
	return reconcile.History{}, errDown
}

func (down) Record(context.Context, string) (reconcile.Record, error) {
	return reconcile.Record{}, errDown
}
func (down) Put(context.Context, reconcile.Record) error              { return errDown }
func (down) Note(context.Context, string, map[string]time.Time) error { return errDown }
