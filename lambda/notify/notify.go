// Package notify sends reports to people and to other systems: to an SNS topic, an EventBridge bus and Security Hub, if
// they are configured. It also detects reports that only repeat an earlier notification.
package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// A Channel sends reports. Only a channel that people read is left out of reports without Notify.
type Channel struct {
	Name     string
	ToPeople bool
	Send     func(context.Context, report.Report) error
}

// Timeout is how long a channel may take. One that hung until Lambda ended the invocation would repeat the whole event.
const Timeout = 15 * time.Second

// Send sends the report to all channels. A channel that fails or takes longer than Timeout does not stop the others;
// the errors name it. notified is true if there is a channel for people and no such channel failed.
func Send(ctx context.Context, channels []Channel, r report.Report) (notified bool, failed []error) {
	unsent := false
	for _, c := range channels {
		if c.ToPeople && !r.Notify {
			continue
		}
		within, stop := context.WithTimeout(ctx, Timeout)
		err := c.Send(within, r)
		stop()
		if err != nil {
			failed = append(failed, fmt.Errorf("sending to %s: %w", c.Name, err))
		}
		notified, unsent = notified || c.ToPeople, unsent || c.ToPeople && err != nil
	}
	return notified && !unsent, failed
}

// RepeatInterval is how long a finding is suppressed after a notification.
const RepeatInterval = 24 * time.Hour

// Suppressed reports whether an outcome has no news: nothing was written, and people were notified of every finding
// within the repeat interval.
func Suppressed(out outcome.Outcome, now time.Time) bool {
	return !report.Wrote(out) && !slices.ContainsFunc(Fingerprints(out), func(name string) bool {
		return !out.Details.Notified[name].After(now)
	})
}

// Fingerprints returns the fingerprints of an outcome's findings, for Ledger.Note after a notification. Exempted
// findings have none. An outcome without findings, such as that of a pool that cannot be read, has one fingerprint.
func Fingerprints(out outcome.Outcome) []string {
	var names []string
	for _, d := range out.Drifts {
		switch {
		case d.State == outcome.StateExempted:
			continue
		case d.Code == outcome.CodeLostUpdate, d.Code == outcome.CodeInterrupted:
			d.Have = d.Reason // has the id of the record: each run is a new finding
		case d.Code == "" && d.State == outcome.StateReported:
			d.Have = out.Cause.EventID // each call is a new finding
		}
		names = append(names, outcome.Fingerprint(out.UserPoolID, d))
	}
	if len(names) == 0 {
		none := outcome.Finding{State: outcome.State(out.Outcome)}
		names = append(names, outcome.Fingerprint(out.UserPoolID, none))
	}
	return names
}
