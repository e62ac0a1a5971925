package reconcile_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// longHeld is longer than anything is held for that nobody prolongs.
const longHeld = 2 * time.Minute

// try lets the fault of a cell strike and go, delivers the event again, and says what was lost.
func (a *arena) try(t *testing.T, c cell) verdict {
	a.begin(t, c)
	a.inject()
	a.ledger.armed, a.sns.armed = true, true
	first := a.deliver(t, a.first(), 0)
	a.ledger.armed, a.sns.armed = false, false
	a.fake.ClearFaults()
	a.fake.Edit(poolID, func(pool, _ map[string]any) { delete(pool, "FutureThing") })
	v := verdict{struck: a.struck > 0}
	if c.place == atLedger {
		v.did = a.ledger.did(c)
	}
	if v.struck && wrongs[c.wrong].kills && !first.died {
		v.lost = "the process that was killed lived on"
	}
	for _, law := range []func(*testing.T, delivery) string{a.truth, a.told, a.admitted, a.interleaved, a.again, a.informed, a.skewed, a.remembered} {
		if v.lost == "" {
			v.lost = law(t, first)
		}
	}
	return v
}

// moved returns the paths at which the pool is not what it was before the incident, but for what the fault itself changed.
func (a *arena) moved(t *testing.T) []string {
	return slices.DeleteFunc(difference(a.healthy, a.snapshot(t)), func(path string) bool { return path == "UserPoolTags.meanwhile" })
}

// truth holds what was said of the struck delivery against the pool: nothing is called fixed that was not, no record is named that is not there, and no planted secret is told.
func (a *arena) truth(t *testing.T, d delivery) string {
	moved := a.moved(t)
	blind := incidents[a.cell.incident].begun && len(d.out.LedgerFaults) > 0 // what another process has taken stands in the ledger alone, which is said to have failed
	if d.err == nil && !d.died && !blind && len(moved) > 0 && (d.out.Outcome == reconcile.Remediated || d.out.Outcome == reconcile.Unchanged) {
		return fmt.Sprintf("%s, and %s is not right", d.out.Outcome, moved[0])
	}
	for _, drift := range d.out.Drifts {
		for _, path := range moved {
			if drift.State == reconcile.Fixed && userpool.Touches(drift.Setting, strings.TrimPrefix(path, "mfa:")) {
				return drift.Setting + " is called fixed, and is not"
			}
		}
	}
	if d.out.Record != "" {
		if _, err := a.ledger.Record(t.Context(), d.out.Record); err != nil {
			return "the outcome names a record that is not there"
		}
	}
	records, err := a.ledger.Records(t.Context(), poolID, time.Time{})
	if err != nil {
		return err.Error()
	}
	raw, err := json.Marshal([]any{d.out, d.out.LedgerFaults, records})
	if leaked, _, _ := a.sns.take(); err != nil || leaked || strings.Contains(string(raw), "CANARY") {
		return "a planted secret was told"
	}
	return ""
}

// told holds a message that could not be sent to changing nothing else.
func (a *arena) told(t *testing.T, d delivery) string {
	if a.cell.place == atSNS && !d.died && (d.out.Outcome != reconcile.Remediated || d.err != nil || len(a.moved(t)) > 0) {
		return fmt.Sprintf("a message that could not be sent made it %s: %s", d.out.Outcome, d.out.Reason)
	}
	if a.cell.place == atSNS && a.cell.times == 0 && d.untold == 0 && wrongs[a.cell.wrong].Error != "" {
		return "nobody said that the message could not be sent"
	}
	return ""
}

// admitted holds that an error that the ledger does not cease to answer with is said, by the name that DynamoDB has for it.
func (a *arena) admitted(_ *testing.T, d delivery) string {
	code := wrongs[a.cell.wrong].Error
	if a.cell.place == atLedger && a.cell.times == 0 && code != "" && !strings.Contains(strings.Join(d.out.LedgerFaults, "\n"), cmp.Or(tableErrors[code], code)) {
		return fmt.Sprintf("the ledger failed, and what is said is %q", d.out.LedgerFaults)
	}
	return ""
}

// interleaved lets another invocation come while a dead one holds the pool: with a clock that is not too wrong, it writes nothing.
func (a *arena) interleaved(t *testing.T, first delivery) string {
	skew := a.cell.restart.skew
	if !first.died || a.cell.place == atLedger || a.cell.place == atRead || skew.Abs() >= time.Minute {
		return ""
	}
	made := len(a.writes())
	if d := a.deliver(t, a.next(), skew); d.err == nil || len(a.writes()) != made {
		return fmt.Sprintf("while the pool was held: %s (%s), %v", d.out.Outcome, d.out.Reason, d.out.Writes)
	}
	return ""
}

// again delivers the event again, and holds the pool to what it was.
func (a *arena) again(t *testing.T, first delivery) string {
	how := a.cell.restart
	a.pass(longHeld)
	if how.again > 0 {
		doomed := a.next()
		doomed.Pools = &killing{doomed.Pools, how.again - 1}
		a.deliver(t, doomed, 0)
		a.pass(longHeld)
	}
	before := a.moved(t)
	a.fake.ResetCalls()
	last := a.next()
	last.Pools = a.client
	second := a.deliver(t, last, how.skew)
	for try := 1; second.err != nil && how.skew < -time.Minute && try < 4; try++ { // by that clock, the pool is still held
		a.pass(longHeld)
		second = a.deliver(t, last, how.skew)
	}
	said := fmt.Sprintf("%s (%s), then %s (%s)", first.out.Outcome, first.out.Reason, second.out.Outcome, second.out.Reason)
	if second.died || second.err != nil {
		return "the event, delivered again: " + said
	}
	if moved := a.moved(t); len(moved) > 0 {
		return fmt.Sprintf("%s is not what it was: %s", moved[0], said)
	}
	if len(before) == 0 && len(a.writes()) > 0 {
		return fmt.Sprintf("a pool that was right was written: %v, %s", a.writes(), said)
	}
	done := !first.died && first.err == nil && len(first.out.LedgerFaults) == 0 && (first.out.Outcome == reconcile.Remediated || first.out.Outcome == reconcile.Unchanged)
	if calls := a.fake.Calls(); done && len(calls) > 0 {
		return fmt.Sprintf("an event that was handled made %d calls again: %s", len(calls), said)
	}
	return ""
}

// informed holds that people were told what was put right, whichever process did it and whoever died: unless a message could not be sent, which is said.
func (a *arena) informed(_ *testing.T, first delivery) string {
	if _, published, verified := a.sns.take(); verified == 0 && first.untold == 0 {
		return fmt.Sprintf("the pool was put right, and none of %d messages says so", published)
	}
	return ""
}

// remembered holds that what was kept of the pool before is kept, whatever the ledger answered in between.
func (a *arena) remembered(t *testing.T, _ delivery) string {
	note, _, err := a.ledger.Take(t.Context(), reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}, "later", a.time().Add(longHeld), a.time())
	if err != nil || !strings.Contains(string(note), toldOf) {
		return fmt.Sprintf("what was kept of the pool is forgotten: %v", err)
	}
	return ""
}

// skewed lets the incident happen once more, after a process whose clock was wrong has looked at the pool: that look covers nothing that came after it.
func (a *arena) skewed(t *testing.T, _ delivery) string {
	if a.cell.restart.skew == 0 {
		return ""
	}
	incidents[a.cell.incident].harm(a.bench)
	a.pass(10 * time.Second)
	a.request.Cause = event.Cause{EventID: "another", EventName: "UpdateUserPool", Time: a.time()}
	a.pass(longHeld)
	d := a.deliver(t, a.next(), 0)
	if moved := a.moved(t); d.err != nil || len(moved) > 0 {
		return fmt.Sprintf("the next event was lost to a wrong clock: %s (%s), %v", d.out.Outcome, d.out.Reason, moved)
	}
	return ""
}
