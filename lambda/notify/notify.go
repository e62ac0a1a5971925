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

// Send hands the report to each of the channels. One that fails, or takes longer than Patience, stops no other; the errors name them.
func Send(ctx context.Context, channels []Channel, r report.Report) []error {
	var failed []error
	for _, c := range channels {
		if err := patiently(ctx, func(ctx context.Context) error { return c.Send(ctx, r) }); err != nil {
			failed = append(failed, fmt.Errorf("telling %s: %w", c.Name(), err))
		}
	}
	return failed
}

// SendDigest hands the digest of a sweep to those of the channels that people listen to.
func SendDigest(ctx context.Context, channels []Channel, d report.Digest) []error {
	var failed []error
	for _, c := range channels {
		if t, ok := c.(interface {
			Digest(context.Context, report.Digest) error
		}); ok {
			if err := patiently(ctx, func(ctx context.Context) error { return t.Digest(ctx, d) }); err != nil {
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
