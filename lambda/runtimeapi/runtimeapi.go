// Package runtimeapi runs a built function as Lambda does, for tests and benchmarks: as a process that polls a Runtime
// API server of its own for invocations, and posts the response or the error.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// A Response is the function's response.
type Response struct {
	Payload []byte
	IsError bool // the function posted an error; Payload is its JSON
}

type invocation struct {
	id, arn string
	payload []byte
}

// A Function is a function's process with its server.
type Function struct {
	Polled  chan struct{} // closed when the function polls for its first invocation, so it has started
	Ended   chan struct{} // closed when the process has ended
	command *exec.Cmd
	server  *httptest.Server
	queue   chan invocation
	first   sync.Once
	waiting sync.Map // the channel of each Invoke by request id; a response without one is rejected
	made    atomic.Int64
}

// Start starts the command of a function, in the command's environment and with the address of the server.
func Start(command *exec.Cmd) (*Function, error) {
	f := serve()
	f.command = command
	command.Env = append(command.Env, "AWS_LAMBDA_RUNTIME_API="+f.server.Listener.Addr().String())
	if err := command.Start(); err != nil {
		f.server.Close()
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	go func() {
		_ = command.Wait()
		close(f.Ended)
	}()
	return f, nil
}

const prefix = "/2018-06-01/runtime/invocation/"

func serve() *Function {
	f := &Function{Polled: make(chan struct{}), Ended: make(chan struct{}), queue: make(chan invocation)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"next", f.next)
	mux.HandleFunc("POST "+prefix+"{id}/{kind}", f.answer)
	f.server = httptest.NewServer(mux)
	return f
}

// Stop ends the process and the server. A waiting Invoke ends with an error.
func (f *Function) Stop() {
	_ = f.command.Process.Kill()
	<-f.Ended
	f.server.CloseClientConnections()
	f.server.Close()
}

// timeout is that of the deployed function.
const timeout = 2 * time.Minute

// Invoke sends an event to the function with this ARN, and waits for its response.
func (f *Function) Invoke(ctx context.Context, arn string, payload []byte) (Response, error) {
	id, response := fmt.Sprint("request-", f.made.Add(1)), make(chan Response, 1)
	f.waiting.Store(id, response)
	defer f.waiting.Delete(id)
	queue := f.queue
	for {
		select {
		case queue <- invocation{id, arn, payload}:
			queue = nil // sent
		case r := <-response:
			return r, nil
		case <-f.Ended:
			return Response{}, errors.New("the function ended without a response")
		case <-ctx.Done():
			return Response{}, fmt.Errorf("waiting for the function: %w", ctx.Err())
		}
	}
}

func (f *Function) next(w http.ResponseWriter, r *http.Request) {
	f.first.Do(func() { close(f.Polled) })
	select {
	case i := <-f.queue:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(timeout).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", i.arn)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(i.payload)
	case <-r.Context().Done():
	}
}

func (f *Function) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	response, waits := f.waiting.LoadAndDelete(r.PathValue("id"))
	if err != nil || !waits {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	response.(chan Response) <- Response{Payload: body, IsError: r.PathValue("kind") == "error"}
	w.WriteHeader(http.StatusAccepted)
}
