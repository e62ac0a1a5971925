package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
)

const riskRule = "{RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}"

// TestCallsOfBaseline: the rule matches the calls that can change what the baseline requires or watches, and no other.
func TestCallsOfBaseline(t *testing.T) {
	t.Parallel()
	for name, c := range rows[map[string]struct{ Rule, Want string }](t, "calls.json") {
		s := read(t, fmt.Sprintf("version: 1\nrules: [{name: a, %s}]", c.Rule), nil)
		if got := strings.Join(callsOf(s.Baseline), " "); got != c.Want {
			t.Errorf("%s: %s, want %s", name, got, c.Want)
		}
	}
	var names []string
	for _, call := range event.Table() {
		names = append(names, call.Name)
	}
	if diff := cmp.Diff(names, callsOf(read(t, ownsAll, nil).Baseline)); diff != "" {
		t.Errorf("a baseline that requires and watches everything (-want +got):\n%s", diff)
	}
}
