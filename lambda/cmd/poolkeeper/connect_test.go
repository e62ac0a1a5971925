package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// planAll plans so many pools against a fake that enforces the documented rates, and returns the time that it took on
// the fake's clock, and the number of calls that share the narrowest rate, 15 a second. speed is how much faster than
// the world the clock of the fake runs, and the pace with it: the faster, the more of the time is what the machine
// takes.
func planAll(t testing.TB, pools int, speed float64) (took time.Duration, calls int) {
	t.Helper()
	start := time.Now()
	now := func() time.Time { return start.Add(time.Duration(float64(time.Since(start)) * speed)) }
	fake, url := cognitotest.Serve(t, cognitotest.Contract, cognitotest.WithRateLimits(now))
	pool, mfa := cognitotest.Rich()
	for i := range pools {
		fake.Put(fmt.Sprintf("eu-west-1_Pool%05d", i), pool, mfa)
	}
	transport, err := cognito.NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	// Without retries, so that a throttled call is a failed pool.
	sdk := idp.New(idp.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), HTTPClient: transport,
		Retryer: aws.NopRetryer{}, Credentials: aws.AnonymousCredentials{}})
	var output strings.Builder
	c := started(nil, &output, &output)
	required, err := baseline.Parse(baseline.DefaultFile, baseline.Default())
	if err != nil {
		t.Fatal(err)
	}
	r := reconcile.New(cognito.New(sdk, cognito.WithShare(share*speed)), required, ledger.NewMemory())
	from := now()
	s := &results{}
	err = c.plans(t.Context(), s, selection{all: true}, always(r), func(poolPlan) error { return nil })
	if err != nil || s.Pools != pools || s.InSync != pools {
		t.Errorf("%+v %v\n%.2000s", s, err, output.String())
	}
	return now().Sub(from), len(fake.Calls()) - pools
}

// TestPlanAllIsNeverThrottled: not one call comes too early. The clock is slow enough for a loaded machine to reach the
// rates, and 300 pools are enough for calls that come a tenth too fast to use up the burst of a second.
// BenchmarkPlanAll does it with 1,000.
func TestPlanAllIsNeverThrottled(t *testing.T) {
	t.Parallel()
	planAll(t, 300, 2)
}

// BenchmarkPlanAll reports the time that 1,000 pools take as a ratio to what the rates allow; the goal is 1.1. It fails
// where a call is throttled.
func BenchmarkPlanAll(b *testing.B) {
	for range b.N {
		took, calls := planAll(b, 1000, 2)
		b.ReportMetric(took.Seconds()*15/float64(calls), "x-of-allowed")
	}
}

// TestUsesTheTimeOfResponses: where the answers are dated five minutes from now, the command line goes by that.
func TestUsesTheTimeOfResponses(t *testing.T) {
	const off = 5 * time.Minute
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, `{"UserPools":[]}`)
	}))
	t.Cleanup(server.Close)
	connected(t)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	c := started(nil, nil, nil)
	r, err := c.recording(t.Context(), &baseline.Baseline{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list(t.Context(), r.Pools); err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(r.Now()); (ahead - off).Abs() > 2*time.Second {
		t.Errorf("the clock is %s ahead, the service's %s", ahead, off)
	}
}
