package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// BenchmarkCompareThousand reports the time of comparing 1,000 pools with the baseline that ships as a share of that of
// decoding their JSON, which a read does anyway.
func BenchmarkCompareThousand(b *testing.B) {
	const pools = 1000
	pool, mfa := cognitotest.Rich()
	answers := make([][2][]byte, pools)
	for i := range answers {
		pool["Id"] = fmt.Sprintf("eu-west-1_Pool%04d", i)
		for j, document := range []map[string]any{pool, mfa} {
			raw, err := json.Marshal(document)
			if err != nil {
				b.Fatal(err)
			}
			answers[i][j] = raw
		}
	}
	required, err := baseline.Parse(baseline.DefaultFile, baseline.Default())
	if err != nil {
		b.Fatal(err)
	}
	var ratios []float64
	for b.Loop() {
		states := make([]userpool.State, pools)
		from := time.Now()
		for i, raw := range answers {
			documents := map[baseline.DocumentName]map[string]any{
				baseline.UserPool: tree(b, string(raw[0])), baseline.MfaConfig: tree(b, string(raw[1]))}
			id, _ := documents[baseline.UserPool]["Id"].(string)
			states[i] = userpool.State{ID: id, Documents: documents}
		}
		decoded := time.Now()
		for _, state := range states {
			found := baseline.Compare(required.Policy(state.Identity(), clock), state.Settings())
			if len(found.Drifts) > 0 {
				b.Fatalf("%s has drifted", state.ID)
			}
		}
		ratios = append(ratios, float64(time.Since(decoded))/float64(decoded.Sub(from)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "compare/decode")
}

// BenchmarkDecide compares a full pool and plans the write of it, with no call.
func BenchmarkDecide(b *testing.B) {
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	documents := map[baseline.DocumentName]map[string]any{baseline.UserPool: pool, baseline.MfaConfig: mfa}
	state, rules := userpool.State{ID: poolID, Documents: documents},
		reconcile.Rules{Baseline: require(b, deletionProtection)}
	unit := reconcile.Unit{baseline.UserPool, baseline.MfaConfig}
	b.ReportAllocs()
	for b.Loop() {
		d, err := reconcile.Decide(rules, unit, state, reconcile.Attempt{})
		if err != nil || len(d.Plan.Writes) != 1 {
			b.Fatal(d, err)
		}
	}
}
