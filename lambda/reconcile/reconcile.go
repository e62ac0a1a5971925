package reconcile

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
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
	// LeaseWait is how long a lease that another run holds is waited for.
	LeaseWait time.Duration
	// MostClients is how many app clients one run handles, 0 for any number. The others are in Outcome.Clients.
	MostClients int
	Now         func() time.Time
	Sleep       func(context.Context, time.Duration) error // ends early, with the context's error
	Jitter      func(time.Duration) time.Duration          // spreads a wait

	reads *reads
}

// New returns a Reconciler that lives by the real clock.
func New(pools Pools, required *baseline.Baseline, ledger Ledger) *Reconciler {
	return &Reconciler{Pools: pools, Baseline: required, Ledger: ledger, Now: time.Now, Sleep: cognito.Sleep,
		Jitter: func(d time.Duration) time.Duration { return d/2 + rand.N(d) }, reads: &reads{}}
}

const (
	attempts    = 4                      // how often a busy pool is read and decided before the request is deferred
	firstWait   = 500 * time.Millisecond // before the second attempt; each further one waits twice as long
	writeTime   = 5 * time.Second        // without it for a write and its verification, no write is started
	leaseTime   = 60 * time.Second       // of a lease, renewed before each write
	clockSkew   = 5 * time.Second        // how far the clocks of two processes may be apart
	settledTime = 3 * time.Second        // how long a read may show an older state
)

// Reconcile brings one pool to the baseline, as far as the request's scope goes. The error is nil or a
// *DeferredError, and then the outcome is Deferred. Whoever calls it notifies people and then calls Close.
func (r *Reconciler) Reconcile(ctx context.Context, request event.Request) (Outcome, error) {
	return r.begin(request).reconcile(ctx, "")
}

// ReconcileFrom is Reconcile of the whole pool for a plan that was shown before: where the pool is no longer in the
// state with that digest, nothing is written, and the outcome is Drifted with the reason MovedReason.
func (r *Reconciler) ReconcileFrom(ctx context.Context, id, state string, cause event.Cause) (Outcome, error) {
	return r.begin(event.Request{Kind: event.One, UserPoolID: id, Cause: cause}).reconcile(ctx, state)
}

// MovedReason says that a pool is not as it was when it was planned.
const MovedReason = "the pool is no longer in the state that the plan was made for"

// GoneReason says that a pool does not exist, or not any more.
const GoneReason = "there is no such user pool here"

// Close closes the records of a run, once people are notified of its outcome. A run that dies before is reported by
// the next run of the pool.
func (r *Reconciler) Close(ctx context.Context, out Outcome) error {
	ctx, stop := closing(ctx)
	defer stop()
	for _, record := range out.Details.open {
		if err := r.Ledger.Put(ctx, record); err != nil {
			return err
		}
	}
	return nil
}

// A Preview is what Reconcile would do to a pool in the state in which it was read.
type Preview struct {
	// Outcome has what would be fixed as StatePlanned, and as Writes the calls that would be made. It is Drifted where
	// anything would be written or is skipped, else Unfixable, Exempted, Unchanged or Ignored.
	Outcome
	Required []string // the settings that are required of the pool and its clients
	State    string   // digest of the whole state, for ReconcileFrom; "" of an ignored pool
	Before   userpool.State
}

// reads remembers in the process when pools were last read as a whole without drift.
type reads struct {
	mutex sync.Mutex
	last  map[string]lastRead
}
