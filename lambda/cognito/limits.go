package cognito

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// A category is a group of calls that share a documented rate per account and Region.
type category struct {
	name      string
	perSecond float64
	perPool   bool // the API also limits each call of the category per pool
}

var categoryOf = map[string]category{
	"DescribeUserPool":            {"UserPoolRead", 15, false},
	"ListUserPools":               {"UserPoolRead", 15, false},
	"UpdateUserPool":              {"UserPoolUpdate", 15, false},
	"GetUserPoolMfaConfig":        {"UserPoolResourceRead", 20, true},
	"DescribeRiskConfiguration":   {"UserPoolResourceRead", 20, true},
	"SetUserPoolMfaConfig":        {"UserPoolResourceUpdate", 15, true},
	"SetRiskConfiguration":        {"UserPoolResourceUpdate", 15, true},
	"DescribeUserPoolClient":      {"UserPoolClientRead", 15, true},
	"ListUserPoolClients":         {"UserPoolClientRead", 15, true},
	"UpdateUserPoolClient":        {"UserPoolClientUpdate", 15, true},
	"GetLogDeliveryConfiguration": {"LogDelivery", 15, false}, // the API documents no rate for it
	"SetLogDeliveryConfiguration": {"LogDelivery", 15, false},
}

const (
	// burst is the number of calls of a category without a wait, enough for a run on a pool with a few clients.
	burst = 10
	// The API documents 5 calls a second per pool. Stay below, because requests arrive less evenly than they were sent.
	poolRate  = 4.75
	poolBurst = 4
)

// wait waits until the call may be made. If it fails, the call does not count. Errors are of type *Error.
func (c *Client) wait(ctx context.Context, id, call string) error {
	of := categoryOf[call]
	reserved := []*rate.Reservation{c.reserve(of.name, of.perSecond*c.Share, burst)}
	if of.perPool {
		share := min(1, max(c.Share, 0.5)) // two processes may handle app clients of a pool at once
		reserved = append(reserved, c.reserve(id+" "+call, poolRate*share, poolBurst))
	}
	longest := time.Duration(0)
	for _, r := range reserved {
		longest = max(longest, r.Delay())
	}
	err := c.Sleep(ctx, longest)
	if err == nil {
		return nil
	}
	for _, r := range reserved {
		r.Cancel()
	}
	return &Error{Call: call, Class: ClassBusy, Message: "no time to wait for the rate limit: " + err.Error(), cause: err}
}

func (c *Client) reserve(key string, perSecond float64, burst int) *rate.Reservation {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.limiters[key] == nil {
		c.limiters[key] = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	return c.limiters[key].Reserve()
}

// Sleep waits, or returns early with the context's error.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
