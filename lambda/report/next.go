package report

import (
	"fmt"
	"strings"

	"poolkeeper/lambda/outcome"
)

// steps are what a person should do, in order.
type steps []string

func (s *steps) say(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

// next returns what a person should do about the outcome.
func next(r Report) []string {
	var s steps
	pool := fmt.Sprintf("--pool %s --region %s", r.UserPool.ID, r.UserPool.Region)
	switch r.Outcome {
	case outcome.Remediated:
		if len(r.Writes) > 0 { // otherwise an interrupted run fixed it, after another call
			s.say("%s", why(r))
		}
	case outcome.Partial, outcome.Unfixable:
		s.obstructed(r, pool)
	case outcome.Unconverged:
		s.unconverged(r, pool)
	case outcome.Drifted:
		s.drifted(r, pool)
	case outcome.Deferred:
		s.say("Wait: the run is tried again. If it fails 20 times, the alarm DeadLetter goes off.")
		s.say("If it cannot wait, see what differs now: poolkeeper plan %s", pool)
	}
	s.followUp(r, pool)
	switch {
	case r.Outcome == outcome.Unchanged || r.Outcome == outcome.Exempted || r.Outcome == outcome.Ignored:
	case r.called() && isID(r.Why.EventID):
		s.say("Read the call in CloudTrail: aws cloudtrail lookup-events --region %s --lookup-attributes "+
			"AttributeKey=EventId,AttributeValue=%s", r.UserPool.Region, r.Why.EventID)
	case !r.called():
		s.say("Read the latest calls in CloudTrail: aws cloudtrail lookup-events --region %s --lookup-attributes "+
			"AttributeKey=EventSource,AttributeValue=cognito-idp.amazonaws.com", r.UserPool.Region)
	}
	return s
}

// followUp adds what may be to do beside any outcome.
func (s *steps) followUp(r Report, pool string) {
	if r.has(outcome.CodeLostUpdate) {
		s.say("Ask %s to check what the call set, and to set it again where it is lost.", r.actor())
	}
	if r.has(outcome.CodeInterrupted) {
		s.say("See what the interrupted run wrote: poolkeeper history %s --ledger %s", pool, ledgerTable)
	}
	if r.Undetected > 0 {
		s.say("No event reported %d of these drifts. Check that the trail logs (aws cloudtrail get-trail-status) and "+
			"that the dead-letter queue is empty.", r.Undetected)
	}
	if r.Record != "" && len(r.of(fixed)) > 0 {
		s.say("If the fix was wrong, undo it: poolkeeper undo %s --region %s --ledger %s", r.Record,
			r.UserPool.Region, ledgerTable)
	}
}

// ledgerTable stands for the name of the ledger's table in a command.
const ledgerTable = "TABLE (stack output LedgerTableName)"

// obstructed says what to do about what could not be written, or not even read.
func (s *steps) obstructed(r Report, pool string) {
	if r.unread() {
		s.say("Remove the obstacle that the reason names. Until the user pool can be read, nothing can be fixed.")
		return
	}
	s.say("Remove the obstacle that the reason names, or add an exemption with an end date.")
	s.say("See what still differs: poolkeeper plan %s", pool)
	s.say("Fix it: poolkeeper apply %s", pool)
}

// drifted says what to do about what was found and skipped.
func (s *steps) drifted(r Report, pool string) {
	if r.has(outcome.CodeDeleted) {
		s.say("Find out whether %s was meant to delete the user pool. Its users cannot sign in.", r.actor())
		s.say("Only an export of your own brings the users back. A backup file restores the settings to a new pool.")
	}
	if len(r.of(watched)) > 0 {
		s.say("Find out whether the watched change was intended. If not, undo it by hand: poolkeeper never does.")
	}
	var writable bool
	for _, d := range r.of(notFixed) {
		writable = writable || d.Code != outcome.CodeAudited && d.Code != outcome.CodeNoValue
	}
	if r.has(outcome.CodeAudited) {
		s.say("See what differs: poolkeeper plan %s", pool)
		s.say("To have it fixed, set the mode of the rule to enforce. Otherwise change the setting by hand.")
	}
	if r.has(outcome.CodeNoValue) {
		s.say("Change the setting by hand to what the requirement allows, or give the requirement a value to set.")
	}
	if writable {
		s.say("See what would be written: poolkeeper plan %s", pool)
		s.say("Write it: poolkeeper apply %s", pool)
	}
}

// unconverged says what to do about a pool that is not as required although it was written.
func (s *steps) unconverged(r Report, pool string) {
	lost, flaps := r.of(notRestored), r.has(outcome.CodeFlapping)
	if len(lost) > 0 {
		s.say("Remove the obstacle that the reason names, then set %s again by hand.", first(lost))
	}
	if flaps {
		s.say("Stop the other automation that the reason names, change the baseline, or add an exemption with an " +
			"end date.")
	}
	s.say("See what differs now: poolkeeper plan %s", pool)
	if flaps {
		s.say("Once the other automation has stopped, fix it: poolkeeper apply %s. Or wait: the first event or scan "+
			"after the time of the flapBudget does it.", pool)
	}
	if flaps || len(lost) > 0 {
		return
	}
	if len(r.of(notFixed)) == 0 {
		s.say("Check the settings that the reason names. The record has the state from before the write.")
	}
	s.say("Find out who else writes to the user pool at the same time.")
}

// why says what to find out about a change that was undone.
func why(r Report) string {
	const remedy = "If the change was intended, put it into the baseline or add an exemption with an end date. " +
		"Otherwise it will be undone again."
	switch {
	case r.Who.CloudFormation:
		return "Put the required values into the stack's template. It differs from the baseline, so the next " +
			"deployment will make the change again. " + remedy
	case r.called():
		return fmt.Sprintf("Find out why %s made the call. %s", r.actor(), remedy)
	default:
		return "Find out who changed the user pool and why. " + remedy
	}
}

// isID says whether a text is safe to stand in a command that somebody is asked to run. Whoever may invoke the function
// chooses the id of its event.
func isID(text string) bool {
	return text != "" && strings.Trim(text, "-0123456789abcdefABCDEF") == ""
}
