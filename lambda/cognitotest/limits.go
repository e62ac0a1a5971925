package cognitotest

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits are those of each category, and of each pool and operation where that is capped.
type limits struct {
	mutex sync.Mutex
	by    map[string]*rate.Limiter
}

func (l *limits) allow(call Call, now time.Time) bool {
	c := operations[call.Operation].category
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if call.PoolID != "" && !l.take(call.Operation+" "+call.PoolID, c.pool, now) {
		return false
	}
	return l.take(c.name, c.perSecond, now)
}

// take takes one of so many calls a second, of which a second's worth may come at once. 0 is no limit.
func (l *limits) take(name string, perSecond int, now time.Time) bool {
	if perSecond > 0 && l.by[name] == nil {
		l.by[name] = rate.NewLimiter(rate.Limit(perSecond), perSecond)
	}
	return perSecond == 0 || l.by[name].AllowN(now, 1)
}
