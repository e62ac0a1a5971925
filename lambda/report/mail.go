package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// Mail returns the text of an e-mail: what happened, what was fixed and what was not, what to do, and the evidence.
func Mail(r Report) string {
	var b strings.Builder
	section := func(heading string, lines ...string) {
		if text := strings.Join(lines, "\n  "); text != "" {
			fmt.Fprintf(&b, "\n%s\n  %s\n", heading, text)
		}
	}
	if r.UserPool.ID != "" {
		fmt.Fprintf(&b, "User pool %s, account %s, Region %s\n", r.UserPool.title(), orUnknown(r.UserPool.Account),
			orUnknown(r.UserPool.Region))
	}
	fmt.Fprintf(&b, "Outcome: %s. %s\n", r.Outcome, r.meaning())
	if reason := FurtherReason(r.run); reason != "" {
		fmt.Fprintf(&b, "Reason: %s\n", baseline.Cut(reason, 1000))
	}
	section("WHAT HAPPENED", r.happened()...)
	for _, g := range groups {
		var lines []string
		for _, d := range r.of(g) {
			lines = append(lines, d.Setting+": "+d.says()+prefixed("\n      ", d.Reason))
		}
		section(string(g), lines...)
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "  and %d more, left out to keep this message short; the log has them all\n", r.Omitted)
	}
	section(r.written())
	var steps []string
	for i, step := range r.Next {
		steps = append(steps, fmt.Sprintf("%d. %s", i+1, step))
	}
	section("WHAT TO DO", steps...)
	section("EVIDENCE", r.evidence()...)
	section("LINKS", r.links()...)
	return b.String()
}

func (r Report) meaning() string {
	switch {
	case r.Critical:
		return "The user pool was deleted, although a rule names it."
	case r.unread():
		return "The user pool could not be read."
	case r.has(outcome.CodeFlapping):
		return "Another automation keeps changing the user pool back."
	default:
		return meanings[r.Outcome].text
	}
}

// FurtherReason returns the part of an outcome's reason that none of its findings contains.
func FurtherReason(out outcome.Outcome) string {
	const between = "; "
	if out.Critical {
		return "" // the outcome already says so
	}
	rest := between + out.Reason + between
	for _, d := range out.Drifts {
		rest = strings.ReplaceAll(rest, between+d.Reason+between, between)
	}
	return strings.Trim(rest, between)
}

func (r Report) happened() []string {
	if !r.called() {
		return []string{r.found()}
	}
	where := "from " + orUnknown(r.Cause.SourceIP)
	if r.Cause.Console {
		where += ", in the console"
	}
	where += map[string]string{"true": ", with MFA", "false": ", without MFA"}[r.Cause.MFA]
	return []string{r.actor() + " called " + orUnknown(r.Cause.EventName) + at(r.Cause.Time), where + r.through()}
}

// found describes the cause of a run that was not started by a call.
func (r Report) found() string {
	by := "A run started by " + r.Cause.EventName
	switch r.Cause.EventName {
	case "":
		return "No API call led to this run."
	case "Scheduled Event":
		by = "A scheduled scan"
	}
	return by + " found this" + at(r.Cause.Time) + ". Who changed the user pool is not known."
}

func (r Report) through() string {
	if r.byCloudFormation() {
		return ", through CloudFormation"
	}
	return prefixed(", through ", r.Cause.InvokedBy)
}

// written returns a section on the current state of the pool: what was written and verified, or that nothing was
// written.
func (r Report) written() (heading, text string) {
	const nothing = "This run wrote nothing."
	text = "Written: " + strings.Join(r.Writes, ", ") + ". "
	verified := VerifiedText(r.Verified, "")
	switch {
	case r.Critical || quiet(r.Outcome):
		return "", ""
	case len(r.Writes) == 0 && r.has(outcome.CodeRestore):
		return "NOTHING WRITTEN", nothing + " Settings that an earlier write by poolkeeper removed are still missing."
	case r.unread():
		return "NOTHING WRITTEN", nothing + " It could not read the user pool."
	case len(r.Writes) == 0:
		return "NOTHING WRITTEN", nothing
	case r.When.Verified.IsZero() || verified == "":
		return "NOT VERIFIED", text + "poolkeeper could not read the user pool again, so it does not know the result."
	case r.Outcome == outcome.Unconverged:
		return "VERIFIED IN PART", text + verified + "; the settings named above are not compliant or have changed."
	default:
		return "VERIFIED", text + verified + "."
	}
}

func (r Report) evidence() []string {
	event, caller := prefixed("event ", r.Cause.EventID), ""
	if r.called() {
		event = "CloudTrail event " + orUnknown(r.Cause.EventID) + ", request " + orUnknown(r.Cause.RequestID)
		caller = "caller " + orUnknown(r.Cause.Actor)
	}
	after := func(what string, seconds *float64) string { // one may be known without the other
		if seconds == nil {
			return ""
		}
		return fmt.Sprintf("%s %.1f s after the call", what, *seconds)
	}
	lines := []string{event, caller, prefixed("user agent ", r.Cause.UserAgent),
		prefixed("requests by poolkeeper ", strings.Join(r.WriteRequestIDs, ", ")),
		prefixed("record of the write ", r.Record), after("detected", r.When.SecondsToDetect),
		after("fixed", r.When.SecondsToRestore), "baseline " + orUnknown(r.Baseline) + ", build " + r.Build}
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

func (r Report) links() []string {
	var links []string
	domain := map[string]string{"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn",
		"aws-us-gov": "console.amazonaws-us-gov.com"}[r.UserPool.Partition]
	if domain != "" && !r.Critical {
		links = append(links, fmt.Sprintf("user pool: https://%s.%s/cognito/v2/idp/user-pools/%s/info?region=%[1]s",
			r.UserPool.Region, domain, r.UserPool.ID))
	}
	if !quiet(r.Outcome) {
		links = append(links, "runbook: infra/RUNBOOK.md#"+string(r.Outcome))
	}
	return links
}

func rule(d Drift) string { return RuleNamed(d.Rule) + prefixed(", ", d.Source) }

// RuleNamed returns the name of a rule for a sentence. The name is "" for a setting that our own write removed and that
// no rule requires.
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

// A group is a kind of finding; its text is used as a heading.
type group string

// The groups in the order of a message: findings that need action come first.
const (
	deleted     group = "DELETED"
	notRestored group = "NOT RESTORED"
	notFixed    group = "NOT FIXED"
	maybeLost   group = "MAY BE LOST"
	interrupted group = "INTERRUPTED RUN"
	watched     group = "WATCHED CHANGES"
	fixed       group = "FIXED"
	exempted    group = "EXEMPTED"
)

var groups = []group{deleted, notRestored, notFixed, maybeLost, interrupted, watched, fixed, exempted}

var coded = map[outcome.Code]group{outcome.CodeDeleted: deleted, outcome.CodeRestore: notRestored,
	outcome.CodeLostUpdate: maybeLost, outcome.CodeInterrupted: interrupted, outcome.CodeWatched: watched}

func (d Drift) group() group {
	switch {
	case d.State == outcome.StateFixed:
		return fixed
	case d.State == outcome.StateExempted:
		return exempted
	case d.Code == "" && d.State == outcome.StateReported:
		return watched // a change by a call has no code, because no later run finds it again
	default:
		return cmp.Or(coded[d.Code], notFixed)
	}
}

func (d Drift) says() string {
	have, want := baseline.Cut(Value(d.Have), 300), baseline.Cut(Value(d.Want), 300)
	is := "is "
	switch d.group() {
	case deleted:
		return "was deleted, although rule " + d.Rule + " names it"
	case notRestored:
		return "is " + have + "; it must be " + want
	case maybeLost:
		return "poolkeeper may have undone the call"
	case interrupted:
		return "an earlier run was interrupted after a write"
	case watched:
		return have + " (watched by " + RuleNamed(d.Rule) + ")"
	case fixed:
		is = "was "
	}
	return is + have + ", required " + want + " (" + rule(d) + ")"
}

// of returns the findings of the groups, in the order of the groups.
func (r Report) of(groups ...group) []Drift {
	var some []Drift
	for _, g := range groups {
		for _, d := range r.Drifts {
			if d.group() == g {
				some = append(some, d)
			}
		}
	}
	return some
}

func (r Report) has(code outcome.Code) bool {
	return slices.ContainsFunc(r.Drifts, func(d Drift) bool { return d.Code == code })
}

// called reports whether an API call, and not a scan, caused the run.
func (r Report) called() bool { return r.Cause.RequestID != "" || r.Cause.Actor != "" }

func (r Report) unread() bool {
	return r.Outcome == outcome.Unfixable && len(r.Drifts)+r.Omitted == 0
}
