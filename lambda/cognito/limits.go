package cognito

import (
	"context"
	"sync"
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
	// defaultShare leaves most of the documented rates to other callers in the account.
	defaultShare = 0.2
	// minPoolShare allows two processes to handle app clients of the same pool at the same time.
	minPoolShare = 0.5
	// burst is the number of calls of a category without a wait. It is more than one run needs for a pool with a few
	// clients.
	burst = 10
	// The documented rate of a call per pool is 5 a second. Stay below it, because requests arrive less evenly than
	// they were sent.
	poolRate  = 4.75
	poolBurst = 4
)

// limits is the rate limiter for all calls. It is safe for concurrent use.
type limits struct {
	share    float64 // the fraction of the documented rates to use
	mutex    sync.Mutex
	limiters map[string]*rate.Limiter // by category, or by pool and call
}

// reserve returns the reservations for a call.
func (l *limits) reserve(id, call string) []*rate.Reservation {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	from := func(key string, perSecond float64, burst int) *rate.Reservation {
		if l.limiters[key] == nil {
			l.limiters[key] = rate.NewLimiter(rate.Limit(perSecond), burst)
		}
		return l.limiters[key].Reserve()
	}
	of := categoryOf[call]
	reserved := []*rate.Reservation{from(of.name, of.perSecond*l.share, burst)}
	if of.perPool {
		share := min(1, max(l.share, minPoolShare))
		reserved = append(reserved, from(id+" "+call, poolRate*share, poolBurst))
	}
	return reserved
}

// wait waits until the call may be made. If it fails, the call does not count.
func (c *Client) wait(ctx context.Context, id, call string) error {
	reserved, longest := c.limits.reserve(id, call), time.Duration(0)
	for _, r := range reserved {
		longest = max(longest, r.Delay())
	}
	err := c.Sleep(ctx, longest)
	if err != nil {
		for _, r := range reserved {
			r.Cancel()
		}
	}
	return err
}

// Sleep waits, or returns early with the context's error.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
