package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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
	"poolkeeper/lambda/userpool"
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

// reconcilerOf returns a Reconciler for the baseline that ships.
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

// alike is a world of so many equal pools. They are made when they are asked for, so that they take no memory.
type alike struct {
	reconcile.Pools
	pools int
	state userpool.State
}

func (a alike) Read(_ context.Context, id string, _ userpool.Want) (userpool.State, error) {
	documents := map[baseline.DocumentName]map[string]any{}
	for name, d := range a.state.Documents {
		documents[name], _ = baseline.Clone(d).(map[string]any)
	}
	return userpool.State{ID: id, Documents: documents}, nil
}

func (a alike) List(_ context.Context, token string) (ids []string, next string, err error) {
	from, _ := strconv.Atoi(token)
	for i := from; i < min(from+60, a.pools); i++ {
		ids = append(ids, fmt.Sprintf("eu-west-1_Pool%05d", i))
	}
	if from+60 < a.pools {
		next = strconv.Itoa(from + 60)
	}
	return ids, next, nil
}

func (alike) Write(context.Context, string, userpool.Request) (string, error) {
	return "", errors.New("a plan writes nothing")
}

// BenchmarkPlanAllMemory reports the most memory that is held while 1,000 and 10,000 pools with drift are planned, as a
// multiple of that for 100: it does not grow.
func BenchmarkPlanAllMemory(b *testing.B) {
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	documents := map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}
	held := func(format string, pools int) float64 {
		c := &cli{out: io.Discard, err: io.Discard, notes: io.Discard, output: format,
			getenv: func(string) string { return "" }}
		seen, most := 0, uint64(0)
		measure := func(outcome.Preview) {
			if seen++; seen%(pools/20) == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
		world := alike{pools: pools, state: userpool.State{Documents: documents}}
		var s summary
		err := c.showPlans(b.Context(), reconcilerOf(b, world), selection{all: true}, &s, c.results(), measure)
		if err != nil || s.ToChange != pools {
			b.Fatalf("%+v %v", s, err)
		}
		return float64(most)
	}
	for _, format := range all {
		b.Run(format, func(b *testing.B) {
			for range b.N {
				base := held(format, 100)
				b.ReportMetric(base/1e6, "MB-of-100")
				b.ReportMetric(held(format, 1000)/base, "x-of-1000")
				b.ReportMetric(held(format, 10000)/base, "x-of-10000")
			}
		})
	}
}

// TestInOrder: results come in the order of the ids, whatever takes how long; errors end it; no more than a few are
// under way.
func TestInOrder(t *testing.T) {
	t.Parallel()
	ids := func(n int, broken error) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for i := range n {
				if !yield(fmt.Sprintf("%04d", i), nil) {
					return
				}
			}
			if broken != nil {
				yield("", broken)
			}
		}
	}
	var under, most atomic.Int32
	slowFirst := func(_ context.Context, id string) string {
		for now := under.Add(1); ; {
			if was := most.Load(); now <= was || most.CompareAndSwap(was, now) {
				break
			}
		}
		defer under.Add(-1)
		if strings.HasSuffix(id, "0") {
			time.Sleep(time.Millisecond)
		}
		return id
	}
	var got []string
	emit := func(id string) error { got = append(got, id); return nil }
	err := inOrder(t.Context(), ids(300, nil), slowFirst, emit)
	if err != nil || len(got) != 300 || !slices.IsSorted(got) {
		t.Errorf("%d results, sorted %v, %v", len(got), slices.IsSorted(got), err)
	}
	got = nil
	broken := errors.New("page 2 is broken")
	if err = inOrder(t.Context(), ids(20, broken), slowFirst, emit); !errors.Is(err, broken) || len(got) != 20 {
		t.Errorf("%d results, %v", len(got), err)
	}
	breaks := func(string) error { return broken }
	if err := inOrder(t.Context(), ids(1000000, nil), slowFirst, breaks); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	// One more waits in the hands of each side of the queue.
	if most.Load() > workers+2 || most.Load() < 2 {
		t.Errorf("%d were under way at a time", most.Load())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	takes := func(string) error { return nil }
	if err := inOrder(ended, ids(1000000, nil), slowFirst, takes); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
