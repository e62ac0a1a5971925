package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
)

// TestPlan: a drift of each kind, as a terminal shows it and as a file does. What is exempted is grey, with its end; what rises says what it may cost.
func TestPlan(t *testing.T) {
	t.Parallel()
	planned := fixed
	planned.State = reconcile.Planned
	tier := reconcile.Drift{Setting: "UserPoolTier", Rule: "tiers", Want: "PLUS", Have: "LITE", State: reconcile.Planned, Source: baseline.Position{File: "b.yaml", Line: 4, Column: 9}}
	falls := reconcile.Drift{Setting: "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", Rule: "tiers", Want: nil, Have: "AUDIT", State: reconcile.Planned, Source: baseline.Position{File: "b.yaml", Line: 5, Column: 9}}
	left, pardoned := reported, exempted
	left.Source, pardoned.Source = baseline.Position{File: "b.yaml", Line: 6, Column: 9}, baseline.Position{File: "b.yaml", Line: 7, Column: 9}
	out := outcome(reconcile.Drifted, "", planned, unfixable, tier, falls, left, pardoned)
	out.Writes = []string{"UpdateUserPool", "SetUserPoolMfaConfig"}
	preview := reconcile.Preview{Outcome: out, PoolName: "a\x1b[2Jname"}
	for name, paint := range map[string]Paint{"plan.txt": false, "plan-painted.txt": true} {
		var got bytes.Buffer
		if err := Plan(&got, preview, paint); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPlanWithoutAPlace: what is watched and not required has no place in the file, and its line ends with the rule.
func TestPlanWithoutAPlace(t *testing.T) {
	t.Parallel()
	watched := reconcile.Drift{Setting: "LambdaConfig.PreSignUp", Rule: "all", Want: "no trigger that no rule requires", Have: "arn", State: reconcile.Reported, Left: reconcile.LeftWatched}
	var got bytes.Buffer
	if err := Plan(&got, reconcile.Preview{Outcome: outcome(reconcile.Drifted, "", watched)}, false); err != nil || !bytes.Contains(got.Bytes(), []byte("requires  (rule all)\n")) {
		t.Errorf("%v\n%s", err, got.Bytes())
	}
}
