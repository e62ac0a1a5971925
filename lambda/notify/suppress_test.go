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
	change := func(d outcome.Finding, to func(*outcome.Finding)) outcome.Finding { to(&d); return d }
	lost := outcome.Finding{Setting: "UserPool", Want: "what the call set", State: outcome.StateReported,
		Code: outcome.CodeLostUpdate, Reason: "record a"}
	added := outcome.Finding{Setting: "groups[admins]", Want: "no change", Have: "added", State: outcome.StateReported}
	exempted := outcome.Finding{Setting: "MfaConfiguration", State: outcome.StateExempted}
	for name, c := range map[string]struct {
		before, after []outcome.Finding
		with          func(*outcome.Outcome)
		want          bool
	}{
		"the same":      {before: []outcome.Finding{audited}, after: []outcome.Finding{audited}, want: true},
		"fewer":         {before: []outcome.Finding{audited, unfixable}, after: []outcome.Finding{unfixable}, want: true},
		"one more":      {before: []outcome.Finding{audited}, after: []outcome.Finding{audited, unfixable}},
		"one exempted":  {before: []outcome.Finding{audited}, after: []outcome.Finding{audited, exempted}, want: true},
		"never before":  {after: []outcome.Finding{audited}},
		"a lost update": {before: []outcome.Finding{lost}, after: []outcome.Finding{lost}, want: true},
		"another lost update": {before: []outcome.Finding{lost},
			after: []outcome.Finding{change(lost, func(d *outcome.Finding) { d.Reason = "record b" })}},
		"another value": {before: []outcome.Finding{audited},
			after: []outcome.Finding{change(audited, func(d *outcome.Finding) { d.Have = "SOON" })}},
		"another requirement": {before: []outcome.Finding{audited},
			after: []outcome.Finding{change(audited, func(d *outcome.Finding) { d.Rule = "new" })}},
		"another state": {before: []outcome.Finding{audited},
			after: []outcome.Finding{change(audited, func(d *outcome.Finding) { d.State = outcome.StateUnfixable })}},
		"the same event again": {before: []outcome.Finding{added}, after: []outcome.Finding{added}, want: true},
		"the same change again": {before: []outcome.Finding{added}, after: []outcome.Finding{added},
			with: func(out *outcome.Outcome) { out.Cause.EventID = "another" }},
		"the same drift again": {before: []outcome.Finding{audited}, after: []outcome.Finding{audited},
			with: func(out *outcome.Outcome) { out.Cause.EventID = "another" }, want: true},
		"still unreadable": {want: true},
		"written": {before: []outcome.Finding{audited}, after: []outcome.Finding{audited},
			with: func(out *outcome.Outcome) { out.Record = "r" }},
		"another pool": {before: []outcome.Finding{audited}, after: []outcome.Finding{audited},
			with: func(out *outcome.Outcome) { out.UserPoolID = "eu-west-1_Other" }},
	} {
		out := ended(outcome.Ignored)
		out.Outcome, out.Drifts = outcome.Unfixable, c.before
		out.Details.Notified = map[string]time.Time{}
		for _, fingerprint := range notify.Fingerprints(out) {
			out.Details.Notified[fingerprint] = now.Add(notify.RepeatInterval)
		}
		if out.Drifts = c.after; c.with != nil {
			c.with(&out)
		}
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
