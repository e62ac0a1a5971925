package runtimeapi

import (
	"context"
	"errors"
	"io"
	"net/http"
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
		for _, verb := range []string{"response", "error"} {
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
			posted, err := http.Post("http://"+s.Addr()+prefix+"invocation/"+id+"/"+verb, "application/json", strings.NewReader(`{"errorType":"Odd"}`))
			if err != nil {
				t.Error(err)
				return
			}
			_ = posted.Body.Close()
		}
	}()
	for _, isError := range []bool{false, true} {
		answer, err := s.Invoke(t.Context(), Invocation{Payload: []byte(`{"a":1}`), RequestID: "1", FunctionARN: "arn", Deadline: deadline})
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
