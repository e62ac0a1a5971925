package notify

import (
	"slices"
	"time"

	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// RepeatInterval is how long the same finding is suppressed after people were notified of it.
const RepeatInterval = 24 * time.Hour

// Suppressed reports whether people know all that an outcome says: nothing was written, and each finding is one that
// they were notified of within the repeat interval.
func Suppressed(out outcome.Outcome, now time.Time) bool {
	if report.Wrote(out) {
		return false
	}
	return !slices.ContainsFunc(Fingerprints(out), func(name string) bool {
		return !out.Details.Notified[name].After(now)
	})
}

// Fingerprints names the findings of an outcome, for Ledger.Note once people were notified of them. What is exempted is
// no finding to notify of. An outcome without findings, such as that of a pool that cannot be read, has one name.
func Fingerprints(out outcome.Outcome) []string {
	var names []string
	for _, d := range out.Drifts {
		switch {
		case d.State == outcome.StateExempted:
			continue
		case d.Code == outcome.CodeLostUpdate, d.Code == outcome.CodeInterrupted:
			d.Have = d.Reason // it names the record: another run is another finding
		case d.Code == "" && d.State == outcome.StateReported:
			d.Have = out.Cause.EventID // a change that a call made: another call is another change
		}
		names = append(names, outcome.Fingerprint(out.UserPoolID, d))
	}
	if len(names) == 0 {
		state := outcome.State(out.Outcome)
		names = append(names, outcome.Fingerprint(out.UserPoolID, outcome.Finding{State: state}))
	}
	return names
}
