package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// TestMissedEvent finds drift in a sweep that no event told of, and says since when. What was left or exempted before is no news.
func TestMissedEvent(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, `version: 1
rules:
  - {name: all, require: {DeletionProtection: ACTIVE}}
  - {name: looked-at, mode: audit, require: {UserPoolTier: LITE}}
exemptions: [{pools: {ids: [`+poolID+`]}, settings: [LambdaConfig.PreSignUp], until: 2026-11-01T12:30:00Z, reason: x, owner: y}]
`)
	sweep := func(i int) event.Request {
		return event.Request{Kind: event.One, UserPoolID: poolID, Cause: event.Cause{EventID: fmt.Sprint("sweep", i), EventName: "Reconcile User Pool", Time: w.time()}}
	}
	if out := w.answer(t, required, sweep(0)); out.Missed != nil || out.Outcome != reconcile.Drifted {
		t.Errorf("the first look: %+v", out)
	}
	first := w.time()
	w.pass(time.Hour)
	w.fake.Edit(poolID, unprotected)
	out := w.answer(t, required, sweep(1))
	if out.Missed == nil || !out.Missed.Since.Equal(first) || !slices.Equal(out.Missed.Settings, []string{"DeletionProtection"}) {
		t.Errorf("%+v", out.Missed)
	}
	w.pass(time.Hour)
	if out := w.answer(t, required, sweep(2)); out.Missed != nil {
		t.Errorf("%+v", out.Missed)
	}
}

// epoch is a time as the API gives it.
func epoch(at time.Time) json.Number { return json.Number(strconv.FormatInt(at.Unix(), 10) + ".123") }

// swept is the request of a sweep for the pool.
func (w ledgered) swept(id string, purpose event.Purpose) event.Request {
	return event.Request{Kind: event.One, UserPoolID: poolID, Cause: event.Cause{EventID: id, EventName: "Sweep", Time: w.time()}, Sweep: event.Sweep{Started: w.time(), Purpose: purpose}}
}

// TestMissedInFlight lets a sweep find drift moments after it was made: it counts as missed only if no event tells of it by the next sweep.
func TestMissedInFlight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		comes  func(w ledgered, made time.Time, sweep reconcile.Outcome) event.Request
		missed bool
	}{
		"its event comes": {func(_ ledgered, made time.Time, _ reconcile.Outcome) event.Request { return call("one", "Admin", made) }, false},
		"none comes":      {nil, true},
		"a sweep that its call asked for": {func(w ledgered, made time.Time, _ reconcile.Outcome) event.Request {
			return w.swept("asked", event.Purpose{Asked: made})
		}, false},
		"a sweep that a later call asked for": {func(w ledgered, made time.Time, _ reconcile.Outcome) event.Request {
			return w.swept("asked", event.Purpose{Asked: made.Add(10 * time.Second)})
		}, true},
		"one of what was before": {func(_ ledgered, made time.Time, _ reconcile.Outcome) event.Request {
			return call("one", "Admin", made.Add(-24*time.Hour))
		}, true},
		"one of what came later": {func(w ledgered, _ time.Time, _ reconcile.Outcome) event.Request {
			return call("one", "Admin", w.time().Add(-time.Second))
		}, true},
		"that of our own write": {func(w ledgered, made time.Time, sweep reconcile.Outcome) event.Request {
			own := call("own", "Keeper", made.Add(5*time.Second))
			own.Cause.RequestID = sweep.RequestIDs[0]
			return own
		}, true},
		"one of another document": {func(_ ledgered, made time.Time, _ reconcile.Outcome) event.Request {
			risk := call("one", "Admin", made)
			risk.Call = inTable(t, "SetRiskConfiguration")
			return risk
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, "DeletionProtection: ACTIVE\nRiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}")
			w.answer(t, required, w.swept("first", event.Purpose{}))
			first := w.time()
			w.pass(6 * time.Hour)
			made := w.time()
			w.fake.Edit(poolID, func(pool, _ map[string]any) {
				pool["DeletionProtection"], pool["LastModifiedDate"] = "INACTIVE", epoch(made)
			})
			w.pass(5 * time.Second)
			sweep := w.answer(t, required, w.swept("second", event.Purpose{}))
			if sweep.Outcome != reconcile.Remediated || sweep.Missed != nil {
				t.Fatalf("%s (%s), missed %+v", sweep.Outcome, sweep.Reason, sweep.Missed)
			}
			w.pass(20 * time.Second)
			if c.comes != nil {
				w.answer(t, required, c.comes(w, made, sweep))
			}
			w.pass(5 * time.Minute)
			if early := w.answer(t, required, w.swept("soon", event.Purpose{})); early.Missed != nil {
				t.Errorf("too soon: %+v", early.Missed)
			}
			w.pass(6 * time.Hour)
			out := w.answer(t, required, w.swept("third", event.Purpose{}))
			if (out.Missed != nil) != c.missed || c.missed && (!out.Missed.Since.Equal(first) || !slices.Equal(out.Missed.Settings, []string{"DeletionProtection"})) {
				t.Errorf("%s: missed %+v", out.Outcome, out.Missed)
			}
			w.pass(6 * time.Hour)
			if out := w.answer(t, required, w.swept("fourth", event.Purpose{})); out.Missed != nil {
				t.Errorf("once more: %+v", out.Missed)
			}
		})
	}
}

// TestMissedByTheKilled: what no event told of is counted by the next sweep, if the one that found it is killed when it begins to write; once more than that, not.
func TestMissedByTheKilled(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.answer(t, required, w.swept("first", event.Purpose{}))
	first := w.time()
	w.pass(6 * time.Hour)
	w.fake.Edit(poolID, unprotected)
	w.kill(t, w.keeper(required), w.swept("second", event.Purpose{}), 0)
	w.pass(2 * time.Minute)
	w.fake.Edit(poolID, func(pool, _ map[string]any) { pool["DeletionProtection"] = "ACTIVE" }) // as if the write had been made
	for i, want := range []bool{true, false} {
		out := w.answer(t, required, w.swept(fmt.Sprint("later", i), event.Purpose{}))
		if (out.Missed != nil) != want || want && (!out.Missed.Since.Equal(first) || !slices.Equal(out.Missed.Settings, []string{"DeletionProtection"})) {
			t.Errorf("sweep %d: %s, missed %+v", i, out.Outcome, out.Missed)
		}
		w.pass(6 * time.Hour)
	}
}

// TestMissedIsCountedOnce: what a sweep counted is not counted by the next, though something else moved when it was put right; and what an event told of is not counted because it did not hold.
func TestMissedIsCountedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		told bool // by an event, before the sweeps
		does func(pool, mfa map[string]any)
		want int
	}{
		"something else moves": {false, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["service"] = "added" }, 1},
		"it does not hold":     {true, unprotected, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			w.answer(t, required, w.swept("first", event.Purpose{}))
			w.pass(6 * time.Hour)
			w.fake.Edit(poolID, unprotected)
			w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: c.does})
			theirs := call("told", "Admin", w.time())
			w.pass(10 * time.Second)
			if c.told {
				w.answer(t, required, theirs)
			}
			counted := 0
			for i := range 4 {
				w.pass(6 * time.Hour)
				if out := w.answer(t, required, w.swept(fmt.Sprint("sweep", i), event.Purpose{})); out.Missed != nil {
					counted++
				}
			}
			if counted != c.want {
				t.Errorf("counted %d times, want %d", counted, c.want)
			}
		})
	}
}

// TestMissedBeforeAnotherBaseline: what was to be counted is forgotten with all else when the baseline changes, for nobody may require it any more.
func TestMissedBeforeAnotherBaseline(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.answer(t, required, w.swept("first", event.Purpose{}))
	w.pass(6 * time.Hour)
	w.fake.Edit(poolID, func(pool, _ map[string]any) {
		pool["DeletionProtection"], pool["LastModifiedDate"] = "INACTIVE", epoch(w.time())
	})
	w.answer(t, required, w.swept("second", event.Purpose{}))
	w.pass(6 * time.Hour)
	if out := w.answer(t, require(t, "MfaConfiguration: {oneOf: [ON, OPTIONAL]}"), w.swept("third", event.Purpose{})); out.Missed != nil {
		t.Errorf("%s: missed %+v", out.Outcome, out.Missed)
	}
}

// TestMissedNewPool: the event of a pool's creation can be missed too. One that was there before the first sweep is no news, nor one that an event told of.
func TestMissedNewPool(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for name, c := range map[string]struct {
		created, first time.Duration // before the sweep; no first sweep is known at 0
		told, asked    bool
		fails          bool // the first time
		missed         bool
	}{
		"made after the first sweep":     {2 * hour, 6 * hour, false, false, false, true},
		"made before the first sweep":    {8 * hour, 6 * hour, false, false, false, false},
		"no first sweep is known":        {2 * hour, 0, false, false, false, false},
		"its event told of it":           {2 * hour, 6 * hour, true, false, false, false},
		"the first sweep of it fails":    {2 * hour, 6 * hour, false, false, true, true},
		"a sweep that a call asked for":  {2 * hour, 6 * hour, false, true, false, false},
		"made a moment before the sweep": {time.Minute, 6 * hour, false, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			w.pass(24 * hour)
			created := w.time().Add(-c.created)
			w.fake.Edit(poolID, func(pool, _ map[string]any) {
				pool["DeletionProtection"], pool["CreationDate"], pool["LastModifiedDate"] = "INACTIVE", epoch(created), epoch(created)
			})
			if c.told {
				creation := call("creation", "Admin", created)
				creation.Call = inTable(t, "CreateUserPool")
				w.answer(t, required.InMode(baseline.Audit), creation)
			}
			purpose := event.Purpose{}
			if c.asked {
				purpose.Asked = w.time()
			}
			if c.first > 0 {
				purpose.First = w.time().Add(-c.first)
			}
			if c.fails {
				w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "InternalErrorException"})
				if out, err := w.keeper(required).Answer(t.Context(), w.swept("sweep", purpose)); err == nil || out.Missed != nil {
					t.Errorf("%+v, %v", out, err)
				}
				w.fake.ClearFaults()
			}
			out := w.answer(t, required, w.swept("sweep", purpose))
			if (out.Missed != nil) != c.missed || c.missed && out.Missed.Since.Sub(created).Abs() > time.Second {
				t.Errorf("%s (%s): missed %+v, made %s", out.Outcome, out.Reason, out.Missed, created)
			}
		})
	}
}

// TestSweepsSayWhatForTheyAre: each pool of a sweep is sent with when the first of all sweeps began, or that a call asked for this one; so is what goes on with it.
func TestSweepsSayWhatForTheyAre(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		book, began := ledger.NewMemory(), time.Now().UTC()
		for i, want := range []event.Purpose{{First: began}, {First: began}, {Asked: began.Add(12 * time.Hour)}, {First: began}} {
			var sent []event.Sweep
			l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, sees: func(request event.Request) { sent = append(sent, request.Sweep) }}
			r := reconcile.New(&account{ids: poolIDs(900), page: 60}, required, "")
			r.Bus, r.Ledger, r.Patience = l, book, reconcile.Unattended
			request := event.Request{Kind: event.All, Cause: event.Cause{EventID: fmt.Sprint("sweep", i), Time: time.Now()}}
			if !want.Asked.IsZero() {
				request.Reason, request.Cause.Time = event.RequestLeftOut, want.Asked
			}
			if got := sweepOn(t, r, l, request); got < 2 {
				t.Fatalf("it took %d invocations", got)
			}
			for _, at := range sent {
				if !at.First.Equal(want.First) || !at.Asked.Equal(want.Asked) {
					t.Fatalf("sweep %d: %+v, want %+v", i, at.Purpose, want)
				}
			}
			if len(sent) < 900 {
				t.Errorf("%d were sent", len(sent))
			}
			time.Sleep(6 * time.Hour)
		}
	})
}

// sweepOn runs a sweep to its end, in invocations of four minutes, and returns how many it took.
func sweepOn(t *testing.T, r *reconcile.Reconciler, l *line, request event.Request) (invocations int) {
	t.Helper()
	for {
		ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
		_, err := r.Do(ctx, request, func(reconcile.Outcome) {})
		stop()
		if invocations++; err != nil {
			t.Fatal(err)
		}
		if len(l.waiting) == 0 {
			return invocations
		}
		began := request.Cause.EventID
		request = event.Decode(l.waiting[0], event.Home{})
		request.Cause.EventID = began + "+"
		l.waiting = l.waiting[1:]
	}
}

// inTable is a call as the function knows it.
func inTable(t *testing.T, name string) event.Name {
	t.Helper()
	table := event.Table()
	at := slices.IndexFunc(table, func(n event.Name) bool { return n.Name == name })
	if at < 0 {
		t.Fatalf("there is no call of %s", name)
	}
	return table[at]
}

// TestMissedAfterItWasRight: what an event's look has found to be right is drift of which nobody told when a sweep finds it, although the last sweep had found and left it too.
func TestMissedAfterItWasRight(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, "version: 1\nrules: [{name: all, mode: audit, require: {DeletionProtection: ACTIVE}}]\n")
	w.fake.Edit(poolID, unprotected)
	w.answer(t, required, w.swept("first", event.Purpose{}))
	w.pass(time.Hour)
	w.fake.Edit(poolID, func(pool, _ map[string]any) { pool["DeletionProtection"] = "ACTIVE" })
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.answer(t, required, request)
	w.pass(time.Hour)
	w.fake.Edit(poolID, unprotected)
	if out := w.answer(t, required, w.swept("second", event.Purpose{})); out.Missed == nil || !slices.Equal(out.Missed.Settings, []string{"DeletionProtection"}) {
		t.Errorf("%s, missed %+v", out.Outcome, out.Missed)
	}
}
