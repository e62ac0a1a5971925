package reconcile_test

import (
	"slices"
	"time"
)

// An occurrence is a call that was made, and its event as it is first delivered.
type occurrence struct {
	id                string // of the pool
	operation         string
	damages           bool
	called, delivered time.Time
}

const (
	// readRate is how many reads a second the service allows.
	readRate = 15
	// shown is how long after a call a read has to show what it did.
	shown = 3 * time.Second
	// disorder is the part by which a keeper may read more than one that takes the events in the order of their delivery.
	disorder = 0.05
)

// reach orders the operations: what a call of one can have changed, those of all after it can have changed as well. So a look for one also covers those before it, and none after it.
var reach = []string{"TagResource", "SetUserPoolMfaConfig", "UpdateUserPool"}

// mostReads is how many reads the scenario is worth: a number that only the calls, their events and the rate of the service go into, and nothing that the keeper says of itself.
//
// It lets one queue take the events in the order in which they are delivered, as soon as the rate allows. An event is dropped, for nothing, if its pool was looked at so long after the call that the look
// showed what it did. Or else its pool is looked at, which is one read, and once more if there is damage from before that look, to verify the write; the second look covers what the first does. Nobody can
// look earlier than this queue as long as it has work, and a look covers the more the later it is. What can make a keeper read more is another order: one that takes a later event of a pool first, by
// whose operation it sees less, looks again for the earlier one. What makes it read less is to let a pool rest for a moment after each look. A keeper that looks at each event is far beyond the bound: the
// events alone are more than it.
func mostReads(happened []occurrence) int {
	slices.SortFunc(happened, func(a, b occurrence) int { return a.delivered.Compare(b.delivered) })
	damage, looks := map[string][]time.Time{}, map[string]*[3]time.Time{} // by pool, and looks by reach
	for _, o := range happened {
		looks[o.id] = &[3]time.Time{}
		if o.damages {
			damage[o.id] = append(damage[o.id], o.called)
		}
	}
	reads, free := 0, happened[0].delivered
	read := func(o occurrence, reached int) (at time.Time) {
		at = latest(free, o.delivered)
		reads, free = reads+1, at.Add(time.Second/readRate)
		for i := range reached + 1 {
			looks[o.id][i] = at
		}
		return at
	}
	for _, o := range happened {
		reached := slices.Index(reach, o.operation)
		if looks[o.id][reached].After(o.called.Add(shown)) {
			continue
		}
		at, before := read(o, reached), len(damage[o.id])
		damage[o.id] = slices.DeleteFunc(damage[o.id], func(called time.Time) bool { return !called.After(at) })
		if len(damage[o.id]) < before {
			read(o, reached)
		}
	}
	return reads + int(disorder*float64(reads))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
