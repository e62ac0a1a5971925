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

// NotRestored returns the finding of a setting that our own write removed from the pool, with the reason why it was not
// restored.
func NotRestored(d baseline.Drift, reason string) Finding {
	d.Want = "the value before the write"
	reason = "poolkeeper's write removed it, and it could not be restored: " + reason
	return Of(d, StateUnfixable, reason).Coded(CodeRestore)
}

// Deleted returns the finding that a pool was deleted although a rule names its id. It cannot be undone.
func Deleted(rule string, cause event.Cause) Finding {
	return Finding{Setting: "UserPool", Rule: rule, Want: "a pool that a rule names", Have: "deleted",
		State: StateReported, Code: CodeDeleted, Reason: "deleted by " + Actor(cause)}
}
