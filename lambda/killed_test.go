package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/runtimeapi"
)

// TestBootstrapKilledWhileNotifying kills the built binary when it has written and is about to notify people. The next
// delivery, once the lease has expired, writes nothing and notifies them of what was done.
func TestBootstrapKilledWhileNotifying(t *testing.T) {
	t.Parallel()
	fake, _ := served(t)
	weaken(fake)
	var ahead atomic.Int64 // of the service's clock, by which the function goes
	dated := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Duration(ahead.Load())).UTC().Format(http.TimeFormat))
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(dated.Close)
	cognito := dated.URL
	moto := mototest.Start(t)
	mototest.Table(t, moto, "ledger")
	target, err := url.Parse(moto)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	through.ModifyResponse = func(r *http.Response) error {
		r.Header.Set("Date", time.Now().Add(time.Duration(ahead.Load())).UTC().Format(http.TimeFormat))
		return nil
	}
	tables := httptest.NewServer(through)
	t.Cleanup(tables.Close)
	var telling atomic.Bool
	called, messages := make(chan struct{}, 10), make(chan url.Values, 10)
	topic := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !telling.Load() {
			called <- struct{}{}
			<-r.Context().Done()
			return
		}
		form, _ := url.ParseQuery(string(body))
		messages <- form
		acceptPublish(w)
	}))
	t.Cleanup(topic.Close)
	environment := []string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER=" + cognito, "AWS_ENDPOINT_URL_DYNAMODB=" +
		tables.URL, "LEDGER_TABLE=ledger",
		"AWS_ENDPOINT_URL_SNS=" + topic.URL, "TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:topic"}
	killed := startFunction(t, environment...)
	go func() {
		_, _ = killed.api.Invoke(t.Context(), runtimeapi.Invocation{Payload: payload(t, "update-user-pool"),
			RequestID:   "11111111-2222-4333-8444-555555555555",
			FunctionARN: "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper"})
	}()
	<-called
	killed.stop()
	ahead.Store(int64(2 * time.Minute))
	telling.Store(true)
	fake.ResetCalls()
	retry := startFunction(t, environment...)
	if got := ended(t, retry.invoke(t, payload(t, "update-user-pool"))); got != "remediated" {
		t.Errorf("%s, want remediated", got)
	}
	output := retry.stop()
	for _, call := range fake.Calls() {
		if strings.HasPrefix(call.Operation, "Update") || strings.HasPrefix(call.Operation, "Set") {
			t.Errorf("the retry made a call of %s", call.Operation)
		}
	}
	if len(messages) != 1 {
		t.Fatalf("%d messages\n%s", len(messages), output)
	}
	if message := (<-messages).Get("Message"); !strings.Contains(message,
		"DeletionProtection: was INACTIVE, required ACTIVE") || !strings.Contains(message, "interrupted") {
		t.Errorf("%s", message)
	}
}
