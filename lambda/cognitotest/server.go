package cognitotest

import (
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
)

// Mode is what UpdateUserPool does with a member that is left out.
type Mode int

// The modes.
const (
	Contract Mode = iota + 1 // everything that is left out is reset, as the API reference says
	Measured                 // what was measured to be kept is kept
)

// A Server is the fake. It is safe for concurrent use.
type Server struct {
	mode       Mode
	region     string
	account    string
	latency    time.Duration
	validators bool
	now        func() time.Time
	limits     *limits

	mutex  sync.Mutex
	pools  map[string]*pool
	calls  []Call
	faults []*Fault
	failed map[string]*failure // the calls that were refused, by request id
	serial int

	http     *http.Server
	listener net.Listener
}

// A pool is the raw state of one user pool, under the names of the read calls.
type pool struct {
	userPool  map[string]any
	mfaConfig map[string]any
	more      *more
}

// An Option changes a Server.
type Option func(*Server)

// WithRateLimits enforces the documented requests per second of each category, and per pool.
func WithRateLimits() Option { return func(s *Server) { s.limits = newLimits() } }

// WithClock makes the rate limits live by another clock than the real one.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.now = now } }

// WithLatency delays every answer.
func WithLatency(d time.Duration) Option { return func(s *Server) { s.latency = d } }

// WithRegion sets the Region of the fake; eu-west-1 without it.
func WithRegion(region string) Option { return func(s *Server) { s.region = region } }

// WithAccount sets the account of the fake; 111122223333 without it.
func WithAccount(account string) Option { return func(s *Server) { s.account = account } }

// WithoutValidators makes the fake take anything.
func WithoutValidators() Option { return func(s *Server) { s.validators = false } }

// New returns a fake without pools. Start serves it; it is an http.Handler too.
func New(mode Mode, options ...Option) *Server {
	s := &Server{mode: mode, region: "eu-west-1", account: "111122223333", validators: true, now: time.Now, pools: map[string]*pool{}, failed: map[string]*failure{}}
	for _, o := range options {
		o(s)
	}
	return s
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
	PoolID    string // "" where the call names none; that of the new pool for CreateUserPool
	Body      []byte
	RequestID string
}

// Calls returns the calls in the order of their arrival.
func (s *Server) Calls() []Call {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]Call(nil), s.calls...)
}

// ResetCalls forgets the calls.
func (s *Server) ResetCalls() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls = nil
	clear(s.failed)
}

// A failure is an answer of the service that is an error.
type failure struct {
	Code    string
	Message string
	Status  int // where it is 0: 500 for InternalErrorException, 400 for all others
}

func (f *failure) Error() string { return f.Code + ": " + f.Message }

const target = "AWSCognitoIdentityProviderService."

// ServeHTTP takes one call of the AWS JSON 1.1 protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return // the client is gone
	}
	call := s.record(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), target), body)
	wait(r, s.latency)
	fault := s.take(call)
	if fault != nil {
		wait(r, fault.Delay)
		if fault.Then != nil {
			fault.Then(s)
		}
	}
	answer, err := s.handle(call, fault)
	s.remember(call, err)
	if fault != nil && fault.Drop {
		drop(w)
		return
	}
	reply(w, call, answer, err)
}

func (s *Server) record(operation string, body []byte) Call {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.serial++
	call := Call{Operation: operation, Body: body, RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", s.serial)}
	if request, err := decode(body); err == nil {
		call.PoolID = named(request)
	}
	s.calls = append(s.calls, call)
	return call
}

// named returns the id of the pool that a request names, itself or by its ARN.
func named(request map[string]any) string {
	if id, ok := request["UserPoolId"].(string); ok {
		return id
	}
	arn, _ := request["ResourceArn"].(string)
	_, id, _ := strings.Cut(arn, ":userpool/")
	return id
}

// remember notes that a call was refused, which its event tells.
func (s *Server) remember(call Call, err error) {
	var failed *failure
	if !errors.As(err, &failed) || failed.Code == "" {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failed[call.RequestID] = failed
}

// handle answers a call, as the fault would have it.
func (s *Server) handle(call Call, fault *Fault) (any, error) {
	if fault != nil && !fault.Apply && (fault.Error != "" || fault.Drop) {
		return nil, fault.failure()
	}
	if fault != nil && fault.Body != nil && !fault.Apply {
		return json.RawMessage(fault.Body), nil
	}
	if s.limits != nil && !s.limits.allow(call, s.now()) {
		return nil, &failure{Code: "TooManyRequestsException", Message: "Rate exceeded"}
	}
	request, err := decode(call.Body)
	if err != nil {
		return nil, &failure{Code: "SerializationException", Message: "the body is no JSON object"}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	operation, ok := operations[call.Operation]
	if !ok {
		return nil, &failure{Code: "UnknownOperationException", Message: "no operation " + call.Operation}
	}
	answer, err := operation(s, request)
	if err == nil && call.Operation == "CreateUserPool" {
		s.name(call.RequestID, answer)
	}
	if err == nil && fault != nil && fault.Change != nil {
		if p, ok := s.pools[call.PoolID]; ok {
			p.change(fault.Change)
		}
	}
	if err == nil && fault != nil && fault.Error != "" {
		err = fault.failure()
	}
	if err == nil && fault != nil && fault.Body != nil {
		answer = json.RawMessage(fault.Body)
	}
	return answer, err
}

// name writes the id of a new pool into the call that made it.
func (s *Server) name(requestID string, answer any) {
	for i := range s.calls {
		if s.calls[i].RequestID == requestID {
			s.calls[i].PoolID, _ = at(answer, "UserPool.Id").(string)
		}
	}
}

func reply(w http.ResponseWriter, call Call, answer any, err error) {
	status := http.StatusOK
	var failed *failure
	if errors.As(err, &failed) {
		status = http.StatusBadRequest
		if failed.Code == "InternalErrorException" {
			status = http.StatusInternalServerError
		}
		if failed.Status != 0 {
			status = failed.Status
		}
		w.Header().Set("X-Amzn-Errortype", failed.Code)
		answer = map[string]string{"__type": failed.Code, "message": failed.Message}
	}
	raw, ok := answer.(json.RawMessage)
	if !ok {
		raw, err = json.Marshal(answer)
		if err != nil {
			status, raw = http.StatusInternalServerError, []byte(`{"__type":"InternalErrorException"}`)
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
	w.Header().Set("X-Amzn-Requestid", call.RequestID)
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	connection, _, err := hijacker.Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

func decode(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("no object")
	}
	return object, nil
}
