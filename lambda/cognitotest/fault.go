package cognitotest

import (
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Fault makes calls go wrong.
type Fault struct {
	Operation string // "" is any
	PoolID    string // "" is any
	// When, if not nil, reports whether the body of the call is one to strike.
	When  func(body object) bool
	Skip  int // calls to let pass first
	Times int // calls to strike; 0 is all until ClearFaults

	Error   string // code to answer with
	Message string
	Status  int           // HTTP status of the error; where it is 0, 500 for InternalErrorException and 400 for all others
	Delay   time.Duration // before the call is handled
	Drop    bool          // close the connection in place of an answer
	Apply   bool          // with Error, Drop or Body: make the change first
	Body    []byte        // answer this instead

	// Then runs before the call is handled: a concurrent writer that gets in between.
	Then func(*Server)
	// Change runs after a write was applied: the service changes something else on its own.
	Change func(userPool, mfaConfig object)
}

func (f *Fault) failure() *failure {
	return &failure{Code: f.Error, Message: f.Message, Status: f.Status}
}

// Inject adds a fault. The first that fits a call strikes it.
func (s *Server) Inject(f Fault) {
	defer s.lock()()
	s.faults = append(s.faults, &f)
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	defer s.lock()()
	s.faults = nil
}

// take returns the fault that strikes the call, or nil.
func (s *Server) take(call Call) *Fault {
	defer s.lock()()
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != call.Operation || f.PoolID != "" && f.PoolID != call.PoolID {
			continue
		}
		if f.When != nil {
			body := object{} // also of a call that is not a JSON object
			_ = json.Unmarshal(call.Body, &body)
			if !f.When(body) {
				continue
			}
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times == 1 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		if f.Times > 1 {
			f.Times--
		}
		strike := *f
		return &strike
	}
	return nil
}

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
