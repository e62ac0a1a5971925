package main

import (
	"errors"
	"fmt"
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
	if text, err := textOf(map[string]any{"a": 1.0}); err == nil {
		t.Errorf("an object is taken for %q", text)
	}
	if got.StackName() != "poolkeeper-prod" {
		t.Errorf("the stack is called %s", got.StackName())
	}
}

const (
	chat = "slackWorkspace=T0123ABCD;slackChannel=C0123ABCD"
	team = "teamsTenant=00000000-1111-2222-3333-444444444444;teamsTeam=00000000-1111-2222-3333-555555555555;" +
		"teamsChannel=19%3Aabc%40thread.tacv2"
)

// settingsErrors are contexts with the errors that they have.
var settingsErrors = []struct {
	context, file string
	want          []string
}{
	{"stage=Prod;mode=dry-run;scanHours=0;architecture=arm", "", []string{
		`-c stage: "Prod" is not at most 13 lowercase letters`, `-c mode: "dry-run" is not audit or enforce`,
		`-c scanHours: "0" is not a whole number from 1 to 84`, `-c architecture: "arm" is not arm64 or x86_64`}},
	{"regions=eu-west-1,ireland", "", []string{`-c regions: "ireland" is not a Region such as eu-west-1`}},
	{"regions=eu-west-1,eu-west-1", "", []string{`names a Region twice`}},
	{"alarmEmail=On Call <a@b.com>", "", []string{`is not an e-mail address`}},
	{"slackChannel=C0123ABCD", "", []string{"set both or neither"}},
	{"teamsChannel=19%3Aabc%40t.tacv2", "", []string{"all or none"}},
	{"logRetentionDays=100", "", []string{"Logs supports: 1 3 5 7"}},
	{"createTrail=yes", "", []string{`"yes" is not true or false`}},
	{"smsRoles=sms-role", "", []string{`is not the ARN of a role`}},
	{"kmsKeys=alias/mine", "", []string{`is not the ARN of a KMS key`}},
	{"local=localhost:5555", "", []string{`is not true or a URL`}},
	{"alarmMail=a@b.com", "", []string{"did you mean alarmEmail?"}},
	{"regions=eu-west-1,us-east-1;" + chat + ";" + team, "", []string{
		"-c slackChannel: a channel can be connected only once per account, but there are 2 Regions: deploy each separately",
		"-c teamsChannel: a channel can be connected only once per account"}},
	{"regions=eu-west-1,us-east-1;eventBus=arn:aws:events:us-east-1:222233334444:event-bus/audit", "", []string{
		"-c eventBus: the bus is in us-east-1, but a function in eu-west-1 can put events only on buses"}},
	{"regions=eu-west-1;notifyTopic=arn:aws:sns:us-east-1:222233334444:alerts;" + chat, "", []string{
		"-c notifyTopic: the topic is in us-east-1, but alarms in eu-west-1 can publish only to topics",
		"-c notifyTopic: connect the chat channel in the deployment of the topic"}},
	{"notifyTopic=arn:aws:sns:eu-west-1:222233334444:alerts.fifo", "", []string{"the ARN of a topic that is not FIFO"}},
	{"regions=eu-west-1;kmsKeys=arn:aws:kms:us-east-1:111122223333:key/def", "",
		[]string{"-c kmsKeys: arn:aws:kms:us-east-1:111122223333:key/def is not in any of the Regions"}},
	{"watchRole=true", "", []string{"-c watchRole: also name the Regions"}},
	{"baseline=gone.yaml", "", []string{"-c baseline: file does not exist"}},
	{"baseline=own.yaml",
		"version: 1\nrules:\n  - name: a\n    require: {DeletionProtecton: ACTIVE, UserPoolTier: GOLD}\n", []string{
			"own.yaml:4:15: rules[0].require.DeletionProtecton: ", "own.yaml:4:56: rules[0].require.UserPoolTier: "}},
	{"baseline=own.yaml;regions=eu-west-1,us-east-1", fmt.Sprintf(idsRule, "eu-west-1_AbCdEf123"),
		[]string{"-c regions: own.yaml selects pools by their ids, but none is in us-east-1"}},
}

// TestSettingsErrors: every error is reported at once, each with the key and the remedy.
func TestSettingsErrors(t *testing.T) {
	t.Parallel()
	for _, c := range settingsErrors {
		_, errs := ReadSettings(contextOf(c.context), noEnv, func(string) ([]byte, error) {
			if c.file == "" {
				return noFile("")
			}
			return []byte(c.file), nil
		})
		all := fmt.Sprint(errors.Join(errs...))
		if len(errs) != len(c.want) {
			t.Errorf("%s: %d errors, want %d:\n%s", c.context, len(errs), len(c.want), all)
		}
		for _, want := range c.want {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no error is %q:\n%s", c.context, want, all)
			}
		}
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
