package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// An Invocation is one event for the function.
type Invocation struct {
	Payload     []byte
	RequestID   string // if empty, the server generates one
	FunctionARN string
	Deadline    time.Time // zero means a minute from now
}

// A Response is the function's response.
type Response struct {
	Payload []byte
	IsError bool // the function posted an error; Payload is its JSON
}

// A Server invokes one function.
type Server struct {
	listener net.Listener
	http     *http.Server
	queue    chan Invocation
	first    sync.Once
	polled   chan struct{} // closed at the first poll

	mu      sync.Mutex
	waiting map[string]chan Response // by request id; a response without a waiting Invoke is rejected
	made    int                      // number of generated request ids
}

// New returns a server that listens on a free port of the loopback interface.
func New() (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the Runtime API: %w", err)
	}
	s := &Server{listener: listener, queue: make(chan Invocation), polled: make(chan struct{}),
		waiting: map[string]chan Response{}}
	respond := func(isError bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, isError) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"invocation/next", s.next)
	mux.HandleFunc("POST "+prefix+"invocation/{id}/response", respond(false))
	mux.HandleFunc("POST "+prefix+"invocation/{id}/error", respond(true))
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

const prefix = "/2018-06-01/runtime/"

// Addr returns the value of AWS_LAMBDA_RUNTIME_API.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close stops the server. A waiting Invoke ends with its context.
func (s *Server) Close() error { return s.http.Close() }

// FirstPoll is closed when the function polls for its first invocation, so it has started.
func (s *Server) FirstPoll() <-chan struct{} { return s.polled }

// Invoke sends an event to the function and waits for its response.
func (s *Server) Invoke(ctx context.Context, invocation Invocation) (Response, error) {
	answer := make(chan Response, 1)
	s.mu.Lock()
	if invocation.RequestID == "" {
		s.made++
		invocation.RequestID = "request-" + strconv.Itoa(s.made)
	}
	id := invocation.RequestID
	s.waiting[id] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, id)
	}()

	select {
	case s.queue <- invocation:
	case <-ctx.Done():
		return Response{}, fmt.Errorf("waiting for the function to poll: %w", ctx.Err())
	}
	select {
	case response := <-answer:
		return response, nil
	case <-ctx.Done():
		return Response{}, fmt.Errorf("waiting for the function's response: %w", ctx.Err())
	}
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	s.first.Do(func() { close(s.polled) })
	select {
	case invocation := <-s.queue:
		deadline := invocation.Deadline
		if deadline.IsZero() {
			deadline = time.Now().Add(time.Minute)
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", invocation.RequestID)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", invocation.FunctionARN)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(invocation.Payload)
	case <-r.Context().Done():
	}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, isError bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("id")
	waiting, ok := s.waiting[id]
	if !ok {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	delete(s.waiting, id)
	waiting <- Response{Payload: body, IsError: isError}
	w.WriteHeader(http.StatusAccepted)
}

// ErrorType returns the errorType of an error that the function posted.
func (r Response) ErrorType() (string, error) {
	var posted struct {
		ErrorType string `json:"errorType"`
	}
	if !r.IsError {
		return "", errors.New("the function posted no error")
	}
	if err := json.Unmarshal(r.Payload, &posted); err != nil {
		return "", fmt.Errorf("reading the posted error: %w", err)
	}
	return posted.ErrorType, nil
}
