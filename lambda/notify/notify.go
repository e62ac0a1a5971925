// Package notify sends reports to people and to other systems: to an SNS topic, an EventBridge bus and Security Hub, whichever are configured.
package notify

import (
	"context"
	"fmt"
	"time"

	"poolkeeper/lambda/report"
)

// A Channel takes reports.
type Channel interface {
	Name() string
	Send(ctx context.Context, r report.Report) error
}

// Patience is how long a channel may take. A message is worth less than the event that it tells of: one that hangs until Lambda ends the invocation would have the event dealt with again.
const Patience = 15 * time.Second

// people is a channel that people listen to.
type people interface {
	Digest(ctx context.Context, d report.Digest) error
}

// Send hands the report to each of the channels. One that fails, or takes longer than Patience, stops no other; the errors name them. heard says whether there are some that people listen to, and none of those
// failed.
func Send(ctx context.Context, channels []Channel, r report.Report) (failed []error, heard bool) {
	listened, missed := false, false
	for _, c := range channels {
		_, toPeople := c.(people)
		listened = listened || toPeople
		if err := patiently(ctx, func(ctx context.Context) error { return c.Send(ctx, r) }); err != nil {
			failed, missed = append(failed, fmt.Errorf("telling %s: %w", c.Name(), err)), missed || toPeople
		}
	}
	return failed, listened && !missed
}

// SendDigest hands the digest of a sweep to those of the channels that people listen to.
func SendDigest(ctx context.Context, channels []Channel, d report.Digest) []error {
	var failed []error
	for _, c := range channels {
		if to, ok := c.(people); ok {
			if err := patiently(ctx, func(ctx context.Context) error { return to.Digest(ctx, d) }); err != nil {
				failed = append(failed, fmt.Errorf("telling %s: %w", c.Name(), err))
			}
		}
	}
	return failed
}

func patiently(ctx context.Context, send func(context.Context) error) error {
	ctx, stop := context.WithTimeout(ctx, Patience)
	defer stop()
	return send(ctx)
}
