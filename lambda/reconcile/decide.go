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
	Changed  map[baseline.DocumentName][]string // unknown members that our recent writes changed
}

func (r Rules) policy(state userpool.State) baseline.Policy {
	return r.Baseline.Policy(state.Identity(), r.Now)
}

func (r Rules) ofUnit(state userpool.State, unit Unit) baseline.Policy {
	return r.policy(state).Only(func(name baseline.DocumentName) bool { return slices.Contains(unit, name) })
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
func Decide(rules Rules, unit Unit, state userpool.State, attempt Attempt) Decision {
	all := baseline.Policy{}
	if unit.isPool() { // the only unit with restores, and that can disable threat protection
		all = rules.policy(state)
	}
	state = state.Focus(unit)
	d := Decision{Found: compare(rules.ofUnit(state, unit), state), Lost: state.Lacks(attempt.Restores)}
	var fixable []baseline.Drift
	never := rules.neverRestores(all)
	for _, drift := range slices.Concat(d.Found.Drifts, d.Lost) {
		restores := drift.Rule == "" // our write removed the setting, whether it is required or not
		finding, skip := rules.skip(drift, attempt)
		switch {
		case restores && never != "":
			d.Findings = append(d.Findings, outcome.NotFixed(drift, never, outcome.CodeRestore))
		case skip:
			d.Findings = append(d.Findings, finding)
		case restores || !attempt.Postponed[drift.Setting]: // a postponed one is planned later
			fixable = append(fixable, drift)
		}
	}
	d.Plan = userpool.NewPlan(state, fixable, userpool.Options{Unknown: rules.Baseline.Unknown, Changed: rules.Changed,
		MoveValidity: attempt.MoveValidity, RiskRequired: requiresRisk(all)})
	for _, left := range d.Plan.Skipped {
		d.Findings = append(d.Findings, outcome.NotFixed(left, left.Reason, ""))
	}
	return d
}

// requiresRisk reports whether a risk configuration is required, for the pool or for a client.
func requiresRisk(policy baseline.Policy) bool {
	return slices.ContainsFunc(policy.Requirements, func(o baseline.Owned) bool {
		name, _ := baseline.DocumentOf(o.Setting)
		return userpool.IsRisk(name) && o.Op != baseline.Absent
	})
}

// neverRestores returns why no setting of a pool with this policy is restored, or "".
func (r Rules) neverRestores(policy baseline.Policy) string {
	enforces := slices.ContainsFunc(r.Baseline.Rules, func(rule baseline.Rule) bool {
		return rule.Mode == baseline.Enforce && slices.Contains(policy.Rules, rule.Name)
	})
	switch {
	case len(policy.Rules) == 0:
		return "no rule selects the pool any longer"
	case !enforces:
		return auditReason
	default:
		return ""
	}
}

// compare is baseline.Compare, but ignores drift of a risk configuration that must be absent and that a client only
// inherits from the pool.
func compare(policy baseline.Policy, state userpool.State) baseline.Comparison {
	found := baseline.Compare(policy, state.Settings())
	found.Drifts = slices.DeleteFunc(found.Drifts, func(d baseline.Drift) bool {
		name, _ := baseline.DocumentOf(d.Setting)
		return d.Setting+"." == name.Prefix() && d.Action == baseline.LeaveOut && state.Inherits(name)
	})
	return found
}

const (
	auditReason    = "the rule only audits"
	noValueReason  = "the rule names no value to write: add set"
	ownWriteReason = "poolkeeper's own write caused the event, and poolkeeper never reacts to it with another write"
	unheldReason   = "a write was accepted, but the pool does not have the written value"
)

// skip returns the finding for a drift, or a lost setting, that is not written, or false.
func (r Rules) skip(d baseline.Drift, attempt Attempt) (outcome.Finding, bool) {
	refused, isRefused := attempt.Refused[d.Setting]
	flapping, flaps := r.Flapping[d.Setting]
	switch {
	case d.Exempted != nil:
		until := "until " + d.Exempted.Until.UTC().Format(time.RFC3339) + ", "
		return outcome.Of(d, outcome.StateExempted, until+d.Exempted.Owner+": "+d.Exempted.Reason, ""), true
	case d.Mode == baseline.Audit:
		return outcome.Of(d, outcome.StateReported, auditReason, outcome.CodeAudited), true
	case r.OwnWrite:
		return outcome.Of(d, outcome.StateReported, ownWriteReason, outcome.CodeOwnWrite), true
	case d.Action == baseline.Report && d.Reason != "":
		return outcome.NotFixed(d, d.Reason, ""), true
	case d.Action == baseline.Report:
		return outcome.Of(d, outcome.StateReported, noValueReason, outcome.CodeNoValue), true
	case flaps && d.Rule != "": // a lost setting is restored even then
		return outcome.NotFixed(d, flapping, outcome.CodeFlapping), true
	case attempt.Unheld[d.Setting]:
		return outcome.NotFixed(d, unheldReason, outcome.CodeUnheld), true
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
	if i := slices.IndexFunc(accepted, func(name baseline.DocumentName) bool { return name != own }); i >= 0 {
		reason += "; it was written in " + string(accepted[i]) + ", which has the same setting"
		return outcome.NotFixed(d, reason, outcome.CodeHalf)
	}
	return outcome.NotFixed(d, reason, "")
}

// missing returns the findings for app clients that a rule names but that do not exist.
func (r Rules) missing(state userpool.State) []outcome.Finding {
	if !r.Whole {
		return nil
	}
	policy := r.policy(state).Only(func(name baseline.DocumentName) bool {
		return name.Client() != "" && !state.Has(name) && !slices.Contains(r.Rest, name.Client())
	})
	var findings []outcome.Finding
	for _, d := range compare(policy, state).Drifts {
		finding, skip := r.skip(d, Attempt{})
		if !skip {
			finding = outcome.NotFixed(d, "there is no such client", "")
		}
		findings = append(findings, finding)
	}
	return findings
}
