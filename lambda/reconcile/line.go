package reconcile

import (
	"context"
	"time"
)

// Of those who wait for the same only one waits long, for the function may run only so often at once. It looks at everything then, and so does its retry, so that the others can leave it to that one.

// placeTime is how long the place of the one that waits long is taken for, again and again.
const placeTime = 6 * time.Second

// A place is what is kept of whoever waits long.
type place struct {
	Baseline string    `json:"baseline"` // that it goes by
	Asked    time.Time `json:"asked"`    // when it last asked for what it waits for, and had not got it
}

// A run's place among those who wait.
type standing struct {
	inLine Key   // the place that is ours, of the one that waits long
	stood  bool  // it was, now or when the event was tried before
	waiter place // what is known of the one that has it
}

// placeOf names the place. Events that only they themselves can tell of have one of their own.
func (r *run) placeOf(key Key) Key {
	place := Key{PlaceKey, string(key.Kind) + "/" + key.ID}
	if key.Kind == PoolKey && !r.leavable() {
		place.ID += "/told"
	}
	return place
}

// standInLine takes the place of the one that waits long for what the key names, or keeps it. If somebody else has it, waiter says what is known of that one. The event of a write of ours only asks, for it
// would put nothing right.
func (r *run) standInLine(ctx context.Context, key Key) bool {
	own := key.Kind == PoolKey && r.ownWrite()
	now := r.Now()
	until := now.Add(placeTime)
	if own || key.Kind != EventKey && r.claimed.IsZero() { // nor can anybody rely on what has no event
		until = now.Add(-time.Hour)
	}
	at := r.inLine
	if at.Kind == "" {
		at = r.placeOf(key)
	}
	note, taken, err := r.Ledger.Take(ctx, at, r.owner(), now.Add(-clockSkew), until)
	switch {
	case err != nil:
		r.failing("waiting in line", err)
		return false
	case !taken:
		_ = decodeNote(note, &r.waiter) // what cannot be read tells nothing
		return false
	case until.Before(now):
		return false
	}
	if !r.noted.Stood && key.Kind != EventKey {
		r.noted.Stood = true
		if !r.keep(ctx, r.eventKey(), r.noted, r.claimed) || !r.remembers() {
			return false // nobody may rely on an event of which that is not known
		}
	}
	r.inLine, r.stood = at, r.noted.Stood
	return r.keepPlace(ctx, place{r.fingerprint(), now}, until)
}

func (r *run) keepPlace(ctx context.Context, note place, until time.Time) bool {
	kept, err := r.Ledger.Keep(ctx, r.inLine, r.owner(), encoded(note), until)
	if err != nil {
		r.failing("waiting in line", err)
	}
	return kept
}

// leaveLine gives the place back, and says no more that anybody waits.
func (r *run) leaveLine(ctx context.Context) {
	if r.inLine.Kind != "" {
		r.keepPlace(ctx, place{}, time.Time{})
		r.inLine = Key{}
	}
}

// answeredAhead says whether the one that waits looks at everything once more, and later than the event's call: it had not got what it waits for when the call was over.
func (r *run) answeredAhead() bool {
	return r.waiter.Baseline == r.fingerprint() && !r.cause.Time.IsZero() && r.waiter.Asked.After(r.cause.Time.Add(settled+clockSkew))
}

// leavable says whether anybody who looks at the pool sees what the event is about.
func (r *run) leavable() bool {
	call := r.request.Call
	asks := call.Name == "" && !r.request.Sweep.Started.IsZero() && r.request.Sweep.Asked.IsZero()
	return (asks || len(call.Changes) > 0 && call.Happened == "") && !r.cause.Time.IsZero() && r.noted.Outcome == "" && !r.hears()
}

// leavesItAhead says whether the one that waits for the pool sees all that the event's call did. That the call was lost to a write of ours is told by its own event.
func (r *run) leavesItAhead(ctx context.Context) bool {
	if !r.leavable() || !r.answeredAhead() {
		return false
	}
	r.sought, r.overwritten = false, nil
	r.findOverwritten(ctx)
	return r.remembers() && len(r.overwritten) == 0
}

// standsFor says that the event was waited with: others rely on its look at everything, and what a sweep has found meanwhile may be of theirs.
func (r *run) standsFor() {
	if u := r.known.Unheard; r.stood && u != nil && u.Found.After(r.start) {
		r.known.Unheard = nil
	}
}
