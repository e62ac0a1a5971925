package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
)

// TestGoesByTheServicesClock lets the answers be dated five minutes from now, and has the command line go by that.
func TestGoesByTheServicesClock(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	const off = 5 * time.Minute
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, `{"UserPools":[]}`)
	}))
	t.Cleanup(server.Close)
	c := &cli{out: io.Discard, err: io.Discard, notes: io.Discard, getenv: func(string) string { return "" }, region: "eu-west-1"}
	loaded, err := c.configuration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := cognito.NewFromConfig(loaded, func(o *cognito.Options) { o.BaseEndpoint = aws.String(server.URL) })
	if _, err := client.ListUserPools(t.Context(), &cognito.ListUserPoolsInput{MaxResults: aws.Int32(60)}); err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(c.keeper(nil, &baseline.Baseline{}, "").Now()); (ahead - off).Abs() > 2*time.Second {
		t.Errorf("the clock is %s ahead, the service's %s", ahead, off)
	}
}
