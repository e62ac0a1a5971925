package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestEnvironment: the function's environment, with nothing and with everything asked for.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		baseline string
		context  map[string]any
		want     string
	}{
		{"", nil, "GOMAXPROCS LEDGER_TABLE QUEUE_URL ROLE_ARN SCAN_QUEUE_URL STACK_NAME TOPIC_ARN"},
		{ownsAll, everything, "BASELINE_FILE EVENT_BUS GOMAXPROCS LEDGER_TABLE MODE QUEUE_URL ROLE_ARN SCAN_QUEUE_URL " +
			"SECURITY_HUB STACK_NAME TOPIC_ARN"},
		{"", map[string]any{"local": "http://x:1", "mode": "audit"},
			"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER GOMAXPROCS MODE"},
	} {
		for _, f := range templateOf(t, c.baseline, c.context).of("AWS::Lambda::Function") {
			variables := at(f.Properties, "Environment", "Variables").(map[string]any)
			if got := strings.Join(slices.Sorted(maps.Keys(variables)), " "); got != c.want {
				t.Errorf("the environment has %s, want %s", got, c.want)
			}
			for variable, queue := range map[string]string{"QUEUE_URL": "${QueuesChanges", "SCAN_QUEUE_URL": "${QueuesScans"} {
				if value, set := variables[variable]; set && !strings.HasPrefix(written(value), queue) {
					t.Errorf("%s is %v", variable, value)
				}
			}
		}
	}
}
