package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

// TestFunctionGoesByTheServicesClock lets Cognito's answers be dated five minutes from now: the function's times are
// those, and not the machine's.
func TestFunctionGoesByTheServicesClock(t *testing.T) {
	t.Parallel()
	const off = 5 * time.Minute
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	fake.Put("eu-west-1_AbCdEf123", pool, mfa)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	config, err := ReadConfig(func(name string) string {
		return map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
			"AWS_SECRET_ACCESS_KEY": "example", "AWS_ENDPOINT_URL": server.URL}[name]
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHandler(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.metrics = &strings.Builder{}
	if _, err := h.Invoke(t.Context(), payload(t, "update-user-pool")); err != nil {
		t.Fatal(err)
	}
	if offset := time.Until(h.reconciler.Now()); offset < off-2*time.Second || offset > off+2*time.Second {
		t.Errorf("the function's clock is %s ahead, the service's %s", offset, off)
	}
}
