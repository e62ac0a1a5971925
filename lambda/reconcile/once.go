package reconcile

import (
	"context"
	"errors"
	"time"

	"poolkeeper/lambda/userpool"
)

// once looks, writes and verifies. The error is what defers the event or makes it wait.
func (r *run) once(ctx context.Context) (step, error) {
	v, done, err := r.lookAgain(ctx)
	if done {
		return finished, err
	}
	report, plan, policy := v.report, v.plan, v.policy
	if len(plan.Writes) == 0 && (len(plan.Later) > 0 || r.sent != nil && r.sent.Late(v.state)) {
		return waitFirst, errors.New("the risk configuration cannot be read yet as it is now")
	}
	if len(plan.Writes) == 0 && len(r.given) > 0 {
		return finished, r.verify(ctx, *r.sent, policy, report)
	}
	if len(plan.Writes) == 0 {
		r.settle(v.found, report)
		return finished, nil
	}
	if !r.timeFor(ctx, together(plan.Writes)) {
		return finished, r.later(errLate)
	}
	if r.sent == nil {
		if r.from != "" && v.state.Digest() != r.from {
			r.out.Outcome, r.out.Reason = Drifted, MovedReason
			return finished, nil
		}
	}
	if r.Before != nil && (r.sent == nil || r.offered) {
		if err := r.Before(v.state); err != nil {
			return finished, r.later(err)
		}
	}
	r.offered = false
	if !r.enter(ctx, v) {
		return finished, r.later(errTaken)
	}
	if next, done, err := r.write(ctx, plan); !done {
		return next, err
	}
	if r.offered = plan.Offers; plan.Again {
		return planAgain, nil
	}
	return finished, r.verify(ctx, plan, policy, report)
}

var errLate = errors.New("too little time is left to write and to verify")

// together counts the writes for which there has to be time before the first is made: those of the pool itself, and one of its clients, which are written one by one as time allows.
func together(writes []userpool.Request) int {
	for i, w := range writes {
		if w.Document.Client() != "" {
			return i + 1
		}
	}
	return len(writes)
}

func (r *run) timeFor(ctx context.Context, writes int) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) >= time.Duration(writes)*writeTime
}
