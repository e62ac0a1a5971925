package reconcile

import (
	"context"
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// A Preview is what Reconcile would do to a pool in the state that it was found in.
type Preview struct {
	// Outcome has the drifts as they would be dealt with (Planned in place of Fixed) and, as Writes, the calls that would be made. Its word is Drifted where
	// anything would be written or is left, Unfixable where nothing can be written, Unchanged or Ignored.
	Outcome
	PoolName string
	Required []string // the settings that are required of the pool and its clients
	State    string   // digest of the whole state, for ReconcileFrom; "" of an ignored pool
	Before   userpool.State
}

// Plan reads, compares and plans as Reconcile does, and writes nothing. The error is nil or a *DeferredError.
func (r *Reconciler) Plan(ctx context.Context, id string) (Preview, error) {
	run := r.begin(id, event.Cause{})
	v, done, err := run.look(ctx)
	if done {
		out, err := run.end(err)
		return Preview{Outcome: out, PoolName: v.state.Identity().Name}, err
	}
	p := Preview{Outcome: run.out, PoolName: v.state.Identity().Name, State: v.state.Digest(), Before: v.state}
	for _, o := range v.policy.Requirements {
		p.Required = append(p.Required, o.Setting)
	}
	p.Drifts = append(p.Drifts, v.report...)
	for _, d := range v.plan.Fixes {
		p.Drifts = append(p.Drifts, drift(d, Planned, ""))
	}
	for _, request := range v.plan.Writes {
		p.Writes = append(p.Writes, request.Call)
	}
	for _, d := range append(v.plan.Later, v.unseen()...) {
		p.Drifts = append(p.Drifts, drift(d.Drift, Planned, d.Reason))
		name, _ := baseline.DocumentOf(d.Setting)
		if table, ok := name.Table(); ok && !slices.Contains(p.Writes, table.WriteCall) {
			p.Writes = append(p.Writes, table.WriteCall)
		}
	}
	slices.SortStableFunc(p.Drifts, func(a, b Drift) int { return baseline.Order(a.Setting, b.Setting) })
	is := func(state DriftState) func(Drift) bool { return func(d Drift) bool { return d.State == state } }
	switch {
	case slices.ContainsFunc(p.Drifts, is(Planned)), slices.ContainsFunc(p.Drifts, is(Reported)):
		p.Outcome.Outcome = Drifted
	case slices.ContainsFunc(p.Drifts, is(NotFixable)):
		p.Outcome.Outcome = Unfixable
	default:
		p.Outcome.Outcome = Unchanged
	}
	return p, nil
}

// unseen returns what may have to be written once the pool offers what it does not show for now.
func (v view) unseen() (unseen []userpool.Left) {
	for _, o := range v.policy.Requirements {
		known := slices.ContainsFunc(v.found.Drifts, func(d baseline.Drift) bool { return d.Setting == o.Setting })
		if d := v.policy.Unseen(o); v.plan.Offers && v.state.Hides(o.Setting) && !known && d.Mode == baseline.Enforce && d.Exempted == nil {
			unseen = append(unseen, userpool.Left{Drift: d, Reason: "once the pool offers it, if it is not so then"})
		}
	}
	return unseen
}
