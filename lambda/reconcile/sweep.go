package reconcile

import (
	"context"
	"errors"
	"time"

	"poolkeeper/lambda/event"
)

const (
	// sweepPace is the least time from the start of one pool to that of the next: a verified remediation takes up to three calls of a
	// category that allows 15 a second, and the account's own tools share them.
	sweepPace = 200 * time.Millisecond
	// sweepReserve is the time that one pool may need; without it no pool is begun.
	sweepReserve = 2*writeTime + 2*time.Second
)

// Sweep reconciles every pool of the account and Region, page by page and no faster than the API's rates allow. done is called with
// the outcome of each. A pool that fails stops no other: it is among Failed. The error is nil, or a *DeferredError if pools were
// not looked at, for want of time or because they could not be listed; the result then counts those that were.
func (r *Reconciler) Sweep(ctx context.Context, cause event.Cause, done func(Outcome)) (Sweeping, error) {
	sweep := Sweeping{Outcome: Swept, Outcomes: map[Word]int{}, Failed: []Failure{}}
	for token := ""; ; {
		ids, next, err := r.Pools.List(ctx, token)
		if err != nil {
			return sweep, sweep.deferred("the pools could not be listed", err)
		}
		for _, id := range ids {
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < sweepReserve {
				return sweep, sweep.deferred("the time is used up", nil)
			}
			from := r.Now()
			run := r.begin(id, cause)
			run.sweeping = true
			out, err := run.remembered(ctx)
			sweep.count(out, err)
			out.each(done)
			if err := r.Sleep(ctx, sweepPace-r.Now().Sub(from)); err != nil {
				return sweep, sweep.deferred("the time is used up", err)
			}
		}
		if next == "" {
			return sweep, nil
		}
		token = next
	}
}

func (s *Sweeping) count(out Outcome, err error) {
	s.Pools++
	s.Outcomes[out.Outcome]++
	if err == nil {
		return
	}
	reason := err.Error()
	var later *DeferredError
	if errors.As(err, &later) {
		reason = later.Reason
	}
	s.Failed = append(s.Failed, Failure{UserPoolID: out.UserPoolID, Outcome: out.Outcome, Reason: reason})
}

func (s *Sweeping) deferred(what string, err error) error {
	s.Outcome, s.Reason = Deferred, what
	reason := what + "; not every pool was looked at"
	if err != nil {
		reason += ": " + err.Error()
	}
	return &DeferredError{Reason: reason, Cause: err}
}
