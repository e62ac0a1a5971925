package reconcile

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// Plan reads a pool, runs a reconcile on a copy of its state, and returns what the run would do to the pool. It writes
// nothing. The error is nil or a *DeferredError.
func (r *Reconciler) Plan(ctx context.Context, id string) (outcome.Preview, error) {
	end := func(out outcome.Outcome, err error) (outcome.Preview, error) {
		return outcome.Preview{Outcome: out}, err
	}
	run := r.begin(event.Request{Kind: event.One, UserPoolID: id})
	if run.scope.Ignored != "" {
		return end(run.ignore(run.scope.Ignored))
	}
	if err := run.observe(ctx); err != nil {
		return end(run.endUnwritten(ctx, err))
	}
	policy := run.rules.policy(run.state)
	if len(policy.Rules) == 0 {
		return end(run.ignore("no rule selects this pool"))
	}
	p := outcome.Preview{State: run.state.Digest(), Before: run.state}
	for _, o := range policy.Requirements {
		p.Required = append(p.Required, o.Setting)
	}
	failure := run.ledger.err
	pool := &copiedPool{state: run.state}
	other := *r
	other.Pools, other.reads = pool, &sync.Map{}
	other.Sleep = func(context.Context, time.Duration) error { return nil }
	run.with, run.ledger = &other, &tolerantLedger{pool: id, ledger: copiedLedger{Ledger: r.Ledger, history: run.history}}
	err := run.units(context.WithoutCancel(ctx))
	run.ledger.err = failure
	p.After = pool.state
	p.Outcome, err = run.end(ctx, err)
	return planned(p, policy), err
}

// planned converts the outcome of a run on a copy of a pool into a preview.
func planned(p outcome.Preview, policy baseline.Policy) outcome.Preview {
	p.Record, p.Critical, p.Verified = "", false, outcome.Verified{}
	p.Details.Open, p.Details.Times.Written, p.Details.Times.Verified = nil, time.Time{}, time.Time{}
	for i := range p.Drifts {
		if p.Drifts[i].State == outcome.StateFixed {
			p.Drifts[i].State, p.Drifts[i].Reason = outcome.StatePlanned, ""
		}
	}
	// The content of a document that the pool offers only with threat protection is unknown while it is off.
	for _, o := range policy.Requirements {
		name, _ := baseline.DocumentOf(o.Setting)
		d := policy.Unseen(o)
		if !p.Before.Off(name) || p.After.Off(name) || d.Mode != baseline.Enforce || d.Exempted != nil {
			continue
		}
		p.Drifts = slices.DeleteFunc(p.Drifts, func(f outcome.Finding) bool { return f.Setting == o.Setting })
		p.Drifts = append(p.Drifts, outcome.Of(d, outcome.StatePlanned, "if it is not compliant when the pool offers it", ""))
		if table, _ := name.Table(); !slices.Contains(p.Writes, table.WriteCall) {
			p.Writes = append(p.Writes, table.WriteCall)
		}
	}
	slices.SortStableFunc(p.Drifts, func(a, b outcome.Finding) int { return baseline.Order(a.Setting, b.Setting) })
	if len(p.Writes) > 0 {
		p.Outcome.Outcome = outcome.Drifted
	}
	return p
}

// A copiedPool accepts every write and returns it in the next read.
type copiedPool struct {
	Pools
	state userpool.State
}

func (c *copiedPool) Read(_ context.Context, _ string, want userpool.Want) (userpool.State, error) {
	state := c.state
	state.Documents = maps.Clone(c.state.Documents)
	maps.DeleteFunc(state.Documents, func(name baseline.DocumentName, _ map[string]any) bool {
		return !slices.Contains(want.Documents, name)
	})
	return state, nil
}

func (c *copiedPool) Document(_ context.Context, _ string, name baseline.DocumentName) (map[string]any, error) {
	return c.state.Documents[name], nil
}

func (c *copiedPool) Write(_ context.Context, _ string, request userpool.Request) (string, error) {
	c.state = c.state.After(request)
	return "", nil
}

// A copiedLedger returns the records that were read of a pool, and stores nothing.
type copiedLedger struct {
	Ledger
	history outcome.History
}

func (c copiedLedger) Acquire(context.Context, string, string, time.Time, time.Time) (bool, error) {
	return true, nil
}

func (c copiedLedger) History(context.Context, string, time.Time, bool) (outcome.History, error) {
	return c.history, nil
}

func (c copiedLedger) Put(context.Context, outcome.Record) error { return nil }
