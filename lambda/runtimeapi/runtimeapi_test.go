package runtimeapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func serve(t *testing.T) *Server {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// call polls for an invocation, or posts a body where there is one.
func call(t *testing.T, s *Server, path, body string) (status int, header http.Header, answer string) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, "http://"+s.Addr()+prefix+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, nil, ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, nil, ""
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, response.Header, string(raw)
}

func TestConversation(t *testing.T) {
	t.Parallel()
	s := serve(t)
	go func() {
		for _, kind := range []string{"response", "error"} {
			_, header, body := call(t, s, "invocation/next", "")
			if body != `{"a":1}` || header.Get("Lambda-Runtime-Deadline-Ms") != "1790000000000" ||
				header.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn" {
				t.Errorf("%s %v", body, header)
			}
			call(t, s, "invocation/"+header.Get("Lambda-Runtime-Aws-Request-Id")+"/"+kind, `{"errorType":"Odd"}`)
		}
	}()
	for _, isError := range []bool{false, true} {
		answer, err := s.Invoke(t.Context(), Invocation{Payload: []byte(`{"a":1}`), RequestID: "1", FunctionARN: "arn",
			Deadline: time.UnixMilli(1790000000000)})
		if err != nil || answer.IsError != isError {
			t.Fatalf("%+v %v", answer, err)
		}
		kind, err := answer.ErrorType()
		if (err == nil) != isError || isError && kind != "Odd" {
			t.Errorf("%q %v", kind, err)
		}
	}
	select {
	case <-s.FirstPoll():
	default:
		t.Error("the first poll was not seen")
	}
	if status, _, _ := call(t, s, "elsewhere", ""); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}

func TestNobodyPolls(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := serve(t).Invoke(ctx, Invocation{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestFunction: a real function on the runtime library starts, answers twice, and polls again.
func TestFunction(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", binary,
		"poolkeeper/lambda/internal/coldstart/hello")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	s := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	function := exec.CommandContext(ctx, binary)
	function.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + s.Addr()}
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = function.Wait() }()
	for range 2 {
		const arn = "arn:aws:lambda:eu-west-1:123456789012:function:hello"
		answer, err := s.Invoke(ctx, Invocation{Payload: []byte("{}"), FunctionARN: arn})
		if err != nil || answer.IsError || string(answer.Payload) != "null" {
			t.Fatalf("%s %v %v", answer.Payload, answer.IsError, err)
		}
	}
}

// TestLateAnswer: an answer to an event for which no Invoke waits any more is refused, and answers no other event.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.Invoke(ctx, Invocation{RequestID: "first"})
		ended <- err
	}()
	call(t, s, "invocation/next", "")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	go func() {
		call(t, s, "invocation/next", "")
		if status, _, _ := call(t, s, "invocation/first/response", "1"); status != http.StatusBadRequest {
			t.Errorf("a late answer got %d", status)
		}
		call(t, s, "invocation/second/response", "2")
	}()
	if answer, err := s.Invoke(t.Context(), Invocation{RequestID: "second"}); err != nil || string(answer.Payload) != "2" {
		t.Errorf("%s, %v", answer.Payload, err)
	}
}
