package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"poolkeeper/lambda/outcome"
)

func (r Report) on(command string) string {
	return "poolkeeper " + command + " --pool " + r.UserPool.ID + r.at()
}

// at returns the flags for the account, Region and stack of a command.
func (r Report) at() string {
	return fmt.Sprintf(" --region %s --stack %s", r.UserPool.Region, cmp.Or(r.stack, "poolkeeper"))
}

const orExempt = ", or add an exemption with an end date."

func next(r Report) []string {
	steps := []string{}
	if quiet(r.Outcome) {
		return steps
	}
	say := func(applies bool, format string, args ...any) {
		if applies {
			steps = append(steps, fmt.Sprintf(format, args...))
		}
	}
	switch r.Outcome {
	case outcome.Remediated:
		say(len(r.Writes) > 0, "%s", why(r)) // otherwise an interrupted run fixed the drift of another call
	case outcome.Partial, outcome.Unfixable:
		say(r.unread(), "Remove the cause that the reason names. poolkeeper can fix nothing in a user pool that it cannot "+
			"read.")
		say(!r.unread(), "Remove the cause that the reason names"+orExempt)
		say(!r.unread(), "See what still differs: %s", r.on("plan"))
		say(!r.unread(), "Fix it: %s", r.on("apply"))
	case outcome.Unconverged:
		unconverged(r, say)
	case outcome.Drifted:
		drifted(r, say)
	case outcome.Deferred:
		say(true, "Wait: the run will be retried. If it fails 20 times, the alarm DeadLetter goes off.")
		say(true, "If it is urgent, see what differs now: %s", r.on("plan"))
	}
	say(r.has(outcome.CodeLostUpdate),
		"Ask %s to check whether the changes of the call were lost, and if so, to repeat the call.", r.actor())
	say(r.has(outcome.CodeInterrupted), "See what the interrupted run wrote: %s", r.on("history"))
	say(r.Undetected > 0, "Find out why no event reported %d of these drifts: check that a trail logs management "+
		"events in %s and that the dead-letter queue is empty (infra/RUNBOOK.md#undetecteddrift).", r.Undetected,
		r.UserPool.Region)
	say(r.Record != "" && len(r.of(fixed)) > 0, "To undo the fix, first add an exemption, or the next run makes it "+
		"again. Then: poolkeeper undo %s%s", r.Record, r.at())
	const lookup = "in CloudTrail: aws cloudtrail lookup-events --region %s --lookup-attributes AttributeKey="
	// Anyone who may invoke the function can choose the id of its event, and people are asked to run the command.
	safe := r.Cause.EventID != "" && strings.Trim(r.Cause.EventID, "-0123456789abcdefABCDEF") == ""
	say(r.called() && safe, "Read the call "+lookup+"EventId,AttributeValue=%s", r.UserPool.Region,
		r.Cause.EventID)
	say(!r.called(), "Read the latest calls "+lookup+"EventSource,AttributeValue=cognito-idp.amazonaws.com",
		r.UserPool.Region)
	return steps
}

func drifted(r Report, say func(bool, string, ...any)) {
	say(r.Critical, "Ask whether %s deleted the user pool on purpose. Its users cannot sign in.", r.actor())
	say(r.Critical, "Users can be recovered only from your own export. The settings can be restored to a new user "+
		"pool from a backup file of poolkeeper.")
	say(len(r.of(watched)) > 0,
		"Find out whether the watched change was intended. If not, undo it by hand: poolkeeper never does.")
	say(r.has(outcome.CodeAudited), "See what differs: %s", r.on("plan"))
	say(r.has(outcome.CodeAudited),
		"If poolkeeper should fix it, set the mode of the rule to enforce. Otherwise change the setting by hand.")
	say(r.has(outcome.CodeNoValue),
		"Change the setting by hand to an allowed value, or add a value to set to the requirement.")
	writable := slices.ContainsFunc(r.of(notFixed), func(d Drift) bool {
		return d.Code != outcome.CodeAudited && d.Code != outcome.CodeNoValue
	})
	say(writable, "See what would be written: %s", r.on("plan"))
	say(writable, "Write it: %s", r.on("apply"))
}

func unconverged(r Report, say func(bool, string, ...any)) {
	lost, flaps := r.of(notRestored), r.has(outcome.CodeFlapping)
	others := len(lost) == 0 && !flaps
	say(len(lost) > 0, "Remove the cause that the reason names, then set %s again by hand.", first(lost))
	say(flaps, "Stop the other automation that the reason names, change the baseline"+orExempt)
	say(true, "See what differs now: %s", r.on("plan"))
	say(flaps, "Once the other automation has stopped, fix it: %s", r.on("apply"))
	say(others && len(r.of(notFixed)) == 0,
		"Check the settings that the reason names. The record has their earlier values: %s", r.on("history"))
	say(others, "Find out who else writes to the user pool at the same time.")
}

// why asks about a change that was undone.
func why(r Report) string {
	text := "Find out who changed the user pool and why."
	if r.called() {
		text = "Ask " + r.actor() + " why the call was made."
	}
	if r.byCloudFormation() {
		text = "Put the required values into the stack's template, or its next deployment will make the change again."
	}
	return text + " If the change was intended, put it into the baseline" + orExempt + " Otherwise poolkeeper will " +
		"undo it again."
}
