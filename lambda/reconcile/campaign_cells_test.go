package reconcile_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
)

// The places of a remediation in which a call goes wrong.
const (
	atRead   = "read"
	atFirst  = "first write"
	atLater  = "later write"
	atVerify = "verify"
	atLedger = "ledger"
	atNotify = "notification"
	atKill   = "any call"
)

var places = []string{atRead, atFirst, atLater, atVerify, atLedger, atNotify, atKill}

// A cell is one fault at one call of one remediation.
type cell struct {
	incident, fault string
	target
	times   int  // how many calls are struck, from that one on; 0 is all
	warm    bool // the event comes again to the same process
	restart restart
}

// A target is a call of a remediation: the nth one of an operation, counted from 1.
type target struct {
	place, operation string
	n                int
}

// A restart is how the process comes back that was killed, once its lease has expired.
type restart struct {
	skew  time.Duration // its clock is so much too fast
	again int           // it is killed as well, before this write of its own, counted from 1; 0 is not at all
}

func (c cell) String() string {
	return fmt.Sprintf("%s, %s at %s %d (%s, %d times, warm %v, restart %+v)", c.incident, c.fault, c.operation, c.n,
		c.place, c.times, c.warm, c.restart)
}

// name is the row of the cell's fault in the table.
func (c cell) name() string {
	switch {
	case c.restart.skew != 0:
		return fmt.Sprintf("killed, and the next clock is off by %s", c.restart.skew)
	case c.restart.again > 0:
		return c.fault + ", and again"
	default:
		return c.fault
	}
}

// wrong is what the cell's fault does.
func (c cell) wrong() wrong {
	switch c.place {
	case atKill:
		return kills[c.fault]
	case atLedger, atNotify:
		return localFaults[c.fault]
	default:
		return wireFaults[c.fault]
	}
}

// cells generates the campaign: each call of an undisturbed remediation of each incident, with each fault.
func cells(t *testing.T) []cell {
	var all []cell
	for _, incident := range slices.Sorted(maps.Keys(incidents)) {
		for _, at := range targets(t, incident) {
			faults := wireFaults
			switch at.place {
			case atKill:
				faults = kills
			case atLedger, atNotify:
				faults = localFaults
			}
			for _, fault := range slices.Sorted(maps.Keys(faults)) {
				c := cell{incident: incident, fault: fault, target: at, times: 1}
				if c.exists() {
					all = append(all, c.variants()...)
				}
			}
		}
	}
	return all
}

// exists reports whether the fault is one at this call, and not another one under a second name.
func (c cell) exists() bool {
	w := c.wrong()
	asks := c.operation == "Record" || c.operation == "History"
	reads := c.place == atRead || c.place == atVerify
	switch {
	case (reads || asks) && w.Apply && w.Body == nil: // nothing is applied
		return false
	case c.fault == "the service changes something on its own": // at a read, it is somebody who does
		return !reads
	}
	return true
}

// variants are the ways in which a fault strikes and what comes after it.
func (c cell) variants() []cell {
	w := c.wrong()
	if w.kills {
		return c.restarts()
	}
	warm, always := c, c
	warm.warm, always.times = true, 0
	all := []cell{c, warm}
	// Where the log configurations or the clients are always empty, there are none.
	none := c.fault == "an empty object" &&
		(c.operation == "GetLogDeliveryConfiguration" || c.operation == "ListUserPoolClients")
	if none {
		all = nil
	}
	if !w.lapses && w.Delay == 0 && !none && c.place != atNotify {
		all = append(all, always)
	}
	return all
}

func (c cell) restarts() []cell {
	var all []cell
	for _, r := range []restart{{}, {again: 1}, {again: 2}, {skew: 4 * time.Second}, {skew: -4 * time.Second},
		{skew: 5 * time.Minute}, {skew: -5 * time.Minute}} {
		if c.operation != "Write" && r != (restart{}) {
			continue
		}
		c.restart = r
		all = append(all, c)
	}
	return all
}

// targets has an incident put right without a fault, and returns the calls of it that can go wrong: of an incident of
// one document, the calls to Cognito about that document.
func targets(t *testing.T, name string) []target {
	of := incidents[name]
	a, stop := newArena(t, of.mode)
	defer stop()
	a.begin(t, cell{incident: name})
	p := a.process()
	if d := a.deliver(t, p, a.reconciler(p, 0)); d.err != nil || len(a.messages) == 0 {
		t.Errorf("%s: %s (%s), %d messages: %v", name, d.out.Outcome, d.out.Reason, len(a.messages), d.err)
	}
	about := map[string]bool{}
	for _, call := range a.writes() {
		for _, d := range baseline.Documents() {
			if d.WriteCall == call {
				about[call], about[d.ReadCall] = true, true
			}
		}
	}
	var all []target
	count, writes := map[string]int{}, 0
	for _, call := range a.fake.Calls() {
		count[call.Operation]++
		if of.many || about[call.Operation] {
			all = append(all, target{placeOf(call.Operation, writes), call.Operation, count[call.Operation]})
		}
		if writesOf()[call.Operation] {
			writes++
		}
	}
	for operation, met := range p.met {
		for n := range met {
			switch operation {
			case "Read", "Document", "Write":
			case "Notify":
				all = append(all, target{atNotify, operation, n + 1})
			default:
				all = append(all, target{atLedger, operation, n + 1})
			}
			all = append(all, target{atKill, operation, n + 1})
		}
	}
	slices.SortFunc(all, func(a, b target) int {
		return cmp.Or(strings.Compare(a.place, b.place), strings.Compare(a.operation, b.operation), a.n-b.n)
	})
	return slices.CompactFunc(all, func(a, b target) bool { return a == b })
}

// placeOf says what a call to Cognito is to a remediation that made so many writes before.
func placeOf(operation string, writes int) string {
	switch {
	case writesOf()[operation] && writes == 0:
		return atFirst
	case writesOf()[operation]:
		return atLater
	case writes == 0:
		return atRead
	default:
		return atVerify
	}
}
