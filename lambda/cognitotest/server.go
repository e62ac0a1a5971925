// Package cognitotest is a stateful HTTP fake of the Cognito control plane, for tests and for the demo.
//
// It stores pools as raw JSON, including unknown members, and has two modes. In Contract, UpdateUserPool resets every
// member that is left out to its default, as the API reference says. In Measured, members that were measured to stay
// unchanged do so. It rejects requests that the service is known to reject, with the service's messages. Rate limits
// and faults can be enabled.
//
// It does not imitate the following, so no test should rely on it: the value of a reset member (tests assert what was
// kept), the existence of roles, keys, functions and identities (an ARN is assumed to exist unless it contains
// "nobody"), signatures, eventual consistency (unless a fault injects it), which members CloudTrail hides besides texts
// and secrets, the dates of later updates, which of several errors in a request is reported first, and the filters and
// expiry of lists. If the behavior of the service is not known, a comment describes the choice.
package cognitotest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Mode is how UpdateUserPool treats a member that is left out.
type Mode int

// The modes.
const (
	Contract Mode = iota + 1 // every member that is left out is reset, as the API reference says
	Measured                 // members that were measured to stay unchanged do so
)

// The account and the Region of every pool.
const account, region = "111122223333", "eu-west-1"

// A Server is the fake. It is safe for concurrent use.
type Server struct {
	mode       Mode
	validators bool
	clock      func() time.Time // for the rate limits; nil: no limits
	http       http.Server

	mutex    sync.Mutex
	pools    map[string]*pool
	calls    []*Call
	faults   []*Fault
	serial   int
	limiters map[string]*rate.Limiter
}

// An Option changes a Server.
type Option func(*Server)

// WithRateLimits enforces the documented requests per second of each category, and per pool, by a clock.
func WithRateLimits(now func() time.Time) Option { return func(s *Server) { s.clock = now } }

// WithoutValidators makes the fake accept everything.
func WithoutValidators() Option { return func(s *Server) { s.validators = false } }

// New returns a fake without pools. Start serves it. It is also an http.Handler.
func New(mode Mode, options ...Option) *Server {
	s := &Server{mode: mode, validators: true, pools: map[string]*pool{}, limiters: map[string]*rate.Limiter{}}
	s.http.Handler, s.http.ReadHeaderTimeout = s, 10*time.Second
	for _, o := range options {
		o(s)
	}
	return s
}

func (s *Server) lock() (unlock func()) {
	s.mutex.Lock()
	return s.mutex.Unlock
}

// Start serves on the address, or on a free port of the loopback interface if it is "", and returns the URL.
func (s *Server) Start(address string) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cmp.Or(address, "127.0.0.1:0"))
	if err != nil {
		return "", fmt.Errorf("starting the fake: %w", err)
	}
	go func() { _ = s.http.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// Serve serves a new fake until the end of a test, and returns it with its URL.
func Serve(t interface {
	Helper()
	Fatal(args ...any)
	Cleanup(end func())
}, mode Mode, options ...Option) (*Server, string) {
	t.Helper()
	s := New(mode, options...)
	url, err := s.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, url
}

// Close stops the server and closes every connection.
func (s *Server) Close() error { return s.http.Close() }

// A Call is one call to the fake.
type Call struct {
	Operation string
	PoolID    string // "" if the call names none
	Body      []byte
	RequestID string
	failed    *failure // the error, or nil
}

// Calls returns the calls in the order of arrival.
func (s *Server) Calls() []Call {
	defer s.lock()()
	all := make([]Call, len(s.calls))
	for i, call := range s.calls {
		all[i] = *call
	}
	return all
}

// ResetCalls clears the list of calls.
func (s *Server) ResetCalls() {
	defer s.lock()()
	s.calls = nil
}

type failure struct {
	Code    string
	Message string
	Status  int // HTTP status; if 0, that of statuses, or 400
}

var statuses = map[string]int{"InternalErrorException": http.StatusInternalServerError}

func (f *failure) Error() string { return f.Code + ": " + f.Message }

// ServeHTTP handles one call of the AWS JSON 1.1 protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return // the client is gone
	}
	call := &Call{Operation: strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService."),
		PoolID: text(decode(body), "UserPoolId"), Body: body}
	fault := s.record(call)
	select {
	case <-time.After(fault.Delay):
	case <-r.Context().Done():
	}
	if fault.Then != nil {
		fault.Then(s)
	}
	answer := s.handle(call, fault)
	if fault.Drop {
		panic(http.ErrAbortHandler) // closes the connection without a response
	}
	reply(w, call, answer)
}

// handle returns the answer to a call, and notes an error in the call.
func (s *Server) handle(call *Call, fault Fault) any {
	defer s.lock()()
	answer, err := fault.answer()
	instead := answer != nil || err != nil
	if fault.Apply || !instead {
		done, failed := s.perform(call)
		if p := s.pools[call.PoolID]; p != nil && failed == nil && fault.Change != nil {
			p.change(fault.Change)
		}
		if failed != nil || !instead {
			answer, err = done, failed
		}
	}
	errors.As(err, &call.failed)
	return answer
}

func reply(w http.ResponseWriter, call *Call, answer any) {
	status := http.StatusOK
	if failed := call.failed; failed != nil {
		status = cmp.Or(failed.Status, statuses[failed.Code], http.StatusBadRequest)
		w.Header().Set("X-Amzn-Errortype", failed.Code+":") // the format of the service
		answer = map[string]string{"__type": failed.Code, "message": failed.Message}
	}
	raw, unchanged := answer.(json.RawMessage) // which need not be JSON
	if !unchanged {
		raw, _ = json.Marshal(answer) // which can always be encoded
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
	w.Header().Set("X-Amzn-Requestid", call.RequestID)
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// decode returns a JSON object, with its numbers as they are written, or nil if the text is none.
func decode(raw []byte) (found object) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&found)
	return found
}
