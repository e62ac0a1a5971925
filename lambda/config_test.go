package main

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
)

func environment(changes map[string]string) func(string) string {
	all := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
	for k, v := range changes {
		all[k] = v
	}
	return func(name string) string { return all[name] }
}

func files(contents map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		text, ok := contents[path]
		if !ok {
			return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
		}
		return []byte(text), nil
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	const faulty = "version: 1\nrules:\n  - name: a\n    require:\n      DeletionProtection: ACTIV\n      UserPoolTier: GOLD\n"
	for name, c := range map[string]struct {
		environment map[string]string
		faults      []string // part of each, in order
	}{
		"defaults":         {nil, nil},
		"everything":       {map[string]string{"MODE": "audit", "ROLE_ARN": "arn:aws:iam::111122223333:role/service/poolkeeper", "AWS_LAMBDA_LOG_LEVEL": "DEBUG", "BASELINE_FILE": "good.yaml", "AWS_CA_BUNDLE": "ca.pem"}, nil},
		"mode":             {map[string]string{"MODE": "dry-run"}, []string{`MODE is "dry-run"`}},
		"baseline's fault": {map[string]string{"BASELINE_FILE": "bad.yaml"}, []string{"bad.yaml:5:27: rules[0].require.DeletionProtection", "bad.yaml:6:21: rules[0].require.UserPoolTier"}},
		"no such baseline": {map[string]string{"BASELINE_FILE": "none.yaml"}, []string{"BASELINE_FILE: open none.yaml"}},
		"every fault at once": {map[string]string{"MODE": "x", "BASELINE_FILE": "bad.yaml", "ROLE_ARN": "me", "AWS_REGION": "", "AWS_LAMBDA_LOG_LEVEL": "LOUD", "AWS_CA_BUNDLE": "none.pem"},
			[]string{"AWS_REGION", "ROLE_ARN", "AWS_LAMBDA_LOG_LEVEL", "AWS_CA_BUNDLE", "bad.yaml:5", "bad.yaml:6", "MODE"}},
		"channels":       {map[string]string{"TOPIC_ARN": "topic", "EVENT_BUS": "a b", "SECURITY_HUB": "yes", "SWEEP_BUS": "a bus"}, []string{"TOPIC_ARN", "EVENT_BUS", "SWEEP_BUS", "SECURITY_HUB"}},
		"ledger":         {map[string]string{"LEDGER_TABLE": "t1"}, []string{`LEDGER_TABLE is "t1", which is neither the name (3 to 255 letters, digits and -_.) nor the ARN of a DynamoDB table`}},
		"no credentials": {map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadConfig(environment(c.environment), files(map[string]string{"good.yaml": string(baseline.Default()), "bad.yaml": faulty, "ca.pem": "PEM"}))
			got := split(err)
			if len(got) != len(c.faults) {
				t.Fatalf("%d faults, want %d: %v", len(got), len(c.faults), err)
			}
			for i, part := range c.faults {
				if !strings.Contains(got[i].Error(), part) {
					t.Errorf("fault %d is %q, want %q in it", i, got[i], part)
				}
			}
		})
	}
}

func TestConfigValues(t *testing.T) {
	t.Parallel()
	c, err := ReadConfig(environment(map[string]string{"MODE": "audit", "AWS_LAMBDA_LOG_LEVEL": "warn", "AWS_USE_FIPS_ENDPOINT": "true",
		"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://cognito", "AWS_SESSION_TOKEN": "token",
		"TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:topic", "EVENT_BUS": "default", "SECURITY_HUB": "on", "LEDGER_TABLE": "ledger", "SWEEP_BUS": "default", "AWS_LAMBDA_FUNCTION_NAME": "keeper"}), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range c.Baseline.Rules {
		if rule.Mode != baseline.Audit {
			t.Errorf("rule %s has mode %s", rule.Name, rule.Mode)
		}
	}
	c.Baseline = nil
	want := Config{LogLevel: slog.LevelWarn, Region: "eu-west-1", AccessKeyID: "AKIAEXAMPLE", SecretKey: "example", SessionToken: "token", FIPS: true, Function: "keeper",
		Endpoints: map[string]string{cognitoService: "http://cognito", snsService: "http://all", busService: "http://all", hubService: "http://all", tableService: "http://all"},
		TopicARN:  "arn:aws:sns:eu-west-1:111122223333:topic", EventBus: "default", SecurityHub: true, LedgerTable: "ledger", SweepBus: "default"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment map[string]string
		want        string
	}{
		"none":    {nil, ""},
		"general": {map[string]string{"AWS_ENDPOINT_URL": "http://all"}, "http://all"},
		"ignored": {map[string]string{"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, ""},
	} {
		if got := endpoints(environment(c.environment))[cognitoService]; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestBadBundle(t *testing.T) {
	t.Parallel()
	if _, err := newHandler(Config{CABundle: []byte("no certificate")}, logger(slog.LevelError)); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("%v", err)
	}
	if len(split(errors.New("one"))) != 1 {
		t.Error("a single error is a single fault")
	}
}
