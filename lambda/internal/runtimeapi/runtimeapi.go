// Package runtimeapi is a small server of Lambda's Runtime API, for tests and benchmarks that start the built function as Lambda does: the
// function polls for an invocation, and posts the answer or the error.
package runtimeapi

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

// An Invocation is one event for the function.
type Invocation struct {
	Payload     []byte
	RequestID   string
	FunctionARN string
	Deadline    time.Time // zero is a minute from now
}

// A Response is what the function answered.
type Response struct {
	Payload []byte
	IsError bool // the function posted an error; Payload is its JSON
}

// A Server hands invocations to one function, one at a time.
type Server struct {
	listener net.Listener
	http     *http.Server
	queue    chan Invocation
	answers  chan Response
	polled   chan struct{}
	once     sync.Once
}

// New returns a server that listens on a free port of the loopback interface.
func New() (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the Runtime API: %w", err)
	}
	s := &Server{listener: listener, queue: make(chan Invocation), answers: make(chan Response, 1), polled: make(chan struct{})}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Addr returns the value of AWS_LAMBDA_RUNTIME_API.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends the server.
func (s *Server) Close() error { return s.http.Close() }

// FirstPoll is closed when the function asks for its first invocation: it has started.
func (s *Server) FirstPoll() <-chan struct{} { return s.polled }

// Invoke hands the function an event and waits for its answer.
func (s *Server) Invoke(ctx context.Context, invocation Invocation) (Response, error) {
	select {
	case s.queue <- invocation:
	case <-ctx.Done():
		return Response{}, fmt.Errorf("waiting for the function to poll: %w", ctx.Err())
	}
	select {
	case answer := <-s.answers:
		return answer, nil
	case <-ctx.Done():
		return Response{}, fmt.Errorf("waiting for the function to answer: %w", ctx.Err())
	}
}

const prefix = "/2018-06-01/runtime/"

// ServeHTTP serves the endpoints of the Runtime API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, prefix)
	switch {
	case r.Method == http.MethodGet && path == "invocation/next":
		s.next(w, r)
	case r.Method == http.MethodPost && (strings.HasSuffix(path, "/response") || strings.HasSuffix(path, "/error")):
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.answers <- Response{Payload: body, IsError: strings.HasSuffix(path, "/error")}
		w.WriteHeader(http.StatusAccepted)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	s.once.Do(func() { close(s.polled) })
	select {
	case invocation := <-s.queue:
		deadline := invocation.Deadline
		if deadline.IsZero() {
			deadline = time.Now().Add(time.Minute)
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", invocation.RequestID)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(deadline.UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", invocation.FunctionARN)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(invocation.Payload)
	case <-r.Context().Done():
	}
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
