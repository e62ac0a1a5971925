package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// longLease is longer than a lease lasts that nobody renews.
const longLease = 2 * time.Minute

// A verdict is what became of a cell.
type verdict struct {
	struck bool   // the fault struck
	lost   string // what was lost, or ""
}

// try lets the fault of a cell strike and go, delivers the event again, and says what was lost.
func (a *arena) try(t *testing.T, c cell) verdict {
	a.begin(t, c)
	a.inject()
	p := a.struckProcess()
	r := a.reconciler(p, 0)
	first := a.deliver(t, p, r)
	a.fake.ClearFaults()
	a.fake.Edit(poolID, func(pool, _ map[string]any) { delete(pool, "FutureThing") })
	p.strike = func(string, int) wrong { return wrong{} }
	v := verdict{struck: a.struck > 0}
	if v.struck && c.wrong().kills && !first.died {
		v.lost = "the process that was killed lived on"
	}
	again := func(t *testing.T, first delivery) string {
		if c.warm {
			return a.again(t, first, p, r)
		}
		next := a.process()
		return a.again(t, first, next, a.reconciler(next, c.restart.skew))
	}
	for _, law := range []func(*testing.T, delivery) string{a.truth, a.unnotified, a.admitted, a.interleaved, again,
		a.informed, a.quiet, a.skewed} {
		if v.lost == "" {
			v.lost = law(t, first)
		}
	}
	return v
}

// moved returns the paths at which the pool is not what it was before the incident, but for what the fault changed, and
// for what people were notified of that it could not be restored.
func (a *arena) moved(t *testing.T) []string {
	return slices.DeleteFunc(difference(a.healthy, a.snapshot(t)), func(path string) bool {
		return path == "UserPoolTags.meanwhile" || a.saidGone() || a.said(path, func(d outcome.Finding) bool {
			return d.Code == outcome.CodeRestore
		})
	})
}

// said reports whether people were notified of such a finding about a path.
func (a *arena) said(path string, such func(outcome.Finding) bool) bool {
	return slices.ContainsFunc(a.messages, func(out outcome.Outcome) bool {
		return slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool {
			return such(d) && userpool.Touches(d.Setting, plainPath(path))
		})
	})
}

// saidGone reports whether people were notified of an interrupted run whose pool the service said is gone.
func (a *arena) saidGone() bool {
	return slices.ContainsFunc(a.messages, func(out outcome.Outcome) bool {
		return out.Reason == outcome.GoneReason && hasCode(out, outcome.CodeInterrupted)
	})
}

// truth compares what was said of the struck delivery with the pool: nothing is called fixed that is not, no record is
// named that does not exist, and no planted secret is shown.
func (a *arena) truth(t *testing.T, d delivery) string {
	moved := a.moved(t)
	right := d.out.Outcome == outcome.Remediated || d.out.Outcome == outcome.Unchanged
	// What another process took stands in the ledger alone, which is said to have failed.
	blind := incidents[a.cell.incident].begun && d.out.Details.LedgerError != ""
	if d.err == nil && !d.died && !blind && len(moved) > 0 && right {
		return fmt.Sprintf("%s, and %s is not right", d.out.Outcome, moved[0])
	}
	for _, drift := range d.out.Drifts {
		for _, path := range moved {
			if !d.died && drift.State == outcome.StateFixed && userpool.Touches(drift.Setting, plainPath(path)) {
				return drift.Setting + " is called fixed, and is not"
			}
		}
	}
	if d.out.Record != "" && !d.died && d.out.Details.LedgerError == "" {
		if _, err := a.ledger.Record(t.Context(), d.out.Record); err != nil {
			return "the outcome names a record that does not exist"
		}
	}
	history, err := a.ledger.History(t.Context(), poolID, time.Time{}, true)
	if err != nil {
		return err.Error()
	}
	raw, err := json.Marshal([]any{d.out, d.out.Details.LedgerError, history.Records, a.messages})
	if err != nil || strings.Contains(string(raw), "CANARY") {
		return "a planted secret was shown"
	}
	return ""
}

// plainPath is the setting of a path of a snapshot.
func plainPath(path string) string { return strings.TrimPrefix(path, "mfa:") }

// unnotified checks that a message that could not be sent changes nothing else.
func (a *arena) unnotified(t *testing.T, d delivery) string {
	if a.cell.place == atNotify && !d.died && (d.out.Outcome != outcome.Remediated || len(a.moved(t)) > 0) {
		return fmt.Sprintf("a message that could not be sent made it %s: %s", d.out.Outcome, d.out.Reason)
	}
	return ""
}

// admitted checks that a failure of the ledger is said.
func (a *arena) admitted(_ *testing.T, d delivery) string {
	failed := a.cell.place == atLedger && a.cell.wrong().passes == 0 && a.struck > 0
	if failed && d.out.Details.LedgerError == "" && d.closed == nil && d.err == nil {
		return "the ledger failed, and nothing says so"
	}
	return ""
}

// interleaved lets another invocation come while a dead one has the lease: it writes nothing of the pool itself.
func (a *arena) interleaved(t *testing.T, first delivery) string {
	skew := a.cell.restart.skew
	if !first.died || skew.Abs() >= time.Minute {
		return ""
	}
	free, err := a.ledger.Acquire(t.Context(), poolID, "probe", a.time(), a.time().Add(time.Millisecond))
	if err != nil || free {
		return ""
	}
	a.pass(time.Second) // an id of a record is its pool and the time
	made := len(a.writes())
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, skew))
	for _, call := range a.writes()[made:] {
		if call == "UpdateUserPool" || call == "SetUserPoolMfaConfig" {
			return fmt.Sprintf("while the lease was held: %s (%s), %v", d.out.Outcome, d.out.Reason, d.out.Writes)
		}
	}
	return ""
}

// again delivers the event again, and compares the pool with what it was.
func (a *arena) again(t *testing.T, first delivery, p *process, r *reconcile.Reconciler) string {
	how := a.cell.restart
	a.pass(longLease)
	if how.again > 0 {
		doomed := a.process()
		doomed.strike = func(operation string, n int) wrong {
			return wrong{kills: operation == "Write" && n == how.again}
		}
		a.deliver(t, doomed, a.reconciler(doomed, 0))
		a.pass(longLease)
	}
	before := a.moved(t)
	a.fake.ResetCalls()
	second := a.deliver(t, p, r)
	for try := 1; how.skew < -time.Minute && try < 4; try++ { // by that clock, the dead run may live, with its lease
		a.pass(longLease)
		second = a.deliver(t, p, r)
	}
	said := fmt.Sprintf("%s (%s), then %s (%s)", first.out.Outcome, first.out.Reason, second.out.Outcome,
		second.out.Reason)
	if second.err != nil || second.closed != nil {
		return fmt.Sprintf("the event, delivered again: %s: %v", said, second.closed)
	}
	if moved := a.moved(t); len(moved) > 0 {
		return fmt.Sprintf("%s is not what it was: %s", moved[0], said)
	}
	if len(before) == 0 && len(a.writes()) > 0 {
		return fmt.Sprintf("a pool that was right was written: %v, %s", a.writes(), said)
	}
	return ""
}

// informed checks that people are notified of what was put right, whichever process did it and whoever died: unless a
// message could not be sent.
func (a *arena) informed(*testing.T, delivery) string {
	if a.unsent > 0 || a.saidGone() {
		return ""
	}
	for _, path := range a.harmed {
		notified := a.said(path, func(d outcome.Finding) bool {
			return d.State == outcome.StateFixed || d.Code == outcome.CodeUnverified
		})
		if !notified {
			return fmt.Sprintf("%s was put right, and none of %d messages says so", path, len(a.messages))
		}
	}
	return ""
}

// quiet delivers the event once more: nothing is written, and nobody is notified twice.
func (a *arena) quiet(t *testing.T, _ delivery) string {
	a.pass(10 * time.Minute)
	a.fake.ResetCalls()
	messages := len(a.messages)
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, 0))
	if d.err != nil || len(a.writes()) > 0 || len(a.messages) > messages {
		return fmt.Sprintf("the event, delivered once more: %s (%s), %v", d.out.Outcome, d.out.Reason, a.writes())
	}
	return ""
}

// skewed lets the incident happen once more, after a process whose clock was wrong has read the pool.
func (a *arena) skewed(t *testing.T, _ delivery) string {
	if a.cell.restart.skew == 0 {
		return ""
	}
	incidents[a.cell.incident].harm(a.bench)
	a.pass(10 * time.Second)
	a.request.Cause = event.Cause{EventID: "another", EventName: "UpdateUserPool", Time: a.time()}
	a.pass(longLease)
	p := a.process()
	d := a.deliver(t, p, a.reconciler(p, 0))
	if moved := a.moved(t); d.err != nil || len(moved) > 0 {
		return fmt.Sprintf("the next event was lost to a wrong clock: %s (%s), %v", d.out.Outcome, d.out.Reason, moved)
	}
	return ""
}
