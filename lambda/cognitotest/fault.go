package cognitotest

import (
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Fault makes calls fail or behave unusually.
type Fault struct {
	Operation string // "" is any
	PoolID    string // "" is any
	// When, if not nil, reports whether the fault applies to a call with this body.
	When  func(body object) bool
	Skip  int // number of calls to skip first
	Times int // number of calls that fail; 0 means all until ClearFaults

	Error   string // error code of the response
	Message string
	Status  int           // HTTP status of the error; if 0, 500 for InternalErrorException and 400 for all others
	Delay   time.Duration // before the call is handled
	Drop    bool          // close the connection without a response
	Apply   bool          // with Error, Drop or Body: make the change first
	Body    []byte        // body of the response instead

	// Then runs before the call is handled, like a concurrent writer.
	Then func(*Server)
	// Change runs after a write was applied, as if the service itself changed something else.
	Change func(userPool, mfaConfig object)
}

func (f *Fault) failure() *failure {
	return &failure{Code: f.Error, Message: f.Message, Status: f.Status}
}

// Inject adds a fault. The first fault that applies to a call is used.
func (s *Server) Inject(f Fault) {
	defer s.lock()()
	s.faults = append(s.faults, &f)
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	defer s.lock()()
	s.faults = nil
}

// take returns the fault for the call, or nil.
func (s *Server) take(call Call) *Fault {
	defer s.lock()()
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != call.Operation || f.PoolID != "" && f.PoolID != call.PoolID {
			continue
		}
		if f.When != nil {
			body := object{} // empty if the body is not a JSON object
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

// limits are the rate limiters of each category, and of each pool and operation with a limit.
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

// take counts a call against a limit per second, with a burst of one second. 0 means no limit.
func (l *limits) take(name string, perSecond int, now time.Time) bool {
	if perSecond > 0 && l.by[name] == nil {
		l.by[name] = rate.NewLimiter(rate.Limit(perSecond), perSecond)
	}
	return perSecond == 0 || l.by[name].AllowN(now, 1)
}
