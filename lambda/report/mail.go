package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/lambda/reconcile"
)

// Mail is the text of an e-mail: what happened, what is safe, what is not, what to do, and the evidence.
func Mail(r Report) string { return r.fitting(share, mail) }

func mail(r Report) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if r.UserPool.ID == "" {
		line("%s: no user pool", r.Outcome)
	} else {
		line("%s: user pool %s, account %s, Region %s", r.Outcome, r.UserPool.title(), orUnknown(r.UserPool.Account), orUnknown(r.UserPool.Region))
	}
	if r.Reason != "" {
		line("%s", cut(r.Reason, 1000))
	}
	line("\nWHAT HAPPENED")
	if r.called() {
		line("  %s called %s%s", r.actor(), orUnknown(r.Why.EventName), at(r.When.Event))
		line("  from %s%s%s%s", orUnknown(r.Who.SourceIP), console(r.Who), factor(r.Who), service(r.Who))
	} else {
		line("  %s", found(r))
	}
	section := func(head string, drifts []Drift, describe func(Drift) string) {
		if len(drifts) == 0 {
			return
		}
		line("\n%s", head)
		for _, d := range drifts {
			line("  %s", describe(d))
			if d.Reason != "" {
				line("      %s", d.Reason)
			}
			if !d.Told.IsZero() {
				line("      told before%s; nothing else was seen since", at(d.Told))
			}
		}
	}
	section("PUT RIGHT", r.of(reconcile.Fixed), func(d Drift) string {
		return fmt.Sprintf("%s: was %s, required %s (%s)", d.Setting, shown(d.Have), shown(d.Want), rule(d))
	})
	section("NOT RIGHT", r.of(reconcile.NotFixable, reconcile.Reported), func(d Drift) string {
		return fmt.Sprintf("%s: is %s, required %s (%s)", d.Setting, shown(d.Have), shown(d.Want), rule(d))
	})
	section("EXEMPTED", r.of(reconcile.Exempted), func(d Drift) string {
		return fmt.Sprintf("%s: is %s, required %s (%s)", d.Setting, shown(d.Have), shown(d.Want), rule(d))
	})
	if r.Omitted > 0 {
		line("  and %d more, left out for want of room; the log has them all", r.Omitted)
	}
	if head, says := r.safe(); says != "" {
		line("\n%s", head)
		line("  %s", says)
	}
	if len(r.Next) > 0 {
		line("\nWHAT TO DO")
		for i, step := range r.Next {
			line("  %d. %s", i+1, step)
		}
	}
	line("\nEVIDENCE")
	if r.called() {
		line("  event %s, request %s", orUnknown(r.Why.EventID), orUnknown(r.Why.RequestID))
	} else if r.Why.EventID != "" {
		line("  event %s", r.Why.EventID)
	}
	if r.Record != "" {
		line("  record %s", r.Record)
	}
	if len(r.Why.WriteRequestIDs) > 0 {
		line("  our writes %s", strings.Join(r.Why.WriteRequestIDs, ", "))
	}
	if r.called() {
		line("  principal %s", orUnknown(r.Who.Principal))
	}
	if r.Who.UserAgent != "" {
		line("  user agent %s", r.Who.UserAgent)
	}
	// One may be known without the other: where the clocks differ, an event is seen before its time.
	var after []string
	if r.When.SecondsToDetect != nil {
		after = append(after, fmt.Sprintf("seen after %.1f s", *r.When.SecondsToDetect))
	}
	if r.When.SecondsToRestore != nil {
		after = append(after, fmt.Sprintf("restored after %.1f s", *r.When.SecondsToRestore))
	}
	if len(after) > 0 {
		line("  %s", strings.Join(after, ", "))
	}
	line("  baseline %s, build %s", orUnknown(r.Baseline), r.Build)
	return b.String()
}

// rule names the rule of a drift, and its place in the baseline.
func rule(d Drift) string {
	if d.Rule == "" || d.Source == "" {
		return RuleNamed(d.Rule)
	}
	return RuleNamed(d.Rule) + ", " + d.Source
}

// RuleNamed is what a rule is called in a sentence. What a write of ours has taken was required by none, whose name is "".
func RuleNamed(name string) string {
	if name == "" {
		return "no rule"
	}
	return "rule " + name
}

func orUnknown(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func console(w Who) string {
	if w.Console {
		return ", in the console"
	}
	return ""
}

func factor(w Who) string {
	switch w.MFA {
	case "true":
		return ", with a second factor"
	case "false":
		return ", without a second factor"
	default:
		return ""
	}
}

func service(w Who) string {
	switch {
	case w.CloudFormation:
		return ", through CloudFormation"
	case w.InvokedBy != "":
		return ", through " + w.InvokedBy
	default:
		return ""
	}
}

// found says what led to the pool where it was no call.
func found(r Report) string {
	if r.Why.EventName == "" {
		return "nobody is known to have called"
	}
	return fmt.Sprintf("found without a call (by %s)%s; who changed it is not known", r.Why.EventName, at(r.When.Event))
}

// safe says what is known of the pool now, under a word for it: what was written and is verified, or that nothing was.
func (r Report) safe() (head, says string) {
	switch {
	case r.Outcome == reconcile.Ignored || r.Outcome == reconcile.Unchanged || r.Critical:
		return "", ""
	case len(r.Writes) == 0 && slices.ContainsFunc(r.Drifts, func(d Drift) bool { return d.Left == reconcile.LeftTaken }):
		return "NOTHING WRITTEN", "nothing was written now; what a write of ours took before is still missing"
	case r.unread():
		return "NOTHING WRITTEN", "nothing was written; the pool could not be read, so nothing is known of it"
	case len(r.Writes) == 0 && (r.Outcome == reconcile.Unconverged || len(r.Overwritten) > 0): // which is not safe
		return "NOTHING WRITTEN", "nothing was written now; the pool is as it was found"
	case len(r.Writes) == 0:
		return "SAFE", "nothing was written; the pool is as it was found"
	case r.When.Verified.IsZero() || r.Verified == (reconcile.Verified{}):
		return "NOT VERIFIED", strings.Join(r.Writes, ", ") + "; the pool could not be read and judged after that"
	case r.Outcome == reconcile.Unconverged:
		return "VERIFIED", fmt.Sprintf("%s; %d required settings hold, %d other settings are exactly what they were; those named above are not", strings.Join(r.Writes, ", "), r.Verified.Owned, r.Verified.UnmanagedUnchanged)
	default:
		return "VERIFIED", fmt.Sprintf("%s; %d required settings hold, %d other settings are exactly what they were", strings.Join(r.Writes, ", "), r.Verified.Owned, r.Verified.UnmanagedUnchanged)
	}
}
