package reconcile

import (
	"context"
	"errors"
	"time"
)

// Every process that reads pools takes turns with all others, so that a storm of events keeps within the API's rates. The reads are what is scarce: a remediation makes two for each write.

const (
	// readLane is the lane of the reads of an account and Region.
	readLane = "read"
	// deepest is how far ahead turns are taken for a first look, at first; who has waited long may look further, by a part of the time and so much at most: else chance would decide who comes last.
	deepest   = 3 * time.Second
	patience  = 20
	mostAhead = 5 * time.Second
	// mostDeep is how far ahead they are taken by whoever has the pool already: others wait for it meanwhile, so it goes before those that have nothing yet.
	mostDeep = 30 * time.Second
	// late is how long a run whose turn has come is waited for, which may have been killed.
	late = time.Second
	// farthest is how far away a turn for a first look can be: one that is noted for later was taken by a clock that is wrong.
	farthest = deepest + mostAhead + late + clockSkew
	// laneWait is the wait before a turn is asked for again where the lane is full.
	laneWait = 3 * time.Second
)

// queue returns how long it is until the pool can be looked at. While somebody else waits for a turn to do so no further one is taken: that look will see all that there is to see, and a turn that is not
// used is lost to everybody.
func (r *run) queue(ctx context.Context) time.Duration {
	if wait := r.known.Due.Add(late).Sub(r.Now()); wait > 0 && wait <= farthest && r.turn.IsZero() {
		return max(wait, 2*brief)
	}
	wait := r.reserve(ctx, deepest+min(max(0, r.Now().Sub(r.start)/patience), mostAhead))
	r.known.Due = r.turn
	return wait
}

// reserve takes a turn to read that comes within so long, unless there is one that was not used yet, and returns how long it is until then. Where the lane is full it returns the wait before the next try.
func (r *run) reserve(ctx context.Context, within time.Duration) time.Duration {
	if r.turn.IsZero() {
		now := r.Now()
		turn, taken, err := r.Ledger.Reserve(ctx, readLane, now, r.want().Share(), now.Add(within))
		switch {
		case err != nil:
			r.fault("waiting for a turn", err)
			return 0
		case !taken:
			return r.Jitter(laneWait)
		}
		r.turn = turn
	}
	return max(0, r.turn.Sub(r.Now()))
}

// await waits for the turn to read.
func (r *run) await(ctx context.Context) error {
	for range mostLeases {
		if !r.leased || !r.remembers() {
			return nil
		}
		wait := r.reserve(ctx, mostDeep)
		if err := r.Sleep(ctx, wait); err != nil {
			return err
		}
		if !r.turn.IsZero() {
			r.turn = time.Time{} // used
			return nil
		}
	}
	return errors.New("too many events at once: the turn to read did not come")
}
