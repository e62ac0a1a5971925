package reconcile

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// Pools reads and writes user pools. Errors are of type *cognito.Error.
type Pools interface {
	Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error)
	Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error)
	Write(ctx context.Context, id string, request userpool.Request) (requestID string, err error)
	List(ctx context.Context, token string) (ids []string, next string, err error)
}

// A Reconciler brings pools to a baseline. It is safe for concurrent use. New fills it.
type Reconciler struct {
	Pools    Pools
	Baseline *baseline.Baseline
	Ledger   Ledger
	OwnRole  string // ARN of our own role; its writes are never answered with a write
	Actor    string // who runs the command, for the record; "" in the function
	// LeaseWait is how long to wait for a lease that another run has.
	LeaseWait time.Duration
	// MostClients is how many app clients one run handles, 0 for any number. The others are in Outcome.Clients.
	MostClients int
	Now         func() time.Time
	Sleep       func(context.Context, time.Duration) error // ends early, with the context's error
	Jitter      func(time.Duration) time.Duration          // spreads a wait

	reads *sync.Map // by pool, the lastRead of this process
}

// New returns a Reconciler that uses the real clock.
func New(pools Pools, required *baseline.Baseline, ledger Ledger) *Reconciler {
	return &Reconciler{Pools: pools, Baseline: required, Ledger: ledger, Now: time.Now, Sleep: cognito.Sleep,
		Jitter: func(d time.Duration) time.Duration { return d/2 + rand.N(d) }, reads: &sync.Map{}}
}

const (
	busyTries     = 4                      // of a unit, while the service is busy or its answers are lost
	firstWait     = 500 * time.Millisecond // before the second attempt; each further one waits twice as long
	writeTime     = 5 * time.Second        // without it for a write and its verification, no write is started
	leaseTime     = 60 * time.Second       // of a lease, renewed before a write if it is older than clockSkew
	clockSkew     = 5 * time.Second        // how far the clocks of two processes may be apart
	staleReadTime = 3 * time.Second        // how long a read may show an older state
)

// Reconcile brings one pool to the baseline, as far as the request's scope goes. The error is nil or a
// *DeferredError, and then the outcome is Deferred. Whoever calls it notifies people and then calls Close.
func (r *Reconciler) Reconcile(ctx context.Context, request event.Request) (outcome.Outcome, error) {
	return r.begin(request).reconcile(ctx, "")
}

// ReconcileFrom reconciles the whole pool if it is still in the planned state, given by its digest. If not, it writes
// nothing and returns Drifted with outcome.MovedReason.
func (r *Reconciler) ReconcileFrom(ctx context.Context, id, state string, cause event.Cause) (outcome.Outcome, error) {
	return r.begin(event.Request{Kind: event.One, UserPoolID: id, Cause: cause}).reconcile(ctx, state)
}

// Close closes the records of a run, once people are notified of its outcome. A run that dies before is reported by
// the next run of the pool.
func (r *Reconciler) Close(ctx context.Context, out outcome.Outcome) error {
	ctx, stop := closing(ctx)
	defer stop()
	for _, record := range out.Details.Open {
		if err := r.Ledger.Put(ctx, record); err != nil {
			return err
		}
	}
	return nil
}
