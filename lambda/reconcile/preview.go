package reconcile

import (
	"context"
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// Plan reads and decides as Reconcile does, and writes nothing. The error is nil or a *DeferredError.
func (r *Reconciler) Plan(ctx context.Context, id string) (outcome.Preview, error) {
	run := r.begin(event.Request{Kind: event.One, UserPoolID: id})
	if run.scope.Ignored != "" {
		out, err := run.ignore(run.scope.Ignored)
		return outcome.Preview{Outcome: out}, err
	}
	if err := run.observe(ctx); err != nil {
		out, err := run.endUnwritten(ctx, err)
		return outcome.Preview{Outcome: out}, err
	}
	policy := r.Baseline.Policy(run.state.Identity(), run.rules.Now)
	if len(policy.Rules) == 0 {
		out, err := run.ignore("no rule selects this pool")
		return outcome.Preview{Outcome: out}, err
	}
	p := outcome.Preview{State: run.state.Digest(), Before: run.state}
	for _, o := range policy.Requirements {
		p.Required = append(p.Required, o.Setting)
	}
	planned, err := run.plan(&p)
	if err != nil {
		return p, err
	}
	calls := p.Writes
	p.Outcome, _ = run.conclude(ctx, nil)
	p.Details.Open = nil
	if calls != nil {
		p.Writes = calls
	}
	p.Drifts = append(p.Drifts, planned...)
	slices.SortStableFunc(p.Drifts, func(a, b outcome.Finding) int { return baseline.Order(a.Setting, b.Setting) })
	if len(planned) > 0 {
		p.Outcome.Outcome = outcome.Drifted
	}
	return p, nil
}

// plan decides each unit, adds the calls to the preview, and returns what would be fixed.
func (r *run) plan(p *outcome.Preview) (planned []outcome.Finding, err error) {
	offers := false  // the plan turns threat protection on
	state := r.state // with what the plan writes
	for _, unit := range r.scope.Units(r.state) {
		if offers {
			findings, calls := onceOffered(r, unit)
			planned, p.Writes = append(planned, findings...), append(p.Writes, calls...)
			if unit = slices.DeleteFunc(slices.Clone(unit), r.state.Off); len(unit) == 0 {
				continue
			}
		}
		decision, err := Decide(r.rules, unit, state, Attempt{})
		// One requirement can block another until it is written, or be broken by it.
		for try := 0; err == nil && unit.isPool() && try < busyTries && len(decision.Plan.Writes) > 0; try++ {
			planned, p.Writes = decision.show(planned, p.Writes)
			offers = offers || decision.Plan.Offers()
			state = state.After(decision.Plan)
			decision, err = Decide(r.rules, unit, state, Attempt{})
		}
		if err != nil {
			return nil, r.later(err)
		}
		offers = offers || decision.Plan.Offers()
		done := result{unit: unit, found: decision.Found, findings: decision.Findings, refused: len(decision.Plan.Skipped)}
		drifts := compare(r.rules.policy(r.state, unit), r.state.Focus(unit)).Drifts
		done.addFollowers(r.rules, drifts, outcome.StatePlanned)
		state = state.After(decision.Plan)
		planned, p.Writes = decision.show(planned, p.Writes)
		done.writes = len(p.Writes)
		r.results = append(r.results, done)
	}
	for i, before := range r.results { // as units does
		if before.refused == 0 || before.writes == len(p.Writes) {
			continue
		}
		decision, err := Decide(r.rules, before.unit, state, Attempt{})
		if err != nil {
			return nil, r.later(err)
		}
		planned, p.Writes = decision.show(planned, p.Writes)
		r.results[i].found, r.results[i].findings = decision.Found, decision.Findings
	}
	return planned, nil
}

// show adds what a decision would fix, and its calls.
func (d Decision) show(planned []outcome.Finding, calls []string) ([]outcome.Finding, []string) {
	for _, fix := range d.Plan.Fixes {
		planned = append(planned, outcome.Of(fix, outcome.StatePlanned, ""))
	}
	for _, write := range d.Plan.Writes {
		calls = append(calls, write.Call)
	}
	return planned, calls
}

// onceOffered returns what may have to be written in a unit that the pool offers only once an earlier write turned
// threat protection on: nobody knows before what stands there.
func onceOffered(r *run, unit Unit) (findings []outcome.Finding, calls []string) {
	policy := r.rules.policy(r.state, unit)
	for _, o := range policy.Requirements {
		name, _ := baseline.DocumentOf(o.Setting)
		if d := policy.Unseen(o); r.state.Off(name) && d.Mode == baseline.Enforce && d.Exempted == nil {
			findings = append(findings, outcome.Of(d, outcome.StatePlanned, "once the pool offers it, if it is not so then"))
			table, _ := name.Table()
			calls = []string{table.WriteCall}
		}
	}
	return findings, calls
}
