// Package notify sends reports to people and to other systems: to an SNS topic, an EventBridge bus and Security Hub,
// whichever are configured. It also knows which reports repeat what people were notified of.
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
