package cognitotest

import (
	"sync"
	"time"
)

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

func (l *limits) allow(call Call, now time.Time) bool {
	c := operations[call.Operation].category
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if c.pool > 0 && call.PoolID != "" && !l.take(call.Operation+" "+call.PoolID, c.pool, now) {
		return false
	}
	return c.perSecond == 0 || l.take(c.name, c.perSecond, now)
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
