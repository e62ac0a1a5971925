package outcome

import (
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// triggers is the setting that holds a pool's triggers.
const triggers = "LambdaConfig"

// Watched returns the findings for watched resources: what the call did, and triggers that no rule requires.
func Watched(request event.Request, policy baseline.Policy, state userpool.State) []Finding {
	var findings []Finding
	call := request.Call
	if rule := policy.Watch[baseline.Watched(call.Watched)]; rule != "" && call.Happened != "" {
		by := Actor(request.Cause)
		findings = append(findings, Finding{Setting: call.Watched + "[" + request.Subject + "]", Rule: rule,
			Want: "no change", Have: call.Happened, State: StateReported,
			Reason: call.Happened + " by " + by + "; poolkeeper only reports this and never undoes it"})
	}
	rule := policy.Watch[baseline.WatchTriggers]
	if rule == "" {
		return findings
	}
	reason := "poolkeeper only reports triggers and never removes them"
	if call.Watched == string(baseline.WatchTriggers) && request.Cause.Actor != "" {
		reason = "found after " + call.Name + " by " + request.Cause.Actor + "; " + reason
	}
	attached, _ := state.Settings()[triggers].(map[string]any)
	m, _ := baseline.Lookup(triggers)
	for _, trigger := range m.Members {
		path, v := triggers+"."+trigger.Name, attached[trigger.Name]
		if baseline.Empty(v) || requires(policy, path) {
			continue
		}
		findings = append(findings, Finding{Setting: path, Rule: rule, Want: "no trigger that no rule requires",
			Have: baseline.Mask(trigger, v), State: StateReported, Reason: reason, Code: CodeWatched})
	}
	return findings
}

// requires reports whether the policy has a requirement on the setting, a part of it, or an object around it.
func requires(policy baseline.Policy, setting string) bool {
	return slices.ContainsFunc(policy.Requirements, func(o baseline.Owned) bool {
		return baseline.Concerns(o.Setting, setting) || userpool.Touches(o.Setting, setting)
	})
}
