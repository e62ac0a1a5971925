package cognito

import (
	"context"
	"maps"
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

var (
	poolRead       = category{"UserPoolRead", 15, false}
	poolUpdate     = category{"UserPoolUpdate", 15, false}
	resourceRead   = category{"UserPoolResourceRead", 20, true}
	resourceUpdate = category{"UserPoolResourceUpdate", 15, true}
	clientRead     = category{"UserPoolClientRead", 15, true}
	clientUpdate   = category{"UserPoolClientUpdate", 15, true}
	logDelivery    = category{"LogDelivery", 15, false} // the API documents no rate for it
)

var categoryOf = map[string]category{
	"DescribeUserPool":            poolRead,
	"ListUserPools":               poolRead,
	"UpdateUserPool":              poolUpdate,
	"GetUserPoolMfaConfig":        resourceRead,
	"DescribeRiskConfiguration":   resourceRead,
	"SetUserPoolMfaConfig":        resourceUpdate,
	"SetRiskConfiguration":        resourceUpdate,
	"DescribeUserPoolClient":      clientRead,
	"ListUserPoolClients":         clientRead,
	"UpdateUserPoolClient":        clientUpdate,
	"GetLogDeliveryConfiguration": logDelivery,
	"SetLogDeliveryConfiguration": logDelivery,
}

const (
	// defaultShare leaves most of the documented rates to other callers in the account.
	defaultShare = 0.2
	// defaultPoolShare allows two processes to handle app clients of the same pool at the same time.
	defaultPoolShare = 0.5
	// burst is the number of calls of a category without a wait. It is more than one run needs for a pool with a few
	// clients.
	burst = 10
	// The documented rate of a call per pool is 5 a second. Stay below it, because requests arrive less evenly than
	// they were sent.
	poolRate  = 4.75
	poolBurst = 4
	// maxLimiters is the number of limiters from which those of idle pools are dropped.
	maxLimiters = 256
)

// limits is the rate limiter for all calls. It is safe for concurrent use.
type limits struct {
	share     float64 // the fraction of the documented rates to use
	poolShare float64 // the fraction of the rates per pool
	mutex     sync.Mutex
	limiters  map[string]*rate.Limiter // by category, or by pool and call
}

func newLimits() *limits {
	return &limits{share: defaultShare, poolShare: defaultPoolShare, limiters: map[string]*rate.Limiter{}}
}

// of returns the limiters that apply to a call.
func (l *limits) of(id, call string, now time.Time) []*rate.Limiter {
	of, ok := categoryOf[call]
	if !ok {
		return nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	found := []*rate.Limiter{l.limiter(of.name, of.perSecond*l.share, burst, now)}
	if of.perPool {
		found = append(found, l.limiter(id+" "+call, poolRate*l.poolShare, poolBurst, now))
	}
	return found
}

func (l *limits) limiter(key string, perSecond float64, burst int, now time.Time) *rate.Limiter {
	if l.limiters[key] == nil {
		if len(l.limiters) >= maxLimiters {
			// A limiter that is full again is equivalent to a new one.
			full := func(_ string, p *rate.Limiter) bool { return p.TokensAt(now) >= float64(p.Burst()) }
			maps.DeleteFunc(l.limiters, full)
		}
		l.limiters[key] = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	return l.limiters[key]
}

// A slot is the time at which a call may be made.
type slot struct {
	wait     time.Duration
	reserved []*rate.Reservation
}

// reserve returns the next free slot for a call.
func (l *limits) reserve(id, call string) slot {
	var s slot
	now := time.Now()
	for _, limiter := range l.of(id, call, now) {
		r := limiter.ReserveN(now, 1)
		s.reserved = append(s.reserved, r)
		s.wait = max(s.wait, r.DelayFrom(now))
	}
	return s
}

// await waits for the slot, and returns the slot if the wait fails.
func (c *Client) await(ctx context.Context, s slot) error {
	err := c.Sleep(ctx, s.wait)
	if err != nil {
		for _, r := range s.reserved {
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
