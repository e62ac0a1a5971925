package outcome

import (
	"encoding/json"
	"math"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// eventDelay is the longest normal delay between a call and its event: CloudTrail and EventBridge deliver within
// minutes.
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

// changedAt returns when the document of a setting was last changed. A document without such a time uses the time of
// its pool.
func changedAt(state userpool.State, setting string) time.Time {
	name, _ := baseline.DocumentOf(setting)
	if at := instant(state.Documents[name]["LastModifiedDate"]); !at.IsZero() {
		return at
	}
	return instant(state.Documents[baseline.UserPool]["LastModifiedDate"])
}

// instant converts a time of the API, in seconds since 1970. It returns the zero time for anything else.
func instant(v any) time.Time {
	number, _ := v.(json.Number)
	seconds, err := number.Float64()
	if err != nil || math.Abs(seconds) > 1e11 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
