package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
)

func noFile(string) ([]byte, error) { return nil, os.ErrNotExist }
func noEnv(string) string           { return "" }

func TestReadSettings(t *testing.T) {
	t.Parallel()
	got, errs := ReadSettings(map[string]any{
		"stage": "prod", "regions": "eu-west-1, us-east-1", "mode": "audit", "scanHours": 12.0, "logRetentionDays": "90",
		"alarmEmail": []any{"on-call@example.com", "sec@example.com"}, "architecture": "x86_64", "createTrail": true,
		"smsRoles": "arn:aws:iam::111122223333:role/sms", "kmsKeys": "arn:aws:kms:eu-west-1:111122223333:key/abc",
		"watchRole": "true", "@aws-cdk/core:stackRelativeExports": true, "cli-telemetry": false, "someoneElsesKey": "x",
	}, func(name string) string { return map[string]string{"CDK_DEFAULT_ACCOUNT": "111122223333"}[name] }, noFile)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := Settings{
		Stage: "prod", Regions: []string{"eu-west-1", "us-east-1"}, Account: "111122223333", Mode: baseline.Audit,
		Architecture: "x86_64", ScanHours: 12, LogRetentionDays: 90, CreateTrail: true, WatchRole: true,
		Notify:   Notify{AlarmEmail: []string{"on-call@example.com", "sec@example.com"}},
		SMSRoles: []string{"arn:aws:iam::111122223333:role/sms"},
		KMSKeys:  []string{"arn:aws:kms:eu-west-1:111122223333:key/abc"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Settings{}, "Baseline", "Code")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Baseline.Enforced()) != 0 {
		t.Error("audit leaves the baseline something to write")
	}
	defaults, errs := ReadSettings(nil, noEnv, noFile)
	want = Settings{Architecture: "arm64", ScanHours: 6, LogRetentionDays: 365}
	if diff := cmp.Diff(want, defaults, cmpopts.IgnoreFields(Settings{}, "Baseline", "Code")); diff != "" || errs != nil {
		t.Errorf("%v (-want +got):\n%s", errs, diff)
	}
	if got.StackName() != "poolkeeper-prod" {
		t.Errorf("the stack is called %s", got.StackName())
	}
}

// settingsErrors are contexts with the errors that they have.
var settingsErrors = map[string]struct {
	context map[string]any
	file    string
	want    []string
}{
	"all at once": {context: map[string]any{"stage": "Prod", "mode": "dry-run", "scanHours": "0", "architecture": "arm"},
		want: []string{
			`-c stage: "Prod" is not at most 13 lowercase letters`, `-c mode: "dry-run" is not audit or enforce`,
			`-c scanHours: "0" is not a whole number from 1 to 84`, `-c architecture: "arm" is not arm64 or x86_64`}},
	"region": {context: map[string]any{"regions": "eu-west-1,ireland"},
		want: []string{`-c regions: "ireland" is not a Region such as eu-west-1`}},
	"region twice":    {context: map[string]any{"regions": "eu-west-1,eu-west-1"}, want: []string{`names a Region twice`}},
	"mail":            {context: map[string]any{"alarmEmail": "On Call <a@b.com>"}, want: []string{`is not an e-mail address`}},
	"half a channel":  {context: map[string]any{"slackChannel": "C0123ABCD"}, want: []string{"set both or neither"}},
	"part of a team":  {context: map[string]any{"teamsChannel": "19%3Aabc%40t.tacv2"}, want: []string{"all or none"}},
	"retention":       {context: map[string]any{"logRetentionDays": "100"}, want: []string{"Logs supports: 1 3 5 7"}},
	"boolean":         {context: map[string]any{"createTrail": "yes"}, want: []string{`"yes" is not true or false`}},
	"role":            {context: map[string]any{"smsRoles": "sms-role"}, want: []string{`is not the ARN of a role`}},
	"key":             {context: map[string]any{"kmsKeys": "alias/mine"}, want: []string{`is not the ARN of a KMS key`}},
	"endpoint":        {context: map[string]any{"local": "localhost:5555"}, want: []string{`is not true or a URL`}},
	"misspelled":      {context: map[string]any{"alarmMail": "a@b.com"}, want: []string{"did you mean alarmEmail?"}},
	"a list of lists": {context: map[string]any{"regions": map[string]any{"a": 1.0}}, want: []string{"is map[a:1]"}},
	"one channel, two Regions": {context: map[string]any{
		"regions": "eu-west-1,us-east-1", "slackWorkspace": "T0123ABCD", "slackChannel": "C0123ABCD",
		"teamsTenant": everything["teamsTenant"], "teamsTeam": everything["teamsTeam"],
		"teamsChannel": everything["teamsChannel"]},
		want: []string{
			"-c slackChannel: a channel can be connected only once per account, but there are 2 Regions: deploy each separately",
			"-c teamsChannel: a channel can be connected only once per account"}},
	"a bus elsewhere": {context: map[string]any{
		"regions": "eu-west-1,us-east-1", "eventBus": "arn:aws:events:us-east-1:222233334444:event-bus/audit"},
		want: []string{"-c eventBus: the bus is in us-east-1, but a function in eu-west-1 can put events only on buses"}},
	"a topic elsewhere": {context: map[string]any{
		"regions": "eu-west-1", "notifyTopic": "arn:aws:sns:us-east-1:222233334444:alerts", "slackWorkspace": "T0123ABCD",
		"slackChannel": "C0123ABCD"},
		want: []string{"-c notifyTopic: the topic is in us-east-1, but alarms in eu-west-1 can publish only to topics",
			"-c notifyTopic: connect the chat channel in the deployment of the topic"}},
	"a FIFO topic": {context: map[string]any{"notifyTopic": "arn:aws:sns:eu-west-1:222233334444:alerts.fifo"},
		want: []string{"is not the ARN of a topic that is not FIFO"}},
	"a key elsewhere": {context: map[string]any{"regions": "eu-west-1",
		"kmsKeys": "arn:aws:kms:eu-west-1:111122223333:key/abc,arn:aws:kms:us-east-1:111122223333:key/def"},
		want: []string{"-c kmsKeys: arn:aws:kms:us-east-1:111122223333:key/def is not in any of the Regions"}},
	"watch where": {context: map[string]any{"watchRole": "true"}, want: []string{"-c watchRole: also name the Regions"}},
	"no file":     {context: map[string]any{"baseline": "gone.yaml"}, want: []string{"-c baseline: file does not exist"}},
	"a wrong baseline": {context: map[string]any{"baseline": "own.yaml"},
		file: "version: 1\nrules:\n  - name: a\n    require: {DeletionProtecton: ACTIVE, UserPoolTier: GOLD}\n",
		want: []string{
			"own.yaml:4:15: rules[0].require.DeletionProtecton: ", "own.yaml:4:56: rules[0].require.UserPoolTier: "}},
	"no pool of the Region": {context: map[string]any{"baseline": "own.yaml", "regions": "eu-west-1,us-east-1"},
		file: "version: 1\nrules: [{name: a, pools: {ids: [eu-west-1_AbCdEf123]}, require: {DeletionProtection: ACTIVE}}]",
		want: []string{"-c regions: own.yaml selects pools by their ids, but none is in us-east-1"}},
}

// TestSettingsErrors: every error is reported at once, each with the key and the remedy.
func TestSettingsErrors(t *testing.T) {
	t.Parallel()
	for name, c := range settingsErrors {
		t.Run(name, func(t *testing.T) {
			_, errs := ReadSettings(c.context, noEnv, func(string) ([]byte, error) {
				if c.file == "" {
					return noFile("")
				}
				return []byte(c.file), nil
			})
			all := errors.Join(errs...)
			if len(errs) != len(c.want) {
				t.Errorf("%d errors, want %d:\n%v", len(errs), len(c.want), all)
			}
			for _, want := range c.want {
				if all == nil || !strings.Contains(all.Error(), want) {
					t.Errorf("no error is %q:\n%v", want, all)
				}
			}
		})
	}
}

// TestReadmeHasEveryKey: the table of the README is that of the code.
func TestReadmeHasEveryKey(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		fallback := k.Default
		if fallback != "" {
			fallback = "`" + fallback + "`"
		}
		row := "| `" + k.Name + "` | " + fallback + " | " + k.Meaning + " |"
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README lacks the row\n%s", row)
		}
	}
}
