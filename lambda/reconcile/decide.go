package reconcile

import (
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/halving"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// Rules are the inputs of every decision of a run. They are read-only.
type Rules struct {
	Baseline *baseline.Baseline
	Now      time.Time
	Whole    bool                               // report named app clients that do not exist
	Rest     []string                           // app clients that another run handles
	OwnWrite bool                               // our own write caused the event: drift is reported but not written
	Flapping map[string]string                  // settings whose flap budget is used up, with the reason
	Moved    map[baseline.DocumentName][]string // unknown members that our recent writes changed
}

// policy returns the requirements on a pool in a state, for the documents of the unit.
func (r Rules) policy(state userpool.State, unit Unit) baseline.Policy {
	return r.Baseline.Policy(state.Identity(), r.Now).Only(func(name baseline.DocumentName) bool {
		return slices.Contains(unit, name)
	})
}

// requiresRisk reports whether a risk configuration is required, for the pool or for a client.
func (r Rules) requiresRisk(state userpool.State) bool {
	return slices.ContainsFunc(r.Baseline.Policy(state.Identity(), r.Now).Requirements, func(o baseline.Owned) bool {
		name, _ := baseline.DocumentOf(o.Setting)
		risk := name.Kind() == baseline.RiskConfiguration || name.Kind() == baseline.ClientRisk
		return risk && o.Op != baseline.Absent
	})
}

// An Attempt is what a run has learned from the writes of one unit.
type Attempt struct {
	halving.Search
	Restores []baseline.Drift // settings that our writes removed from the pool
	// MoveValidity sends UnusedAccountValidityDays under its newer name, because the service rejected the older one.
	MoveValidity bool
}

// A Decision is what to do about one unit in one state.
type Decision struct {
	Found    baseline.Comparison
	Findings []outcome.Finding // drift that is not written now, and why
	Plan     userpool.Plan
	Lost     []baseline.Drift // restores of settings that the pool lacks
}

// Decide compares one unit with its requirements and plans its writes. It is pure.
//
// For example, a pool has DeletionProtection INACTIVE and a rule in enforce mode requires ACTIVE. Then the plan has one
// write, UpdateUserPool with the whole document. In audit mode, the decision has no write but a finding with
// StateReported.
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

// compare is baseline.Compare, but ignores drift of a risk configuration that must be absent and that a client only
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
	noValueReason  = "the rule gives no value to write; set gives one"
	ownWriteReason = "poolkeeper's own write caused the event, and poolkeeper never reacts to it with another write"
	unheldReason   = "a write was accepted, but the pool does not have the written value"
)

// skip returns the finding for a drift that is not written, or false.
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

// refusal returns the finding for a setting whose write was rejected. Its twin in the other document may have been
// written.
func refusal(d baseline.Drift, reason string, accepted []baseline.DocumentName) outcome.Finding {
	own, _ := baseline.DocumentOf(d.Setting)
	for _, name := range accepted {
		if name != own {
			reason += "; it was written in " + string(name) + ", which has the same setting"
			return outcome.Of(d, outcome.StateUnfixable, reason).Coded(outcome.CodeHalf)
		}
	}
	return outcome.Of(d, outcome.StateUnfixable, reason)
}

// restores returns the lost settings that can be written again, and findings for the others. Settings are restored
// whether they are required or not. The policy is that of the whole pool.
func (r Rules) restores(policy baseline.Policy, lost []baseline.Drift, attempt Attempt,
) (writable []baseline.Drift, findings []outcome.Finding) {
	enforces := slices.ContainsFunc(r.Baseline.Rules, func(rule baseline.Rule) bool {
		return rule.Mode == baseline.Enforce && slices.Contains(policy.Rules, rule.Name)
	})
	for _, d := range lost {
		refused, isRefused := attempt.Refused[d.Setting]
		switch {
		case len(policy.Rules) == 0:
			findings = append(findings, outcome.NotRestored(d, "no rule selects the pool any longer"))
		case !enforces:
			findings = append(findings, outcome.NotRestored(d, auditReason))
		case isRefused:
			findings = append(findings, outcome.NotRestored(d, refused))
		case attempt.Unheld[d.Setting]:
			findings = append(findings, outcome.NotRestored(d, unheldReason))
		case r.OwnWrite:
			d.Want = "the value before the write"
			findings = append(findings, outcome.Of(d, outcome.StateReported, ownWriteReason).Coded(outcome.CodeOwnWrite))
		default:
			writable = append(writable, d)
		}
	}
	return writable, findings
}

// missing returns the findings for app clients that a rule names but that do not exist.
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
