package reconcile_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/userpool"
)

// latency is what the loopback fake adds to each call in the benchmarks of a whole event.
const latency = 20 * time.Millisecond

// BenchmarkEvent reports the time of one whole event as a multiple of the time that its round trips take by themselves: plain POSTs to the
// same server in the same run. A compliant pool is one round trip (two reads at once); one that drifted in a document is three: read, write,
// verify.
func BenchmarkEvent(b *testing.B) {
	for name, c := range map[string]struct {
		tamper func(pool, mfa map[string]any)
		trips  int
	}{"compliant": {nil, 1}, "drifted": {unprotected, 3}} {
		b.Run(name, func(b *testing.B) {
			bench := serve(b, cognitotest.Contract, cognitotest.WithLatency(latency))
			// A second server of the same kind takes the plain POSTs.
			plain := cognitotest.New(cognitotest.Contract, cognitotest.WithLatency(latency))
			url, err := plain.Start()
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = plain.Close() }()
			pool, mfa := cognitotest.Rich()
			plain.Put(poolID, pool, mfa)
			required := require(b, deletionProtection)
			r := bench.reconciler(required)
			var whole, trips time.Duration
			calls, events := 0, 0
			bench.rich(c.tamper)
			warm(b, url)
			for b.Loop() {
				bench.rich(c.tamper)
				bench.fake.ResetCalls()
				from := time.Now()
				if _, err := r.Reconcile(b.Context(), poolID, event.Cause{}); err != nil {
					b.Fatal(err)
				}
				whole += time.Since(from)
				calls += len(bench.fake.Calls())
				events++
				from = time.Now()
				for range c.trips {
					warm(b, url)
				}
				trips += time.Since(from)
			}
			b.ReportMetric(float64(whole)/float64(trips), "x-round-trips")
			b.ReportMetric(float64(calls)/float64(events), "calls/event")
		})
	}
}

func warm(b *testing.B, url string) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader([]byte(`{"UserPoolId":"`+poolID+`"}`)))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.DescribeUserPool")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// BenchmarkPlan compares a full pool and plans the write of it, with no call.
func BenchmarkPlan(b *testing.B) {
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	state := userpool.State{ID: poolID, Documents: map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}}
	policy := require(b, deletionProtection).Policy(state.Identity(), clock)
	b.ReportAllocs()
	for b.Loop() {
		found := baseline.Compare(policy, state.Settings())
		if plan, err := userpool.NewPlan(state, found.Drifts, userpool.Options{}); err != nil || len(plan.Writes) != 1 {
			b.Fatal(plan, err)
		}
	}
}
