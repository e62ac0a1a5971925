package outcome

import (
	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// Of returns the finding of a drift.
func Of(d baseline.Drift, state State, reason string) Finding {
	return Finding{Setting: d.Setting, Rule: d.Rule, Want: d.Want, Have: d.Have, State: state, Reason: reason,
		Source: d.Position}
}

// Coded returns the finding with a code.
func (f Finding) Coded(code Code) Finding {
	f.Code = code
	return f
}

// NotRestored returns the finding of a setting that a write of ours took from the pool, and why it is not restored.
func NotRestored(d baseline.Drift, reason string) Finding {
	d.Want = "what it was before"
	reason = "a write of ours took it from the pool, and it could not be restored: " + reason
	return Of(d, StateUnfixable, reason).Coded(CodeRestore)
}

// Deleted returns the finding that a pool which a rule names was deleted. Nothing brings it back.
func Deleted(rule string, cause event.Cause) Finding {
	return Finding{Setting: "UserPool", Rule: rule, Want: "a pool that a rule names", Have: "deleted",
		State: StateReported, Code: CodeDeleted, Reason: "deleted by " + Actor(cause)}
}
