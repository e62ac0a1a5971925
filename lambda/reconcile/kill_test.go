package reconcile_test

import (
	"strings"
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
)

// takesSMS has SetUserPoolMfaConfig drop the SMS sender, as it may.
var takesSMS = cognitotest.Fault{Operation: "SetUserPoolMfaConfig",
	Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }}

// TestKilledAndOutOfReach: an interrupted run is reported, and its record closed, where nothing can be restored any
// more: the pool is gone, no rule selects it, or the rule only audits.
func TestKilledAndOutOfReach(t *testing.T) {
	t.Parallel()
	required := require(t, noTextFactor)
	for name, c := range map[string]struct {
		required *baseline.Baseline
		fault    cognitotest.Fault
		outcome  outcome.Ending
		says     string
	}{
		"the pool is gone": {required, cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException"},
			outcome.Drifted, "no such user pool"},
		"the rule only audits": {require(t, noTextFactor).InMode(baseline.Audit), cognitotest.Fault{},
			outcome.Unconverged, "could not be restored: the rule only audits"},
		"no rule selects the pool": {parse(t, "version: 1\nrules: [{name: a, pools: {names: [other]}, require: {"+
			deletionProtection+"}}]"), cognitotest.Fault{}, outcome.Unconverged, "no rule selects the pool any longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, request := interrupted(t, required)
			if c.fault.Error != "" {
				w.fake.Inject(c.fault)
			}
			out := w.answer(t, c.required, request)
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) || !hasCode(out, outcome.CodeInterrupted) {
				t.Fatalf("%s (%s), %v", out.Outcome, out.Reason, out.Drifts)
			}
			if again := w.answer(t, c.required, request); hasCode(again, outcome.CodeInterrupted) {
				t.Errorf("reported again: %s (%s)", again.Outcome, again.Reason)
			}
		})
	}
}
