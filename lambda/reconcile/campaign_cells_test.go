package reconcile_test

import (
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
	atSNS    = "SNS"
)

var places = []string{atRead, atFirst, atLater, atVerify, atLedger, atSNS}

// A cell is one fault, struck at one call of one remediation.
type cell struct {
	incident, wrong string
	target
	times   int // how many calls are struck, from that one on; 0 is all
	restart restart
}

// A target is a call of a remediation: the one of its operation after as many as are let pass.
type target struct {
	place, operation string
	skip             int
}

// A restart is how the process comes back that was killed, once the pool is no longer held.
type restart struct {
	skew  time.Duration // its clock is so much ahead
	again int           // it is killed as well, before this write of its own, counted from 1; 0 is not at all
}

func (c cell) String() string {
	return fmt.Sprintf("%s, %s at %s (%s after %d, %d times, restart %+v)", c.incident, c.wrong, c.operation, c.place, c.skip, c.times, c.restart)
}

// fault names what is done to the process, the clock or a call.
func (c cell) fault() string {
	switch {
	case c.restart.skew != 0:
		return fmt.Sprintf("killed, and the next clock is off by %s", c.restart.skew)
	case c.restart.again > 0:
		return c.wrong + ", and again"
	default:
		return c.wrong
	}
}

// cells generates the campaign: each call of an undisturbed remediation of each incident, with each fault.
func cells(t *testing.T) []cell {
	var all []cell
	for _, name := range slices.Sorted(maps.Keys(incidents)) {
		many := incidents[name].many
		for _, at := range targets(t, name) {
			for _, wrong := range slices.Sorted(maps.Keys(wrongs)) {
				w := wrongs[wrong]
				once := w.lapses || w.kills || w.Delay > 0 || at.place == atLedger && name != "the pool" || at.place == atSNS && !many
				for times := range 2 {
					c := cell{incident: name, wrong: wrong, target: at, times: times}
					if times == 0 && once || !c.exists() {
						continue
					}
					if w.kills {
						all = append(all, restarts(c)...)
					} else {
						all = append(all, c)
					}
				}
			}
		}
	}
	return all
}

// exists says whether the fault is one at this call, and not another one under a second name.
func (c cell) exists() bool {
	w := wrongs[c.wrong]
	asks := c.operation == "Record" || c.operation == "Records"
	reads := c.place == atRead || c.place == atVerify || asks
	if reads && w.Apply && w.Body == nil { // nothing is applied
		return false
	}
	switch c.wrong {
	case "an empty object":
		if strings.HasPrefix(c.operation, "Keep") || c.operation == "Put" || c.operation == "Record" { // it is what DynamoDB answers, or would if there were none
			return false
		}
		// Said again and again, it means that there is none.
		return c.times > 0 || c.operation != "GetLogDeliveryConfiguration" && c.operation != "ListUserPoolClients"
	case "concurrent modification":
		return !asks // DynamoDB lets reads be
	case "the service changes something on its own": // at a call that is none of Cognito's, it is somebody that does
		return !reads && c.place != atLedger && c.place != atSNS
	}
	return true
}

// restarts are the ways in which the process of a cell comes back.
func restarts(c cell) []cell {
	var all []cell
	for _, r := range []restart{{}, {again: 1}, {again: 2}, {skew: 4 * time.Second}, {skew: -4 * time.Second}, {skew: 5 * time.Minute}, {skew: -5 * time.Minute}} {
		if c.place != atFirst && c.place != atLater && r.skew != 0 {
			continue
		}
		c.restart = r
		all = append(all, c)
	}
	return all
}

// targets lets an incident be put right without a fault, and returns the calls of it that can go wrong: of one about a single document, those about that document.
func targets(t *testing.T, name string) []target {
	a, stop := newArena(t, incidents[name].mode)
	defer stop()
	a.begin(t, cell{incident: name})
	a.deliver(t, a.keeper(a.required), 0)
	var all []target
	tales := 1
	if incidents[name].begun { // of what the killed process has done, too
		tales = 2
	}
	if _, told, _ := a.sns.take(); told != tales {
		t.Errorf("%s: told %d times", name, told)
	}
	count, seen, writes := map[string]int{}, map[string]bool{}, 0
	about := map[string]bool{}
	for _, call := range a.writes() {
		for _, d := range baseline.Documents() {
			if d.WriteCall == call {
				about[call], about[d.ReadCall] = true, true
			}
		}
	}
	for _, call := range a.fake.Calls() {
		place := placeOf(call.Operation, writes)
		if writesOf()[call.Operation] {
			writes++
		}
		if first := !seen[place+call.Operation] || place == atLater; first && (incidents[name].many || about[call.Operation]) {
			all = append(all, target{place, call.Operation, count[call.Operation]})
		}
		seen[place+call.Operation] = true
		count[call.Operation]++
	}
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) // reads are made side by side
	if name == "the pool" || name == "threat protection and risk" || strings.HasPrefix(name, "the text messages") {
		for _, operation := range a.ledger.asked {
			all = append(all, target{atLedger, operation, count[operation]})
			count[operation]++
		}
	}
	return append(all, target{atSNS, "Publish", 0})
}

// placeOf says what a call of Cognito is to a remediation that made so many writes before.
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
