package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// A ledgered bench has a ledger that outlives a process, and a clock that moves when somebody sleeps.
type ledgered struct {
	bench
	ledger reconcile.Ledger
	mutex  *sync.Mutex
	now    *time.Time
}

// ledgeredOn starts a fake beside an empty ledger. stop ends it.
func ledgeredOn(fatal func(string, ...any), mode cognitotest.Mode) (w ledgered, stop func()) {
	now := clock
	b, stop := start(fatal, mode)
	return ledgered{bench: b, ledger: ledger.NewMemory(), mutex: &sync.Mutex{}, now: &now}, stop
}

// withLedger plants a pool with every member set.
func withLedger(t testing.TB) ledgered {
	t.Helper()
	w, stop := ledgeredOn(t.Fatalf, cognitotest.Measured)
	t.Cleanup(stop)
	w.rich(nil)
	return w
}

// weakened is a pool that lost its deletion protection, which is required, and the event of that a minute later.
func weakened(t testing.TB) (w ledgered, required *baseline.Baseline, request event.Request) {
	t.Helper()
	w, required = withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	request = call("one", "Admin", w.time())
	w.pass(time.Minute)
	return w, required, request
}

// pass lets time go by.
func (w ledgered) pass(d time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	*w.now = w.now.Add(d)
}

func (w ledgered) time() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return *w.now
}

const ownRole = "arn:aws:iam::111122223333:role/Poolkeeper"

// process returns the reconciler of a new process, which knows nothing but what is in the ledger.
func (w ledgered) process(required *baseline.Baseline) *reconcile.Reconciler {
	r := w.reconciler(required)
	r.Ledger, r.OwnRole, r.Now = w.ledger, ownRole, w.time
	r.Sleep = func(ctx context.Context, d time.Duration) error { w.pass(max(d, 0)); return ctx.Err() }
	return r
}

// call is the request of an event about an UpdateUserPool by a role, made at a time.
func call(id, role string, at time.Time, named ...string) event.Request {
	return event.Request{Kind: event.One, UserPoolID: poolID, Named: named, Call: tabled("UpdateUserPool"),
		Cause: event.Cause{EventID: id, EventName: "UpdateUserPool", Time: at, RequestID: "request-" + id,
			Actor:  "arn:aws:sts::111122223333:assumed-role/" + role + "/x",
			Issuer: "arn:aws:iam::111122223333:role/" + role}}
}

// tabled is a call of the event table.
func tabled(name string) event.Name {
	table := event.Table()
	return table[slices.IndexFunc(table, func(n event.Name) bool { return n.Name == name })]
}

// deliver has a process do what a request asks for, as the function does: it ends with Close.
func deliver(ctx context.Context, r *reconcile.Reconciler, request event.Request) (outcome.Outcome, error) {
	out, err := r.Reconcile(ctx, request)
	if closed := r.Close(ctx, out); err == nil {
		err = closed
	}
	return out, err
}

// answer delivers a request to a new process, and demands that it ends without an error.
func (w ledgered) answer(t testing.TB, required *baseline.Baseline, request event.Request) outcome.Outcome {
	t.Helper()
	out, err := deliver(t.Context(), w.process(required), request)
	if err != nil {
		t.Fatalf("answering %s: %v", request.Cause.EventID, err)
	}
	return out
}

// kill delivers a request to a process that dies before a write, once so many of its writes were made.
func (w ledgered) kill(t testing.TB, required *baseline.Baseline, request event.Request, made int) {
	t.Helper()
	doomed := w.process(required)
	p := &process{Pools: w.client, Ledger: w.ledger, strike: func(operation string, n int) wrong {
		return wrong{kills: operation == "Write" && n > made}
	}}
	doomed.Pools, doomed.Ledger = p, p
	_, _ = doomed.Reconcile(t.Context(), request)
	if !p.dead {
		t.Fatal("it was not killed")
	}
}

// A process makes the calls of a run, of which some go wrong. From its death on, none has any effect.
type process struct {
	reconcile.Pools
	reconcile.Ledger
	// strike says what goes wrong with the nth call of an operation, counted from 1.
	strike func(operation string, n int) wrong

	mutex sync.Mutex
	met   map[string]int
	dead  bool
}

var errDead = errors.New("the process is dead")

// do makes a call, or what a fault makes of it.
func (p *process) do(ctx context.Context, operation string, call func() error) error {
	w, dead := p.meet(operation)
	if dead {
		return errDead
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	fails := w.kills || w.Error != "" || w.Drop
	if !fails || w.Apply {
		if err := call(); err != nil && !fails {
			return err
		}
	}
	p.mutex.Lock()
	p.dead = p.dead || w.kills
	p.mutex.Unlock()
	if w.lapse != nil {
		w.lapse()
	}
	switch {
	case w.kills:
		return errDead
	case fails:
		return errors.New(w.Error + ": " + w.Message)
	default:
		return nil
	}
}

func (p *process) meet(operation string) (w wrong, dead bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.dead {
		return wrong{}, true
	}
	if p.met == nil {
		p.met = map[string]int{}
	}
	p.met[operation]++
	w = p.strike(operation, p.met[operation])
	p.dead = w.kills && !w.Apply
	return w, false
}

func (p *process) Read(ctx context.Context, id string, want userpool.Want) (s userpool.State, err error) {
	err = p.do(ctx, "Read", func() (err error) { s, err = p.Pools.Read(ctx, id, want); return err })
	return s, err
}

func (p *process) Document(ctx context.Context, id string, name baseline.DocumentName) (d map[string]any, err error) {
	err = p.do(ctx, "Document", func() (err error) { d, err = p.Pools.Document(ctx, id, name); return err })
	return d, err
}

func (p *process) Write(ctx context.Context, id string, r userpool.Request) (request string, err error) {
	err = p.do(ctx, "Write", func() (err error) { request, err = p.Pools.Write(ctx, id, r); return err })
	return request, err
}

func (p *process) Acquire(ctx context.Context, pool, owner string, now, until time.Time) (ok bool, err error) {
	err = p.do(ctx, "Acquire", func() (err error) { ok, err = p.Ledger.Acquire(ctx, pool, owner, now, until); return err })
	return ok, err
}

func (p *process) History(ctx context.Context, pool string, since time.Time, consistent bool,
) (h outcome.History, err error) {
	err = p.do(ctx, "History", func() (err error) {
		h, err = p.Ledger.History(ctx, pool, since, consistent)
		return err
	})
	return h, err
}

func (p *process) Record(ctx context.Context, id string) (r outcome.Record, err error) {
	err = p.do(ctx, "Record", func() (err error) { r, err = p.Ledger.Record(ctx, id); return err })
	return r, err
}

func (p *process) Put(ctx context.Context, r outcome.Record) error {
	return p.do(ctx, "Put", func() error { return p.Ledger.Put(ctx, r) })
}
