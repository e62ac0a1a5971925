package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
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
	fake := cognitotest.New(cognitotest.Contract, cognitotest.WithRateLimits(), cognitotest.WithClock(now))
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
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
		Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "y"}, nil
		})})
	var output strings.Builder
	c := &cli{out: &output, err: &output, notes: &output, output: "text", getenv: func(string) string { return "" }}
	client := cognito.New(sdk, cognito.WithShare(share*speed))
	from := now()
	var s summary
	err = c.showPlans(t.Context(), reconcilerOf(t, client), selection{all: true}, &s, c.results(),
		func(outcome.Preview) {})
	if err != nil || s.Pools != pools || s.InSync != pools {
		t.Errorf("%+v %v\n%.2000s", s, err, output.String())
	}
	return now().Sub(from), len(fake.Calls()) - pools
}

// reconcilerOf returns a Reconciler for the default baseline.
func reconcilerOf(t testing.TB, pools reconcile.Pools) *reconcile.Reconciler {
	t.Helper()
	required, err := baseline.Parse(baseline.DefaultFile, baseline.Default())
	if err != nil {
		t.Fatal(err)
	}
	return reconcile.New(pools, required, ledger.NewMemory())
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

// TestInOrder: results come in the order of the ids, whatever takes how long; errors, and an interruption, end it.
func TestInOrder(t *testing.T) {
	t.Parallel()
	broken := errors.New("page 2 is broken")
	ids := func(n int) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for i := range n {
				if !yield(fmt.Sprintf("%04d", i), nil) {
					return
				}
			}
			yield("", broken)
		}
	}
	slowFirst := func(_ context.Context, id string) string {
		if strings.HasSuffix(id, "0") {
			time.Sleep(time.Millisecond)
		}
		return id
	}
	var got []string
	emit := func(id string) error { got = append(got, id); return nil }
	err := inOrder(t.Context(), ids(300), slowFirst, emit)
	if !errors.Is(err, broken) || len(got) != 300 || !slices.IsSorted(got) {
		t.Errorf("%d results, sorted %v, %v", len(got), slices.IsSorted(got), err)
	}
	full := errors.New("no room")
	if err := inOrder(t.Context(), ids(1e6), slowFirst, func(string) error { return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := inOrder(ended, ids(1e6), slowFirst, emit); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
