package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
)

// TestGoesByTheServicesClock: where the answers are dated five minutes from now, the command line goes by that.
func TestGoesByTheServicesClock(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	const off = 5 * time.Minute
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, `{"UserPools":[]}`)
	}))
	t.Cleanup(server.Close)
	c := &cli{out: io.Discard, err: io.Discard, notes: io.Discard, getenv: func(string) string { return "" },
		region: "eu-west-1"}
	loaded, err := c.configuration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := idp.NewFromConfig(loaded, func(o *idp.Options) { o.BaseEndpoint = aws.String(server.URL) })
	if _, err := client.ListUserPools(t.Context(), &idp.ListUserPoolsInput{MaxResults: aws.Int32(60)}); err != nil {
		t.Fatal(err)
	}
	r := c.newReconciler(nil, &baseline.Baseline{})
	if ahead := time.Until(r.Now()); (ahead - off).Abs() > 2*time.Second {
		t.Errorf("the clock is %s ahead, the service's %s", ahead, off)
	}
}
