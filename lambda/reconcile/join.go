package reconcile

import (
	"cmp"
	"context"
	"errors"
	"time"

	"poolkeeper/lambda/event"
)

// sweepRest is the least time between the beginnings of two sweeps that calls have asked for: a deployment may make many calls of which CloudTrail leaves out the pool.
const sweepRest = 30 * time.Second

// A sweepNote is what is kept of sweeps.
type sweepNote struct {
	Began time.Time `json:"began"`        // the latest
	By    string    `json:"by,omitempty"` // the id of the event that asked for it, until its pools are sent or handed on
}

// sweepKey names the turn to sweep. Nobody else relies on the sweeps that calls of our own role ask for, as they write nothing.
func (d *dispatch) sweepKey() Key {
	if d.ownWrite() {
		return Key{SweepKey, "own"}
	}
	return Key{SweepKey, "calls"}
}

// join takes the turn to sweep for a call of which CloudTrail left out the pool. done says that there is none to take: a sweep that begins after the call looks at every pool, or one is under way and takes
// longer than can be waited for. Whoever sweeps is tried again, or lies in a queue with an alarm, so that others may rely on it.
func (d *dispatch) join(ctx context.Context) (done bool, err error) {
	if d.request.Reason != event.RequestLeftOut || !d.remembers() {
		return false, nil
	}
	covered := func() bool {
		return !d.stood && !d.cause.Time.IsZero() && d.joined.Began.After(d.cause.Time.Add(settled)) && (d.joined.By == "" || d.joined.By != d.cause.EventID)
	}
	taken := d.take(ctx, d.sweepKey(), func(note []byte) (bool, error) {
		err := decodeNote(note, &d.joined)
		return covered(), err
	})
	if d.joins = taken; !d.remembers() {
		return false, nil
	}
	switch {
	case covered():
		d.leaveSweep(ctx)
		d.ignore("the sweep that began at " + d.joined.Began.UTC().Format(time.RFC3339) + ", after this call, looks at every pool")
		return true, nil
	case !taken && d.answeredAhead():
		d.ignore("a sweep is about to begin, after this call, that looks at every pool")
		return true, nil
	case !taken:
		return true, d.later(errors.New("another sweep is under way"))
	}
	if wait := d.joined.Began.Add(sweepRest).Sub(d.Now()); wait > 0 && d.Sleep(ctx, min(wait, sweepRest)) != nil {
		d.leaveSweep(ctx)
		return true, d.later(errors.New("the time is used up"))
	}
	d.joined = sweepNote{Began: d.Now().UTC(), By: d.cause.EventID}
	d.stayInSweep(ctx)
	return false, nil
}

// firstSweep is where it is kept when the first of all sweeps began.
var firstSweep = Key{SweepKey, "first"}

// findPurpose finds out what the sweep is to make of drift, if it begins.
func (d *dispatch) findPurpose(ctx context.Context) {
	if d.at.Token != "" || d.at.Restarted {
		return
	}
	if d.request.Reason == event.RequestLeftOut {
		d.at.Asked, d.at.Own = cmp.Or(d.cause.Time, d.at.Started), d.ownWrite()
		return
	}
	if !d.remembers() {
		return
	}
	var first sweepNote
	taken := d.take(ctx, firstSweep, func(note []byte) (bool, error) { return true, decodeNote(note, &first) })
	if !d.remembers() {
		return
	}
	if first.Began.IsZero() {
		first.Began = d.at.Started
	}
	if d.at.First = first.Began; taken {
		d.keep(ctx, firstSweep, first, time.Time{})
	}
}

// stayInSweep keeps the event and the turn while the sweep goes on.
func (d *dispatch) stayInSweep(ctx context.Context) {
	d.stay(ctx)
	if d.joins && d.remembers() {
		d.keep(ctx, d.sweepKey(), d.joined, d.Now().Add(holdTime))
	}
}

// leaveSweep gives the turn back.
func (d *dispatch) leaveSweep(ctx context.Context) {
	if d.joins {
		d.joins = false
		d.keep(ctx, d.sweepKey(), d.joined, time.Time{})
	}
}
