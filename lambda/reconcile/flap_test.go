package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// A flapCase is a setting that is set back each time, until its budget is spent.
type flapCase struct {
	times   int                      // of the budget, within 30 minutes
	harm    func(w bench, n int)     // what somebody does before the nth event, counted from 0
	change  *cognitotest.Fault       // how each write of the pool is set back
	mfa     *cognitotest.Fault       // of each write of the MFA configuration
	at      time.Duration            // from one delivery to the next
	endings []outcome.Ending         // of the events, each of which is delivered three times while it is deferred
	states  map[string]outcome.State // of the last one, where it is more than the deletion protection
	says    string                   // of the last one
}

func flapCases() map[string]flapCase {
	const fixes, flaps, waits = outcome.Remediated, outcome.Unconverged, outcome.Deferred
	setBack := &cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected}
	busy := &cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: throttled}
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
		"before it is read back": {times: 3, harm: once, change: setBack, at: time.Minute,
			endings: endings(flaps, flaps, flaps, flaps, flaps, flaps), says: "it was written 3 times within 30 minutes, and " +
				"3 times the value did not last (role terraform-ci called 4 times): "},
		// What was accepted counts, though no run comes to its end.
		"by runs that are deferred": {times: 3, change: setBack, mfa: busy, at: 2 * time.Minute,
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
	for name, c := range flapCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), parse(t, fmt.Sprintf("version: 1\nflapBudget: {times: %d, minutes: 30}\n"+
				"rules: [{name: all, require: {DeletionProtection: ACTIVE, %s}}]", c.times, strings.Split(totpOptional, "\n")[1]))
			for _, f := range []*cognitotest.Fault{c.change, c.mfa} {
				if f != nil {
					w.fake.Inject(*f)
				}
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
			flaps := slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.Code == outcome.CodeFlapping })
			if !strings.HasPrefix(out.Reason, c.says) || flaps != (out.Outcome == outcome.Unconverged) {
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
			history, err := w.ledger.History(t.Context(), poolID, clock, true)
			if err != nil || len(history.Records) != c.times+1 && c.mfa == nil && c.states == nil {
				t.Errorf("%d records: %v", len(history.Records), err)
			}
		})
	}
}

func endings(all ...outcome.Ending) []outcome.Ending { return all }

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
