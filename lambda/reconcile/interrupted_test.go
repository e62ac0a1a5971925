package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

const noTextFactor = "SmsMfaConfiguration: {absent: true}"

// withTexts is a pool from which the first of two writes takes the SMS sender, until the second restores it.
func withTexts(t *testing.T) (w ledgered, lost func() bool) {
	t.Helper()
	w = withLedger(t)
	w.fake.Edit(poolID, noTexts)
	textsOn(w.bench)
	return w, func() bool {
		pool, _, _ := w.fake.Pool(poolID)
		return pool["SmsConfiguration"] == nil
	}
}

// interrupted is such a pool two minutes after a process was killed between the two writes.
func interrupted(t *testing.T, required *baseline.Baseline) (w ledgered, lost func() bool, request event.Request) {
	t.Helper()
	w, lost = withTexts(t)
	request = call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, required, request, 2) // after the write that changes nothing, and the one that takes the sender
	if !lost() {
		t.Fatal("the write did not take the SMS sender: the test shows nothing")
	}
	w.pass(2 * time.Minute)
	return w, lost, request
}

// hasCode reports whether a finding has the code.
func hasCode(out outcome.Outcome, code outcome.Code) bool {
	return slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.Code == code })
}

// TestRestoredByTheNext: what a killed process took from the pool is restored by the next run, whatever that run is
// about, and whatever becomes of those in between.
func TestRestoredByTheNext(t *testing.T) {
	t.Parallel()
	const text = "version: 1\nrules: [{name: all, watch: [groups], require: {" + noTextFactor + "}}]"
	busy := func(operation string, skip int) func(*testing.T, ledgered, *baseline.Baseline, event.Request) {
		return func(t *testing.T, w ledgered, required *baseline.Baseline, request event.Request) {
			w.fake.Inject(cognitotest.Fault{Operation: operation, Skip: skip, Error: "TooManyRequestsException"})
			for range 2 {
				out, err := deliver(t.Context(), w.process(required), request)
				if err == nil || out.Outcome != outcome.Deferred {
					t.Errorf("%s (%s)", out.Outcome, out.Reason)
				}
				w.pass(2 * time.Minute)
			}
			w.fake.ClearFaults()
		}
	}
	for name, between := range map[string]func(*testing.T, ledgered, *baseline.Baseline, event.Request){
		"nothing in between":      func(*testing.T, ledgered, *baseline.Baseline, event.Request) {},
		"its write is throttled":  busy("UpdateUserPool", 0),
		"its read is throttled":   busy("DescribeUserPool", 0),
		"its second read is, too": busy("DescribeUserPool", 1),
		"another process is killed": func(t *testing.T, w ledgered, required *baseline.Baseline, request event.Request) {
			w.kill(t, required, request, 0)
			w.pass(2 * time.Minute)
		},
		"the event of our own write": func(t *testing.T, w ledgered, required *baseline.Baseline, _ event.Request) {
			w.fake.ResetCalls()
			own := call("own", "Poolkeeper", w.time())
			w.pass(time.Minute)
			if out := w.answer(t, required, own); len(w.writes()) > 0 {
				t.Errorf("answered with a write: %s (%s), %v", out.Outcome, out.Reason, out.Writes)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			required := parse(t, text)
			w, lost, request := interrupted(t, required)
			between(t, w, required, request)
			watched := call("two", "Admin", w.time())
			watched.Subject = "admins"
			watched.Call = event.Name{Name: "CreateGroup", Watched: "groups", Happened: "created"}
			out := w.answer(t, required, watched)
			if lost() || states(out)["groups[admins]"] != outcome.StateReported {
				t.Errorf("%s (%s) %v, not restored: %v", out.Outcome, out.Reason, states(out), lost())
			}
			w.pass(2 * time.Minute)
			if out := w.answer(t, required, request); out.Outcome != outcome.Unchanged {
				t.Errorf("reported again: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// TestRestoredByAnotherBaseline: what a killed process took is restored, too, where the baseline of the next run
// requires nothing of the pool itself any more.
func TestRestoredByAnotherBaseline(t *testing.T) {
	t.Parallel()
	w, lost, _ := interrupted(t, require(t, noTextFactor))
	another := parse(t, "version: 1\nrules: [{name: all, clients: [{require: {EnableTokenRevocation: true}}]}]")
	out := w.answer(t, another, onPool(event.Cause{EventID: "three", Time: w.time()}))
	if lost() || !hasCode(out, outcome.CodeInterrupted) {
		t.Errorf("%s (%s) %v, not restored: %v", out.Outcome, out.Reason, out.Drifts, lost())
	}
}

// TestRestoreIsReported: a run that only restores says so, and names the interrupted run; one whose restoring write is
// accepted and not carried out says that, too.
func TestRestoreIsReported(t *testing.T) {
	t.Parallel()
	required := require(t, noTextFactor)
	w, lost, _ := interrupted(t, required)
	out := w.answer(t, required, call("two", "Other", w.time()))
	if lost() || len(out.Writes) != 1 || out.Outcome != outcome.Remediated || !hasCode(out, outcome.CodeInterrupted) {
		t.Errorf("%s (%s), writes %v, %v", out.Outcome, out.Reason, out.Writes, out.Drifts)
	}
	w, lost, _ = interrupted(t, required)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Body: []byte(`{}`), Times: 1})
	out = w.answer(t, required, call("two", "Other", w.time()))
	if out.Outcome != outcome.Unconverged || !hasCode(out, outcome.CodeRestore) || !lost() {
		t.Errorf("accepted, and not carried out: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestRestoresEnd has somebody take the SMS sender whenever it was restored: that ends too.
func TestRestoresEnd(t *testing.T) {
	t.Parallel()
	required := require(t, noTextFactor)
	w, _, request := interrupted(t, required)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool",
		Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }})
	w.fake.ResetCalls()
	for i := range 12 {
		if i > 0 {
			request = call(fmt.Sprint("event", i), "terraform-ci", w.time())
			w.pass(time.Minute)
		}
		out := w.answer(t, required, request)
		if i == 0 && (out.Outcome != outcome.Unconverged || !hasCode(out, outcome.CodeRestore)) {
			t.Errorf("%s (%s)", out.Outcome, out.Reason)
		}
	}
	if len(w.writes()) > 5 {
		t.Errorf("written %v", w.writes())
	}
}

// TestKilledAtTheSecondPlan kills a process that had one write accepted and another throttled, when it writes again:
// the next run reports the first one.
func TestKilledAtTheSecondPlan(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, inRule("DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}"))
	w.fake.Edit(poolID, unprotected)
	w.factorOff()
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException", Times: 1})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, required, request, 2)
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if of := states(out); of["DeletionProtection"] != outcome.StateFixed || !hasCode(out, outcome.CodeInterrupted) {
		t.Errorf("%s (%s), %v", out.Outcome, out.Reason, of)
	}
}

// A partialLedger keeps of records what one of them may lack.
type partialLedger struct {
	reconcile.Ledger
	record func(outcome.Record) (outcome.Record, error)
}

func (l partialLedger) Record(ctx context.Context, id string) (outcome.Record, error) {
	rec, err := l.Ledger.Record(ctx, id)
	if err != nil {
		return rec, err
	}
	return l.record(rec)
}

// TestInterruptedWithoutState: what cannot be restored, because the record is unreadable or lacks the state before, is
// reported, and the record is closed; while the ledger fails, the request is deferred.
func TestInterruptedWithoutState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		record   func(outcome.Record) (outcome.Record, error)
		deferred bool
	}{
		"unreadable": {record: func(r outcome.Record) (outcome.Record, error) { return r, outcome.ErrUnreadable }},
		"too large":  {record: func(r outcome.Record) (outcome.Record, error) { return r.Light(), nil }},
		"the ledger fails": {deferred: true, record: func(outcome.Record) (outcome.Record, error) {
			return outcome.Record{}, errors.New("unavailable")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			required := require(t, noTextFactor)
			w, lost, request := interrupted(t, required)
			whole := w.ledger
			w.ledger = partialLedger{whole, func(r outcome.Record) (outcome.Record, error) {
				if r, err := c.record(r); err != nil || r.Before == nil {
					return r.Light(), err
				}
				return r, nil
			}}
			out, err := deliver(t.Context(), w.process(required), request)
			if c.deferred {
				if err == nil {
					t.Errorf("not deferred: %s (%s)", out.Outcome, out.Reason)
				}
				w.ledger = whole
				w.pass(2 * time.Minute)
				if out := w.answer(t, required, request); lost() {
					t.Errorf("not restored: %s (%s)", out.Outcome, out.Reason)
				}
				return
			}
			if err != nil || out.Outcome != outcome.Unconverged || !hasCode(out, outcome.CodeRestore) {
				t.Errorf("%s (%s), %v: %v", out.Outcome, out.Reason, out.Drifts, err)
			}
			w.pass(2 * time.Minute)
			if out := w.answer(t, required, request); out.Outcome != outcome.Unchanged {
				t.Errorf("reported again: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// oddRecords are open records that no run has written like that.
func oddRecords() map[string]outcome.Record {
	sent := []outcome.Sent{{Call: "UpdateUserPool", Document: "UserPool", Status: outcome.Accepted}}
	with := func(restores ...string) []outcome.Sent {
		return []outcome.Sent{{Call: "UpdateUserPool", Document: "UserPool", Status: outcome.Intended,
			Restores: restores}}
	}
	planned := outcome.Finding{Setting: "DeletionProtection", State: outcome.StatePlanned}
	return map[string]outcome.Record{
		"nothing":     {},
		"only writes": {Sent: sent},
		"unknown words": {Outcome: "restored", Sent: []outcome.Sent{{Call: "Do", Document: "x", Status: "done"}},
			Drifts: []outcome.Finding{{State: "done"}, {Setting: "Clients[", Want: []any{map[string]any{}}}}},
		"no document before": {Sent: with("SmsConfiguration", "", "Clients[x].y"),
			Before: &userpool.Backup{UserPoolID: "eu-west-1_Another01"}},
		"odd before": {Sent: with("SmsConfiguration.SnsCallerArn", "Policies"), Drifts: []outcome.Finding{planned},
			Before: &userpool.Backup{Documents: map[baseline.DocumentName]map[string]any{"MfaConfig": nil, "Nonsense": {},
				"UserPool": {"Policies": 5, "Name": list(1), "SmsConfiguration": "x", "LambdaConfig": list()}}}},
		"many writes": {Sent: slices.Repeat(sent, 2000), Drifts: slices.Repeat([]outcome.Finding{planned}, 2000)},
	}
}

// TestOddRecords: nothing comes of a hostile record but that the pool is put right, and that it is not open any more.
func TestOddRecords(t *testing.T) {
	t.Parallel()
	for name, rec := range oddRecords() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required, request := weakened(t)
			rec.ID, rec.UserPoolID, rec.Began = outcome.NewRecordID(poolID, clock, ""), poolID, clock
			if err := w.ledger.Put(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			out := w.answer(t, required, request)
			if pool, _, _ := w.fake.Pool(poolID); pool["DeletionProtection"] != "ACTIVE" {
				t.Errorf("%s (%s)", out.Outcome, out.Reason)
			}
			w.pass(2 * time.Minute)
			if out := w.answer(t, required, request); out.Outcome != outcome.Unchanged {
				t.Errorf("again: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// A witness is pools that read the ledger when a write is made.
type witness struct {
	reconcile.Pools
	ledger reconcile.Ledger
	lacks  []string
}

func (p *witness) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	history, err := p.ledger.History(ctx, id, time.Time{}, true)
	var whole outcome.Record
	if err == nil && len(history.Records) == 1 {
		whole, err = p.ledger.Record(ctx, history.Records[0].ID)
	}
	stands := slices.ContainsFunc(whole.Sent, func(s outcome.Sent) bool {
		return s.Document == request.Document && s.Call == request.Call && bytes.Equal(s.Body, request.Body) &&
			s.At.IsZero() && s.Status == outcome.Intended
	})
	if err != nil || whole.Before == nil || !whole.Open() || !stands {
		p.lacks = append(p.lacks, fmt.Sprintf("%s of %s: %v, %+v", request.Call, request.Document, err, whole.Sent))
	}
	return p.Pools.Write(ctx, id, request)
}

// TestRecordedBeforeItIsWritten: each write is in the record with its body before it is made, and the record is closed
// by Close only.
func TestRecordedBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	w, lost := withTexts(t)
	pools := &witness{Pools: w.client, ledger: w.ledger}
	r := w.process(require(t, noTextFactor))
	r.Pools = pools
	out, err := r.Reconcile(t.Context(), call("one", "Admin", w.time()))
	if err != nil || out.Outcome != outcome.Remediated || lost() || len(out.Writes) != 2 || len(pools.lacks) > 0 {
		t.Fatalf("%s (%s) by %v, %s: %v", out.Outcome, out.Reason, out.Writes, pools.lacks, err)
	}
	for _, closed := range []bool{false, true} {
		if closed {
			if err := r.Close(t.Context(), out); err != nil {
				t.Fatal(err)
			}
		}
		rec, err := w.ledger.Record(t.Context(), out.Record)
		if err != nil || rec.Open() == closed || len(rec.Sent) != 3 {
			t.Errorf("closed %v: %+v: %v", closed, rec, err)
		}
		answered := rec.Sent[1].RequestID != "" && rec.Sent[1].Status == outcome.Accepted
		if closed && (!answered || rec.Outcome != outcome.Remediated || rec.Drifts[0].State != outcome.StateFixed) {
			t.Errorf("the closed record: %+v", rec)
		}
	}
}

// TestAnswersAreRecorded: a refused write is in the record as refused, and the outcome names no record of it; one
// whose answer was lost is named among the writes, once it is verified.
func TestAnswersAreRecorded(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
	out := w.answer(t, required, request)
	history, err := w.ledger.History(t.Context(), poolID, time.Time{}, true)
	if out.Record != "" || err != nil || len(history.Records) != 1 ||
		history.Records[0].Sent[0].Status != outcome.Refused {
		t.Errorf("record %q: %+v: %v", out.Record, history.Records, err)
	}
	w, required, request = weakened(t)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Drop: true, Apply: true, Times: 1})
	out = w.answer(t, required, request)
	if out.Outcome != outcome.Remediated || !slices.Equal(out.Writes, updated) || out.Verified.UnmanagedUnchanged == 0 {
		t.Errorf("%s (%s): writes %v, %+v", out.Outcome, out.Reason, out.Writes, out.Verified)
	}
}

// TestBusyLease: the lease of a run that died is not given away before it expires, and nothing else waits for it.
func TestBusyLease(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.kill(t, required, request, 0)
	w.pass(30 * time.Second)
	out, err := deliver(t.Context(), w.process(required), request)
	if err == nil || !strings.Contains(out.Reason, "another run has the lease") {
		t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
	}
	w.fake.Edit(poolID, sets(protected, "ACTIVE"))
	if out := w.answer(t, required, request); out.Outcome != outcome.Unchanged {
		t.Errorf("a compliant pool waits: %s (%s)", out.Outcome, out.Reason)
	}
	w.fake.Edit(poolID, unprotected)
	w.pass(time.Minute)
	if out := w.answer(t, required, request); out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}
