package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// flapping returns a baseline of one rule with a flap budget.
func flapping(t testing.TB, budget, require string) ruled {
	text := "version: 1\nflapBudget: " + budget + "\nrules: [{name: all, require: {" + require + "}}]"
	return ruled{withLedger(t), t, text}
}

// A ruled pool has a ledger and a baseline.
type ruled struct {
	ledgered
	testing.TB
	text string
}

// event delivers the event of a call of another automation, a minute after the call.
func (r ruled) event(id string) outcome.Outcome {
	r.Helper()
	request := call(id, "terraform-ci", r.time())
	r.pass(time.Minute)
	return r.answer(r, parse(r, r.text), request)
}

// TestFlapBudget has another automation set a setting back each time: once the budget is spent the setting is skipped,
// and both are named.
func TestFlapBudget(t *testing.T) {
	t.Parallel()
	r := flapping(t, "{times: 3, minutes: 30}", "DeletionProtection: ACTIVE, MfaConfiguration: {oneOf: [ON, OPTIONAL]}")
	var endings []outcome.Ending
	var last outcome.Outcome
	for i := range 5 {
		r.fake.Edit(poolID, unprotected)
		last = r.event(fmt.Sprint("event", i))
		endings = append(endings, last.Outcome)
	}
	want := []outcome.Ending{outcome.Remediated, outcome.Remediated, outcome.Remediated, outcome.Unconverged,
		outcome.Unconverged}
	if !slices.Equal(endings, want) {
		t.Fatalf("%v, want %v", endings, want)
	}
	says := "it was written 3 times within 30 minutes, and changed back each time (role terraform-ci called 4 times): "
	if !strings.HasPrefix(last.Reason, says) || len(last.Drifts) != 1 || last.Drifts[0].Code != outcome.CodeFlapping {
		t.Errorf("%s: %+v", last.Reason, last.Drifts)
	}
	scan := onPool(event.Cause{EventName: event.ScanPools, Time: r.time()})
	scan.Scan.Started = r.time()
	if out := r.answer(t, parse(t, r.text), scan); out.Outcome != outcome.Unconverged || len(r.writes()) != 3 {
		t.Errorf("a scan: %s (%s), writes: %v", out.Outcome, out.Reason, r.writes())
	}
	r.pass(30 * time.Minute)
	if out := r.event("later"); out.Outcome != outcome.Remediated {
		t.Errorf("once the writes are long past: %s: %s", out.Outcome, out.Reason)
	}
}

// TestRunsOfOneMicrosecond: two runs of a pool that begin at the same time have a record each, and the flap budget
// counts both.
func TestRunsOfOneMicrosecond(t *testing.T) {
	t.Parallel()
	r := flapping(t, "{times: 2, minutes: 30}", "DeletionProtection: ACTIVE")
	ids := map[string]bool{}
	for i, want := range []outcome.Ending{outcome.Remediated, outcome.Remediated, outcome.Unconverged} {
		r.fake.Edit(poolID, unprotected)
		out := r.answer(t, parse(t, r.text), call(fmt.Sprint("event", i), "terraform-ci", clock))
		if ids[out.Record] = true; out.Outcome != want {
			t.Errorf("%d: %s (%s)", i, out.Outcome, out.Reason)
		}
	}
	h, err := r.ledger.History(t.Context(), poolID, clock, true)
	if err != nil || len(h.Records) != 2 || len(ids) != 3 {
		t.Errorf("%v: %d records, %v", ids, len(h.Records), err)
	}
}

// TestFlapBudgetOfTheFast has another automation set a setting back before our write of it is read back: such writes
// count too.
func TestFlapBudgetOfTheFast(t *testing.T) {
	t.Parallel()
	r := flapping(t, "{times: 3, minutes: 30}", "DeletionProtection: ACTIVE")
	r.fake.Edit(poolID, unprotected)
	r.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected})
	var last outcome.Outcome
	for i := range 10 {
		if last = r.event(fmt.Sprint("event", i)); last.Outcome != outcome.Unconverged {
			t.Errorf("event %d: %s (%s)", i, last.Outcome, last.Reason)
		}
	}
	says := "it was written 3 times within 30 minutes, and 3 times the value did not last (role terraform-ci called 4 " +
		"times): "
	if len(r.writes()) != 3 || !strings.HasPrefix(last.Reason, says) {
		t.Errorf("%d writes: %s", len(r.writes()), last.Reason)
	}
}

// TestFlapBudgetOfTheDeferred has a setting set back at once, while another write fails so that no run comes to its
// end: what was accepted counts all the same.
func TestFlapBudgetOfTheDeferred(t *testing.T) {
	t.Parallel()
	r := flapping(t, "{times: 3, minutes: 60}",
		"DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}")
	r.fake.Edit(poolID, alsoUnprotected("mfa:SoftwareTokenMfaConfiguration", nil))
	r.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected})
	r.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException"})
	for i := range 8 {
		request := call(fmt.Sprint("event", i), "terraform-ci", r.time())
		for range 3 {
			r.pass(2 * time.Minute)
			if _, err := deliver(t.Context(), r.process(parse(t, r.text)), request); err == nil {
				t.Error("not deferred")
			}
		}
	}
	wrote := 0
	for _, call := range r.writes() {
		if call == "UpdateUserPool" {
			wrote++
		}
	}
	if wrote != 3 {
		t.Errorf("UpdateUserPool was called %d times", wrote)
	}
	r.fake.ClearFaults()
	out := r.event("last")
	if out.Outcome != outcome.Unconverged || !strings.Contains(out.Reason, "3 times the value did not last") {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}

// TestFlapBudgetWithinARun has a setting set back while another one of the same unit is written: the budget counts
// there too.
func TestFlapBudgetWithinARun(t *testing.T) {
	t.Parallel()
	r := flapping(t, "{times: 1, minutes: 60}",
		"DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}")
	r.fake.Edit(poolID, unprotected)
	r.event("one")
	r.fake.Edit(poolID, func(_, mfa map[string]any) { delete(mfa, "SoftwareTokenMfaConfiguration") })
	r.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException", Times: 1,
		Then: func(s *cognitotest.Server) { s.Edit(poolID, unprotected) }})
	out := r.event("two")
	of := states(out)
	if out.Outcome != outcome.Unconverged || of["DeletionProtection"] != outcome.StateUnfixable ||
		of["SoftwareTokenMfaConfiguration.Enabled"] != outcome.StateFixed {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, of)
	}
}

// TestRefusedOfEachClient refuses what is required of each of many clients: each costs one write, and none costs
// another read of the pool.
func TestRefusedOfEachClient(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, `version: 1
rules: [{name: all, require: {DeletionProtection: ACTIVE}, clients: [{require: {EnableTokenRevocation: true}}]}]`)
	w.fake.Edit(poolID, unprotected)
	for i := range 100 {
		w.fake.PutClient(poolID, fmt.Sprintf("1example23456789client%04d", i),
			map[string]any{"ClientName": fmt.Sprint("client-", i)})
	}
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPoolClient", Error: "AccessDeniedException", Message: "no"})
	request := call("one", "Admin", w.time())
	request.Call.Changes = everyDocument()
	out := w.answer(t, required, request)
	reads := 0
	for _, c := range w.fake.Calls() {
		if c.Operation == "DescribeUserPool" {
			reads++
		}
	}
	if out.Outcome != outcome.Partial || reads > 3 || len(w.writes()) != 101 {
		t.Errorf("%s (%.100s), %d reads, %d writes", out.Outcome, out.Reason, reads, len(w.writes()))
	}
}

// TestUndetected counts the enforced drift that a scheduled scan finds and that no event reported: its document
// changed long ago, and nobody was notified of it.
func TestUndetected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changed   time.Duration // before the scan
		unplanned bool          // the scan is not a scheduled one
		mode      string
		notified  bool
		want      int
	}{
		"changed an hour ago":       {changed: time.Hour, mode: "enforce", want: 1},
		"its event is still coming": {changed: 10 * time.Minute, mode: "enforce", want: 0},
		"no scheduled scan":         {changed: time.Hour, unplanned: true, mode: "enforce", want: 0},
		"audited":                   {changed: time.Hour, mode: "audit", want: 0},
		"people know":               {changed: time.Hour, mode: "enforce", notified: true, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withLedger(t)
			required := parse(t, "version: 1\nrules: [{name: all, mode: "+c.mode+", require: {DeletionProtection: ACTIVE}}]")
			changed := json.Number(fmt.Sprint(w.time().Add(-c.changed).Unix(), ".123"))
			w.fake.Edit(poolID, alsoUnprotected("LastModifiedDate", changed))
			request := onPool(event.Cause{EventID: "scan"})
			request.Scan.Started, request.Scan.Scheduled = w.time(), !c.unplanned
			if c.notified {
				w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException"})
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
}
