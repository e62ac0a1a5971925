package report

import (
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// TestPlan: a drift of each kind, as a terminal shows it and as a file does. What is exempted is gray, with its end; a
// setting that rises says what it may cost.
func TestPlan(t *testing.T) {
	t.Parallel()
	at := func(line int) baseline.Position { return baseline.Position{File: "b.yaml", Line: line, Column: 9} }
	planned, left, pardoned := repaired, audited, permitted
	planned.State = outcome.StatePlanned
	tier := outcome.Finding{Setting: "UserPoolTier", Rule: "tiers", Want: "PLUS", Have: "LITE",
		State: outcome.StatePlanned, Source: at(4)}
	falls := outcome.Finding{Setting: "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", Rule: "tiers",
		Have: "AUDIT", State: outcome.StatePlanned, Source: at(5)}
	left.Source, pardoned.Source = at(6), at(7)
	out := ended(outcome.Drifted, "", planned, unfixable, tier, falls, left, pardoned)
	out.Writes, out.Details.PoolName = []string{"UpdateUserPool", "SetUserPoolMfaConfig"}, "a\x1b[2Jname"
	preview := outcome.Preview{Outcome: out}
	for name, paint := range map[string]Paint{"plan.txt": false, "plan-painted.txt": true} {
		golden(t, name, []byte(Plan(preview, paint)))
	}
}
