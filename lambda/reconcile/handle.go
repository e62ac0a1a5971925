package reconcile

import (
	"context"

	"poolkeeper/lambda/event"
)

// Handle does what the payload of one event asks for: it reconciles one pool or all, or ignores the event with a reason. done is called with
// every outcome, also with the Earlier ones and that of an ignored event. The result is an Outcome or a Sweeping; the error is nil or a *DeferredError.
func (r *Reconciler) Handle(ctx context.Context, payload []byte, home event.Home, done func(Outcome)) (any, error) {
	return r.Do(ctx, event.Decode(payload, home), done)
}

// Do is Handle for an event that is decoded already.
func (r *Reconciler) Do(ctx context.Context, request event.Request, done func(Outcome)) (any, error) {
	switch request.Kind {
	case event.One:
		out, err := r.Answer(ctx, request)
		out.each(done)
		return out, err
	case event.All:
		if r.Bus != nil {
			return r.Dispatch(ctx, request)
		}
		sweep, err := r.Sweep(ctx, request.Cause, done)
		if sweep.Reason == "" {
			sweep.Reason = request.Detail
		}
		return sweep, err
	default:
		out := Outcome{Outcome: Ignored, UserPoolID: request.UserPoolID, Baseline: r.Baseline.Digest, Cause: request.Cause,
			Drifts: []Drift{}, Writes: []string{}, Reason: string(request.Reason) + ": " + request.Detail}
		done(out)
		return out, nil
	}
}
