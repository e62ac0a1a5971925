package runtimeapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// call polls for an invocation, or posts a body where there is one.
func call(t *testing.T, f *Function, path, body string) (status int, header http.Header, answer string) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, f.server.URL+prefix+path, strings.NewReader(body))
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
	f := serve()
	defer f.server.Close()
	now := time.Now().UnixMilli()
	go func() {
		for _, kind := range []string{"response", "error"} {
			_, header, body := call(t, f, "next", "")
			deadline, _ := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
			if body != `{"a":1}` || deadline < now+timeout.Milliseconds() ||
				header.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn" {
				t.Errorf("%s %v", body, header)
			}
			call(t, f, header.Get("Lambda-Runtime-Aws-Request-Id")+"/"+kind, `{"errorType":"Odd"}`)
		}
	}()
	for _, isError := range []bool{false, true} {
		answer, err := f.Invoke(t.Context(), "arn", []byte(`{"a":1}`))
		if err != nil || answer.IsError != isError || string(answer.Payload) != `{"errorType":"Odd"}` {
			t.Fatalf("%+v %v", answer, err)
		}
	}
	<-f.Polled
	if status, _, _ := call(t, f, "elsewhere", ""); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}

// TestFunction: a real function on the runtime library starts, answers twice, and ends; then nobody waits for it.
func TestFunction(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", binary,
		"poolkeeper/lambda/internal/coldstart/hello")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	f, err := Start(exec.CommandContext(t.Context(), binary))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		answer, err := f.Invoke(t.Context(), "arn:aws:lambda:eu-west-1:123456789012:function:hello", []byte("{}"))
		if err != nil || answer.IsError || string(answer.Payload) != "null" {
			t.Fatalf("%s %v %v", answer.Payload, answer.IsError, err)
		}
	}
	f.Stop()
	if _, err := f.Invoke(t.Context(), "", nil); err == nil {
		t.Error("a function that has ended answers")
	}
	if _, err := Start(exec.CommandContext(t.Context(), binary+"-none")); err == nil {
		t.Error("a function that is not there starts")
	}
}

// TestLateAnswer: an answer to an event for which no Invoke waits any more is refused, and answers no other event.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	f := serve()
	defer f.server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := f.Invoke(ctx, "", nil)
		ended <- err
	}()
	call(t, f, "next", "")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	go func() {
		call(t, f, "next", "")
		if status, _, _ := call(t, f, "request-1/response", "1"); status != http.StatusBadRequest {
			t.Errorf("a late answer got %d", status)
		}
		call(t, f, "request-2/response", "2")
	}()
	if answer, err := f.Invoke(t.Context(), "", nil); err != nil || string(answer.Payload) != "2" {
		t.Errorf("%s, %v", answer.Payload, err)
	}
}
