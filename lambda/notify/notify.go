// Package notify sends reports to people and to other systems: to an SNS topic, an EventBridge bus and Security Hub,
// whichever are configured. It also knows which reports repeat what people were notified of.
package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// A Channel takes reports.
type Channel interface {
	Name() string
	ToPeople() bool // whether people read it; such a channel takes only reports with Notify
	Send(ctx context.Context, r report.Report) error
}

// Timeout is how long a channel may take. A channel that hangs until Lambda ends the invocation would have the whole
// event handled again.
const Timeout = 15 * time.Second

// Send hands the report to each of the channels. One that fails, or takes longer than Timeout, stops no other; the
// errors name them. notified reports whether people were to be notified and were: there is a channel that they read,
// and none of those failed.
func Send(ctx context.Context, channels []Channel, r report.Report) (notified bool, failed []error) {
	sent, unsent := 0, 0
	for _, c := range channels {
		if c.ToPeople() && !r.Notify {
			continue
		}
		err := send(ctx, c, r)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("sending to %s: %w", c.Name(), err))
			if c.ToPeople() {
				unsent++
			}
		case c.ToPeople():
			sent++
		}
	}
	return sent > 0 && unsent == 0, failed
}

func send(ctx context.Context, c Channel, r report.Report) error {
	ctx, stop := context.WithTimeout(ctx, Timeout)
	defer stop()
	return c.Send(ctx, r)
}

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
