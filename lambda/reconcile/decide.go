package reconcile

import (
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/halving"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// Rules are what every decision of a run rests on. They are read-only.
type Rules struct {
	Baseline *baseline.Baseline
	Now      time.Time
	Whole    bool                               // app clients that are named and do not exist are missing
	Rest     []string                           // app clients that another run handles
	OwnWrite bool                               // the event is of our own write: drift is reported and not written
	Flapping map[string]string                  // settings whose flap budget is used up, and why
	Moved    map[baseline.DocumentName][]string // unknown members that our writes moved of late
}

// policy returns what is required of a pool in a state, as far as the documents of the unit go.
func (r Rules) policy(state userpool.State, unit Unit) baseline.Policy {
	return r.Baseline.Policy(state.Identity(), r.Now).Only(func(name baseline.DocumentName) bool {
		return slices.Contains(unit, name)
	})
}

// requiresRisk reports whether a risk configuration is required, of the pool or of one of its clients.
func (r Rules) requiresRisk(state userpool.State) bool {
	return slices.ContainsFunc(r.Baseline.Policy(state.Identity(), r.Now).Requirements, func(o baseline.Owned) bool {
		name, _ := baseline.DocumentOf(o.Setting)
		risk := name.Kind() == baseline.RiskConfiguration || name.Kind() == baseline.ClientRisk
		return risk && o.Op != baseline.Absent
	})
}

// An Attempt is what a run has learned of the writes of one unit.
type Attempt struct {
	halving.Search
	Restores []baseline.Drift // what our writes took from the pool
	// MoveValidity sends UnusedAccountValidityDays under its newer name, which the service has just asked for.
	MoveValidity bool
}

// A Decision is what is to be done about one unit in one state.
type Decision struct {
	Found    baseline.Comparison
	Findings []outcome.Finding // what is not written now, and why
	Plan     userpool.Plan
	Lost     []baseline.Drift // restores whose setting the pool lacks
}

// Decide compares one unit with what is required of it and plans its writes. It is pure.
//
// For example, of a pool with DeletionProtection INACTIVE, for which an enforcing rule wants ACTIVE, the plan has one
// write, UpdateUserPool with the whole document. In audit mode it has none, and a finding with StateReported.
func Decide(rules Rules, unit Unit, state userpool.State, attempt Attempt) (Decision, error) {
	riskRequired := unit.isPool() && rules.requiresRisk(state)
	all := baseline.Policy{}
	if len(attempt.Restores) > 0 {
		all = rules.Baseline.Policy(state.Identity(), rules.Now)
	}
	state = state.Focus(unit)
	policy := rules.policy(state, unit)
	d := Decision{Found: compare(policy, state)}
	var fixable []baseline.Drift
	for _, drift := range d.Found.Drifts {
		finding, skip := rules.skip(drift, attempt)
		switch {
		case skip:
			d.Findings = append(d.Findings, finding)
		case !attempt.Postponed[drift.Setting]:
			fixable = append(fixable, drift)
		}
	}
	d.Lost = state.Lacks(attempt.Restores)
	restores, findings := rules.restores(all, d.Lost, attempt)
	d.Findings = append(d.Findings, findings...)
	var err error
	d.Plan, err = userpool.NewPlan(state, append(fixable, restores...), userpool.Options{
		Unknown: rules.Baseline.Unknown, Moved: rules.Moved, MoveValidity: attempt.MoveValidity, RiskRequired: riskRequired})
	for _, left := range d.Plan.Skipped {
		if left.Rule == "" {
			d.Findings = append(d.Findings, outcome.NotRestored(left.Drift, left.Reason))
			continue
		}
		d.Findings = append(d.Findings, outcome.Of(left.Drift, outcome.StateUnfixable, left.Reason))
	}
	return d, err
}

// compare is baseline.Compare without the drift of a risk configuration that has to be absent and that a client only
// inherits from the pool.
func compare(policy baseline.Policy, state userpool.State) baseline.Comparison {
	found := baseline.Compare(policy, state.Settings())
	found.Drifts = slices.DeleteFunc(found.Drifts, func(d baseline.Drift) bool {
		client, below, _ := baseline.ClientOf(d.Setting)
		return below == string(baseline.RiskConfiguration) && d.Action == baseline.LeaveOut && state.Inherits(client)
	})
	return found
}

const (
	auditReason    = "the rule only audits"
	noValueReason  = "the requirement names no value to write"
	ownWriteReason = "the event is of our own write, which is never answered with a write"
	unheldReason   = "a write was accepted, but reading back shows that it did not hold"
)

// skip returns the finding of a drift that is not written, and false for one that is.
func (r Rules) skip(d baseline.Drift, attempt Attempt) (outcome.Finding, bool) {
	refused, isRefused := attempt.Refused[d.Setting]
	flapping, flaps := r.Flapping[d.Setting]
	switch {
	case d.Exempted != nil:
		until := d.Exempted.Until.UTC().Format(time.RFC3339)
		return outcome.Of(d, outcome.StateExempted, "until "+until+", "+d.Exempted.Owner+": "+d.Exempted.Reason), true
	case d.Mode == baseline.Audit:
		return outcome.Of(d, outcome.StateReported, auditReason).Coded(outcome.CodeAudited), true
	case r.OwnWrite:
		return outcome.Of(d, outcome.StateReported, ownWriteReason).Coded(outcome.CodeOwnWrite), true
	case d.Action == baseline.Report && d.Reason != "":
		return outcome.Of(d, outcome.StateUnfixable, d.Reason), true
	case d.Action == baseline.Report:
		return outcome.Of(d, outcome.StateReported, noValueReason).Coded(outcome.CodeNoValue), true
	case flaps:
		return outcome.Of(d, outcome.StateUnfixable, flapping).Coded(outcome.CodeFlapping), true
	case attempt.Unheld[d.Setting]:
		return outcome.Of(d, outcome.StateUnfixable, unheldReason).Coded(outcome.CodeUnheld), true
	case isRefused:
		return refusal(d, refused, attempt.Accepted[d.Setting]), true
	default:
		return outcome.Finding{}, false
	}
}

// refusal is the finding of a refused setting. A twin may be written in the other document.
func refusal(d baseline.Drift, reason string, accepted []baseline.DocumentName) outcome.Finding {
	own, _ := baseline.DocumentOf(d.Setting)
	for _, name := range accepted {
		if name != own {
			reason += "; it was written in " + string(name) + ", where it stands too"
			return outcome.Of(d, outcome.StateUnfixable, reason).Coded(outcome.CodeHalf)
		}
	}
	return outcome.Of(d, outcome.StateUnfixable, reason)
}

// restores returns what of the lost settings can be written again, and the findings of what cannot. The policy is that
// of the whole pool: a setting is restored whether it is required or not.
func (r Rules) restores(policy baseline.Policy, lost []baseline.Drift, attempt Attempt,
) (writable []baseline.Drift, findings []outcome.Finding) {
	enforces := slices.ContainsFunc(r.Baseline.Rules, func(rule baseline.Rule) bool {
		return rule.Mode == baseline.Enforce && slices.Contains(policy.Rules, rule.Name)
	})
	for _, d := range lost {
		refused, isRefused := attempt.Refused[d.Setting]
		switch {
		case len(policy.Rules) == 0:
			findings = append(findings, outcome.NotRestored(d, "no rule selects the pool any more"))
		case !enforces:
			findings = append(findings, outcome.NotRestored(d, auditReason))
		case isRefused:
			findings = append(findings, outcome.NotRestored(d, refused))
		case attempt.Unheld[d.Setting]:
			findings = append(findings, outcome.NotRestored(d, unheldReason))
		case r.OwnWrite:
			d.Want = "what it was before"
			findings = append(findings, outcome.Of(d, outcome.StateReported, ownWriteReason).Coded(outcome.CodeOwnWrite))
		default:
			writable = append(writable, d)
		}
	}
	return writable, findings
}

// missing returns the findings of app clients that a rule names and that do not exist.
func (r Rules) missing(state userpool.State) []outcome.Finding {
	if !r.Whole {
		return nil
	}
	policy := r.Baseline.Policy(state.Identity(), r.Now).Only(func(name baseline.DocumentName) bool {
		return name.Client() != "" && !state.Has(name) && !slices.Contains(r.Rest, name.Client())
	})
	var findings []outcome.Finding
	for _, d := range compare(policy, state).Drifts {
		if f, skip := r.skip(d, Attempt{}); skip {
			findings = append(findings, f)
			continue
		}
		findings = append(findings, outcome.Of(d, outcome.StateUnfixable, "there is no such client"))
	}
	return findings
}
