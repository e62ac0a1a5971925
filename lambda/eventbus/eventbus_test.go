package eventbus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"poolkeeper/lambda/eventbus"
	"poolkeeper/lambda/reconcile"
)

// A server answers PutEvents, and refuses the entries whose detail holds the word "refuse".
type server struct {
	calls   [][]string // the details of each call
	short   bool       // answers for no entry at all
	failing bool       // answers no call
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Entries []struct{ Source, DetailType, Detail, EventBusName string }
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &in)
	var call []string
	answers := []map[string]string{}
	for i, e := range in.Entries {
		call = append(call, e.Detail)
		answer := map[string]string{"EventId": fmt.Sprint("id-", i)}
		if e.Source != "poolkeeper" || e.EventBusName != "default" || e.DetailType == "" || strings.Contains(e.Detail, "refuse") {
			answer = map[string]string{"ErrorCode": "InternalFailure", "ErrorMessage": "not now"}
		}
		answers = append(answers, answer)
	}
	s.calls = append(s.calls, call)
	if s.failing {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if s.short {
		answers = nil
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"Entries": answers})
}

func (s *server) bus(t *testing.T) eventbus.Bus {
	t.Helper()
	listening := httptest.NewServer(s)
	t.Cleanup(listening.Close)
	return eventbus.Bus{Name: "default", Client: eventbridge.New(eventbridge.Options{Region: "eu-west-1", BaseEndpoint: aws.String(listening.URL), Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})})}
}

func entries(details ...string) []reconcile.Entry {
	var all []reconcile.Entry
	for _, d := range details {
		all = append(all, reconcile.Entry{DetailType: "Reconcile User Pool", Detail: d})
	}
	return all
}

func repeated(n int, text string) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(text, i))
	}
	return all
}

// TestPut: the calls stay within the limits, and exactly what was not taken is left.
func TestPut(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100<<10)
	for name, c := range map[string]struct {
		server  server
		details []string
		calls   []int // how many entries each has
		left    []string
		says    string
	}{
		"none":                 {server{}, nil, nil, nil, ""},
		"one call":             {server{}, repeated(10, "a"), []int{10}, nil, ""},
		"ten at most":          {server{}, repeated(23, "a"), []int{10, 10, 3}, nil, ""},
		"so many bytes":        {server{}, []string{large, large, large, "a"}, []int{2, 2}, nil, ""},
		"one that is too long": {server{}, []string{"a", strings.Repeat("x", 256<<10), "b"}, []int{1, 1}, []string{strings.Repeat("x", 256<<10)}, "and EventBridge takes 262143"},
		"some refused":         {server{}, []string{"a", "refuse 1", "b", "refuse 2"}, []int{4}, []string{"refuse 1", "refuse 2"}, "putting 2 events onto the bus default: InternalFailure: not now"},
		"refused in one call":  {server{}, append(repeated(10, "refuse"), "b"), []int{10, 1}, repeated(10, "refuse"), "putting 10 events"},
		"no answer for any":    {server{short: true}, []string{"a", "b"}, []int{2}, []string{"a", "b"}, "did not answer for each"},
		"no answer":            {server{failing: true}, repeated(11, "a"), []int{10, 1}, repeated(11, "a"), "StatusCode: 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left, err := c.server.bus(t).Put(t.Context(), entries(c.details...))
			var calls []int
			for _, call := range c.server.calls {
				calls = append(calls, len(call))
			}
			if fmt.Sprint(calls) != fmt.Sprint(c.calls) || fmt.Sprint(left) != fmt.Sprint(entries(c.left...)) {
				t.Errorf("calls of %v entries, want %v; %d left, want %d", calls, c.calls, len(left), len(c.left))
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}
