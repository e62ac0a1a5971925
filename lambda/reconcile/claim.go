package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"
)

// An eventNote is what is kept of an event.
type eventNote struct {
	Handled time.Time `json:"handled,omitzero"`
	Outcome Word      `json:"outcome,omitempty"`
	// Again says that what stood in the way may be gone when the event is delivered again: then it is another try, and no duplicate.
	Again bool `json:"again,omitempty"`
	// Stood says that the event has waited long for others too, which rely on its look at everything.
	Stood bool `json:"stood,omitempty"`
}

const (
	// handledFor is longer than any event is delivered again.
	handledFor = 3 * 24 * time.Hour
	// duplicatesFor is how long the duplicates of an event may take to come that ended without the pool being right. Who delivers it again later means it.
	duplicatesFor = time.Minute
)

// duplicate says whether an event that comes at the time given was handled before.
func (n eventNote) duplicate(at time.Time) bool {
	return !n.Handled.IsZero() && at.Before(n.until())
}

// until is when an event that was handled counts again.
func (n eventNote) until() time.Time {
	if n.Again {
		return n.Handled.Add(duplicatesFor)
	}
	return n.Handled.Add(handledFor)
}

// eventKey names the event with what it asks for, and by which baseline: whoever sends one of the same id that asks for less, first, has not had this one handled, nor has a baseline that asked for
// something else.
func (r *run) eventKey() Key {
	parts := []string{r.cause.EventID, r.id, r.cause.EventName, r.request.ClientID, r.fingerprint()}
	if r.ownWrite() { // which is not answered as another's
		parts = append(parts, "own")
	}
	if r.id == "" { // a sweep, whose id anybody can tell before its time has come
		parts = append(parts, r.cause.Time.UTC().Format(time.RFC3339))
	}
	return Key{EventKey, strings.Join(parts, "/")}
}

// claim takes the event. done says that it was handled before, or that somebody else is at it.
func (r *run) claim(ctx context.Context) (done bool, out Outcome, err error) {
	if r.cause.EventID == "" {
		return false, out, nil
	}
	taken := r.take(ctx, r.eventKey(), func(raw []byte) (bool, error) {
		err := decodeNote(raw, &r.noted)
		return r.noted.duplicate(r.Now()), err
	})
	switch {
	case !r.remembers():
		return false, out, nil
	case r.noted.duplicate(r.Now()):
		r.ignore("the event was handled before, at " + r.noted.Handled.UTC().Format(time.RFC3339) + ": " + string(r.noted.Outcome))
		out, err := r.end(nil)
		return true, out, err
	case !taken:
		out, err := r.end(r.later(errors.New("another invocation is handling the same event")))
		return true, out, err
	}
	r.claimed, r.stood = r.Now().Add(holdTime), r.noted.Stood
	return false, out, nil
}

// stay keeps the event for us while we wait for our turn, so that nobody takes us for killed.
func (r *run) stay(ctx context.Context) {
	if r.remembers() && !r.claimed.IsZero() && r.claimed.Sub(r.Now()) < holdTime/2 {
		r.claimed = r.Now().Add(holdTime)
		r.keep(ctx, r.eventKey(), r.noted, r.claimed)
	}
}

// handled notes how the event ended: handled, which nobody is to take again for now, or free to be taken.
func (r *run) handled(ctx context.Context, err error) {
	if r.cause.EventID == "" {
		return
	}
	until := time.Time{}
	if err == nil {
		r.noted = eventNote{Handled: r.Now(), Outcome: r.out.Outcome, Again: r.worthAnother()}
		until = r.noted.until()
	}
	r.keep(ctx, r.eventKey(), r.noted, until)
}

// worthAnother says whether what stood in the way may be gone when the event is delivered again.
func (r *run) worthAnother() bool {
	switch r.out.Outcome {
	case Unfixable, Partial, Unconverged:
		return true
	default:
		return r.unseen || r.owedUnknown
	}
}
