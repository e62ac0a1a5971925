package reconcile_test

import (
	"bytes"
	"cmp"
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

// takesSMS has SetUserPoolMfaConfig drop the SMS sender, as it may.
var takesSMS = cognitotest.Fault{Operation: "SetUserPoolMfaConfig",
	Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }}

// withTexts is a pool from which the first of two writes takes the SMS sender, until the second restores it.
func withTexts(t *testing.T) (w bench, lost func() bool) {
	t.Helper()
	w = withLedger(t)
	w.fake.Edit(poolID, noTexts)
	textsOn(w)
	return w, func() bool {
		pool, _, _ := w.fake.Pool(poolID)
		return pool["SmsConfiguration"] == nil
	}
}

// interrupted is such a pool two minutes after a process was killed between the two writes.
func interrupted(t *testing.T, required *baseline.Baseline) (w bench, lost func() bool, request event.Request) {
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

// An interruptedCase is what comes after a process was killed that had taken the SMS sender.
type interruptedCase struct {
	request  func(w bench, killed event.Request) event.Request // the killed one again, where there is none
	required string                                            // the baseline of the next run, where it is another
	mode     baseline.Mode
	fault    cognitotest.Fault
	record   func(outcome.Record) (outcome.Record, error) // how the ledger answers

	outcome outcome.Ending
	says    string
	lost    bool // the sender is not restored
}

var interruptedCases = map[string]interruptedCase{
	"the same event": {outcome: outcome.Remediated},
	"a watched call": {outcome: outcome.Remediated, says: "groups[admins]",
		request: func(w bench, _ event.Request) event.Request {
			watched := call("two", "Admin", w.time())
			watched.Subject, watched.Call = "admins", event.Name{Name: "CreateGroup", Watched: "groups", Happened: "created"}
			return watched
		}},
	"another baseline, which requires nothing of the pool itself": {outcome: outcome.Remediated,
		required: oneRule(onClients("", "EnableTokenRevocation: true")),
		request: func(w bench, _ event.Request) event.Request {
			return onPool(event.Cause{EventID: "three", Time: w.time()})
		}},
	"our own write": {outcome: outcome.Remediated, lost: true, request: func(w bench, _ event.Request) event.Request {
		return call("own", "Poolkeeper", w.time())
	}},
	"a throttled write":       {outcome: outcome.Deferred, lost: true, fault: refusedWrite(throttled, "")},
	"a throttled read":        {outcome: outcome.Deferred, lost: true, fault: refusedRead(throttled, "")},
	"a throttled second read": {outcome: outcome.Deferred, lost: true, fault: skips(1, refusedRead(throttled, ""))},
	"a ledger that fails": {outcome: outcome.Deferred, lost: true, record: func(outcome.Record) (outcome.Record, error) {
		return outcome.Record{}, errors.New("unavailable")
	}},
	"a restoring write that is accepted, and not carried out": {outcome: outcome.Unconverged, lost: true,
		fault: times(1, answeredRead("UpdateUserPool", `{}`)), says: "could not be restored"},
	// What cannot be restored any more is reported, and the record is closed.
	"an unreadable record": {outcome: outcome.Unconverged, lost: true, says: "could not be restored",
		record: func(r outcome.Record) (outcome.Record, error) { return r.Light(), outcome.ErrUnreadable }},
	"a record without the state before": {outcome: outcome.Unconverged, lost: true, says: "could not be restored",
		record: func(r outcome.Record) (outcome.Record, error) { return r.Light(), nil }},
	"a pool that is gone": {outcome: outcome.Drifted, lost: true, says: "no such user pool",
		fault: refusedRead(goneCode, "")},
	"a rule that only audits": {outcome: outcome.Unconverged, lost: true, mode: baseline.Audit,
		says: "could not be restored: the rule only audits"},
	"no rule that selects the pool": {outcome: outcome.Unconverged, lost: true,
		required: oneRule("pools: {names: [other]}", protects), says: "no rule selects the pool any longer"},
}

// TestRestoredByTheNext: what a killed process took from the pool is restored by the next run, whatever that run is
// about, and the run says so. What cannot be restored is reported once; and while the service or the ledger fails, the
// request is deferred.
func TestRestoredByTheNext(t *testing.T) {
	t.Parallel()
	for name, c := range interruptedCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			required := parse(t, oneRule("watch: [groups], require: {"+noTextFactor+"}"))
			w, lost, killed := interrupted(t, required)
			next, request := required, killed
			if c.required != "" {
				next = parse(t, c.required)
			}
			if c.request != nil {
				request = c.request(w, killed)
				w.pass(time.Minute)
			}
			if c.fault.Operation != "" {
				w.fake.Inject(c.fault)
			}
			r := w.reconciler(next.InMode(cmp.Or(c.mode, baseline.Enforce)))
			if c.record != nil {
				r.Ledger = partialLedger{w.ledger, c.record}
			}
			w.fake.ResetCalls()
			out, err := deliver(t.Context(), r, request)
			if out.Outcome != c.outcome || (err != nil) != (c.outcome == outcome.Deferred) || lost() != c.lost ||
				!strings.Contains(fmt.Sprint(out.Reason, out.Drifts), c.says) {
				t.Errorf("%s (%s) %v, lost %v: %v", out.Outcome, out.Reason, out.Drifts, lost(), err)
			}
			pending := c.outcome == outcome.Deferred || name == "our own write"
			if !hasCode(out, outcome.CodeInterrupted) && c.outcome != outcome.Deferred || len(out.Writes) > 1 ||
				hasCode(out, outcome.CodeRestore) != (c.outcome == outcome.Unconverged) || pending && len(out.Writes) > 0 {
				t.Errorf("findings %v, writes %v", out.Drifts, w.writes())
			}
			w.fake.ClearFaults()
			w.pass(2 * time.Minute)
			again := w.answer(t, required, killed)
			if hasCode(again, outcome.CodeInterrupted) != pending || pending && lost() {
				t.Errorf("then: %s (%s), lost %v", again.Outcome, again.Reason, lost())
			}
		})
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
	r := w.reconciler(require(t, noTextFactor))
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
	out, err := deliver(t.Context(), w.reconciler(required), request)
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
