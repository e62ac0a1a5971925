package reconcile_test

import (
	"context"
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
)

// An arena is where cells are tried, one after the other: a fake of Cognito, a ledger, people and a clock.
type arena struct {
	ledgered
	required map[string]*baseline.Baseline // parsed, by text
	request  event.Request
	healthy  map[string]string // the pool before the incident
	harmed   []string          // the paths at which the incident made it another one
	cell     cell

	mutex    sync.Mutex
	struck   int                // times the fault struck
	lapse    context.CancelFunc // ends the time of the invocation
	messages []outcome.Outcome
	unsent   int // messages that could not be sent
}

func newArena(t *testing.T, mode cognitotest.Mode) (*arena, func()) {
	w, stop := ledgeredOn(t.Errorf, mode)
	return &arena{ledgered: w, lapse: func() {}, required: map[string]*baseline.Baseline{}}, stop
}

// begin plants the pool and lets the incident happen to it.
func (a *arena) begin(t *testing.T, c cell) {
	a.cell, a.struck, a.messages, a.unsent = c, 0, nil, 0
	a.pass(clock.Sub(a.time()))
	of := incidents[c.incident]
	if a.required[of.required] == nil {
		a.required[of.required] = parse(t, of.required)
	}
	a.ledger = ledger.NewMemory()
	a.fake.ClearFaults()
	a.whole(of.plant)
	a.healthy = a.snapshot(t)
	of.harm(a.bench)
	a.harmed = difference(a.healthy, a.snapshot(t))
	a.request = onPool(event.Cause{EventID: "event", EventName: "UpdateUserPool", Time: a.time(), RequestID: "theirs",
		Actor:  "arn:aws:sts::111122223333:assumed-role/Admin/x",
		Issuer: "arn:aws:iam::111122223333:role/Admin"})
	a.request.Call = event.Name{Name: "UpdateUserPool", Changes: everyDocument()}
	a.pass(time.Minute)
	if of.begun {
		a.kill(t, a.required[of.required], a.request, 2) // after the trial, and the write that takes the sender
		a.pass(longLease)
	}
	a.fake.ResetCalls()
}

// everyDocument returns the names of all documents: the event's call may have changed any of them.
func everyDocument() []string {
	var names []string
	for _, d := range baseline.Documents() {
		names = append(names, string(d.Name))
	}
	return names
}

// inject makes the fault of the cell ready to strike a call to Cognito.
func (a *arena) inject() {
	c := a.cell
	if slices.Contains([]string{atLedger, atNotify, atKill}, c.place) {
		return
	}
	w := c.wrong()
	f := w.Fault
	f.Operation, f.Skip, f.Times = c.operation, c.n-1, c.times
	if w.lapses && w.Apply { // nobody waits for the answer, so what is applied has to be by then
		w.lapses, f.Change = false, func(_, _ map[string]any) { a.endInvocation() }
	}
	f.Then = func(*cognitotest.Server) { a.strike(w) }
	a.fake.Inject(f)
}

// strike does what a fault does besides the answer.
func (a *arena) strike(w wrong) {
	a.mutex.Lock()
	a.struck++
	a.mutex.Unlock()
	if w.Then != nil {
		w.Then(a.fake)
	}
	if w.lapses {
		a.endInvocation()
	}
	a.pass(w.passes)
}

func (a *arena) endInvocation() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.lapse()
}

// process is one to which nothing happens.
func (a *arena) process() *process {
	return &process{Pools: a.client, Ledger: a.ledger, strike: func(string, int) wrong { return wrong{} }}
}

// struckProcess is the one that the fault of the cell strikes.
func (a *arena) struckProcess() *process {
	p, c := a.process(), a.cell
	down := false
	p.strike = func(operation string, n int) wrong {
		isNotify := operation == "Notify"
		isLedger := !isNotify && !slices.Contains([]string{"Read", "Document", "Write"}, operation)
		here := operation == c.operation && n == c.n
		down = down || c.place == atLedger && c.times == 0 && here
		if !here && (!down || !isLedger) || !slices.Contains([]string{atLedger, atNotify, atKill}, c.place) {
			return wrong{}
		}
		w := c.wrong()
		late := w
		late.lapses = w.lapses && !w.Apply
		a.strike(late)
		if w.lapses && w.Apply {
			w.lapse = a.endInvocation
		}
		return w
	}
	return p
}

// reconciler is that of a process whose clock is too fast by so much.
func (a *arena) reconciler(p *process, skew time.Duration) *reconcile.Reconciler {
	r := a.ledgered.process(a.required[incidents[a.cell.incident].required])
	r.Pools, r.Ledger = p, p
	r.Now = func() time.Time { return a.time().Add(skew) }
	return r
}

// A delivery is what became of the event, delivered once.
type delivery struct {
	out    outcome.Outcome
	err    error
	closed error
	died   bool
}

// deliver gives the event to a process, which notifies people and then closes its records, as the function does.
func (a *arena) deliver(t *testing.T, p *process, r *reconcile.Reconciler) (d delivery) {
	ctx, lapse := context.WithCancel(t.Context())
	defer lapse()
	a.mutex.Lock()
	a.lapse = lapse
	a.mutex.Unlock()
	d.out, d.err = r.Reconcile(ctx, a.request)
	if !p.dead && notifies(d.out) {
		sent := false
		err := p.do(ctx, "Notify", func() error {
			a.messages, sent = append(a.messages, d.out), true
			return nil
		})
		if err != nil && !sent && !p.dead {
			a.unsent++
		}
	}
	if !p.dead {
		d.closed = r.Close(ctx, d.out)
	}
	d.died = p.dead
	return d
}

// notifies reports whether people are notified of an outcome.
func notifies(out outcome.Outcome) bool {
	switch out.Outcome {
	case outcome.Unconverged, outcome.Partial, outcome.Unfixable, outcome.Remediated, outcome.Drifted:
		return true
	default:
		return len(out.Writes) > 0 || out.Record != ""
	}
}
