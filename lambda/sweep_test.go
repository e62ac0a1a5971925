package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/runtimeapi"
)

// A relay stands in for EventBridge and SNS: it keeps what is put and published.
type relay struct {
	mutex     sync.Mutex
	events    [][]byte
	published []string
}

func (s *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" {
		form, _ := url.ParseQuery(string(body))
		s.published = append(s.published, form.Get("Subject"))
		acceptPublish(w)
		return
	}
	var in struct {
		Entries []struct{ Source, DetailType, Detail, EventBusName string }
	}
	_ = json.Unmarshal(body, &in)
	answers := []map[string]string{}
	for _, e := range in.Entries {
		if e.EventBusName == "default" {
			event, _ := json.Marshal(map[string]any{"id": "6a7e8feb", "source": e.Source, "detail-type": e.DetailType, "detail": json.RawMessage(e.Detail)})
			s.events = append(s.events, event)
		}
		answers = append(answers, map[string]string{"EventId": "1"})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"Entries": answers})
}

// take returns what came since it was asked before.
func (s *relay) take() (events [][]byte, published []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	events, published, s.events, s.published = s.events, s.published, nil, nil
	return events, published
}

// TestBootstrapSweepsOverTheBus runs the built binary with a bus: the sweep sends the pools and looks at none, and what it sent is handled like any other event. People are told alone of what was put right; of
// what is there at every sweep they are not.
func TestBootstrapSweepsOverTheBus(t *testing.T) {
	t.Parallel()
	fake, cognito := served(t)
	for _, id := range []string{"eu-west-1_AbCdEf123", "eu-west-1_Others001"} {
		pool, mfa := cognitotest.Rich()
		if pool["DeletionProtection"] = "INACTIVE"; id == "eu-west-1_Others001" {
			pool["DeletionProtection"], pool["UserPoolTier"], pool["UserPoolAddOns"] = "ACTIVE", "ESSENTIALS", map[string]any{"AdvancedSecurityMode": "OFF"}
		}
		fake.Put(id, pool, mfa)
	}
	others := &relay{}
	served := httptest.NewServer(others)
	t.Cleanup(served.Close)
	f := startFunction(t, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+cognito, "AWS_ENDPOINT_URL="+served.URL, "TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:topic", "SWEEP_BUS=default", "AWS_LAMBDA_FUNCTION_NAME=keeper")
	invoke := func(payload []byte) runtimeapi.Response {
		t.Helper()
		answer, err := f.api.Invoke(t.Context(), runtimeapi.Invocation{Payload: payload, RequestID: "11111111-2222-4333-8444-555555555555", FunctionARN: "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper", Deadline: time.Now().Add(15 * time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	answer := invoke(payload(t, "scheduled-event"))
	if got := strings.TrimSpace(string(answer.Payload)); answer.IsError || got != `{"outcome":"swept","pools":0,"outcomes":{},"failed":[],"dispatched":2}` {
		t.Errorf("the sweep answered %s", got)
	}
	for _, call := range fake.Calls() {
		if call.Operation != "ListUserPools" {
			t.Errorf("the sweep called %s", call.Operation)
		}
	}
	sent, told := others.take()
	if len(sent) != 2 || len(told) != 0 {
		t.Fatalf("%d events were put, and people were told %q", len(sent), told)
	}
	for i, want := range []string{"remediated", "unfixable"} {
		if !strings.Contains(string(sent[i]), `"function":"keeper"`) {
			t.Errorf("every deployment on the bus would answer %s", sent[i])
		}
		if got := outcome(t, invoke(sent[i])); got != want {
			t.Errorf("%s: %s, want %s", sent[i], got, want)
		}
	}
	if _, told = others.take(); len(told) != 1 || !strings.Contains(told[0], "remediated: DeletionProtection") {
		t.Errorf("of the sweep's pools people were told %q", told)
	}
	if got := outcome(t, invoke([]byte(`{"source": "poolkeeper", "detail-type": "Reconcile User Pool", "detail": {"userPoolId": "eu-west-1_Others001"}}`))); got != "unfixable" {
		t.Errorf("asked for by itself: %s", got)
	}
	if _, told = others.take(); len(told) != 1 || !strings.Contains(told[0], "unfixable") {
		t.Errorf("of a pool that was asked for by itself people were told %q", told)
	}
	output := f.stop()
	if !strings.Contains(output, `"msg":"swept","invocation_id":"11111111-2222-4333-8444-555555555555","outcome":"swept","pools":0,"dispatched":2`) || strings.Count(output, `"msg":"reconciled"`) != 3 {
		t.Errorf("the log:\n%s", output)
	}
}
