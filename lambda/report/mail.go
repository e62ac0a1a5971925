package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"poolkeeper/lambda/outcome"
)

// Mail is the text of an e-mail: what happened, what is fixed and what is not, what to do, and the evidence.
func Mail(r Report) string { return r.fitting(share, mail) }

func mail(r Report) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if r.UserPool.ID != "" {
		line("User pool %s, account %s, Region %s", r.UserPool.title(), orUnknown(r.UserPool.Account),
			orUnknown(r.UserPool.Region))
	}
	line("Outcome: %s. %s", r.Outcome, r.meaning())
	if reason := r.furtherReason(); reason != "" {
		line("Reason: %s", cut(reason, 1000))
	}
	line("\nWHAT HAPPENED")
	for _, text := range r.happened() {
		line("  %s", text)
	}
	for _, g := range groups {
		drifts := r.of(g)
		if len(drifts) > 0 {
			line("\n%s", g)
		}
		for _, d := range drifts {
			line("  %s: %s", d.Setting, d.says())
			if d.Reason != "" {
				line("      %s", d.Reason)
			}
		}
	}
	if r.Omitted > 0 {
		line("  and %d more, left out to keep this message short; the log has them all", r.Omitted)
	}
	if heading, text := r.written(); text != "" {
		line("\n%s\n  %s", heading, text)
	}
	if len(r.Next) > 0 {
		line("\nWHAT TO DO")
		for i, step := range r.Next {
			line("  %d. %s", i+1, step)
		}
	}
	line("\nEVIDENCE")
	for _, text := range r.evidence() {
		line("  %s", text)
	}
	return b.String()
}

var meanings = map[outcome.Ending]string{
	outcome.Deferred:    "The run could not finish, and is tried again.",
	outcome.Unconverged: "The user pool is not as required, although it was written.",
	outcome.Partial:     "Some drift was fixed, some was not.",
	outcome.Unfixable:   "No drift could be fixed.",
	outcome.Remediated:  "All drift was fixed and verified.",
	outcome.Drifted:     "Something was found that poolkeeper did not change.",
	outcome.Exempted:    "All that differs is exempted.",
	outcome.Unchanged:   "The user pool is as required.",
	outcome.Ignored:     "There was nothing to do.",
}

// meaning says in a sentence what the outcome means.
func (r Report) meaning() string {
	switch {
	case r.has(outcome.CodeDeleted):
		return "A rule names the user pool, and it was deleted."
	case r.unread():
		return "The user pool could not be read."
	default:
		return meanings[r.Outcome]
	}
}

// furtherReason is the part of the reason that no finding of the report gives.
func (r Report) furtherReason() string {
	var given []string
	for _, d := range r.Drifts {
		given = append(given, d.Reason)
	}
	if r.has(outcome.CodeDeleted) {
		given = append(given, r.Reason) // the outcome says it
	}
	return further(r.Reason, given)
}

// further returns what a reason says beside the given ones, with which it is joined.
func further(reason string, given []string) string {
	const between = "; "
	rest := between + reason + between
	for _, g := range given {
		rest = strings.ReplaceAll(rest, between+g+between, between)
	}
	return strings.Trim(rest, between)
}

// happened says what led to the run.
func (r Report) happened() []string {
	if !r.called() {
		return []string{r.found()}
	}
	where := "from " + orUnknown(r.Who.SourceIP)
	if r.Who.Console {
		where += ", in the console"
	}
	switch r.Who.MFA {
	case "true":
		where += ", with MFA"
	case "false":
		where += ", without MFA"
	}
	return []string{r.actor() + " called " + orUnknown(r.Why.EventName) + at(r.When.Event), where + r.Who.through()}
}

// found says what led to the run where it was no call.
func (r Report) found() string {
	if r.Why.EventName == "" {
		return "No API call is known."
	}
	return "Started by " + r.Why.EventName + at(r.When.Event) + ". Who changed the user pool is not known."
}

func (w Who) through() string {
	switch {
	case w.CloudFormation:
		return ", through CloudFormation"
	case w.InvokedBy != "":
		return ", through " + w.InvokedBy
	default:
		return ""
	}
}

// written says what is known of the pool now, under a heading: what was written and verified, or that nothing was.
func (r Report) written() (heading, text string) {
	switch r.Outcome {
	case outcome.Ignored, outcome.Unchanged, outcome.Exempted:
		return "", ""
	}
	const nothing = "NOTHING WRITTEN"
	switch {
	case r.has(outcome.CodeDeleted):
		return "", ""
	case len(r.Writes) == 0 && r.has(outcome.CodeRestore):
		return nothing, "This run wrote nothing. What an earlier write of ours removed is still missing."
	case r.unread():
		return nothing, "This run wrote nothing. It could not read the user pool."
	case len(r.Writes) == 0:
		return nothing, "This run wrote nothing. The user pool is as it was found."
	}
	text = "Written: " + strings.Join(r.Writes, ", ") + ". "
	if r.When.Verified.IsZero() || r.Verified == (outcome.Verified{}) {
		return "NOT VERIFIED", text + "The result could not be verified."
	}
	text += fmt.Sprintf("%d required settings hold, %d unmanaged settings are unchanged", r.Verified.Owned,
		r.Verified.UnmanagedUnchanged)
	if r.Outcome == outcome.Unconverged {
		return "VERIFIED IN PART", text + "; those named above do not hold or have changed."
	}
	return "VERIFIED", text + "."
}

// evidence names what an investigation needs.
func (r Report) evidence() []string {
	var lines []string
	line := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if r.called() {
		line("event %s, request %s", orUnknown(r.Why.EventID), orUnknown(r.Why.RequestID))
	} else if r.Why.EventID != "" {
		line("event %s", r.Why.EventID)
	}
	if r.Record != "" {
		line("record %s", r.Record)
	}
	if len(r.Why.WriteRequestIDs) > 0 {
		line("our write requests %s", strings.Join(r.Why.WriteRequestIDs, ", "))
	}
	if r.called() {
		line("principal %s", orUnknown(r.Who.Principal))
	}
	if r.Who.UserAgent != "" {
		line("user agent %s", r.Who.UserAgent)
	}
	// One may be known without the other: where the clocks differ, an event is seen before its time.
	var after []string
	if r.When.SecondsToDetect != nil {
		after = append(after, fmt.Sprintf("detected after %.1f s", *r.When.SecondsToDetect))
	}
	if r.When.SecondsToRestore != nil {
		after = append(after, fmt.Sprintf("restored after %.1f s", *r.When.SecondsToRestore))
	}
	if len(after) > 0 {
		line("%s", strings.Join(after, ", "))
	}
	line("baseline %s, build %s", orUnknown(r.Baseline), r.Build)
	return lines
}

// rule names the rule of a drift, and its place in the baseline.
func rule(d Drift) string {
	if d.Rule == "" || d.Source == "" {
		return RuleNamed(d.Rule)
	}
	return RuleNamed(d.Rule) + ", " + d.Source
}

// RuleNamed is what a rule is called in a sentence. What a write of ours removed is required by no rule, named "".
func RuleNamed(name string) string {
	if name == "" {
		return "no rule"
	}
	return "rule " + name
}

func orUnknown(text string) string { return cmp.Or(text, "(unknown)") }

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + t.UTC().Format("2006-01-02 15:04:05 UTC")
}
