package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/event"
)

// everything asks for all that a deployment can have.
var everything = map[string]any{
	"stage": "prod", "regions": "eu-west-1", "mode": "enforce", "alarmEmail": "on-call@example.com",
	"slackWorkspace": "T0123ABCD", "slackChannel": "C0123ABCD", "scanHours": "12",
	"logRetentionDays": "90", "architecture": "x86_64", "createTrail": "true", "eventBus": "audit", "securityHub": "true",
	"smsRoles": "arn:aws:iam::111122223333:role/sms", "kmsKeys": "arn:aws:kms:eu-west-1:111122223333:key/abc",
}

// chats has a chat channel, and nothing else.
var chats = map[string]any{"slackWorkspace": "T0123ABCD", "slackChannel": "C0123ABCD"}

// modes are the deployments that have a golden template.
var modes = map[string]map[string]any{
	"enforce": nil, "audit": {"mode": "audit"}, "everything": everything,
	"local": {"local": "http://host.docker.internal:5555"},
}

// TestGolden shows what a change of the code changes of the deployment. -update rewrites the files.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, context := range modes {
		got, err := json.MarshalIndent(templateOf(t, "", context), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		// The goldens need not change with the baseline's digest.
		got = bytes.ReplaceAll(got, []byte(read(t, "", nil).Baseline.Digest), []byte("sha256:DIGEST"))
		got = append(got, '\n')
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

// TestRemoval: what stays when the stack is deleted is what the README names, and nothing of it has a name of ours, so
// that an update never has to replace it.
func TestRemoval(t *testing.T) {
	t.Parallel()
	var stays []string
	for id, r := range templateOf(t, "", everything).Resources {
		if r.DeletionPolicy == "Retain" {
			stays = append(stays, plain(id))
			if strings.Contains(fmt.Sprint(r.Properties), "AlertsKey") {
				t.Errorf("%s cannot be read without the stack's key", id)
			}
		}
		// A name is a property of the type's own: QueueName of a queue, Name of a rule, FunctionName of a function.
		own := r.Type[strings.LastIndex(r.Type, ":")+1:] + "Name"
		if r.Type != "AWS::IAM::Policy" && (r.Properties[own] != nil || r.Properties["Name"] != nil) {
			t.Errorf("%s has a name, which no replacement can have", id)
		}
	}
	slices.Sort(stays)
	if diff := cmp.Diff([]string{"KeeperLog", "Ledger", "TrailBucket"}, stays); diff != "" {
		t.Errorf("what stays (-want +got):\n%s", diff)
	}
}

// TestQueues: a message is hidden for six times the timeout of the function, and goes to the dead-letter queue after
// 20 tries. Each queue starts the function at most twice at a time, on one message.
func TestQueues(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	timeout := tpl.one(t, "KeeperFunction").Properties["Timeout"].(float64)
	mappings := tpl.of("AWS::Lambda::EventSourceMapping")
	for id, m := range mappings {
		source := written(m.Properties["EventSourceArn"])
		queue := tpl.one(t, strings.TrimSuffix(strings.TrimPrefix(source, "${"), ".Arn}")).Properties
		if hidden, _ := queue["VisibilityTimeout"].(float64); hidden < 6*timeout {
			t.Errorf("a message of %s is hidden for %v s", source, hidden)
		}
		redrive := written(at(queue, "RedrivePolicy", "deadLetterTargetArn"))
		got := fmt.Sprint(m.Properties["BatchSize"], m.Properties["FunctionResponseTypes"], m.Properties["ScalingConfig"],
			redrive, at(queue, "RedrivePolicy", "maxReceiveCount"))
		if got != "1 [ReportBatchItemFailures] map[MaximumConcurrency:2]${QueuesDeadLetter.Arn}20" {
			t.Errorf("%s starts the function so: %s", id, got)
		}
	}
	if len(mappings) != 2 {
		t.Errorf("%d queues start the function", len(mappings))
	}
}

// TestUpgradeKeepsIdentities: a resource with another logical id, or another type, is made anew, and for a while there
// are two or none. What there is with the default settings is there with all others.
func TestUpgradeKeepsIdentities(t *testing.T) {
	t.Parallel()
	other := read(t, "version: 1\nrules: [{name: a, require: {MfaConfiguration: 'ON'}}]", everything)
	other.Stage = ""
	other.Code.Dir = stub(t, "another function")
	changed := parsed(t, synthesize(t, other))
	for id, r := range templateOf(t, "", nil).Resources {
		if changed.Resources[id].Type != r.Type {
			t.Errorf("%s %s would be replaced or removed: %q", r.Type, id, changed.Resources[id].Type)
		}
	}
}

// TestScanMessages: the schedule and the end of a deployment send messages for a scan; that of the schedule has an id,
// so that two deliveries count as one event.
func TestScanMessages(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	for kind, r := range map[string]resource{"schedule": tpl.one(t, "Scan"), "deployment": tpl.one(t, "Deployment")} {
		input := at(r.Properties, "Target", "Input")
		if kind == "deployment" {
			input = at(targetOf(r), "Input")
		}
		text := strings.ReplaceAll(input.(string), "<aws.scheduler.scheduled-time>", "2026-10-01T09:15:40Z")
		request := event.Decode([]byte(text), event.Home{})
		if request.Kind != event.All || request.Scan.Scheduled != (kind == "schedule") ||
			!strings.Contains(text, `"detail":{"reason":"`+kind+`"}`) {
			t.Errorf("%s asks for %+v", text, request)
		}
	}
}

// TestPublished: whoever may read the stack finds the baseline as the file has it, its digest, the mode and the commit.
func TestPublished(t *testing.T) {
	t.Parallel()
	text := ownsAll + "# äöü → \"quoted\" \\ 🔒\n"
	for mode, want := range map[string]string{"": "enforce", "audit": "audit"} {
		s := read(t, text, map[string]any{"mode": mode})
		s.Code.Commit = "1a2b3c4d5e6f"
		var tpl struct{ Metadata map[string]map[string]string }
		if err := json.Unmarshal(synthesize(t, s), &tpl); err != nil {
			t.Fatal(err)
		}
		got := tpl.Metadata["poolkeeper"]
		file, err := strconv.Unquote(`"` + got["baseline"] + `"`)
		if err != nil || file != text || strings.ContainsFunc(got["baseline"], func(r rune) bool { return r > 126 }) {
			t.Errorf("the baseline is %q (%v)", got["baseline"], err)
		}
		got["baseline"] = ""
		rest := map[string]string{
			"file": "own.yaml", "baseline": "", "digest": s.Baseline.Digest, "mode": want, "build": "1a2b3c4d5e6f",
		}
		if diff := cmp.Diff(rest, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestSharedTopic: with the topic of another account, everything but what says that the topic failed goes there, the
// function and a role of the rules may publish to it, and the stack has neither topic nor key of its own.
func TestSharedTopic(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:eu-west-1:222233334444:alerts"
	tpl := templateOf(t, "", map[string]any{"notifyTopic": topic, "alarmEmail": "on-call@example.com"})
	if len(tpl.of("AWS::KMS::Key")) != 0 || len(tpl.of("AWS::SNS::Topic")) != 1 {
		t.Error("the stack has a topic or a key that nobody uses")
	}
	for id, alarm := range alarmsOf(tpl) {
		if to := at(alarm.Properties, "AlarmActions").([]any)[0]; (to == topic) != (id != "NotificationFailed") {
			t.Errorf("%s notifies %v", id, to)
		}
	}
	for id, rule := range tpl.of("AWS::Events::Rule") {
		target := targetOf(rule)
		if at(target, "Arn") == topic && written(at(target, "RoleArn")) != "${AlertsRuleRole.Arn}" {
			t.Errorf("%s may not publish to another account's topic: %v", id, target)
		}
	}
	variables := at(tpl.one(t, "KeeperFunction").Properties, "Environment", "Variables")
	if got := at(variables, "TOPIC_ARN"); got != topic {
		t.Errorf("the function notifies %v", got)
	}
	for _, id := range []string{"KeeperRoleDefaultPolicy", "AlertsRuleRoleDefaultPolicy"} {
		policy, err := json.Marshal(tpl.one(t, id).Properties["PolicyDocument"])
		for _, want := range []string{`"Action":"sns:Publish","Effect":"Allow","Resource":"` + topic + `"`,
			`"Condition":{"StringEquals":{"kms:ViaService":"sns.eu-west-1.amazonaws.com"}}`,
			`"Resource":"arn:aws:kms:eu-west-1:222233334444:key/*"`} {
			if err != nil || !strings.Contains(string(policy), want) {
				t.Errorf("%s lacks %s (%v):\n%s", id, want, err, policy)
			}
		}
	}
}

// TestPassRoleWarning: the deployment warns while the function may pass any role.
func TestPassRoleWarning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		context map[string]any
		warns   bool
	}{
		{nil, true}, {map[string]any{"smsRoles": "none"}, false}, {map[string]any{"mode": "audit"}, false},
		{modes["local"], false},
	} {
		inApp(t, func(app awscdk.App) {
			stack := NewStack(app, "poolkeeper", read(t, "", c.context), "")
			found := assertions.Annotations_FromStack(stack).FindWarning(jsii.String("*"),
				assertions.Match_StringLikeRegexp(jsii.String(".*-c smsRoles=.*poolkeeper permissions.*")))
			if (len(*found) > 0) != c.warns {
				t.Errorf("%v: it warns %d times", c.context, len(*found))
			}
		})
	}
}

// TestEnvironments: one stack for each account and Region, each with its own settings, and errors that name the entry.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	files := map[string]string{"prod.yaml": ownsAll, "all.json": `[
		{"account": "111122223333", "regions": "eu-west-1", "stage": "prod", "baseline": "prod.yaml"},
		{"account": "222233334444", "regions": ["eu-west-1", "us-east-1"], "mode": "audit"}]`,
		"wrong.json": `[{"account": "1"}, {"account": "222233334444", "regions": "eu-west-1", "mod": "audit"},
			{"account": "222233334444", "regions": "eu-west-1"}]`}
	readFile := func(name string) ([]byte, error) {
		if files[name] == "" {
			return nil, os.ErrNotExist
		}
		return []byte(files[name]), nil
	}
	all, errs := ReadAll(map[string]any{"environments": "all.json", "scanHours": "12"}, noEnv, readFile)
	if len(errs) > 0 || len(all) != 2 || all[0].ScanHours+all[1].ScanHours != 24 || all[0].Baseline.File != "prod.yaml" {
		t.Fatalf("%v\n%+v", errs, all)
	}
	inApp(t, func(app awscdk.App) {
		var got []string
		for _, s := range all {
			s.Code.Dir = stub(t, "the function")
			NewStacks(app, s, true)
		}
		for _, child := range *app.Node().Children() {
			if stack, ok := child.(awscdk.Stack); ok {
				got = append(got, *stack.Node().Id()+" "+*stack.StackName()+" "+*stack.Account())
			}
		}
		want := []string{"poolkeeper-prod-111122223333-eu-west-1 poolkeeper-prod 111122223333",
			"poolkeeper-222233334444-eu-west-1 poolkeeper 222233334444",
			"poolkeeper-222233334444-us-east-1 poolkeeper 222233334444"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	for file, wants := range map[string][]string{
		"gone.json": {"-c environments: gone.json: file does not exist"},
		"wrong.json": {`wrong.json, entry 1: -c account: "1" is not the 12 digits of an account`,
			"wrong.json, entry 1: name the account and the regions", "wrong.json, entry 2: -c mod is not a key",
			"wrong.json, entry 3: poolkeeper in 222233334444 eu-west-1 is used twice: set a stage for one of them"},
	} {
		_, errs := ReadAll(map[string]any{"environments": file}, noEnv, readFile)
		for _, want := range wants {
			if !strings.Contains(errors.Join(errs...).Error(), want) {
				t.Errorf("no error is %q:\n%v", want, errs)
			}
		}
	}
}
