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

func TestConversation(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	deadline := time.UnixMilli(1790000000000)
	go func() {
		for _, kind := range []string{"response", "error"} {
			response, err := http.Get("http://" + s.Addr() + prefix + "invocation/next")
			if err != nil {
				t.Error(err)
				return
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || string(body) != `{"a":1}` || response.Header.Get("Lambda-Runtime-Deadline-Ms") != "1790000000000" ||
				response.Header.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn" {
				t.Errorf("%s %v %v", body, response.Header, err)
			}
			id := response.Header.Get("Lambda-Runtime-Aws-Request-Id")
			url := "http://" + s.Addr() + prefix + "invocation/" + id + "/" + kind
			posted, err := http.Post(url, "application/json", strings.NewReader(`{"errorType":"Odd"}`))
			if err != nil {
				t.Error(err)
				return
			}
			_ = posted.Body.Close()
		}
	}()
	for _, isError := range []bool{false, true} {
		answer, err := s.Invoke(t.Context(),
			Invocation{Payload: []byte(`{"a":1}`), RequestID: "1", FunctionARN: "arn", Deadline: deadline})
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
}

func TestNobodyPolls(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Invoke(ctx, Invocation{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	response, err := http.Get("http://" + s.Addr() + "/elsewhere")
	if err != nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("%v %v", response, err)
	}
	_ = response.Body.Close()
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
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
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

func post(t *testing.T, s *Server, path, body string) int {
	t.Helper()
	response, err := http.Post("http://"+s.Addr()+prefix+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestFailedStart: an error of the start is not an answer to an event. It ends the wait for a poll.
func TestFailedStart(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for range 2 {
		if status := post(t, s, "init/error", `{"errorType":"Odd"}`); status != http.StatusAccepted {
			t.Errorf("%d", status)
		}
	}
	var failed *InitError
	_, err = s.Invoke(t.Context(), Invocation{})
	if !errors.As(err, &failed) || string(failed.Payload) != `{"errorType":"Odd"}` ||
		!strings.Contains(err.Error(), "Odd") {
		t.Errorf("%v", err)
	}
}

// TestLateAnswer: an answer to an event for which no Invoke waits any more is refused, and answers no other event.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	polls := make(chan string, 2)
	go func() {
		for range 2 {
			response, err := http.Get("http://" + s.Addr() + prefix + "invocation/next")
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
			polls <- response.Header.Get("Lambda-Runtime-Aws-Request-Id")
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.Invoke(ctx, Invocation{RequestID: "first"})
		ended <- err
	}()
	if id := <-polls; id != "first" {
		t.Fatal(id)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	answers := make(chan Response, 1)
	go func() {
		answer, err := s.Invoke(t.Context(), Invocation{RequestID: "second"})
		if err != nil {
			t.Error(err)
		}
		answers <- answer
	}()
	if id := <-polls; id != "second" {
		t.Fatal(id)
	}
	if status := post(t, s, "invocation/first/response", "1"); status != http.StatusBadRequest {
		t.Errorf("a late answer got %d", status)
	}
	if status := post(t, s, "invocation/second/response", "2"); status != http.StatusAccepted {
		t.Errorf("%d", status)
	}
	if answer := <-answers; string(answer.Payload) != "2" {
		t.Errorf("%s", answer.Payload)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invoke(t.Context(), Invocation{}); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
