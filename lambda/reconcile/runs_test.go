package reconcile_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	w = withPool(t, cognitotest.Measured, noTexts)
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
	pending bool // the run leaves the record to the next one
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
	"our own write": {outcome: outcome.Remediated, lost: true, pending: true,
		request: func(w bench, _ event.Request) event.Request { return call("own", "Poolkeeper", w.time()) }},
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
	each(t, interruptedCases, interruptedCase.check)
}

func (c interruptedCase) check(t *testing.T) {
	required := parse(t, oneRule("watch: [groups], require: {"+noTextFactor+"}"))
	w, lost, killed := interrupted(t, required)
	if planned := must(w.reconciler(required).Plan(t.Context(), poolID))(t); !slices.Equal(planned.Writes, updated) {
		t.Errorf("planned %v", planned.Writes)
	}
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
	deferred := c.outcome == outcome.Deferred
	if out.Outcome != c.outcome || (err != nil) != deferred || lost() != c.lost ||
		!strings.Contains(fmt.Sprint(out.Reason, out.Drifts), c.says) {
		t.Errorf("%s (%s) %v, lost %v: %v", out.Outcome, out.Reason, out.Drifts, lost(), err)
	}
	pending := deferred || c.pending
	if !hasCode(out, outcome.CodeInterrupted) && !deferred || len(out.Writes) > 1 || pending && len(out.Writes) > 0 ||
		hasCode(out, outcome.CodeRestore) != (c.outcome == outcome.Unconverged) {
		t.Errorf("findings %v, writes %v", out.Drifts, w.writes())
	}
	w.fake.ClearFaults()
	w.pass(2 * time.Minute)
	again := w.answer(t, required, killed)
	if hasCode(again, outcome.CodeInterrupted) != pending || pending && lost() {
		t.Errorf("then: %s (%s), lost %v", again.Outcome, again.Reason, lost())
	}
}

// TestRestoredDespiteStaleReads: the write that restores the SMS sender fails once, and for two seconds reads return
// the pool that still had it. The run restores it, or the next delivery of its event, whatever else comes before.
func TestRestoredDespiteStaleReads(t *testing.T) {
	t.Parallel()
	cases := map[string]cognitotest.Fault{"busy": refusedWrite(throttled, ""),
		"an unknown error": refusedWrite("BrandNewException", ""),
		"lost":             refusedWrite("InternalErrorException", ""), "the time is used up": {Drop: true}}
	each(t, cases, func(f cognitotest.Fault, t *testing.T) {
		w, lost := withTexts(t)
		pool, _, _ := w.fake.Pool(poolID)
		stale, taken := marshal(t, map[string]any{"UserPool": pool}), time.Time{}
		w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig",
			When: func(map[string]any) bool { taken = w.time(); return false }})
		w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Body: stale,
			When: func(map[string]any) bool { return w.time().Before(taken.Add(2 * time.Second)) }})
		ctx, lapse := context.WithCancel(t.Context())
		defer lapse()
		if f.Operation = "UpdateUserPool"; f.Drop {
			f.Then = func(*cognitotest.Server) { lapse() }
		}
		w.fake.Inject(times(1, skips(1, f)))
		required, request := require(t, noTextFactor), call("one", "Admin", w.time())
		if _, err := deliver(ctx, w.reconciler(required), request); err == nil && lost() {
			t.Error("the run ended without restoring the sender")
		}
		w.pass(time.Second)
		w.answer(t, required, call("two", "Admin", w.time()))
		w.pass(time.Minute)
		if w.answer(t, required, request); lost() {
			t.Error("the sender was not restored")
		}
	})
}

// TestEveryInterruptedRunIsReported: two runs are killed one after the other, and the next one reports both.
func TestEveryInterruptedRunIsReported(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	for range 2 {
		w.kill(t, required, request, 0)
		w.pass(longLease)
	}
	if out := w.answer(t, required, request); strings.Count(out.Reason, "(record "+poolID) != 2 {
		t.Errorf("not both runs are reported: %s", out.Reason)
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
	w := withPool(t, cognitotest.Measured, unprotected)
	required := parse(t, inRule("DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}"))
	w.factorOff()
	w.fake.Inject(times(1, fails("SetUserPoolMfaConfig", throttled, "")))
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, required, request, 2)
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if of := states(out); of["DeletionProtection"] != outcome.StateFixed || !hasCode(out, outcome.CodeInterrupted) {
		t.Errorf("%s (%s), %v", out.Outcome, out.Reason, of)
	}
}

// TestInterruptedMeanwhile: between the first read of an event about the pool and its lease, it turns out that another
// run was interrupted, which had client settings to write. The event is deferred; its next delivery fixes those too.
func TestInterruptedMeanwhile(t *testing.T) {
	t.Parallel()
	w := withPool(t, cognitotest.Measured, unprotected)
	required := parse(t, oneRule(protects, onClients("", "EnableTokenRevocation: true")))
	w.fake.PutClient(poolID, "web", map[string]any{"EnableTokenRevocation": false})
	w.kill(t, required, onPool(event.Cause{EventID: "one", Time: w.time()}), 1)
	w.pass(2 * time.Minute)
	w.fake.Edit(poolID, unprotected)
	w.fake.ResetCalls()
	r, request := w.reconciler(required), call("two", "Admin", w.time())
	r.Ledger = lateLedger{w.ledger}
	out, err := deliver(t.Context(), r, request)
	if err == nil || out.Outcome != outcome.Deferred || len(w.writes()) > 0 {
		t.Errorf("%s (%s), written %v: %v", out.Outcome, out.Reason, w.writes(), err)
	}
	out = w.answer(t, required, request)
	if out.Outcome != outcome.Remediated || !hasCode(out, outcome.CodeInterrupted) ||
		w.fake.Client(poolID, "web")["EnableTokenRevocation"] != true {
		t.Errorf("%s (%s): %v", out.Outcome, out.Reason, out.Drifts)
	}
}

// A lateLedger shows records to consistent reads only.
type lateLedger struct{ reconcile.Ledger }

func (l lateLedger) History(ctx context.Context, pool string, since time.Time, all bool) (outcome.History, error) {
	if !all {
		return outcome.History{}, nil
	}
	return l.Ledger.History(ctx, pool, since, all)
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
			Removes: restores}}
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
	each(t, oddRecords(), func(rec outcome.Record, t *testing.T) {
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
	w.fake.Inject(refusedWrite("AccessDeniedException", "no"))
	out := w.answer(t, required, request)
	records := must(w.ledger.History(t.Context(), poolID, time.Time{}, true))(t).Records
	if out.Record != "" || len(records) != 1 || records[0].Sent[0].Status != outcome.Refused {
		t.Errorf("record %q: %+v", out.Record, records)
	}
	w, required, request = weakened(t)
	w.fake.Inject(lostWrite(1, true))
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

// A flapCase is a setting that is set back each time, until its budget is spent.
type flapCase struct {
	times   int                      // of the budget, within 30 minutes
	harm    func(w bench, n int)     // what somebody does before the nth event, counted from 0
	faults  []cognitotest.Fault      // how each write of the pool is set back, and of the MFA configuration refused
	at      time.Duration            // from one delivery to the next
	endings []outcome.Ending         // of the events, each of which is delivered three times while it is deferred
	states  map[string]outcome.State // of the last one, where it is more than the deletion protection
	says    string                   // of the last one
}

func flapCases() map[string]flapCase {
	const fixes, flaps, waits = outcome.Remediated, outcome.Unconverged, outcome.Deferred
	setBack := cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected}
	busy := fails("SetUserPoolMfaConfig", throttled, "")
	weaken := func(w bench, _ int) { w.fake.Edit(poolID, unprotected) }
	once := func(w bench, n int) {
		if n == 0 {
			w.fake.Edit(poolID, unprotected)
		}
	}
	return map[string]flapCase{
		"after each run": {times: 3, harm: weaken, at: time.Minute, endings: endings(fixes, fixes, fixes, flaps, flaps),
			says: "it was written 3 times within 30 minutes, and changed back each time (role terraform-ci called 4 times): "},
		"by runs that begin at the same time": {times: 2, harm: weaken, endings: endings(fixes, fixes, flaps)},
		"before it is read back": {times: 3, harm: once, faults: []cognitotest.Fault{setBack}, at: time.Minute,
			endings: endings(flaps, flaps, flaps, flaps, flaps, flaps), says: "it was written 3 times within 30 minutes, and " +
				"3 times the value did not last (role terraform-ci called 4 times): "},
		// What was accepted counts, though no run comes to its end.
		"by runs that are deferred": {times: 3, faults: []cognitotest.Fault{setBack, busy}, at: 2 * time.Minute,
			harm: func(w bench, n int) { once(w, n); w.factorOff() }, endings: endings(waits, waits, waits)},
		"while another setting of its unit is written": {times: 1, at: time.Minute, endings: endings(fixes, flaps),
			states: map[string]outcome.State{protected: left, totp: fixed, "UserPool": outcome.StateReported},
			harm: func(w bench, n int) {
				once(w, n)
				if n == 1 {
					w.factorOff()
					w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: throttled, Times: 1,
						Then: func(s *cognitotest.Server) { s.Edit(poolID, unprotected) }})
				}
			}},
	}
}

// TestFlapBudget has another automation set a setting back each time: once the budget is spent the setting is skipped,
// and both are named, also by a scan. Once the writes are long past, it is written again.
func TestFlapBudget(t *testing.T) {
	t.Parallel()
	each(t, flapCases(), flapCase.check)
}

func (c flapCase) check(t *testing.T) {
	w := withPool(t, cognitotest.Measured, nil)
	required := parse(t, oneRule("require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}")+
		fmt.Sprintf("flapBudget: {times: %d, minutes: 30}\n", c.times))
	for _, f := range c.faults {
		w.fake.Inject(f)
	}
	var out outcome.Outcome
	for n, want := range c.endings {
		c.harm(w, n)
		request := call(fmt.Sprint("event", n), "terraform-ci", w.time())
		for try := 0; try == 0 || out.Outcome == outcome.Deferred && try < 3; try++ {
			w.pass(c.at)
			if out, _ = deliver(t.Context(), w.reconciler(required), request); out.Outcome != want {
				t.Errorf("event %d: %s (%s), want %s", n, out.Outcome, out.Reason, want)
			}
		}
	}
	if !strings.HasPrefix(out.Reason, c.says) ||
		hasCode(out, outcome.CodeFlapping) != (out.Outcome == outcome.Unconverged) {
		t.Errorf("%s: %+v", out.Reason, out.Drifts)
	}
	if c.states != nil && !maps.Equal(c.states, states(out)) {
		t.Errorf("%v, want %v", states(out), c.states)
	}
	scan := onPool(event.Cause{EventName: event.ScanPools, Time: w.time()})
	scan.Scan.Started = w.time()
	out, _ = deliver(t.Context(), w.reconciler(required), scan)
	updates := slices.DeleteFunc(w.writes(), func(call string) bool { return call != "UpdateUserPool" })
	if out.Outcome != outcome.Unconverged && out.Outcome != outcome.Deferred || len(updates) != c.times {
		t.Errorf("a scan: %s (%s), writes: %v", out.Outcome, out.Reason, w.writes())
	}
	w.fake.ClearFaults()
	w.pass(31 * time.Minute)
	if out := w.answer(t, required, call("later", "terraform-ci", w.time())); out.Outcome != outcome.Remediated {
		t.Errorf("once the writes are long past: %s: %s", out.Outcome, out.Reason)
	}
	history := must(w.ledger.History(t.Context(), poolID, clock, true))(t)
	if len(history.Records) != c.times+1 && len(c.faults) < 2 && c.states == nil {
		t.Errorf("%d records", len(history.Records))
	}
}

func endings(all ...outcome.Ending) []outcome.Ending { return all }

// TestRefusedOfEachClient refuses what is required of each of many clients: each costs one write, and none costs
// another read of the pool.
func TestRefusedOfEachClient(t *testing.T) {
	t.Parallel()
	w := withPool(t, cognitotest.Measured, unprotected)
	required := parse(t, oneRule(protects, onClients("", "EnableTokenRevocation: true")))
	for i := range 100 {
		w.fake.PutClient(poolID, fmt.Sprintf("1example23456789client%04d", i),
			map[string]any{"ClientName": fmt.Sprint("client-", i)})
	}
	w.fake.Inject(fails("UpdateUserPoolClient", "AccessDeniedException", "no"))
	request := call("one", "Admin", w.time())
	request.Call.Changes = everyDocument()
	out := w.answer(t, required, request)
	reads := slices.DeleteFunc(w.fake.Calls(), func(c cognitotest.Call) bool { return c.Operation != "DescribeUserPool" })
	if out.Outcome != outcome.Partial || len(reads) > 3 || len(w.writes()) != 101 {
		t.Errorf("%s (%.100s), %d reads, %d writes", out.Outcome, out.Reason, len(reads), len(w.writes()))
	}
}

// TestUndetected counts the enforced drift that a scheduled scan finds and that no event reported: its document
// changed long ago, and nobody was notified of it.
func TestUndetected(t *testing.T) {
	t.Parallel()
	type undetectedCase struct {
		changed             time.Duration // before the scan
		mode                string
		scheduled, notified bool
		want                int
	}
	each(t, map[string]undetectedCase{
		"changed an hour ago":       {time.Hour, "enforce", true, false, 1},
		"its event is still coming": {10 * time.Minute, "enforce", true, false, 0},
		"no scheduled scan":         {time.Hour, "enforce", false, false, 0},
		"audited":                   {time.Hour, "audit", true, false, 0},
		"people know":               {time.Hour, "enforce", true, true, 0},
	}, func(c undetectedCase, t *testing.T) {
		changed := json.Number(fmt.Sprint(clock.Add(-c.changed).Unix(), ".123"))
		w := withPool(t, cognitotest.Measured, alsoUnprotected("LastModifiedDate", changed))
		required := parse(t, oneRule("mode: "+c.mode, protects))
		request := onPool(event.Cause{EventID: "scan"})
		request.Scan.Started, request.Scan.Scheduled = w.time(), c.scheduled
		if c.notified {
			w.fake.Inject(refusedWrite("AccessDeniedException", ""))
			out := w.answer(t, required, call("one", "Admin", w.time()))
			notes := map[string]time.Time{}
			for _, d := range out.Drifts {
				notes[outcome.Fingerprint(poolID, d)] = w.time().Add(time.Hour)
			}
			if err := w.ledger.Note(t.Context(), poolID, notes); err != nil {
				t.Fatal(err)
			}
		}
		if out := w.answer(t, required, request); out.Undetected != c.want {
			t.Errorf("%d undetected, %s (%s)", out.Undetected, out.Outcome, out.Reason)
		}
	})
}

// TestLostUpdate reports a call that was made between our read and our write, and that Cognito accepted too.
func TestLostUpdate(t *testing.T) {
	t.Parallel()
	w, required, cause := weakened(t)
	var theirs event.Request
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(s *cognitotest.Server) {
		// Their change is there a moment before ours is, which was decided without it.
		w.pass(time.Second)
		theirs = call("theirs", "Admin", w.time(), "userPoolId", "userPoolTags", "policies")
		s.Edit(poolID, sets("UserPoolTags.team", "new"))
		w.pass(time.Second)
	}})
	our := w.answer(t, required, cause)
	w.pass(time.Minute)
	out := w.answer(t, required, theirs)
	if out.Outcome != outcome.Drifted || len(out.Drifts) != 1 || out.Drifts[0].Code != outcome.CodeLostUpdate {
		t.Fatalf("%s (%s): %+v", out.Outcome, out.Reason, out.Drifts)
	}
	for _, part := range []string{"UpdateUserPool was called by arn:aws:sts::111122223333:assumed-role/Admin/x at ",
		"between poolkeeper's read and its UpdateUserPool", "userPoolTags, policies", our.Record} {
		if !strings.Contains(out.Drifts[0].Reason, part) {
			t.Errorf("%q does not say %q", out.Drifts[0].Reason, part)
		}
	}
}

// TestLostUpdateAndMore: what a call of the second of our write weakened is put right once more, whether or not the
// call lost something; and a call made while a killed process was at a write is reported.
func TestLostUpdateAndMore(t *testing.T) {
	t.Parallel()
	w, required, cause := weakened(t)
	theirs := call("theirs", "Mallory", w.time(), "userPoolId", "deletionProtection", "policies")
	w.answer(t, required, cause)
	w.fake.Edit(poolID, unprotected)
	theirs.Cause.Time = w.time()
	w.pass(time.Minute)
	out := w.answer(t, required, theirs)
	if states(out)[protected] != fixed || !hasCode(out, outcome.CodeLostUpdate) {
		t.Errorf("%s (%s), %+v", out.Outcome, out.Reason, out.Drifts)
	}
	w, required, cause = weakened(t)
	w.kill(t, required, cause, 0)
	w.pass(10 * time.Second)
	theirs = call("theirs", "Other", w.time(), "userPoolTags")
	w.pass(2 * time.Minute)
	out = w.answer(t, required, theirs)
	if !hasCode(out, outcome.CodeLostUpdate) || !strings.Contains(out.Reason, "UpdateUserPool at an unknown time") {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}

// A lostCase is an event and a write of ours, and whether the write may have undone the event's call.
type lostCase struct {
	change   func(r *event.Request)
	document baseline.DocumentName
	status   outcome.WriteStatus
	want     bool
}

// TestLostUpdates decides by the times of the call and of our write, by the documents, and by who made the call.
func TestLostUpdates(t *testing.T) {
	t.Parallel()
	at := func(s float64) func(*event.Request) {
		return func(r *event.Request) { r.Cause.Time = clock.Add(time.Duration(s * float64(time.Second))) }
	}
	ofClient := func(id string) func(*event.Request) {
		return func(r *event.Request) { r.Call, r.ClientID = tabled("UpdateUserPoolClient"), id }
	}
	ours := baseline.AppClient.Of(web)
	sets := func(names ...string) func(*event.Request) {
		return func(r *event.Request) { r.Named = append([]string{"userPoolId"}, names...) }
	}
	tagged := func(r *event.Request) { r.Call, r.Named = tabled("TagResource"), []string{"resourceArn", "tags"} }
	logs := func(r *event.Request) { r.Call = tabled("SetLogDeliveryConfiguration") }
	pool, accepted := baseline.UserPool, outcome.Accepted
	each(t, map[string]lostCase{
		"between the read and the write":       {at(12), pool, accepted, true},
		"in the second of the read":            {at(10), pool, accepted, true},
		"before the read":                      {at(9), pool, accepted, false},
		"when the write was answered":          {at(15), pool, accepted, true},
		"after the write":                      {at(16), pool, accepted, false},
		"the write was refused":                {at(12), pool, outcome.Refused, false},
		"the response was lost":                {at(12), pool, outcome.Unclear, true},
		"no answer yet":                        {at(12), pool, outcome.Intended, true},
		"of another document":                  {logs, pool, accepted, false},
		"of that document":                     {logs, baseline.LogDelivery, accepted, true},
		"a document that holds the same fact":  {sets("mfaConfiguration"), baseline.MfaConfig, accepted, true},
		"a document that holds none of it":     {at(12), baseline.MfaConfig, accepted, false},
		"a side effect of the call":            {at(12), baseline.RiskConfiguration, accepted, false},
		"tags":                                 {tagged, pool, accepted, true},
		"of the same client":                   {ofClient(web), ours, accepted, true},
		"of another client":                    {ofClient("mobile"), ours, accepted, false},
		"of a client that CloudTrail left out": {ofClient(""), ours, accepted, true},
		"the call made a new pool": {func(r *event.Request) { r.Call = tabled("CreateUserPool") }, pool,
			accepted, false},
		"the call changes no document": {func(r *event.Request) { r.Call = tabled("CreateGroup") }, pool,
			accepted, false},
		"the write answers this very call": {func(r *event.Request) { r.Cause.EventID = "cause" }, pool,
			accepted, false},
		"the event is of the write": {func(r *event.Request) { r.Cause.RequestID = "ours" }, pool, accepted, false},
		"an event without a time":   {func(r *event.Request) { r.Cause.Time = time.Time{} }, pool, accepted, false},
	}, func(c lostCase, t *testing.T) {
		request := call("theirs", "Admin", clock.Add(12*time.Second), "policies")
		c.change(&request)
		sent := outcome.Sent{Call: "Update", Document: c.document, Status: c.status, RequestID: "ours",
			Read: clock.Add(10500 * time.Millisecond), At: clock.Add(15 * time.Second)}
		found := outcome.LostUpdates(request, []outcome.Record{{ID: "r", Cause: event.Cause{EventID: "cause"},
			Sent: []outcome.Sent{sent}}})
		if (len(found) == 1) != c.want || len(found) > 1 {
			t.Errorf("%+v", found)
		}
	})
}

// TestCovered: an event whose call was made well before the last read of this process asks nothing of Cognito, if that
// read covered what the call can change and left no drift.
func TestCovered(t *testing.T) {
	t.Parallel()
	type how struct {
		before  func(w bench)          // the first run
		change  func(r *event.Request) // of the second request
		covered bool
	}
	each(t, map[string]how{
		"made before the read":    {covered: true},
		"made a second before it": {change: func(r *event.Request) { r.Cause.Time = clock.Add(59 * time.Second) }},
		"made after the read":     {change: func(r *event.Request) { r.Cause.Time = clock.Add(2 * time.Minute) }},
		"of our own role":         {change: func(r *event.Request) { r.Cause.Issuer = ownRole }},
		"without a time":          {change: func(r *event.Request) { r.Cause.Time = time.Time{} }},
		"of something watched": {change: func(r *event.Request) {
			r.Call, r.Subject = event.Name{Name: "CreateGroup", Watched: "groups", Happened: "created"}, "admins"
		}},
		"of a deletion":               {change: func(r *event.Request) { r.Call.Name = event.DeleteUserPool }},
		"after a read that put right": {covered: true, before: func(w bench) { w.fake.Edit(poolID, unprotected) }},
		"after a read that left drift": {before: func(w bench) {
			w.fake.Edit(poolID, unprotected)
			w.fake.Inject(refusedWrite("AccessDeniedException", ""))
		}},
	}, func(c how, t *testing.T) {
		w := withPool(t, cognitotest.Measured, nil)
		w.pass(time.Minute)
		if c.before != nil {
			c.before(w)
		}
		r := w.reconciler(parse(t, oneRule("watch: [groups]", protects)))
		must(deliver(t.Context(), r, onPool(event.Cause{EventID: "scan"})))(t)
		w.fake.ClearFaults()
		w.fake.ResetCalls()
		w.pass(5 * time.Minute)
		request := call("late", "Admin", clock)
		if c.change != nil {
			c.change(&request)
		}
		out := must(deliver(t.Context(), r, request))(t)
		covered := out.Outcome == outcome.Unchanged && strings.Contains(out.Reason, "left nothing to fix") &&
			out.Details.Notified != nil
		if calls := w.fake.Calls(); (len(calls) == 0) != c.covered || c.covered && !covered {
			t.Errorf("%s (%s) after %d calls", out.Outcome, out.Reason, len(calls))
		}
	})
}

// undo demands that a run can be undone by its record alone: then the pool is what it was before.
func (w bench) undo(t *testing.T, record string, before map[string]string) {
	t.Helper()
	w.pass(time.Second)
	rec := must(w.ledger.Record(t.Context(), record))(t)
	required, kept := baseline.OfPaths("undo", "sha256:u", poolID, rec.Before.State().Own(), rec.Changed())
	cause := call("two", "Admin", time.Time{}).Cause
	out := must(w.reconciler(required).ReconcileFrom(t.Context(), poolID, "", cause))(t)
	if moved := difference(before, w.snapshot(t)); len(moved) > 0 || len(kept) > 0 || out.Outcome != outcome.Remediated {
		t.Errorf("undo: %s (%s), still moved: %q, kept %q", out.Outcome, out.Reason, moved, kept)
	}
}

// TestUndoOfTheHalf: of a setting that stands in two documents one is written, and the other refused. People are
// notified of that, and undo takes back what was written.
func TestUndoOfTheHalf(t *testing.T) {
	t.Parallel()
	w := withPool(t, cognitotest.Measured, nil)
	before := w.snapshot(t)
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException", Message: "no",
		Then: func(s *cognitotest.Server) { // as on a service that keeps the two apart
			s.Edit(poolID, sets(block+"SmsAuthenticationMessage", "Sign-in code {####} CANARY-sms-authentication"))
		}})
	out := w.answer(t, parse(t, inRule(`SmsMfaConfiguration: {SmsAuthenticationMessage: "New {####}"}`)),
		call("one", "Admin", time.Time{}))
	if out.Outcome != outcome.Unfixable || len(out.Drifts) != 1 || out.Drifts[0].Code != outcome.CodeHalf ||
		!strings.HasSuffix(out.Reason, "no; it was written in UserPool, which has the same setting") {
		t.Fatalf("%s (%s) %+v", out.Outcome, out.Reason, out.Drifts)
	}
	if moved := difference(before, w.snapshot(t)); !slices.Equal(moved, []string{"SmsAuthenticationMessage"}) {
		t.Errorf("moved: %q", moved)
	}
	w.fake.ClearFaults()
	w.undo(t, out.Record, before)
}

// TestUndoOfDays: days that were required under their older name are written under the newer one, and undone there.
func TestUndoOfDays(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"UnusedAccountValidityDays: 5", "exactly: {UnusedAccountValidityDays: 5}"} {
		w := withPool(t, cognitotest.Measured, sets("AdminCreateUserConfig", nil))
		before := w.snapshot(t)
		out := w.answer(t, parse(t, inRule("AdminCreateUserConfig: {"+rule+"}")), call("one", "Admin", time.Time{}))
		w.undo(t, out.Record, before)
	}
}

// TestReconcileFrom: a pool that moved since it was planned is not written, whatever moved.
func TestReconcileFrom(t *testing.T) {
	t.Parallel()
	b := withPool(t, cognitotest.Contract, alsoUnprotected("EstimatedNumberOfUsers", 7))
	r := b.reconciler(require(t, deletionProtection))
	after := func(edit func(pool, mfa map[string]any)) outcome.Outcome {
		preview := must(r.Plan(t.Context(), poolID))(t)
		b.fake.Edit(poolID, edit)
		return must(r.ReconcileFrom(t.Context(), poolID, preview.State, event.Cause{}))(t)
	}
	out := after(sets("UserPoolTags.env", "other"))
	if out.Outcome != outcome.Drifted || out.Reason != outcome.MovedReason || len(b.writes()) != 0 {
		t.Errorf("%s (%s) after %v", out.Outcome, out.Reason, b.writes())
	}
	if out := after(sets("EstimatedNumberOfUsers", 8)); out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s): the number of users changes by itself", out.Outcome, out.Reason)
	}
}

// TestUnwritable: what no call writes back is named, and what changes by itself is not.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	b := withPool(t, cognitotest.Contract, sets("FutureThing", "a", "LambdaConfig.FutureTrigger", "b"))
	then := must(b.client.Read(t.Context(), poolID, userpool.Everything()))(t)
	b.fake.Edit(poolID, sets("Domain", "other", "EstimatedNumberOfUsers", 99, "FutureThing", "b",
		"LambdaConfig.FutureTrigger", nil)) // which is restored with its object
	b.fake.PutLogs(poolID, list()) // beside which the pool's id is shown
	now := must(b.client.Read(t.Context(), poolID, userpool.Everything()))(t)
	if got := strings.Join(then.Unwritable(now), " "); got != "UserPool.Domain UserPool.FutureThing" {
		t.Errorf("got %s", got)
	}
	const backup = `{"format":"poolkeeper backup","version":1,"userPoolId":"p","documents":`
	for text, want := range map[string]string{"{": "reading the backup", `{"format":"x"}`: "not a backup of",
		backup + `{"UserPool":{"Id":"p"}},"whole":true}`:     "MfaConfig is missing",
		backup + `{"MfaConfig":{"MfaConfiguration":"OFF"}}}`: "UserPool is missing"} {
		if _, err := userpool.DecodeBackup([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
