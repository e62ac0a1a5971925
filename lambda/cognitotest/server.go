package cognitotest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Mode is what UpdateUserPool does with a member that is left out.
type Mode int

// The modes.
const (
	Contract Mode = iota + 1 // everything that is left out is reset, as the API reference says
	Measured                 // what was measured to be kept is kept
)

const account = "111122223333"

// A Server is the fake. It is safe for concurrent use.
type Server struct {
	mode       Mode
	region     string
	latency    time.Duration
	validators bool
	now        func() time.Time
	limits     *limits

	mutex  sync.Mutex
	pools  map[string]*pool
	calls  []Call
	faults []*Fault
	serial int

	http     *http.Server
	listener net.Listener
}

// An Option changes a Server.
type Option func(*Server)

// WithRateLimits enforces the documented requests per second of each category, and per pool.
func WithRateLimits() Option {
	return func(s *Server) { s.limits = &limits{by: map[string]*rate.Limiter{}} }
}

// WithClock makes the rate limits live by another clock than the real one.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.now = now } }

// WithLatency delays every answer.
func WithLatency(d time.Duration) Option { return func(s *Server) { s.latency = d } }

// WithRegion sets the Region of the fake; eu-west-1 without it.
func WithRegion(region string) Option { return func(s *Server) { s.region = region } }

// WithoutValidators makes the fake take anything.
func WithoutValidators() Option { return func(s *Server) { s.validators = false } }

// New returns a fake without pools. Start serves it; it is an http.Handler too.
func New(mode Mode, options ...Option) *Server {
	s := &Server{mode: mode, region: "eu-west-1", validators: true, now: time.Now,
		pools: map[string]*pool{}}
	for _, o := range options {
		o(s)
	}
	return s
}

func (s *Server) lock() (unlock func()) {
	s.mutex.Lock()
	return s.mutex.Unlock
}

// Start serves on a free port of the loopback interface and returns the URL.
func (s *Server) Start() (string, error) { return s.StartOn("127.0.0.1:0") }

// StartOn serves on the address and returns the URL.
func (s *Server) StartOn(address string) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", fmt.Errorf("starting the fake: %w", err)
	}
	s.listener = listener
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// Close ends the server and every connection.
func (s *Server) Close() error {
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// A Call is one call that the fake took.
type Call struct {
	Operation string
	PoolID    string // "" where the call names none
	Body      []byte
	RequestID string
	failed    *failure // what refused it
}

// Calls returns the calls in the order of their arrival.
func (s *Server) Calls() []Call {
	defer s.lock()()
	return slices.Clone(s.calls)
}

// ResetCalls forgets the calls.
func (s *Server) ResetCalls() {
	defer s.lock()()
	s.calls = nil
}
