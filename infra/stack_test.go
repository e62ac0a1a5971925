package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// everything asks for all that a deployment can have.
var everything = map[string]any{
	"stage": "prod", "regions": "eu-west-1", "mode": "enforce", "alarmEmail": "on-call@example.com", "slackWorkspace": "T0123ABCD", "slackChannel": "C0123ABCD",
	"teamsTenant": "00000000-1111-2222-3333-444444444444", "teamsTeam": "00000000-1111-2222-3333-555555555555", "teamsChannel": "19%3Aabc%40thread.tacv2",
	"sweepHours": "12", "logRetentionDays": "90", "reservedConcurrency": "2", "architecture": "x86_64", "createTrail": "true", "eventBus": "audit", "securityHub": "true",
	"smsRoles": "arn:aws:iam::111122223333:role/sms", "kmsKeys": "arn:aws:kms:eu-west-1:111122223333:key/abc",
}

// chats tells a chat channel, and is nothing else.
var chats = map[string]any{"slackWorkspace": "T0123ABCD", "slackChannel": "C0123ABCD"}

// modes are the deployments that have a golden template.
var modes = map[string]map[string]any{"enforce": nil, "audit": {"mode": "audit"}, "everything": everything, "local": {"localEndpoint": "http://host.docker.internal:5555"}}

// TestGolden shows what a change of the code changes of the deployment. -update rewrites the files.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, context := range modes {
		got, err := json.MarshalIndent(templateOf(t, "", context), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(neutral(t, got), '\n')
		file := filepath.Join("testdata", name+".golden.json")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
			t.Errorf("%s (-want +got), -update rewrites it:\n%s", file, diff)
		}
	}
}

// neutral takes out what the baseline's text decides: its digest stands in several places, and goldens of the infrastructure need not change with it.
func neutral(t *testing.T, text []byte) []byte {
	t.Helper()
	return bytes.ReplaceAll(text, []byte(read(t, "", nil).Baseline.Digest), []byte("sha256:DIGEST"))
}

// TestSynthesisIsRepeatable: the same settings give the same bytes, so that what is deployed can be compared with what would be.
func TestSynthesisIsRepeatable(t *testing.T) {
	t.Parallel()
	s := read(t, ownsAll, everything)
	if first, again := synthesize(t, s), synthesize(t, s); !bytes.Equal(first, again) {
		t.Errorf("-first +again:\n%s", cmp.Diff(strings.Split(string(first), "\n"), strings.Split(string(again), "\n")))
	}
}

// TestAlarmsReachPeople: every alarm goes to the topic, and the topic and its key let it; so does every rule of the guard.
func TestAlarmsReachPeople(t *testing.T) {
	t.Parallel()
	for name, context := range modes {
		if name == "local" {
			continue
		}
		tpl := templateOf(t, "", context)
		topics, keys := tpl.of("AWS::SNS::Topic"), tpl.of("AWS::KMS::Key")
		if len(topics) != 1 || len(keys) != 1 {
			t.Fatalf("%s: %d topics, %d keys", name, len(topics), len(keys))
		}
		topic, key := slices.Collect(maps.Keys(topics))[0], slices.Collect(maps.Keys(keys))[0]
		if got := written(at(topics[topic].Properties, "KmsMasterKeyId")); got != "${AlertsKey.Arn}" {
			t.Errorf("%s: the topic is encrypted with %s", name, got)
		}
		alarms := tpl.of("AWS::CloudWatch::Alarm")
		if len(alarms) != 11 {
			t.Errorf("%s: %d alarms", name, len(alarms))
		}
		for id, alarm := range alarms {
			told := any([]any{map[string]any{"Ref": topic}})
			if diff := cmp.Diff(told, at(alarm.Properties, "AlarmActions")); diff != "" {
				t.Errorf("%s: %s does not reach the topic (-want +got):\n%s", name, id, diff)
			}
			// That a count of drifts is back at nothing does not mean that the pool is well.
			counts := strings.HasPrefix(id, "AlarmsLeftWrong") || strings.HasPrefix(id, "AlarmsDriftFound") || strings.HasPrefix(id, "AlarmsFailing") || strings.HasPrefix(id, "AlarmsUntold") ||
				strings.HasPrefix(id, "AlarmsMissedEvents") || strings.HasPrefix(id, "AlarmsLedgerFailed")
			if ends := at(alarm.Properties, "OKActions"); counts && ends != nil || !counts && !cmp.Equal(told, ends) {
				t.Errorf("%s: the end of %s is told to %v", name, id, ends)
			}
			if text, _ := at(alarm.Properties, "AlarmDescription").(string); len(text) < 40 {
				t.Errorf("%s: %s tells people %q", name, id, text)
			}
		}
		var policy any
		for _, p := range tpl.of("AWS::SNS::TopicPolicy") {
			policy = at(p.Properties, "PolicyDocument", "Statement")
		}
		source := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}}}
		expectAllowed(t, policy, "cloudwatch.amazonaws.com", source, "sns:Publish")
		expectAllowed(t, at(keys[key].Properties, "KeyPolicy", "Statement"), "cloudwatch.amazonaws.com", source, "kms:Decrypt", "kms:GenerateDataKey*")
		expectAllowed(t, at(keys[key].Properties, "KeyPolicy", "Statement"), "events.amazonaws.com", nil, "kms:Decrypt", "kms:GenerateDataKey*")
		guards := tpl.guards()
		rules := map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": guards}}
		expectAllowed(t, policy, "events.amazonaws.com", rules, "sns:Publish")
		if len(guards) != 2 {
			t.Errorf("%s: %d rules of the guard", name, len(guards))
		}
		for _, s := range policy.([]any) {
			if at(s, "Effect") == "Allow" && at(s, "Condition") == nil {
				t.Errorf("%s: anybody's service may publish: %v", name, s)
			}
		}
	}
}

// TestReadmeCountsAlarms: an alarm is billed for each metric that it looks at.
func TestReadmeCountsAlarms(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	alarms, metrics := templateOf(t, "", nil).of("AWS::CloudWatch::Alarm"), 0
	for _, alarm := range alarms {
		several, _ := at(alarm.Properties, "Metrics").([]any)
		for _, m := range several {
			if at(m, "MetricStat") != nil {
				metrics++
			}
		}
		if several == nil {
			metrics++
		}
	}
	if row := fmt.Sprintf("| %d alarms on %d metrics, 1 key | $%.2f |", len(alarms), metrics, 0.1*float64(metrics)+1); !strings.Contains(string(readme), row) {
		t.Errorf("the README lacks the row %s", row)
	}
}

// guards returns the ARNs of the guard's rules as the template has them, in the order of their names.
func (tpl template) guards() []any {
	var arns []any
	for _, id := range slices.Sorted(maps.Keys(tpl.of("AWS::Events::Rule"))) {
		if strings.HasPrefix(id, "Guard") {
			arns = append(arns, map[string]any{"Fn::GetAtt": []any{id, "Arn"}})
		}
	}
	return arns
}

func expectAllowed(t *testing.T, statements any, service string, condition map[string]any, actions ...string) {
	t.Helper()
	all, _ := statements.([]any)
	for _, s := range all {
		have := every(at(s, "Action"))
		has := func(action string) bool { return slices.Contains(have, any(action)) }
		same := condition == nil && at(s, "Condition") == nil || cmp.Equal(any(condition), at(s, "Condition"))
		if at(s, "Effect") == "Allow" && at(s, "Principal", "Service") == service && same && !slices.ContainsFunc(actions, func(a string) bool { return !has(a) }) {
			return
		}
	}
	t.Errorf("%s may not %v under %v: %v", service, actions, condition, statements)
}

// TestNothingIsLost: what could not be delivered goes to a queue that is encrypted, that its sender may fill, and that an alarm watches.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	queues := tpl.of("AWS::SQS::Queue")
	if len(queues) != 3 {
		t.Fatalf("%d queues", len(queues))
	}
	watched := map[string]bool{}
	for _, alarm := range tpl.of("AWS::CloudWatch::Alarm") {
		for _, d := range every(at(alarm.Properties, "Dimensions")) {
			if at(d, "Name") == "QueueName" {
				watched[written(at(d, "Value"))] = true
			}
		}
	}
	for id, q := range queues {
		if at(q.Properties, "SqsManagedSseEnabled") != true {
			t.Errorf("%s is not encrypted", id)
		}
		if at(q.Properties, "MessageRetentionPeriod") != 1209600.0 {
			t.Errorf("%s keeps its messages for %v s", id, at(q.Properties, "MessageRetentionPeriod"))
		}
		if !watched["${"+strings.TrimRight(id, "0123456789ABCDEF")+".QueueName}"] {
			t.Errorf("no alarm watches %s", id)
		}
	}
	policyOf := func(prefix string) any {
		for id, p := range tpl.of("AWS::SQS::QueuePolicy") {
			if strings.HasPrefix(id, prefix) {
				return at(p.Properties, "PolicyDocument", "Statement")
			}
		}
		return nil
	}
	changes := map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": map[string]any{"Fn::GetAtt": []any{"Changes510ED4B0", "Arn"}}}}
	expectAllowed(t, policyOf("Undelivered"), "events.amazonaws.com", changes, "sqs:SendMessage")
	for id := range tpl.of("AWS::Events::Rule") {
		if strings.HasPrefix(id, "Requests") {
			requests := map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": map[string]any{"Fn::GetAtt": []any{id, "Arn"}}}}
			expectAllowed(t, policyOf("Undelivered"), "events.amazonaws.com", requests, "sqs:SendMessage")
		}
	}
	expectAllowed(t, policyOf("Undelivered"), "events.amazonaws.com", map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": tpl.guards()}}, "sqs:SendMessage")
	for id, r := range tpl.of("AWS::Events::Rule") {
		for _, target := range every(at(r.Properties, "Targets")) {
			if got := written(at(target, "DeadLetterConfig", "Arn")); got != "${Undelivered.Arn}" {
				t.Errorf("what %s cannot deliver goes to %s", id, got)
			}
		}
	}
	for id, s := range tpl.of("AWS::Scheduler::Schedule") {
		target := at(s.Properties, "Target")
		want := map[string]any{"MaximumEventAgeInSeconds": 3600.0, "MaximumRetryAttempts": 5.0}
		if diff := cmp.Diff(want, at(target, "RetryPolicy")); diff != "" || written(at(target, "DeadLetterConfig", "Arn")) != "${Unswept.Arn}" {
			t.Errorf("%s: %s %v", id, diff, target)
		}
		if at(s.Properties, "ScheduleExpression") != "rate(6 hours)" || at(s.Properties, "State") == "DISABLED" {
			t.Errorf("%s: %v", id, s.Properties)
		}
	}
	for _, c := range tpl.of("AWS::Lambda::EventInvokeConfig") {
		if written(at(c.Properties, "DestinationConfig", "OnFailure", "Destination")) != "${Failed.Arn}" {
			t.Errorf("what the function gives up on goes to %v", at(c.Properties, "DestinationConfig"))
		}
	}
}

// TestFunctionProperties: what Lambda is told of the function, with nothing and with everything asked for.
func TestFunctionProperties(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		context  map[string]any
		baseline string
		want     map[string]any
		env      []string
	}{
		"plain":     {nil, "", map[string]any{"Architectures": []any{"arm64"}}, []string{"GOMAXPROCS", "LEDGER_TABLE", "ROLE_ARN", "SWEEP_BUS", "TOPIC_ARN"}},
		"no ledger": {map[string]any{"ledger": "false"}, "", map[string]any{"Architectures": []any{"arm64"}}, []string{"GOMAXPROCS", "ROLE_ARN", "SWEEP_BUS", "TOPIC_ARN"}},
		"everything": {everything, ownsAll,
			map[string]any{"Architectures": []any{"x86_64"}, "ReservedConcurrentExecutions": 2.0}, []string{"BASELINE_FILE", "EVENT_BUS", "GOMAXPROCS", "LEDGER_TABLE", "MODE", "ROLE_ARN", "SECURITY_HUB", "SWEEP_BUS", "TOPIC_ARN"}},
		"local": {map[string]any{"localEndpoint": "http://x:1", "mode": "audit"}, "", map[string]any{"Architectures": []any{"arm64"}},
			[]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "GOMAXPROCS", "MODE"}},
	} {
		for _, f := range templateOf(t, c.baseline, c.context).of("AWS::Lambda::Function") {
			if at(f.Properties, "Handler") != "bootstrap" {
				continue // the CDK's, for the first sweep
			}
			if got := slices.Sorted(maps.Keys(at(f.Properties, "Environment", "Variables").(map[string]any))); !slices.Equal(got, c.env) {
				t.Errorf("%s: the environment has %v", name, got)
			}
			got := map[string]any{}
			for _, key := range []string{"Architectures", "ReservedConcurrentExecutions", "MemorySize", "Runtime", "Handler", "TracingConfig", "Timeout"} {
				if v, ok := f.Properties[key]; ok {
					got[key] = v
				}
			}
			maps.Copy(c.want, map[string]any{"MemorySize": 128.0, "Runtime": "provided.al2023", "Handler": "bootstrap", "TracingConfig": map[string]any{"Mode": "Active"}, "Timeout": 900.0})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			logging := at(f.Properties, "LoggingConfig")
			if at(logging, "LogFormat") != "JSON" || at(logging, "ApplicationLogLevel") != "INFO" || written(at(logging, "LogGroup")) != "${KeeperLog94737A1E}" {
				t.Errorf("%s: logs as %v", name, logging)
			}
		}
	}
}

// TestRemoval: what stays when the stack goes is what the README names, and nothing of it is named by us, so that an update never has to replace it.
func TestRemoval(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", everything)
	var stays []string
	for id, r := range tpl.Resources {
		if r.DeletionPolicy == "Retain" {
			stays = append(stays, strings.TrimRight(id, "0123456789ABCDEF"))
		}
		for key := range r.Properties {
			// A name is a property of the type's own: QueueName of a queue, Name of a rule, FunctionName of a function.
			kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
			if (key == kind+"Name" || key == "Name") && r.Type != "AWS::IAM::Policy" && r.Type != "AWS::Logs::QueryDefinition" {
				t.Errorf("%s has the name %v, which no replacement can take over", id, r.Properties[key])
			}
		}
	}
	slices.Sort(stays)
	if diff := cmp.Diff([]string{"KeeperLog", "Ledger", "TrailBucket"}, stays); diff != "" {
		t.Errorf("what stays (-want +got):\n%s", diff)
	}
	for id, l := range tpl.of("AWS::Logs::LogGroup") {
		if at(l.Properties, "RetentionInDays") == nil {
			t.Errorf("%s is kept for ever", id)
		}
	}
}

// TestUpgradeKeepsIdentities: a resource that has another logical id, or another type, is made anew, and for a while there are two or none. What is there
// under the plainest settings is there under every other.
func TestUpgradeKeepsIdentities(t *testing.T) {
	t.Parallel()
	plain := templateOf(t, "", nil)
	other := read(t, "version: 1\nrules: [{name: a, require: {MfaConfiguration: 'ON'}}]", everything)
	other.Stage = ""
	other.Code = stub(t, "another function")
	changed := synth(t, other)
	for id, r := range plain.Resources {
		if changed.Resources[id].Type != r.Type {
			t.Errorf("%s %s would be replaced or removed: %q", r.Type, id, changed.Resources[id].Type)
		}
	}
}

// TestSilentAlarm: it speaks after two periods of the sweep without any invocation, and counts missing data as silence.
func TestSilentAlarm(t *testing.T) {
	t.Parallel()
	for hours, want := range map[string]float64{"1": 2, "6": 12, "84": 168} {
		for id, a := range templateOf(t, "", map[string]any{"sweepHours": hours}).of("AWS::CloudWatch::Alarm") {
			if !strings.HasPrefix(id, "AlarmsSilent") {
				continue
			}
			got := fmt.Sprint(a.Properties["MetricName"], a.Properties["Period"], a.Properties["EvaluationPeriods"], a.Properties["TreatMissingData"], a.Properties["ComparisonOperator"])
			if got != fmt.Sprint("Invocations", 3600.0, want, "breaching", "LessThanThreshold") {
				t.Errorf("every %s hours: %s", hours, got)
			}
		}
	}
}

// TestTrail: write events only, encrypted, validated, of this Region; and none unasked.
func TestTrail(t *testing.T) {
	t.Parallel()
	if n := len(templateOf(t, "", nil).of("AWS::CloudTrail::Trail")); n != 0 {
		t.Errorf("%d trails unasked", n)
	}
	tpl := templateOf(t, "", everything)
	trails := tpl.of("AWS::CloudTrail::Trail")
	if len(trails) != 1 {
		t.Fatalf("%d trails", len(trails))
	}
	for _, trail := range trails {
		p := trail.Properties
		selector := map[string]any{"IncludeManagementEvents": true, "ReadWriteType": "WriteOnly"}
		if p["EnableLogFileValidation"] != true || p["IsLogging"] != true || p["IsMultiRegionTrail"] != false || p["KMSKeyId"] != nil ||
			!cmp.Equal(p["EventSelectors"], any([]any{selector})) {
			t.Errorf("the trail is %v", p)
		}
	}
	// The bucket stays when the stack goes, so what encrypts it must not be the stack's.
	for _, bucket := range tpl.of("AWS::S3::Bucket") {
		rule := at(bucket.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration").([]any)[0]
		if at(rule, "ServerSideEncryptionByDefault", "SSEAlgorithm") != "AES256" || bucket.DeletionPolicy != "Retain" {
			t.Errorf("the trail's bucket is %v", bucket)
		}
	}
}

// TestSweepsAreUnderstood: what the schedule and the deployment send is what the function takes for a sweep.
func TestSweepsAreUnderstood(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	var sent []string
	const when = "2026-10-01T09:15:40Z"
	for _, s := range tpl.of("AWS::Scheduler::Schedule") {
		input := strings.ReplaceAll(at(s.Properties, "Target", "Input").(string), "<aws.scheduler.scheduled-time>", when)
		if got := event.Decode([]byte(input), event.Home{}).Cause; got.EventID != "schedule/"+when || got.Time.Format(time.RFC3339) != when {
			t.Errorf("handed over twice, the sweep of the schedule is not known again: %+v", got)
		}
		sent = append(sent, input)
	}
	for _, r := range tpl.of("Custom::FirstSweep") {
		var call struct{ Parameters struct{ Payload string } }
		if err := json.Unmarshal([]byte(written(r.Properties["Create"])), &call); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, call.Parameters.Payload)
	}
	for _, payload := range sent {
		if got := event.Decode([]byte(payload), event.Home{}); got.Kind != event.All {
			t.Errorf("%s is %s: %s", payload, got.Kind, got.Detail)
		}
	}
	if len(sent) != 2 {
		t.Errorf("%d sweeps", len(sent))
	}
}

// TestCountsFollowTheLog: the alarms count the outcomes that people have to act on, and those that took a pool away from the baseline, by the metrics that the function tells.
func TestCountsFollowTheLog(t *testing.T) {
	t.Parallel()
	counted := map[string][]string{}
	for id, alarm := range templateOf(t, "", nil).of("AWS::CloudWatch::Alarm") {
		metrics, _ := at(alarm.Properties, "Metrics").([]any)
		for _, m := range metrics {
			if stat, ok := at(m, "MetricStat", "Metric").(map[string]any); ok {
				if stat["Namespace"] != report.Namespace || written(at(stat, "Dimensions").([]any)[0].(map[string]any)["Name"]) != "Function" {
					t.Errorf("%s looks at %v", id, stat)
				}
				name := strings.TrimPrefix(strings.TrimRight(id, "0123456789ABCDEF"), "Alarms")
				counted[name] = append(counted[name], stat["MetricName"].(string))
			}
		}
	}
	for _, word := range []reconcile.Word{reconcile.Deferred, reconcile.Unconverged, reconcile.Partial, reconcile.Unfixable, reconcile.Remediated, reconcile.Drifted, reconcile.Unchanged, reconcile.Ignored} {
		want := map[slog.Level]string{slog.LevelError: "LeftWrong", slog.LevelWarn: "DriftFound"}[report.Level(word)]
		if word == reconcile.Deferred {
			want = "" // tried again; the queue of what failed tells of the last try
		}
		metric := strings.ToUpper(string(word[:1])) + string(word[1:])
		for _, name := range []string{"LeftWrong", "DriftFound"} {
			if is := slices.Contains(counted[name], metric); is != (name == want) {
				t.Errorf("%s counts %s: %v (%v)", name, word, is, counted[name])
			}
		}
	}
}

// TestNeverHearsItself: no rule takes what the function reports onto a bus, whatever bus that is, so that no outcome starts it again.
func TestNeverHearsItself(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, ownsAll, everything)
	for _, word := range []reconcile.Word{reconcile.Deferred, reconcile.Unconverged, reconcile.Partial, reconcile.Unfixable, reconcile.Remediated, reconcile.Drifted, reconcile.Unchanged} {
		out := reconcile.Outcome{Outcome: word, UserPoolID: "eu-west-1_AbCdEf123", Cause: event.Cause{EventName: "UpdateUserPool", EventID: "1", RequestID: "2"}}
		payload := []byte(fmt.Sprintf(`{"version":"0","id":"1","source":%q,"detail-type":%q,"account":"111122223333","region":"eu-west-1","time":"2026-10-01T09:15:40Z","resources":[],"detail":%s}`,
			notify.Source, notify.DetailType(word), report.JSON(report.New(out, "test"))))
		var object map[string]any
		if err := json.Unmarshal(payload, &object); err != nil {
			t.Fatal(err)
		}
		for id, rule := range tpl.of("AWS::Events::Rule") {
			if matches(t, at(rule.Properties, "EventPattern").(map[string]any), object) {
				t.Errorf("%s hears of %s", id, word)
			}
		}
		if got := event.Decode(payload, event.Home{}); got.Kind != event.Ignored {
			t.Errorf("sent to the function all the same, the event of %s is taken for %s", word, got.Kind)
		}
	}
	for id, rule := range tpl.of("AWS::Events::Rule") {
		if source, _ := at(rule.Properties, "EventPattern", "source").([]any); len(source) == 0 {
			t.Errorf("%s listens to everybody", id)
		}
	}
	if n := len(tpl.of("AWS::Events::Rule")); n != 4 {
		t.Errorf("%d rules", n)
	}
}

// TestLedger: a table that is paid by use, backed up and told which records have run out, of which the function has no more than it needs; and none where none is wanted.
func TestLedger(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	tables := tpl.of("AWS::DynamoDB::Table")
	if len(tables) != 1 {
		t.Fatalf("%d tables", len(tables))
	}
	for id, table := range tables {
		want := map[string]any{
			"KeySchema":                        []any{map[string]any{"AttributeName": "pk", "KeyType": "HASH"}, map[string]any{"AttributeName": "sk", "KeyType": "RANGE"}},
			"AttributeDefinitions":             []any{map[string]any{"AttributeName": "pk", "AttributeType": "S"}, map[string]any{"AttributeName": "sk", "AttributeType": "S"}},
			"BillingMode":                      "PAY_PER_REQUEST",
			"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
			"TimeToLiveSpecification":          map[string]any{"AttributeName": "expires", "Enabled": true},
		}
		if diff := cmp.Diff(want, table.Properties); diff != "" || table.DeletionPolicy != "Retain" {
			t.Errorf("%s, kept by %q (-want +got):\n%s", id, table.DeletionPolicy, diff)
		}
		if got := tpl.Outputs["LedgerTableName"]; written(at(got, "Value")) != "${"+id+"}" {
			t.Errorf("the table is told to be %v", got)
		}
	}
	without := templateOf(t, "", map[string]any{"ledger": "false"})
	for id, r := range without.Resources {
		if r.Type == "AWS::DynamoDB::Table" || strings.HasPrefix(id, "AlarmsMissedEvents") || strings.HasPrefix(id, "AlarmsLedgerFailed") {
			t.Errorf("without a ledger there is %s", id)
		}
	}
	for _, line := range allowed(t, without) {
		if strings.HasPrefix(line, "dynamodb:") {
			t.Errorf("without a ledger the role may %s", line)
		}
	}
	if without.Outputs["LedgerTableName"] != nil {
		t.Error("a table is told of that is not there")
	}
}

// TestFirstSweep: the call changes with the code, the baseline and the mode, and with nothing else, and it comes last.
func TestFirstSweep(t *testing.T) {
	t.Parallel()
	callOf := func(tpl template) (string, []string) {
		for _, r := range tpl.of("Custom::FirstSweep") {
			if create := written(r.Properties["Create"]); create == written(r.Properties["Update"]) {
				return create, r.DependsOn
			}
		}
		t.Fatal("no sweep, or another one when it is updated")
		return "", nil
	}
	plain, after := callOf(templateOf(t, "", nil))
	for _, want := range []string{"Changes", "Requests", "GuardFooting", "GuardWiring", "KeeperRoleDefaultPolicy", "ChangesAllowEventRule", "RequestsAllowEventRule"} {
		if !slices.ContainsFunc(after, func(id string) bool { return strings.HasPrefix(id, want) }) {
			t.Errorf("it does not wait for %s", want)
		}
	}
	if !strings.Contains(plain, `"InvocationType":"Event"`) || !strings.Contains(plain, `"ignoreErrorCodesMatching":".*"`) {
		t.Errorf("a sweep could fail the deployment: %s", plain)
	}
	code := read(t, "", nil)
	code.Code = stub(t, "another function")
	for what, c := range map[string]struct {
		tpl   template
		again bool
	}{
		"code":     {synth(t, code), true},
		"baseline": {templateOf(t, ownsAll, nil), true},
		"mode":     {templateOf(t, "", map[string]any{"mode": "audit"}), true},
		"chat":     {templateOf(t, "", chats), false},
		"nothing":  {synth(t, read(t, "", nil)), false}, // the same code in another folder
	} {
		if got, _ := callOf(c.tpl); (got != plain) != c.again {
			t.Errorf("%s: another sweep is %v, want %v", what, got != plain, c.again)
		}
	}
}

// TestSubscriptions: who is named is told.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", everything)
	for _, s := range tpl.of("AWS::SNS::Subscription") {
		if s.Properties["Protocol"] != "email" || s.Properties["Endpoint"] != "on-call@example.com" {
			t.Errorf("subscribed: %v", s.Properties)
		}
	}
	slack, teams := tpl.of("AWS::Chatbot::SlackChannelConfiguration"), tpl.of("AWS::Chatbot::MicrosoftTeamsChannelConfiguration")
	if len(tpl.of("AWS::SNS::Subscription")) != 1 || len(slack) != 1 || len(teams) != 1 {
		t.Errorf("%d mails, %d and %d chats", len(tpl.of("AWS::SNS::Subscription")), len(slack), len(teams))
	}
}
