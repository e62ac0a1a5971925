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

type variables map[string]string

func environment(changes variables) func(string) string {
	all := variables{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
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
	const wrong = "version: 1\nrules:\n  - name: a\n    require:\n" +
		"      DeletionProtection: ACTIV\n      UserPoolTier: GOLD\n"
	const role = "arn:aws:iam::111122223333:role/service/poolkeeper"
	for name, c := range map[string]struct {
		environment variables
		says        []string // part of each error, in order
	}{
		"defaults": {nil, nil},
		"everything": {variables{"MODE": "audit", "ROLE_ARN": role, "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
			"BASELINE_FILE": "good.yaml", "AWS_CA_BUNDLE": "ca.pem"}, nil},
		"mode": {variables{"MODE": "dry-run"}, []string{`MODE is "dry-run"`}},
		"baseline": {variables{"BASELINE_FILE": "bad.yaml"}, []string{
			"bad.yaml:5:27: rules[0].require.DeletionProtection", "bad.yaml:6:21: rules[0].require.UserPoolTier"}},
		"no such baseline": {variables{"BASELINE_FILE": "none.yaml"}, []string{"BASELINE_FILE: open none.yaml"}},
		"every error at once": {variables{"MODE": "x", "BASELINE_FILE": "bad.yaml", "ROLE_ARN": "me", "AWS_REGION": "",
			"AWS_LAMBDA_LOG_LEVEL": "LOUD", "AWS_CA_BUNDLE": "none.pem"},
			[]string{"AWS_REGION", "AWS_CA_BUNDLE", "ROLE_ARN", "AWS_LAMBDA_LOG_LEVEL", "bad.yaml:5", "bad.yaml:6", "MODE"}},
		"channels": {variables{"TOPIC_ARN": "topic", "EVENT_BUS": "a b", "SECURITY_HUB": "yes"},
			[]string{"TOPIC_ARN", "EVENT_BUS", "SECURITY_HUB"}},
		"queues": {variables{"QUEUE_URL": "Changes", "SCAN_QUEUE_URL": "http://example.com/1/Scans"}, []string{
			`QUEUE_URL is "Changes", which is not the URL of an SQS queue`, "SCAN_QUEUE_URL"}},
		"ledger": {variables{"LEDGER_TABLE": "t1"}, []string{
			`LEDGER_TABLE is "t1", which is not the name (3 to 255 letters, digits and -_.) or the ARN of a DynamoDB table`}},
		"no credentials": {variables{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
			[]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadConfig(environment(c.environment), files(map[string]string{
				"good.yaml": string(baseline.Default()), "bad.yaml": wrong, "ca.pem": "PEM"}))
			got := split(err)
			if len(got) != len(c.says) {
				t.Fatalf("%d errors, want %d: %v", len(got), len(c.says), err)
			}
			for i, part := range c.says {
				if !strings.Contains(got[i].Error(), part) {
					t.Errorf("error %d is %q, want %q in it", i, got[i], part)
				}
			}
		})
	}
}

func TestConfigValues(t *testing.T) {
	t.Parallel()
	const topic, queues = "arn:aws:sns:eu-west-1:111122223333:topic", "https://sqs.eu-west-1.amazonaws.com/111122223333/"
	c, err := ReadConfig(environment(variables{"MODE": "audit", "AWS_LAMBDA_LOG_LEVEL": "warn",
		"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL": "http://all", "AWS_SESSION_TOKEN": "token",
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://cognito", "TOPIC_ARN": topic, "EVENT_BUS": "default",
		"SECURITY_HUB": "on", "LEDGER_TABLE": "ledger", "QUEUE_URL": queues + "Changes",
		"SCAN_QUEUE_URL": queues + "Scans", "AWS_LAMBDA_FUNCTION_NAME": "keeper"}), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range c.Baseline.Rules {
		if rule.Mode != baseline.Audit {
			t.Errorf("rule %s has mode %s", rule.Name, rule.Mode)
		}
	}
	c.Baseline = nil
	want := Config{
		LogLevel: slog.LevelWarn, Function: "keeper", TopicARN: topic, EventBus: "default", SecurityHub: true,
		LedgerTable: "ledger", QueueURL: queues + "Changes", ScanQueueURL: queues + "Scans",
		AWS: Access{Region: "eu-west-1", AccessKeyID: "AKIAEXAMPLE", SecretKey: "example", SessionToken: "token",
			FIPS: true, Endpoints: map[string]string{cognitoService: "http://cognito", snsService: "http://all",
				busService: "http://all", hubService: "http://all", tableService: "http://all",
				queueService: "http://all"}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ignored := variables{"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
	for _, none := range []variables{nil, ignored} {
		if got := endpoints(environment(none))[cognitoService]; got != "" {
			t.Errorf("%v: %q", none, got)
		}
	}
}

func TestBadBundle(t *testing.T) {
	t.Parallel()
	config := Config{AWS: Access{CABundle: []byte("no certificate")}}
	if _, err := newHandler(config, logger(slog.LevelError)); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("%v", err)
	}
	if len(split(errors.New("one"))) != 1 {
		t.Error("a single error is not a join")
	}
}
