package outcome

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// Of returns the finding of a drift. A drift without a rule is a setting that our own write removed from the pool.
func Of(d baseline.Drift, state State, reason string, code Code) Finding {
	if d.Rule == "" {
		d.Want = "the value before the write"
	}
	return Finding{Setting: d.Setting, Rule: d.Rule, Want: d.Want, Have: d.Have, State: state, Reason: reason,
		Code: code, Source: d.Position}
}

// NotFixed returns the finding of a drift that cannot be fixed, with the reason and an optional code. The code of a
// setting that our own write removed is CodeRestore.
func NotFixed(d baseline.Drift, reason string, code Code) Finding {
	if d.Rule == "" {
		code, reason = CodeRestore, "poolkeeper's write removed it, and it could not be restored: "+reason
	}
	return Of(d, StateUnfixable, reason, code)
}

// Deleted returns the finding that a pool was deleted although a rule names its id. It cannot be undone.
func Deleted(rule string, cause event.Cause) Finding {
	return Finding{Setting: "UserPool", Rule: rule, Want: "a pool that a rule names", Have: "deleted",
		State: StateReported, Code: CodeDeleted, Reason: "deleted by " + Actor(cause)}
}

// Fingerprint identifies a finding of a pool, so that repeats are suppressed: by the setting, its requirement, the live
// value and the state of the finding.
func Fingerprint(pool string, d Finding) string {
	raw, _ := json.Marshal([]any{pool, d.Setting, d.Rule, d.Want, d.Have, d.State}) // JSON values always encode
	sum := sha256.Sum256(raw)
	return fmt.Sprintf("%x", sum[:16])
}

// eventDelay is the longest normal delay between a call and its event, which CloudTrail delivers within minutes.
const eventDelay = 15 * time.Minute

// CountedNote is the prefix of the note for a finding that was counted as undetected without a notification.
const CountedNote = "counted:"

// Undetected counts the drift that a scheduled scan found and no event reported: a rule in enforce mode requires the
// setting, its document changed long ago, and nobody was notified before.
func Undetected(out Outcome, notes map[string]time.Time, state userpool.State, now time.Time) int {
	n := 0
	for _, d := range out.Drifts {
		enforced := d.State == StateFixed || d.State == StateUnfixable || d.Code == CodeNoValue
		fingerprint := Fingerprint(out.UserPoolID, d)
		_, notified := notes[fingerprint]
		_, counted := notes[CountedNote+fingerprint]
		if enforced && d.Code != CodeInterrupted && !notified && !counted &&
			now.Sub(changedAt(state, d.Setting)) >= eventDelay {
			n++
		}
	}
	return n
}

// changedAt returns when the document of a setting was last changed, or else its pool. It returns the zero time if
// neither has a valid time.
func changedAt(state userpool.State, setting string) time.Time {
	own, _ := baseline.DocumentOf(setting)
	for _, name := range []baseline.DocumentName{own, baseline.UserPool} {
		number, _ := state.Documents[name]["LastModifiedDate"].(json.Number)
		if seconds, err := number.Float64(); err == nil && math.Abs(seconds) <= 1e11 {
			return time.UnixMilli(int64(seconds * 1000))
		}
	}
	return time.Time{}
}

// Watched returns the findings for watched resources: what the call did, and triggers that no rule requires.
func Watched(request event.Request, policy baseline.Policy, state userpool.State) []Finding {
	var findings []Finding
	call := request.Call
	if rule := policy.Watch[call.Watched]; rule != "" && call.Happened != "" {
		findings = append(findings, Finding{Setting: string(call.Watched) + "[" + request.Subject + "]", Rule: rule,
			Want: "no change", Have: call.Happened, State: StateReported,
			Reason: call.Happened + " by " + Actor(request.Cause) + "; poolkeeper only reports this and never undoes it"})
	}
	rule := policy.Watch[baseline.WatchTriggers]
	if rule == "" {
		return findings
	}
	reason := "poolkeeper only reports triggers and never removes them"
	if call.Watched == baseline.WatchTriggers && request.Cause.Actor != "" {
		reason = "found after " + call.Name + " by " + request.Cause.Actor + "; " + reason
	}
	const triggers = "LambdaConfig"
	settings := state.Settings()
	object, _ := settings[triggers].(map[string]any)
	for name := range object { // also those that are newer than the table
		path := triggers + "." + name
		required := slices.ContainsFunc(policy.Requirements, func(o baseline.Owned) bool {
			return baseline.Concerns(o.Setting, path) || userpool.Touches(o.Setting, path)
		})
		if v := baseline.Shown(settings, path); !required && !baseline.Empty(v) {
			findings = append(findings, Finding{Setting: path, Rule: rule, Want: "no trigger that no rule requires",
				Have: v, State: StateReported, Reason: reason, Code: CodeWatched})
		}
	}
	return findings
}
