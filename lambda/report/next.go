package report

import (
	"cmp"
	"fmt"
	"strings"

	"poolkeeper/lambda/outcome"
)

// steps are the recommended actions, in order.
type steps struct {
	report Report
	list   []string
}

func (s *steps) say(format string, args ...any) {
	s.list = append(s.list, fmt.Sprintf(format, args...))
}

// sayIf adds a step only if the condition is met.
func (s *steps) sayIf(applies bool, format string, args ...any) {
	if applies {
		s.say(format, args...)
	}
}

// on returns a complete command for the pool.
func (r Report) on(command string) string {
	return fmt.Sprintf("poolkeeper %s --pool %s%s", command, r.UserPool.ID, r.at())
}

// at returns the flags for the account, Region and stack of a command.
func (r Report) at() string {
	return fmt.Sprintf(" --region %s --stack %s", r.UserPool.Region, cmp.Or(r.stack, "poolkeeper"))
}

// next returns the recommended actions for the outcome.
func next(r Report) []string {
	s := &steps{report: r}
	switch r.Outcome {
	case outcome.Remediated:
		s.sayIf(len(r.Writes) > 0, "%s", why(r)) // otherwise an interrupted run fixed the drift of another call
	case outcome.Partial, outcome.Unfixable:
		s.obstructed()
	case outcome.Unconverged:
		s.unconverged()
	case outcome.Drifted:
		s.drifted()
	case outcome.Deferred:
		s.say("Wait: the run will be retried. If it fails 20 times, the alarm DeadLetter goes off.")
		s.say("If it is urgent, see what differs now: %s", r.on("plan"))
	}
	s.followUp()
	const lookup = "aws cloudtrail lookup-events --region %s --lookup-attributes AttributeKey=%s,AttributeValue=%s"
	switch {
	case r.Outcome == outcome.Unchanged || r.Outcome == outcome.Exempted || r.Outcome == outcome.Ignored:
	case r.called() && isID(r.Cause.EventID):
		s.say("Read the call in CloudTrail: "+lookup, r.UserPool.Region, "EventId", r.Cause.EventID)
	case !r.called():
		s.say("Read the latest calls in CloudTrail: "+lookup, r.UserPool.Region, "EventSource", "cognito-idp.amazonaws.com")
	}
	return s.list
}

// followUp adds actions that any outcome may need.
func (s *steps) followUp() {
	r := s.report
	s.sayIf(r.has(outcome.CodeLostUpdate),
		"Ask %s to check whether the changes of the call were lost, and if so, to repeat the call.", r.actor())
	s.sayIf(r.has(outcome.CodeInterrupted), "See what the interrupted run wrote: %s", r.on("history"))
	s.sayIf(r.Undetected > 0, "Find out why no event reported %d of these drifts: check that a trail logs management "+
		"events in %s and that the dead-letter queue is empty (infra/RUNBOOK.md#undetecteddrift).",
		r.Undetected, r.UserPool.Region)
	s.sayIf(r.Record != "" && len(r.of(fixed)) > 0, "To undo the fix, first add an exemption, or the next run makes it "+
		"again. Then: poolkeeper undo %s%s", r.Record, r.at())
}

const orExempt = ", or add an exemption with an end date."

// obstructed adds the actions for a pool that could not be written or read.
func (s *steps) obstructed() {
	if s.report.unread() {
		s.say("Remove the cause that the reason names. poolkeeper can fix nothing in a user pool that it cannot read.")
		return
	}
	s.say("Remove the cause that the reason names" + orExempt)
	s.say("See what still differs: %s", s.report.on("plan"))
	s.say("Fix it: %s", s.report.on("apply"))
}

// drifted adds the actions for drift that was found but not fixed.
func (s *steps) drifted() {
	r := s.report
	s.sayIf(r.Critical, "Ask whether %s deleted the user pool on purpose. Its users cannot sign in.", r.actor())
	s.sayIf(r.Critical, "Users can be recovered only from your own export. The settings can be restored to a new user "+
		"pool from a backup file of poolkeeper.")
	s.sayIf(len(r.of(watched)) > 0,
		"Find out whether the watched change was intended. If not, undo it by hand: poolkeeper never does.")
	var writable bool
	for _, d := range r.of(notFixed) {
		writable = writable || d.Code != outcome.CodeAudited && d.Code != outcome.CodeNoValue
	}
	if r.has(outcome.CodeAudited) {
		s.say("See what differs: %s", r.on("plan"))
		s.say("If poolkeeper should fix it, set the mode of the rule to enforce. Otherwise change the setting by hand.")
	}
	s.sayIf(r.has(outcome.CodeNoValue),
		"Change the setting by hand to an allowed value, or add a value to set to the requirement.")
	if writable {
		s.say("See what would be written: %s", r.on("plan"))
		s.say("Write it: %s", r.on("apply"))
	}
}

// unconverged adds the actions for a pool that is not compliant after a write.
func (s *steps) unconverged() {
	r := s.report
	lost, flaps := r.of(notRestored), r.has(outcome.CodeFlapping)
	if len(lost) > 0 {
		s.say("Remove the cause that the reason names, then set %s again by hand.", first(lost))
	}
	s.sayIf(flaps, "Stop the other automation that the reason names, change the baseline"+orExempt)
	s.say("See what differs now: %s", r.on("plan"))
	s.sayIf(flaps, "Once the other automation has stopped, fix it: %s", r.on("apply"))
	if flaps || len(lost) > 0 {
		return
	}
	s.sayIf(len(r.of(notFixed)) == 0, "Check the settings that the reason names. The record has their earlier values: %s",
		r.on("history"))
	s.say("Find out who else writes to the user pool at the same time.")
}

// why adds the questions about a change that was undone.
func why(r Report) string {
	const remedy = "If the change was intended, put it into the baseline" + orExempt + " Otherwise poolkeeper will " +
		"undo it again."
	switch {
	case r.byCloudFormation():
		return "Put the required values into the stack's template, or its next deployment will make the change again. " +
			remedy
	case r.called():
		return fmt.Sprintf("Ask %s why the call was made. %s", r.actor(), remedy)
	default:
		return "Find out who changed the user pool and why. " + remedy
	}
}

// isID reports whether a text is safe in a command that people are asked to run. Anyone who may invoke the function can
// choose the id of its event.
func isID(text string) bool {
	return text != "" && strings.Trim(text, "-0123456789abcdefABCDEF") == ""
}
