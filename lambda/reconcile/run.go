package reconcile

import (
	"context"
	"time"

	"poolkeeper/lambda/event"
)

func (r *Reconciler) begin(id string, cause event.Cause) *run {
	return &run{Reconciler: r, id: id, cause: cause, start: r.Now(),
		out:     Outcome{Times: Times{Seen: r.Now()}, UserPoolID: id, Baseline: r.Baseline.Digest, Cause: cause, Drifts: []Drift{}, Writes: []string{}},
		writing: writing{refused: map[string]string{}}, races: races{accepted: map[written]bool{}, raced: map[string]bool{}}}
}

// work reads, plans and writes until there is nothing further to do. The error is what defers the event.
func (r *run) work(ctx context.Context) error {
	waits := 0
	for plans := 1; ; plans++ {
		next, err := r.once(ctx)
		switch {
		case next == finished:
			return err
		case next == planAgain && plans < mostPlans:
			continue
		case waits+1 == attempts:
			return r.later(err)
		}
		if ended := r.Sleep(ctx, r.Jitter(firstWait<<waits)); ended != nil {
			return r.later(err)
		}
		waits++
	}
}

// A step is what is to come after one attempt.
type step int

const (
	finished  step = iota
	planAgain      // at once: the service has taught us something, which cannot happen without end
	waitFirst      // then read and plan again: the pool was busy, or it is unclear whether a write was applied
)

// A run is one reconcile of one pool, over all its attempts. What it knows stands in parts, each beside the code whose idea it is.
type run struct {
	*Reconciler
	id       string
	cause    event.Cause
	start    time.Time
	request  event.Request // the event's; without a call, everything is looked at
	from     string        // digest of the state to start from, or ""
	sweeping bool          // it is part of a sweep, of which people are told as a whole
	out      Outcome
	failed   bool // it ended with an error

	sight
	writing
	races
	debts

	// With a ledger:
	holds
	standing
	recording
	recovery
	misses
	overlaps
	budget
}
