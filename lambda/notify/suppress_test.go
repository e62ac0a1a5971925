package notify_test

import (
	"slices"
	"testing"
	"time"

	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
)

// TestSuppressed: what people were notified of is suppressed for the repeat interval, as long as nothing was written
// and the finding, its requirement, the live value and its state are the same.
func TestSuppressed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	type findings = []outcome.Finding
	lost := outcome.Finding{Setting: "UserPool", Want: "the changes of the call", State: outcome.StateReported,
		Code: outcome.CodeLostUpdate, Reason: "record a"}
	added := outcome.Finding{Setting: "groups[admins]", Want: "no change", Have: "added", State: outcome.StateReported}
	exempted := outcome.Finding{Setting: "MfaConfiguration", State: outcome.StateExempted}
	for name, c := range map[string]struct {
		before findings
		then   func(o *outcome.Outcome) // what is different the second time
		want   bool
	}{
		"the same": {findings{audited}, func(*outcome.Outcome) {}, true},
		"fewer":    {findings{audited, unfixable}, func(o *outcome.Outcome) { o.Drifts = o.Drifts[1:] }, true},
		"one more": {findings{audited}, func(o *outcome.Outcome) { o.Drifts = findings{audited, unfixable} },
			false},
		"one exempted": {findings{audited}, func(o *outcome.Outcome) { o.Drifts = findings{audited, exempted} },
			true},
		"never before":        {nil, func(o *outcome.Outcome) { o.Drifts = findings{audited} }, false},
		"a lost update":       {findings{lost}, func(*outcome.Outcome) {}, true},
		"another lost update": {findings{lost}, func(o *outcome.Outcome) { o.Drifts[0].Reason = "record b" }, false},
		"another value":       {findings{audited}, func(o *outcome.Outcome) { o.Drifts[0].Have = "SOON" }, false},
		"another requirement": {findings{audited}, func(o *outcome.Outcome) { o.Drifts[0].Rule = "new" }, false},
		"another state": {findings{audited}, func(o *outcome.Outcome) { o.Drifts[0].State = outcome.StateUnfixable },
			false},
		"the same event again":  {findings{added}, func(*outcome.Outcome) {}, true},
		"the same change again": {findings{added}, func(o *outcome.Outcome) { o.Cause.EventID = "another" }, false},
		"the same drift again":  {findings{audited}, func(o *outcome.Outcome) { o.Cause.EventID = "another" }, true},
		"still unreadable":      {nil, func(*outcome.Outcome) {}, true},
		"written":               {findings{audited}, func(o *outcome.Outcome) { o.Record = "r" }, false},
		"another pool":          {findings{audited}, func(o *outcome.Outcome) { o.UserPoolID = "eu-west-1_Other" }, false},
	} {
		out := ended(outcome.Ignored)
		out.Outcome, out.Drifts = outcome.Unfixable, c.before
		out.Details.Notified = map[string]time.Time{}
		for _, fingerprint := range notify.Fingerprints(out) {
			out.Details.Notified[fingerprint] = now.Add(notify.RepeatInterval)
		}
		c.then(&out)
		if got := notify.Suppressed(out, now); got != c.want {
			t.Errorf("%s: suppressed %v", name, got)
		}
		if notify.Suppressed(out, now.Add(notify.RepeatInterval)) {
			t.Errorf("%s: suppressed after the repeat interval", name)
		}
	}
}

// TestFingerprints: each finding has one name, and an outcome without findings has one too.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	names := notify.Fingerprints(ended(outcome.Partial))
	names = append(names, notify.Fingerprints(ended(outcome.Ignored))...)
	slices.Sort(names)
	if got := len(slices.Compact(names)); got != 3 {
		t.Errorf("%d names, want 3: %v", got, names)
	}
}
