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
	got, faults := ReadSettings(map[string]any{
		"stage": "prod", "regions": "eu-west-1, us-east-1", "mode": "audit", "alarmEmail": []any{"on-call@example.com", "sec@example.com"},
		"sweepHours": 12.0, "logRetentionDays": "90", "reservedConcurrency": "2",
		"architecture": "x86_64", "createTrail": true, "smsRoles": "arn:aws:iam::111122223333:role/sms", "kmsKeys": "arn:aws:kms:eu-west-1:111122223333:key/abc",
		"watchRole": "true", "@aws-cdk/core:stackRelativeExports": true, "cli-telemetry": false, "someoneElsesKey": "x",
	}, func(name string) string { return map[string]string{"CDK_DEFAULT_ACCOUNT": "111122223333"}[name] }, noFile)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := Settings{
		Stage: "prod", Regions: []string{"eu-west-1", "us-east-1"}, Account: "111122223333", Mode: baseline.Audit, Architecture: "x86_64", SweepHours: 12, LogRetentionDays: 90, Ledger: true,
		ReservedConcurrency: 2, AlarmEmail: []string{"on-call@example.com", "sec@example.com"},
		SMSRoles: []string{"arn:aws:iam::111122223333:role/sms"}, KMSKeys: []string{"arn:aws:kms:eu-west-1:111122223333:key/abc"}, CreateTrail: true, WatchRole: true,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Settings{}, "Baseline")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Baseline.Enforced()) != 0 {
		t.Error("audit leaves the baseline something to write")
	}
	if got.StackName() != "poolkeeper-prod" {
		t.Errorf("the stack is called %s", got.StackName())
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, faults := ReadSettings(nil, noEnv, noFile)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := Settings{Architecture: "arm64", SweepHours: 6, LogRetentionDays: 365, Ledger: true}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Settings{}, "Baseline")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Baseline.Enforced()) == 0 {
		t.Error("the baseline that ships enforces nothing")
	}
}

// TestFaults: every fault is said at once, each with the key and the remedy.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		context map[string]any
		file    string
		want    []string
	}{
		"all at once": {context: map[string]any{"stage": "Prod", "mode": "dry-run", "sweepHours": "0", "architecture": "arm"}, want: []string{
			`-c stage: "Prod" is not lower-case letters`, `-c mode: is "dry-run": say audit or enforce`, `-c sweepHours: is "0": say a whole number from 1 to 84`,
			`-c architecture: is "arm": say arm64 or x86_64`}},
		"region":           {context: map[string]any{"regions": "eu-west-1,ireland"}, want: []string{`-c regions: "ireland" is not a Region such as eu-west-1`}},
		"region twice":     {context: map[string]any{"regions": "eu-west-1,eu-west-1"}, want: []string{`names a Region twice`}},
		"mail":             {context: map[string]any{"alarmEmail": "On Call <a@example.com>"}, want: []string{`is no e-mail address`}},
		"half a channel":   {context: map[string]any{"slackChannel": "C0123ABCD"}, want: []string{"give both or neither"}},
		"part of a team":   {context: map[string]any{"teamsChannel": "19%3Aabc%40thread.tacv2"}, want: []string{"give all or none"}},
		"retention":        {context: map[string]any{"logRetentionDays": "100"}, want: []string{"CloudWatch Logs knows 1 3 5 7"}},
		"concurrency of 0": {context: map[string]any{"reservedConcurrency": "0"}, want: []string{"say a whole number from 1 to 1000"}},
		"boolean":          {context: map[string]any{"createTrail": "yes"}, want: []string{`is "yes": say true or false`}},
		"ledger":           {context: map[string]any{"ledger": "off"}, want: []string{`-c ledger: is "off": say true or false`}},
		"role":             {context: map[string]any{"smsRoles": "sms-role"}, want: []string{`"sms-role" is not the ARN of a role, or none`}},
		"key":              {context: map[string]any{"kmsKeys": "alias/mine"}, want: []string{`is not the ARN of a KMS key`}},
		"endpoint":         {context: map[string]any{"localEndpoint": "localhost:5555"}, want: []string{`is no URL`}},
		"misspelt":         {context: map[string]any{"alarmMail": "a@example.com"}, want: []string{"-c alarmMail is no key, did you mean alarmEmail?"}},
		"a list of lists":  {context: map[string]any{"regions": map[string]any{"a": 1.0}}, want: []string{"-c regions: is map[a:1], which is no text"}},
		"one channel, two Regions": {context: map[string]any{"regions": "eu-west-1,us-east-1", "slackWorkspace": "T0123ABCD", "slackChannel": "C0123ABCD", "teamsTenant": everything["teamsTenant"],
			"teamsTeam": everything["teamsTeam"], "teamsChannel": everything["teamsChannel"]}, want: []string{"-c slackChannel: a channel can be connected once in an account, and here are 2 Regions: deploy each by itself",
			"-c teamsChannel: a channel can be connected once in an account"}},
		"a bus elsewhere": {context: map[string]any{"regions": "eu-west-1,us-east-1", "eventBus": "arn:aws:events:us-east-1:222233334444:event-bus/audit"}, want: []string{
			"-c eventBus: the bus is in us-east-1, and a function in eu-west-1 puts events onto buses of its own Region only"}},
		"a key elsewhere": {context: map[string]any{"regions": "eu-west-1", "kmsKeys": "arn:aws:kms:eu-west-1:111122223333:key/abc,arn:aws:kms:us-east-1:111122223333:key/def"}, want: []string{
			"-c kmsKeys: arn:aws:kms:us-east-1:111122223333:key/def is of none of the Regions"}},
		"watch where": {context: map[string]any{"watchRole": "true"}, want: []string{"-c watchRole: name the Regions as well"}},
		"no file":     {context: map[string]any{"baseline": "gone.yaml"}, want: []string{"-c baseline: file does not exist"}},
		"faulty baseline": {context: map[string]any{"baseline": "own.yaml"}, file: "version: 1\nrules:\n  - name: a\n    require: {DeletionProtecton: ACTIVE, UserPoolTier: GOLD}\n", want: []string{
			"own.yaml:4:15: rules[0].require.DeletionProtecton: ", "own.yaml:4:56: rules[0].require.UserPoolTier: "}},
		"no pool of the Region": {context: map[string]any{"baseline": "own.yaml", "regions": "eu-west-1,us-east-1"},
			file: "version: 1\nrules: [{name: a, pools: {ids: [eu-west-1_AbCdEf123]}, require: {DeletionProtection: ACTIVE}}]", want: []string{"-c regions: own.yaml selects pools by their ids, and none is of us-east-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := ReadSettings(c.context, noEnv, func(string) ([]byte, error) {
				if c.file == "" {
					return noFile("")
				}
				return []byte(c.file), nil
			})
			said := errors.Join(faults...)
			if len(faults) != len(c.want) {
				t.Errorf("%d faults, want %d:\n%v", len(faults), len(c.want), said)
			}
			for _, want := range c.want {
				if said == nil || !strings.Contains(said.Error(), want) {
					t.Errorf("nothing says %q:\n%v", want, said)
				}
			}
		})
	}
}

// TestReadmeHasEveryKey: the table of the README is that of the code.
func TestReadmeHasEveryKey(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		fallback := k.Default
		if fallback != "" {
			fallback = "`" + fallback + "`"
		}
		if row := "| `" + k.Name + "` | " + fallback + " | " + k.Meaning + " |"; !strings.Contains(string(readme), row) {
			t.Errorf("the README lacks the row\n%s", row)
		}
	}
}
