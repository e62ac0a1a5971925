package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ErrNoRecord says that a ledger has no record of an id.
var ErrNoRecord = errors.New("there is no such record")

// ErrUnreadable says that a ledger has a record that cannot be read, now or later.
var ErrUnreadable = errors.New("the record cannot be read")

const (
	// holdTime is how long an event or a pool is taken for, before it is prolonged: longer than one attempt takes, and short enough that whoever was killed does not keep others waiting for
	// minutes.
	holdTime = 60 * time.Second
	// clockSkew is how far the clocks of two processes may be apart. A hold of somebody else counts so much longer, and one's own so much shorter.
	clockSkew = 5 * time.Second
	// firstPoll is the wait before what is taken is asked for again; each further one waits half as long again, up to lastPoll.
	firstPoll = 200 * time.Millisecond
	lastPoll  = 2 * time.Second
)

const (
	// Attended is how long what somebody else has taken is waited for where a person waits too.
	Attended = 12 * time.Second
	// Unattended is how long the one of the function's invocations waits for it that is the first in line: with the two retries of Lambda, after a minute and after two more, longer than anybody can have a pool.
	Unattended = 5 * time.Minute
)

// What a run has taken, and what is kept of it.
type holds struct {
	name    string    // who this run is
	mute    bool      // the ledger failed, and is not asked again
	claimed time.Time // until when the event is ours
	noted   eventNote // what is kept of the event
	leased  bool      // the pool is ours
	until   time.Time // how long it is
	known   memory    // what is kept of the pool
	theirs  findings  // what others have found with another baseline, who go on with theirs
	asked   time.Time // when the ledger failed to say that the pool still is ours
	turn    time.Time // to read, taken and not used yet
}

// owner names this run to the ledger, and no other: Lambda may deliver one event twice at once, and both bear the same request id.
func (r *run) owner() string {
	if r.name == "" {
		r.name = fmt.Sprintf("%016x", rand.Uint64())
	}
	return r.name
}

// fault notes that the ledger failed. In this run it is not asked for anything more, and only what was taken is given back.
func (r *run) fault(doing string, err error) {
	r.mute = true
	r.failing(doing, err)
}

// failing notes that the ledger failed at something that can be done without, or is tried again.
func (r *run) failing(doing string, err error) {
	r.out.LedgerFaults = append(r.out.LedgerFaults, doing+": "+err.Error())
}

// remembers says whether there is a ledger to ask.
func (r *run) remembers() bool { return r.Ledger != nil && !r.mute }

// take takes what the key names, waiting for whoever has it, unless the note that these have kept is enough: it is shown at every try. taken is false if it could not be had in time, was no longer needed, or
// the ledger failed before.
func (r *run) take(ctx context.Context, key Key, show func(note []byte) (enough bool, err error)) (taken bool) {
	wait, waited, held, failed := firstPoll, time.Duration(0), false, false
	defer r.leaveLine(ctx)
	for {
		now := r.Now()
		note, taken, err := r.Ledger.Take(ctx, key, r.owner(), now.Add(-clockSkew), now.Add(holdTime))
		enough := false
		if err == nil && len(note) > 0 {
			// A note that cannot be read is as good as none.
			var broken error
			if enough, broken = show(note); broken != nil {
				enough = false
				r.failing("reading what is kept of the "+string(key.Kind), broken)
			}
		}
		switch {
		case err != nil && !held:
			r.fault("taking the "+string(key.Kind), err)
			r.owedUnknown = true
			return false
		case err != nil && !failed: // somebody had it a moment ago, so it is not gone on without
			failed = true
			r.failing("taking the "+string(key.Kind), err)
		}
		switch held = true; {
		case taken || enough:
			return taken
		case waited+wait > r.Patience, !r.timeFor(ctx, 2), waited+wait > Attended && !r.standInLine(ctx, key), r.Sleep(ctx, r.Jitter(wait)) != nil:
			return false
		}
		if key.Kind != EventKey {
			r.stay(ctx)
		}
		waited += wait
		wait = min(wait*3/2, lastPoll)
	}
}

// keep writes a note, and says whether what the key names is still ours. At the zero time it is given back.
func (r *run) keep(ctx context.Context, key Key, note any, until time.Time) bool {
	raw, err := json.Marshal(note)
	kept := false
	if err == nil {
		kept, err = r.Ledger.Keep(ctx, key, r.owner(), raw, until)
	}
	if err != nil {
		r.fault("keeping the "+string(key.Kind), err)
		return true
	}
	return kept
}

// decodeNote reads what was kept. What cannot be read as a whole is as good as none, not the half of it that could be read.
func decodeNote[T any](raw []byte, into *T) error {
	var note T
	err := json.Unmarshal(raw, &note)
	if err != nil {
		note = *new(T)
	}
	*into = note
	return err
}
