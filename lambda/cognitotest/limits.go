package cognitotest

import (
	"sync"
	"time"
)

// The documented categories: requests per second of an account and Region, and of one pool where that is capped too.
var categories = map[string]struct {
	name            string
	perSecond, pool float64
}{
	"DescribeUserPool":     {"UserPoolRead", 15, 0},
	"ListUserPools":        {"UserPoolRead", 15, 0},
	"CreateUserPool":       {"UserPoolUpdate", 15, 0},
	"UpdateUserPool":       {"UserPoolUpdate", 15, 0},
	"DeleteUserPool":       {"UserPoolUpdate", 15, 0},
	"GetUserPoolMfaConfig": {"UserPoolResourceRead", 20, 5},
	"ListTagsForResource":  {"UserPoolResourceRead", 20, 5},
	"SetUserPoolMfaConfig": {"UserPoolResourceUpdate", 15, 5},
	"TagResource":          {"UserPoolResourceUpdate", 15, 5},
	"UntagResource":        {"UserPoolResourceUpdate", 15, 5},

	"DescribeRiskConfiguration": {"UserPoolResourceRead", 20, 5},
	"SetRiskConfiguration":      {"UserPoolResourceUpdate", 15, 5},
	"ListUserPoolClients":       {"UserPoolClientRead", 15, 5},
	"DescribeUserPoolClient":    {"UserPoolClientRead", 15, 5},
	"CreateUserPoolClient":      {"UserPoolClientUpdate", 15, 5},
	"UpdateUserPoolClient":      {"UserPoolClientUpdate", 15, 5},
	"DeleteUserPoolClient":      {"UserPoolClientUpdate", 15, 5},
}

// limits are token buckets, one a category and one a pool and operation where that is capped. A bucket holds a
// second's worth.
type limits struct {
	mutex   sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newLimits() *limits { return &limits{buckets: map[string]*bucket{}} }

func (l *limits) allow(call Call, now time.Time) bool {
	category, ok := categories[call.Operation]
	if !ok {
		return true
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if category.pool > 0 && call.PoolID != "" && !l.take(call.Operation+" "+call.PoolID, category.pool, now) {
		return false
	}
	return l.take(category.name, category.perSecond, now)
}

func (l *limits) take(name string, perSecond float64, now time.Time) bool {
	b, ok := l.buckets[name]
	if !ok {
		b = &bucket{tokens: perSecond, filled: now}
		l.buckets[name] = b
	}
	b.tokens = min(perSecond, b.tokens+now.Sub(b.filled).Seconds()*perSecond)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
