package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// functions are settings with the properties of their function.
var functions = map[string]struct {
	context      map[string]any
	baseline     string
	architecture string
	env          []string
}{
	"default": {nil, "", "arm64", []string{
		"GOMAXPROCS", "LEDGER_TABLE", "QUEUE_URL", "ROLE_ARN", "SCAN_QUEUE_URL", "STACK_NAME", "TOPIC_ARN"}},
	"everything": {everything, ownsAll, "x86_64", []string{
		"BASELINE_FILE", "EVENT_BUS", "GOMAXPROCS", "LEDGER_TABLE", "MODE", "QUEUE_URL", "ROLE_ARN", "SCAN_QUEUE_URL",
		"SECURITY_HUB", "STACK_NAME", "TOPIC_ARN"}},
	"local": {map[string]any{"local": "http://x:1", "mode": "audit"}, "", "arm64", []string{
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "GOMAXPROCS", "MODE"}},
}

// TestFunctionProperties: the function's properties and environment, with nothing and with everything asked for.
func TestFunctionProperties(t *testing.T) {
	t.Parallel()
	for name, c := range functions {
		tpl := templateOf(t, c.baseline, c.context)
		for _, f := range tpl.of("AWS::Lambda::Function") {
			variables := at(f.Properties, "Environment", "Variables").(map[string]any)
			if got := slices.Sorted(maps.Keys(variables)); !slices.Equal(got, c.env) {
				t.Errorf("%s: the environment has %v", name, got)
			}
			for variable, want := range map[string]string{
				"QUEUE_URL": "${QueuesChanges", "SCAN_QUEUE_URL": "${QueuesScans", "LEDGER_TABLE": "${Ledger",
			} {
				if value, set := variables[variable]; set && plain(written(value)[:len(written(value))-1]) != want {
					t.Errorf("%s: %s is %v", name, variable, value)
				}
			}
			got := maps.Clone(f.Properties)
			for _, key := range []string{"Code", "Description", "Environment", "LoggingConfig", "Role"} {
				delete(got, key)
			}
			want := map[string]any{
				"Architectures": []any{c.architecture}, "MemorySize": 128.0, "Runtime": "provided.al2023",
				"Handler": "bootstrap", "TracingConfig": map[string]any{"Mode": "Active"}, "Timeout": 120.0,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			logging := at(f.Properties, "LoggingConfig")
			if at(logging, "LogFormat") != "JSON" || at(logging, "ApplicationLogLevel") != "INFO" ||
				written(at(logging, "LogGroup")) != "${KeeperLog94737A1E}" {
				t.Errorf("%s: logs as %v", name, logging)
			}
		}
		if n := len(tpl.of("AWS::Lambda::Function")); n != 1 {
			t.Errorf("%s: %d functions", name, n)
		}
	}
}

// TestEventSources: each of the two queues starts the function, at most twice at a time, on one message, of which a
// failure is reported; a local template has no queue.
func TestEventSources(t *testing.T) {
	t.Parallel()
	want := map[string]any{}
	for _, queue := range []string{"Changes", "Scans"} {
		want["${Queues"+queue+".Arn}"] = map[string]any{
			"BatchSize": 1.0, "FunctionResponseTypes": []any{"ReportBatchItemFailures"},
			"ScalingConfig": map[string]any{"MaximumConcurrency": 2.0},
		}
	}
	got := map[string]any{}
	for id, m := range templateOf(t, "", nil).of("AWS::Lambda::EventSourceMapping") {
		settings := maps.Clone(m.Properties)
		if name := written(settings["FunctionName"]); name != "${KeeperFunction7330A899}" {
			t.Errorf("%s starts %s", id, name)
		}
		delete(settings, "FunctionName")
		delete(settings, "EventSourceArn")
		got[written(m.Properties["EventSourceArn"])] = settings
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for id, r := range templateOf(t, "", modes["local"]).Resources {
		if r.Type == "AWS::SQS::Queue" || r.Type == "AWS::Lambda::EventSourceMapping" {
			t.Errorf("the local template has %s", id)
		}
	}
}
