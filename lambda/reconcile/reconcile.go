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
	OwnRole  string // ARN of our own role; a run never writes in reaction to its calls
	Actor    string // who runs the command, for the record; "" for the function
	// LeaseWait is how long to wait for a lease that another run has. With 0, the request is deferred at once.
	LeaseWait time.Duration
	// MostClients is the largest number of app clients that one run handles, or 0 for no limit. The others are in
	// Outcome.Clients.
	MostClients int
	Now         func() time.Time
	Sleep       func(context.Context, time.Duration) error // returns early with the context's error
	Jitter      func(time.Duration) time.Duration          // randomizes a wait

	reads *sync.Map // by pool, the lastRead of this process
}

// New returns a Reconciler that uses the real clock.
func New(pools Pools, required *baseline.Baseline, ledger Ledger) *Reconciler {
	return &Reconciler{Pools: pools, Baseline: required, Ledger: ledger, Now: time.Now, Sleep: cognito.Sleep,
		Jitter: func(d time.Duration) time.Duration { return d/2 + rand.N(d) }, reads: &sync.Map{}}
}

const (
	busyTries     = 4                      // per unit, while the service is busy or responses are lost
	firstWait     = 500 * time.Millisecond // before the second attempt; doubled for each further one
	writeTime     = 5 * time.Second        // needed for a write and its verification; with less, no write is started
	leaseTime     = 60 * time.Second       // duration of a lease; before a write, one older than clockSkew is renewed
	clockSkew     = 5 * time.Second        // largest difference between the clocks of two processes
	staleReadTime = 3 * time.Second        // how long a read may return an older state
)

// Reconcile brings one pool to the baseline, within the scope of the request. The error is nil or a *DeferredError;
// then the outcome is Deferred. The caller must notify people and then call Close.
func (r *Reconciler) Reconcile(ctx context.Context, request event.Request) (outcome.Outcome, error) {
	return r.begin(request).reconcile(ctx, "")
}

// ReconcileFrom reconciles the whole pool if it is still in the planned state, given by its digest. Otherwise it writes
// nothing and returns Drifted with outcome.MovedReason.
func (r *Reconciler) ReconcileFrom(ctx context.Context, id, state string, cause event.Cause) (outcome.Outcome, error) {
	return r.begin(event.Request{Kind: event.One, UserPoolID: id, Cause: cause}).reconcile(ctx, state)
}

// Close closes the records of a run after the notification. If a run is killed before, the next run of the pool reports
// it.
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
