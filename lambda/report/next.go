package report

import (
	"fmt"
	"slices"
	"strings"

	"poolkeeper/lambda/reconcile"
)

// next returns what a person should do about the outcome.
func next(r Report) []string {
	var steps []string
	say := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	pool := fmt.Sprintf("--pool %s --region %s", r.UserPool.ID, r.UserPool.Region)
	if r.Critical {
		say("Find out whether %s was meant to delete the pool; its users cannot sign in.", r.actor())
		say("Nothing brings the users back but an export of yours. The settings can be put onto a new pool from a backup file.")
	}
	switch r.Outcome {
	case reconcile.Remediated:
		say("%s", why(r))
	case reconcile.Partial, reconcile.Unfixable:
		obstructed(r, pool, say)
	case reconcile.Unconverged:
		unconverged(r, pool, say)
	case reconcile.Drifted:
		drifted(r, pool, say)
	case reconcile.Deferred:
		say("Nothing yet: it is tried again. When that is given up, an alarm tells of the queue Failed, and the next sweep looks at the pool.")
		say("If it cannot wait, see what is there: poolkeeper plan %s", pool)
	}
	if len(r.Overwritten) > 0 {
		say("Have %s look at the settings that may be lost, and set them again.", r.actor())
	}
	if r.Missed != nil {
		say("No event told of %s since %s: see that the trail logs (aws cloudtrail get-trail-status) and that nothing lies in the queue Undelivered.", few(r.Missed.Settings), r.Missed.Since.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if r.Record != "" && len(r.of(reconcile.Fixed)) > 0 {
		say("If it was wrong to put this right, take it back: poolkeeper undo %s --region %s --ledger TABLE (the stack's output LedgerTableName)", r.Record, r.UserPool.Region)
	}
	switch {
	case r.Outcome == reconcile.Unchanged || r.Outcome == reconcile.Ignored:
	case r.called() && isID(r.Why.EventID):
		say("The call itself: aws cloudtrail lookup-events --region %s --lookup-attributes AttributeKey=EventId,AttributeValue=%s", r.UserPool.Region, r.Why.EventID)
	case !r.called():
		say("The calls of late: aws cloudtrail lookup-events --region %s --lookup-attributes AttributeKey=EventSource,AttributeValue=cognito-idp.amazonaws.com", r.UserPool.Region)
	}
	return steps
}

// obstructed says what to do about what could not be written, or not even read.
func obstructed(r Report, pool string, say func(format string, args ...any)) {
	if r.unread() {
		say("Remove what the reason says stands in the way of reading the pool: nothing is put right until then.")
		return
	}
	say("Remove what stands in the way, as the reason says, or exempt the settings with an end.")
	say("See what is left: poolkeeper plan %s", pool)
	say("Write it: poolkeeper apply %s", pool)
}

// drifted says what to do about what was left on purpose.
func drifted(r Report, pool string, say func(format string, args ...any)) {
	var audited, valueless, seen, writable bool
	for _, d := range r.of(reconcile.Reported) {
		switch {
		case r.Critical || slices.Contains(r.Overwritten, d.Setting) && d.Left == "":
		case d.Left == reconcile.LeftAudited:
			audited = true
		case d.Left == reconcile.LeftNoValue:
			valueless = true
		case d.Left == reconcile.LeftWatched || d.Left == "" && len(r.Writes) == 0:
			seen = true
		default:
			writable = true
		}
	}
	if seen {
		say("Find out whether what is watched was meant to change. If not, take it back by hand: nothing else does.")
	}
	if audited {
		say("See what is not as required: poolkeeper plan %s", pool)
		say("Have it put right: let the rule enforce, or set it by hand.")
	}
	if valueless {
		say("Set by hand what the requirement allows, or have it name a value to write.")
	}
	if writable {
		say("See what would be written: poolkeeper plan %s", pool)
		say("Write it: poolkeeper apply %s", pool)
	}
}

// unconverged says what to do about a pool that is not as it should be although it was written to.
func unconverged(r Report, pool string, say func(format string, args ...any)) {
	left := r.of(reconcile.NotFixable)
	has := func(why reconcile.Left) bool {
		return slices.ContainsFunc(left, func(d Drift) bool { return d.Left == why })
	}
	flaps, taken := has(reconcile.LeftFlapping), has(reconcile.LeftTaken)
	if taken {
		say("Remove what stands in the way of giving back what was taken, as the reason says. It is tried again at the next event about the pool or the next sweep.")
	}
	if flaps {
		say("Stop the other automation that the reason names from writing the setting, or change the baseline, or add an exemption with an end.")
	}
	say("Look at the pool now: poolkeeper plan %s", pool)
	if flaps {
		say("Once it has stopped, write what is required: poolkeeper apply %s; or leave it to the next event or sweep after the time of the flapBudget.", pool)
	}
	if !flaps && !taken {
		say("Find out who else writes to it at the same time; two writers take turns until one of them stops.")
	}
}

// why says what to find out about a change that was undone.
func why(r Report) string {
	const remedy = "If the change was meant, put it into the baseline, or add an exemption with an end; or else it will be undone again."
	switch {
	case r.Who.CloudFormation:
		return "The template of a stack differs from the baseline, and the next deployment will make the change again: put the required values into the template. " + remedy
	case r.called():
		return fmt.Sprintf("Find out why %s made the call. %s", r.actor(), remedy)
	default:
		return "Find out who changed it, and why: no event told of it in time. " + remedy
	}
}

// isID says whether a text is fit to stand in a command that somebody is asked to run. Whoever may invoke the function chooses the id of its event.
func isID(text string) bool {
	return text != "" && strings.Trim(text, "-0123456789abcdefABCDEF") == ""
}
