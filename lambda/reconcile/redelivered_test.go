package reconcile_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// indebted is a pool from which the first of two writes takes the sender of text messages, until the second gives it back.
func indebted(t *testing.T) (w ledgered, lost func() bool) {
	t.Helper()
	w = withLedger(t)
	_, mfa := cognitotest.Rich()
	w.fake.Edit(poolID, func(pool, is map[string]any) {
		noTexts(pool, is)
		is["SmsMfaConfiguration"] = mfa["SmsMfaConfiguration"]
	})
	return w, func() bool {
		pool, _, _ := w.fake.Pool(poolID)
		return pool["SmsConfiguration"] == nil
	}
}

// killedInDebt is such a pool after a process was killed between the two writes.
func killedInDebt(t *testing.T) (w ledgered, lost func() bool, required *baseline.Baseline, request event.Request) {
	t.Helper()
	w, lost = indebted(t)
	required, request = require(t, noTextFactor), call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, w.keeper(required), request, 1)
	return w, lost, required, request
}

const noTextFactor = "SmsMfaConfiguration: {absent: true}"

// TestKilledTwice kills the process between two writes, and the one that was to go on as well: what the first took is still given back.
func TestKilledTwice(t *testing.T) {
	t.Parallel()
	w, lost, required, request := killedInDebt(t)
	w.pass(2 * time.Minute)
	w.kill(t, w.keeper(required), request, 0)
	if !lost() {
		t.Fatal("the writes took nothing: the test shows nothing")
	}
	w.pass(2 * time.Minute)
	if out := w.answer(t, required, request); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestOwedOutlivesDeferral lets the second of two writes be throttled, and then the read of those who come after: each of them defers the event, and none forgets what is owed.
func TestOwedOutlivesDeferral(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]cognitotest.Fault{
		"write throttled": {Operation: "UpdateUserPool", Error: "TooManyRequestsException"},
		"read throttled":  {Operation: "DescribeUserPool", Skip: 1, Error: "TooManyRequestsException"},
		"read denied":     {Operation: "DescribeUserPool", Skip: 1, Error: "AccessDeniedException", Message: "no"},
		"gone":            {Operation: "DescribeUserPool", Skip: 1, Error: "ResourceNotFoundException", Message: "no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, lost := indebted(t)
			required := require(t, noTextFactor)
			request := call("one", "Admin", w.time())
			w.pass(time.Minute)
			w.fake.Inject(fault)
			w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "TooManyRequestsException"})
			for range 2 {
				out, err := w.keeper(required).Answer(t.Context(), request)
				if err == nil || out.Outcome != reconcile.Deferred || !strings.Contains(out.Reason, "SmsConfiguration may have been lost meanwhile, and is given back when the event comes again") {
					t.Errorf("%s (%s)", out.Outcome, out.Reason)
				}
				w.pass(2 * time.Minute)
			}
			if !lost() {
				t.Fatal("the writes took nothing: the test shows nothing")
			}
			w.fake.ClearFaults()
			if out := w.answer(t, required, request); lost() {
				t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// TestOwedOutlivesRefusal lets the write be refused that gives back what the first one took: that is said, and made good when the event comes again.
func TestOwedOutlivesRefusal(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required := require(t, noTextFactor)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
	if out := w.answer(t, required, request); out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, "SmsConfiguration") || !lost() {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
	w.fake.ClearFaults()
	w.pass(time.Minute)
	if out := w.answer(t, required, request); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// deaf is a ledger of which one kind of call fails.
type deaf struct {
	reconcile.Ledger
	to string // the kind of key that cannot be taken, or "record"
}

func (d deaf) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	note, taken, err := d.Ledger.Take(ctx, key, owner, now, until)
	if d.to == string(key.Kind) {
		return nil, false, errLedger
	}
	return note, taken, err
}

func (d deaf) Record(ctx context.Context, id string) (reconcile.Record, error) {
	if d.to == "record" {
		return reconcile.Record{}, errLedger
	}
	return d.Ledger.Record(ctx, id)
}

// TestDebtUnheard lets the ledger fail before it says what a killed process owes to the pool. The pool is as required, so nothing seems to be left to do; but
// the event, delivered again, is no duplicate, and what is owed is given back.
func TestDebtUnheard(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"event", "pool", "record"} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			w, lost, required, request := killedInDebt(t)
			whole := w.ledger
			w.ledger = deaf{whole, to}
			w.pass(2 * time.Minute)
			if out := w.answer(t, required, request); len(out.LedgerFaults) == 0 || !lost() {
				t.Fatalf("%s (%s), faults %q, lost %v: the test shows nothing", out.Outcome, out.Reason, out.LedgerFaults, lost())
			}
			w.ledger = whole
			w.pass(2 * time.Minute)
			if out := w.answer(t, required, request); lost() {
				t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// TestWatchedEventAfterKill gives back what a killed process owes on an event of another kind, and still reports what that event tells of.
func TestWatchedEventAfterKill(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required := parse(t, "version: 1\nrules: [{name: all, watch: [groups], require: {"+noTextFactor+"}}]")
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, w.keeper(required), request, 1)
	w.pass(2 * time.Minute)
	told := call("two", "Admin", w.time())
	told.Subject, told.Call = "admins", event.Name{Name: "CreateGroup", Watched: "groups", Happened: "created"}
	out := w.answer(t, required, told)
	if lost() || states(out)["groups[admins]"] != reconcile.Reported {
		t.Errorf("%s (%s) %v, not given back: %v", out.Outcome, out.Reason, states(out), lost())
	}
}

// TestWorthAnother delivers an event again that came to its end without the pool being right. It is no duplicate, and no look that saw nothing stands in its way, nor in that of another event.
func TestWorthAnother(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault cognitotest.Fault
		first reconcile.Word
	}{
		"write denied":        {cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"}, reconcile.Unfixable},
		"read denied":         {cognitotest.Fault{Operation: "DescribeUserPool", Error: "AccessDeniedException", Message: "no"}, reconcile.Unfixable},
		"gone for a moment":   {cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException", Message: "no"}, reconcile.Ignored},
		"elsewhere, it seems": {cognitotest.Fault{Operation: "UpdateUserPool", Error: "OperationNotEnabledException", Message: "no"}, reconcile.Ignored},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required, request := weakened(t)
			w.fake.Inject(c.fault)
			if out := w.answer(t, required, request); out.Outcome != c.first {
				t.Errorf("%s (%s), want %s", out.Outcome, out.Reason, c.first)
			}
			w.fake.ClearFaults()
			w.pass(time.Minute)
			if name == "read denied" {
				request = call("two", "Admin", clock) // made before the pool was not read
			}
			if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated {
				t.Errorf("delivered again: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// once is a ledger of which one call fails, after it was made.
type once struct {
	reconcile.Ledger
	failed bool
	taking bool // it is the taking of an event; or else the list of the records
}

func (o *once) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	note, taken, err := o.Ledger.Take(ctx, key, owner, now, until)
	if o.taking && !o.failed {
		o.failed = true
		return nil, false, errLedger
	}
	return note, taken, err
}

func (o *once) Records(ctx context.Context, pool string, from time.Time) ([]reconcile.Record, error) {
	if !o.taking && !o.failed {
		o.failed = true
		return nil, errLedger
	}
	return o.Ledger.Records(ctx, pool, from)
}

// TestLedgerFailsOnce lets one call to the ledger fail: what was taken is given back all the same, so that nobody waits for it, and what was written stands in the ledger.
func TestLedgerFailsOnce(t *testing.T) {
	t.Parallel()
	for name, taking := range map[string]bool{"taking the event": true, "the records": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			memory := w.ledger
			w.ledger = &once{Ledger: memory, taking: taking}
			w.fake.Edit(poolID, unprotected)
			request := call("one", "Admin", w.time())
			w.pass(time.Minute)
			out := w.answer(t, required, request)
			if out.Outcome != reconcile.Remediated || len(out.LedgerFaults) != 1 {
				t.Errorf("%s, faults %q", out.Outcome, out.LedgerFaults)
			}
			if _, err := memory.Record(t.Context(), out.Record); !taking && err != nil {
				t.Errorf("record %q: %v", out.Record, err)
			}
			for _, next := range []string{"one", "two"} {
				w.pass(5 * time.Second)
				before := w.time()
				if out := w.answer(t, required, call(next, "Admin", before)); out.Outcome == reconcile.Deferred || w.time().Sub(before) > time.Second {
					t.Errorf("%s waits %s: %s (%s)", next, w.time().Sub(before), out.Outcome, out.Reason)
				}
			}
		})
	}
}

// TestNoRecordIsNamed names no record that the ledger did not take.
func TestNoRecordIsNamed(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.ledger = broken{w.ledger, "put"}
	w.fake.Edit(poolID, unprotected)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated || out.Record != "" {
		t.Errorf("%s, record %q", out.Outcome, out.Record)
	}
}

// TestClockAhead lets a process look at the pool whose clock is minutes ahead: it covers no event that comes after it, and keeps nobody from taking a turn.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	ahead := w.keeper(required)
	ahead.Now = func() time.Time { return w.time().Add(5 * time.Minute) }
	if out, err := ahead.Answer(t.Context(), call("one", "Admin", w.time())); err != nil || out.Outcome != reconcile.Unchanged {
		t.Fatalf("%s (%s), %v", out.Outcome, out.Reason, err)
	}
	w.pass(10 * time.Second)
	w.fake.Edit(poolID, unprotected)
	request := call("two", "Admin", w.time())
	w.pass(time.Minute)
	before := w.time()
	if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated || w.time().Sub(before) > 10*time.Second {
		t.Errorf("%s (%s) after %s", out.Outcome, out.Reason, w.time().Sub(before))
	}
}

// TestClientSaidToBeGone lets a client be said to be gone, or none be listed, when there is drift in it: that is no look at it, or is asked for twice.
func TestClientSaidToBeGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    cognitotest.Fault
		deferred bool
	}{
		"gone":        {cognitotest.Fault{Operation: "DescribeUserPoolClient", Error: "ResourceNotFoundException", Message: "gone", Times: 1}, true},
		"none listed": {cognitotest.Fault{Operation: "ListUserPoolClients", Body: []byte(`{}`), Times: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), parse(t, campaignBaseline)
			w.whole(nil)
			w.weakenClient()
			w.fake.Inject(c.fault)
			request := call("one", "Admin", w.time())
			request.Call.Changes = changes()
			w.pass(time.Minute)
			out, err := w.keeper(required).Answer(t.Context(), request)
			if c.deferred {
				if err == nil || !strings.Contains(out.Reason, "is said to be gone, and is listed") {
					t.Errorf("%s (%s)", out.Outcome, out.Reason)
				}
				out = w.answer(t, required, request)
			}
			if out.Outcome != reconcile.Remediated {
				t.Errorf("%s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// TestForgedDuplicate: an event that somebody sends first, with the id of a real one and asking for less, does not swallow the real one.
func TestForgedDuplicate(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}, watch: [groups]}]")
	w.fake.Edit(poolID, unprotected)
	real := call("one", "Admin", w.time())
	w.pass(time.Minute)
	forged := real
	forged.Call = event.Name{Name: "CreateGroup", Watched: "groups", Happened: "added", Subject: "groupName"}
	forged.Cause.EventName = "CreateGroup"
	if out := w.answer(t, required, forged); out.Outcome != reconcile.Drifted {
		t.Errorf("the forged event: %s (%s)", out.Outcome, out.Reason)
	}
	if out := w.answer(t, required, real); out.Outcome != reconcile.Remediated {
		t.Errorf("the real event: %s (%s)", out.Outcome, out.Reason)
	}
}
