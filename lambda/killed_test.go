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
)

// TestBootstrapKilledWhileNotifying kills the built binary when it has written and is about to notify people. The next
// delivery, once the lease has expired, writes nothing and notifies them of what was done.
func TestBootstrapKilledWhileNotifying(t *testing.T) {
	t.Parallel()
	fake, _ := served(t)
	weaken(fake)
	var later atomic.Int64 // what the services' clocks are ahead, by which the function goes
	date := func(header http.Header) {
		header.Set("Date", time.Now().Add(time.Duration(later.Load())).UTC().Format(http.TimeFormat))
	}
	dated := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		date(w.Header())
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(dated.Close)
	moto := mototest.Start(t)
	mototest.Table(t, moto, "ledger")
	target, err := url.Parse(moto)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	through.ModifyResponse = func(r *http.Response) error {
		date(r.Header)
		return nil
	}
	tables := httptest.NewServer(through)
	t.Cleanup(tables.Close)
	var answers atomic.Bool
	called, sns := make(chan struct{}, 10), &topic{}
	environment := append(serveTopic(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers.Load() {
			sns.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection would not be seen
		called <- struct{}{}
		<-r.Context().Done()
	})), ofCognito(dated.URL), "AWS_ENDPOINT_URL_DYNAMODB="+tables.URL, "LEDGER_TABLE=ledger")
	killed := start(t, bootstrap, environment...)
	go func() {
		_, _ = killed.Invoke(t.Context(), "", payload(t, "update-user-pool"))
	}()
	<-called
	killed.stop()
	later.Store(int64(2 * time.Minute))
	answers.Store(true)
	fake.ResetCalls()
	retry := start(t, bootstrap, environment...)
	retry.ends(t, "update-user-pool", "remediated")
	output := retry.stop()
	for _, call := range fake.Calls() {
		if strings.HasPrefix(call.Operation, "Update") || strings.HasPrefix(call.Operation, "Set") {
			t.Errorf("the retry made a call of %s", call.Operation)
		}
	}
	if len(sns.published) != 1 {
		t.Fatalf("%d messages\n%s", len(sns.published), output)
	}
	if message := sns.published[0].Get("Message"); !strings.Contains(message,
		"DeletionProtection: was INACTIVE, required ACTIVE") || !strings.Contains(message, "interrupted") {
		t.Errorf("%s", message)
	}
}
