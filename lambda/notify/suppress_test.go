package notify_test

import (
	"slices"
	"testing"
	"time"

	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
)

// TestSuppressed: what people were notified of is suppressed for the repeat interval, as long as nothing was written
// and the finding, its requirement, the live value and its state are the same.
func TestSuppressed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	change := func(d reconcile.Drift, to func(*reconcile.Drift)) reconcile.Drift { to(&d); return d }
	lost := reconcile.Drift{Setting: "UserPool", Want: "what the call set", State: reconcile.StateReported,
		Code: reconcile.CodeLostUpdate, Reason: "record a"}
	added := reconcile.Drift{Setting: "groups[admins]", Want: "no change", Have: "added", State: reconcile.StateReported}
	exempted := reconcile.Drift{Setting: "MfaConfiguration", State: reconcile.StateExempted}
	for name, c := range map[string]struct {
		before, after []reconcile.Drift
		with          func(*reconcile.Outcome)
		want          bool
	}{
		"the same":      {before: []reconcile.Drift{audited}, after: []reconcile.Drift{audited}, want: true},
		"fewer":         {before: []reconcile.Drift{audited, unfixable}, after: []reconcile.Drift{unfixable}, want: true},
		"one more":      {before: []reconcile.Drift{audited}, after: []reconcile.Drift{audited, unfixable}},
		"one exempted":  {before: []reconcile.Drift{audited}, after: []reconcile.Drift{audited, exempted}, want: true},
		"never before":  {after: []reconcile.Drift{audited}},
		"a lost update": {before: []reconcile.Drift{lost}, after: []reconcile.Drift{lost}, want: true},
		"another lost update": {before: []reconcile.Drift{lost},
			after: []reconcile.Drift{change(lost, func(d *reconcile.Drift) { d.Reason = "record b" })}},
		"another value": {before: []reconcile.Drift{audited},
			after: []reconcile.Drift{change(audited, func(d *reconcile.Drift) { d.Have = "SOON" })}},
		"another requirement": {before: []reconcile.Drift{audited},
			after: []reconcile.Drift{change(audited, func(d *reconcile.Drift) { d.Rule = "new" })}},
		"another state": {before: []reconcile.Drift{audited},
			after: []reconcile.Drift{change(audited, func(d *reconcile.Drift) { d.State = reconcile.StateUnfixable })}},
		"the same event again": {before: []reconcile.Drift{added}, after: []reconcile.Drift{added}, want: true},
		"the same change again": {before: []reconcile.Drift{added}, after: []reconcile.Drift{added},
			with: func(out *reconcile.Outcome) { out.Cause.EventID = "another" }},
		"the same drift again": {before: []reconcile.Drift{audited}, after: []reconcile.Drift{audited},
			with: func(out *reconcile.Outcome) { out.Cause.EventID = "another" }, want: true},
		"still unreadable": {want: true},
		"written": {before: []reconcile.Drift{audited}, after: []reconcile.Drift{audited},
			with: func(out *reconcile.Outcome) { out.Record = "r" }},
		"another pool": {before: []reconcile.Drift{audited}, after: []reconcile.Drift{audited},
			with: func(out *reconcile.Outcome) { out.UserPoolID = "eu-west-1_Other" }},
	} {
		out := outcome(reconcile.Ignored)
		out.Outcome, out.Drifts = reconcile.Unfixable, c.before
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
	names := notify.Fingerprints(outcome(reconcile.Partial))
	names = append(names, notify.Fingerprints(outcome(reconcile.Ignored))...)
	slices.Sort(names)
	if got := len(slices.Compact(names)); got != 3 {
		t.Errorf("%d names, want 3: %v", got, names)
	}
}
