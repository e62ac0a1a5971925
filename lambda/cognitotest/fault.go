package cognitotest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// A Fault makes calls fail or behave unusually.
type Fault struct {
	Operation string                 // "" is any
	PoolID    string                 // "" is any
	When      func(body object) bool // reports whether the fault applies to a call with this body; nil: always
	Skip      int                    // number of calls to skip first
	Times     int                    // number of calls that fail; 0 means all until ClearFaults

	Error   string // error code of the response
	Message string
	Status  int           // HTTP status of the error; if 0, 500 for InternalErrorException and 400 for all others
	Delay   time.Duration // before the call is handled
	Drop    bool          // close the connection without a response
	Apply   bool          // with Error, Drop or Body: make the change first
	Body    []byte        // body of the response in place of the error's

	Then func(*Server) // runs before the call is handled, like a concurrent writer
	// Change runs after a write was applied, as if the service itself changed something else.
	Change func(userPool, mfaConfig object)
}

// answer returns what the fault responds instead of the operation's answer: an error, a body, or neither.
func (f Fault) answer() (any, error) {
	switch {
	case f.Error != "" || f.Drop && !f.Apply:
		return nil, &failure{Code: f.Error, Message: f.Message, Status: f.Status}
	case f.Body != nil:
		return json.RawMessage(f.Body), nil
	}
	return nil, nil
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

// record lists the call, with an id, and returns its fault, or none.
func (s *Server) record(call *Call) Fault {
	defer s.lock()()
	s.serial++
	call.RequestID = fmt.Sprintf("00000000-0000-4000-8000-%012d", s.serial)
	s.calls = append(s.calls, call)
	for i, f := range s.faults {
		switch {
		case !f.concerns(call):
		case f.Skip > 0:
			f.Skip--
		default:
			if f.Times == 1 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
			f.Times = max(f.Times-1, 0)
			return *f
		}
	}
	return Fault{}
}

func (f *Fault) concerns(call *Call) bool {
	body := decode(call.Body)
	return (f.Operation == "" || f.Operation == call.Operation) && (f.PoolID == "" || f.PoolID == call.PoolID) &&
		(f.When == nil || body != nil && f.When(body))
}

// allows counts a call against a limit per second, with a burst of one second. 0 means no limit.
func (s *Server) allows(name string, perSecond int) bool {
	if s.clock == nil || perSecond == 0 {
		return true
	}
	if s.limiters[name] == nil {
		s.limiters[name] = rate.NewLimiter(rate.Limit(perSecond), perSecond)
	}
	return s.limiters[name].AllowN(s.clock(), 1)
}
