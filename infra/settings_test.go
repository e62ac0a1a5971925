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
		"@aws-cdk/core:stackRelativeExports": true, "cli-telemetry": false, "someoneElsesKey": "x",
	}, func(name string) string { return map[string]string{"CDK_DEFAULT_ACCOUNT": "111122223333"}[name] }, noFile)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := Settings{
		Stage: "prod", Regions: []string{"eu-west-1", "us-east-1"}, Account: "111122223333", Mode: baseline.Audit,
		Architecture: "x86_64", ScanHours: 12, LogRetentionDays: 90, CreateTrail: true,
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

// A faulty is a context with the errors that it has, and its baseline.
type faulty struct {
	Context, File string
	Want          []string
}

// TestSettingsErrors: every error is reported at once, each with the key and the remedy.
func TestSettingsErrors(t *testing.T) {
	t.Parallel()
	for _, c := range rows[[]faulty](t, "settings.json") {
		_, errs := ReadSettings(contextOf(c.Context), noEnv, func(string) ([]byte, error) {
			if c.File == "" {
				return noFile("")
			}
			return []byte(c.File), nil
		})
		all := fmt.Sprint(errors.Join(errs...))
		if len(errs) != len(c.Want) {
			t.Errorf("%s: %d errors, want %d:\n%s", c.Context, len(errs), len(c.Want), all)
		}
		for _, want := range c.Want {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no error is %q:\n%s", c.Context, want, all)
			}
		}
	}
}

// TestReadmeHasEveryKey: the table of the README has every key with its default.
func TestReadmeHasEveryKey(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range new(Settings).keys() {
		fallback := k.fallback
		if fallback != "" {
			fallback = "`" + fallback + "`"
		}
		if row := "\n| `" + k.name + "` | " + fallback + " | "; !strings.Contains(string(readme), row) {
			t.Errorf("the README lacks the row%s", row)
		}
	}
}
