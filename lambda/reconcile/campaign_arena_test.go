package reconcile_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// An arena is where cells are tried, one after the other: a fake of Cognito, one of SNS, a ledger that goes wrong, and a clock.
type arena struct {
	ledgered
	required *baseline.Baseline
	parsed   map[string]*baseline.Baseline
	ledger   *shaky
	sns      *topic
	request  event.Request
	healthy  map[string]string
	cell     cell
	lapse    context.CancelFunc // ends the time of the invocation

	mutex  sync.Mutex
	struck int // times the fault struck where it was meant to
}

func newArena(t *testing.T, mode cognitotest.Mode) (*arena, func()) {
	b, stop := start(func(format string, args ...any) { t.Errorf(format, args...) }, mode)
	now := clock
	a := &arena{ledgered: ledgered{bench: b, mutex: &sync.Mutex{}, now: &now}, parsed: map[string]*baseline.Baseline{}, lapse: func() {}}
	a.sns = newTopic(a)
	return a, func() { a.sns.server.Close(); stop() }
}

// begin plants the pool and lets the incident happen to it.
func (a *arena) begin(t *testing.T, c cell) {
	a.cell, a.struck = c, 0
	a.pass(clock.Sub(a.time()))
	of := incidents[c.incident]
	if a.parsed[of.required] == nil {
		a.parsed[of.required] = parse(t, of.required)
	}
	a.required = a.parsed[of.required]
	a.ledger = &shaky{Ledger: ledger.NewMemory(), arena: a}
	a.ledgered.ledger = a.ledger
	a.keepSomething(t)
	a.fake.ClearFaults()
	a.whole(of.plant)
	a.sns.reset()
	a.healthy = a.snapshot(t)
	of.harm(a.bench)
	a.request = event.Request{Kind: event.One, UserPoolID: poolID, Call: event.Name{Name: "UpdateUserPool", Changes: changes()}, Cause: event.Cause{
		EventID: "event", EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/Admin/x", Issuer: "arn:aws:iam::111122223333:role/Admin", Time: a.time(), RequestID: "theirs"}}
	a.pass(time.Minute)
	if of.begun {
		doomed := a.next()
		doomed.Pools = &killing{doomed.Pools, 1}
		if d := a.deliver(t, doomed, 0); !d.died {
			t.Errorf("%s: the first process lived on", c.incident)
		}
		a.pass(longHeld)
	}
	a.fake.ResetCalls()
	a.ledger.asked = nil
}

// toldOf is a setting of which the ledger keeps that people were told of it.
const toldOf = "EstimatedNumberOfUsers"

// keepSomething keeps a note of the pool that a keeper carries on.
func (a *arena) keepSomething(t *testing.T) {
	key, note := reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}, fmt.Appendf(nil, `{"baseline":%q,"told":{%q:{"at":%q}}}`, a.required.Digest, toldOf, a.time().Add(24*time.Hour).Format(time.RFC3339))
	_, taken, err := a.ledger.Take(t.Context(), key, "earlier", a.time(), a.time())
	if err == nil && taken {
		_, err = a.ledger.Keep(t.Context(), key, "earlier", note, time.Time{})
	}
	if err != nil || !taken {
		t.Errorf("keeping something: %v, %v", taken, err)
	}
}

// changes are the names of all documents: the event's call may have changed any of them.
func changes() []string {
	var names []string
	for _, d := range baseline.Documents() {
		names = append(names, string(d.Name))
	}
	return names
}

// inject makes the fault of the cell ready to strike.
func (a *arena) inject() {
	c := a.cell
	w := wrongs[c.wrong]
	switch {
	case c.place == atLedger || c.place == atSNS:
	case w.kills: // see mortal
	default:
		f := w.Fault
		f.Operation, f.Skip, f.Times = c.operation, c.skip, c.times
		if w.lapses && w.Apply { // nobody waits for the answer, so what is applied has to be by then
			w.lapses, f.Change = false, func(_, _ map[string]any) { a.lapse() }
		}
		f.Then = func(s *cognitotest.Server) {
			writes := len(a.writes())
			if writesOf()[c.operation] {
				writes-- // the call itself
			}
			a.strike(w, placeOf(c.operation, writes) == c.place)
		}
		a.fake.Inject(f)
	}
}

// strike does what a fault does besides the answer.
func (a *arena) strike(w wrong, inPlace bool) {
	a.mutex.Lock()
	if inPlace {
		a.struck++
	}
	a.mutex.Unlock()
	if w.Then != nil {
		w.Then(a.fake)
	}
	if w.lapses {
		a.lapse()
	}
	a.pass(w.passes)
}

// A delivery is what became of the event, delivered once.
type delivery struct {
	out    reconcile.Outcome
	err    error
	died   bool
	untold int
}

// deliver gives the event to a process, which tells people, as the function does.
func (a *arena) deliver(t *testing.T, keeper *reconcile.Reconciler, skew time.Duration) (d delivery) {
	defer func() {
		if fault := recover(); fault != nil {
			if _, killed := fault.(death); !killed {
				panic(fault)
			}
			d.died = true
		}
	}()
	ctx, lapse := context.WithCancel(t.Context())
	defer lapse()
	a.lapse = lapse
	if skew != 0 {
		keeper.Now = func() time.Time { return a.time().Add(skew) }
	}
	keeper.Tell = func(ctx context.Context, out reconcile.Outcome) bool {
		d.untold = a.sns.tell(ctx, out)
		return d.untold == 0
	}
	d.out, d.err = keeper.Answer(ctx, a.request)
	return d
}

// mortal are pools whose keeper dies at a call.
type mortal struct {
	reconcile.Pools
	arena *arena
	at    target
	after bool
	reads int
	wrote int
}

func (m *mortal) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	here := m.at.place == atRead && m.reads == 0 || m.at.place == atVerify && m.wrote > 0
	m.reads++
	return dying(m, here, func() (userpool.State, error) { return m.Pools.Read(ctx, id, want) })
}

func (m *mortal) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	here := placeOf(request.Call, m.wrote) == m.at.place && request.Call == m.at.operation
	if here && m.at.skip > 0 && m.at.place == atLater {
		here = m.arena.made(request.Call) == m.at.skip
	}
	m.wrote++
	return dying(m, here, func() (string, error) { return m.Pools.Write(ctx, id, request) })
}

// made counts the calls of an operation that were made.
func (a *arena) made(operation string) int {
	n := 0
	for _, call := range a.writes() {
		if call == operation {
			n++
		}
	}
	return n
}

func dying[T any](m *mortal, here bool, do func() (T, error)) (T, error) {
	if here && !m.after {
		m.arena.strike(wrong{}, true)
		panic(death{})
	}
	v, err := do()
	if here {
		m.arena.strike(wrong{}, true)
		panic(death{})
	}
	return v, err
}

// first is the process that the fault strikes.
func (a *arena) first() *reconcile.Reconciler {
	keeper := a.keeper(a.required)
	if w := wrongs[a.cell.wrong]; w.kills && a.cell.place != atLedger {
		keeper.Pools = &mortal{Pools: keeper.Pools, arena: a, at: a.cell.target, after: w.Apply}
	}
	return keeper
}

// next is a process that comes after it.
func (a *arena) next() *reconcile.Reconciler { return a.keeper(a.required) }
