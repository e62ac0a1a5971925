package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/report"
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
			_, got := ReadConfig(environment(c.environment), files(map[string]string{
				"good.yaml": string(baseline.Default()), "bad.yaml": wrong, "ca.pem": "PEM"}))
			if len(got) != len(c.says) {
				t.Fatalf("%d errors, want %d: %v", len(got), len(c.says), got)
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
	c, errs := ReadConfig(environment(variables{"MODE": "audit", "AWS_LAMBDA_LOG_LEVEL": "warn", "TOPIC_ARN": topic,
		"EVENT_BUS": "default", "SECURITY_HUB": "on", "LEDGER_TABLE": "ledger", "QUEUE_URL": queues + "Changes",
		"SCAN_QUEUE_URL": queues + "Scans", "AWS_LAMBDA_FUNCTION_NAME": "keeper"}), os.ReadFile)
	if errs != nil {
		t.Fatal(errs)
	}
	for _, rule := range c.Baseline.Rules {
		if rule.Mode != baseline.Audit {
			t.Errorf("rule %s has mode %s", rule.Name, rule.Mode)
		}
	}
	c.Baseline, c.Env = nil, nil
	want := Config{
		LogLevel: slog.LevelWarn, Function: "keeper", TopicARN: topic, EventBus: "default", SecurityHub: true,
		LedgerTable: "ledger", QueueURL: queues + "Changes", ScanQueueURL: queues + "Scans",
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAccess: calls use the credentials, the Region and the endpoints of the environment.
func TestAccess(t *testing.T) {
	t.Parallel()
	all := variables{"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SQS": "http://queues",
		"AWS_SESSION_TOKEN": "token", "AWS_USE_FIPS_ENDPOINT": "true"}
	a := account{Config: Config{Env: environment(all)}}
	keys, _ := a.Retrieve(t.Context())
	_, fips, _ := a.GetUseFIPSEndpoint(t.Context())
	_, dual, _ := a.GetUseDualStackEndpoint(t.Context())
	got := []any{a.config("SQS").Region, keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, fips, dual,
		*a.config("SQS").BaseEndpoint, *a.config("SNS").BaseEndpoint}
	want := []any{"eu-west-1", "AKIAEXAMPLE", "example", "token", true, false, "http://queues", "http://all"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ignored := variables{"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
	for _, none := range []variables{nil, ignored} {
		a.Env = environment(none)
		if url := a.config("SQS").BaseEndpoint; url != nil {
			t.Errorf("%v: %q", none, *url)
		}
	}
}

func TestBadBundle(t *testing.T) {
	t.Parallel()
	config := Config{Env: environment(nil), CABundle: []byte("no certificate")}
	if _, err := newHandler(config, logger(slog.LevelError)); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("%v", err)
	}
}

// TestChannels: there is a channel for everything that is configured, and no other.
func TestChannels(t *testing.T) {
	t.Parallel()
	c := Config{Env: environment(nil)}
	topic, bus, hub := c, c, c
	topic.TopicARN, bus.EventBus, hub.SecurityHub = "arn:aws:sns:eu-west-1:111122223333:topic", "audit", true
	all := topic
	all.EventBus, all.SecurityHub = "audit", true
	for want, config := range map[string]Config{"": c, "SNS ": topic, "EventBridge ": bus, "Security Hub ": hub,
		"SNS EventBridge Security Hub ": all} {
		a, err := newAccount(config)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, channel := range newChannels(a) {
			got += channel.Name + " "
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestNames has texts that are a name, an ARN or a URL of each kind, and texts that are not.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is      func(string) bool
		yes, no []string
	}{
		"role": {isRole,
			[]string{"arn:aws:iam::111122223333:role/poolkeeper",
				"arn:aws-us-gov:iam::111122223333:role/service/path/pool+keeper=,.@-_"},
			[]string{"poolkeeper", "arn:aws:iam::111122223333:user/x", "arn:aws:iam:eu-west-1:111122223333:role/x",
				"arn:aws:iam::11112222333:role/x", "arn:aws:iam::111122223333:role/",
				"arn:aws:iam::111122223333:role/a b", "arn::iam::111122223333:role/x"}},
		"topic": {isTopic,
			[]string{"arn:aws:sns:eu-west-1:111122223333:topic", "arn:aws-cn:sns:cn-north-1:111122223333:A_b-1"},
			[]string{"topic", "arn:aws:sns:eu-west-1:111122223333:topic.fifo", "arn:aws:sns::111122223333:topic",
				"arn:aws:sns:eu-west-1:1111222233333:topic", "arn:aws:sqs:eu-west-1:111122223333:topic",
				"arn:aws:sns:eu-west-1:111122223333:topic:subscription"}},
		"table": {isTable,
			[]string{"ledger", "a.b", strings.Repeat("t", 255),
				"arn:aws:dynamodb:eu-west-1:111122223333:table/pool.keeper-1_x"},
			[]string{"ab", strings.Repeat("t", 256), "a b", "arn:aws:dynamodb:eu-west-1:111122223333:table/ab",
				"arn:aws:dynamodb:eu-west-1:111122223333:index/ledger",
				"arn:aws:dynamodb:eu-west-1:x:table/ledger", "tåble"}},
		"bus": {isBus,
			[]string{"default", "aws.partner/example.com/1", "arn:aws:events:eu-west-1:111122223333:event-bus/default"},
			[]string{"", "a bus", "arn:aws:events:eu-west-1:111122223333:rule/default",
				"arn:aws:events:eu-west-1:111122223333:event-bus/"}},
		"queue URL": {isQueueURL,
			[]string{"https://sqs.eu-west-1.amazonaws.com/111122223333/Stack-Changes_1",
				"http://localhost:4566/000000000000/Scans", "http://127.0.0.1:5000/123456789012/Scans",
				"http://[::1]:5000/1/Scans"},
			[]string{"", "Scans", "arn:aws:sqs:eu-west-1:111122223333:Scans", "http://example.com/1/Scans", "https:///1/Scans",
				"https://sqs.eu-west-1.amazonaws.com/", "https://sqs.eu-west-1.amazonaws.com/1/Scans?a=b",
				"https://user@sqs.eu-west-1.amazonaws.com/1/Scans", "ftp://localhost/1/Scans", "https://x/1/a b"}},
	} {
		for _, text := range slices.Concat(c.yes, c.no) {
			if want := slices.Contains(c.yes, text); c.is(text) != want {
				t.Errorf("%q is a %s: %v, want %v", text, name, !want, want)
			}
		}
	}
}

// TestCallsAreCounted: each attempt counts, and as throttled those that the service refused for their number.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	weaken(fake)
	counted := &calls{}
	a, err := newAccount(Config{Env: environment(variables{"AWS_ENDPOINT_URL": url})})
	if err != nil {
		t.Fatal(err)
	}
	client := cognito.New(newClient(a, counted), cognito.WithShare(1e6))
	for name, c := range map[string]struct {
		fault cognitotest.Fault
		want  report.Counts
	}{
		"throttled":  {cognitotest.Fault{Error: "TooManyRequestsException", Times: 1}, report.Counts{Calls: 2, Throttled: 1}},
		"its fault":  {cognitotest.Fault{Error: "InternalErrorException", Times: 1}, report.Counts{Calls: 2}},
		"no answer":  {cognitotest.Fault{Drop: true, Times: 1}, report.Counts{Calls: 2}},
		"refused":    {cognitotest.Fault{Error: "NotAuthorizedException"}, report.Counts{Calls: 1}},
		"all's well": {cognitotest.Fault{Operation: "another"}, report.Counts{Calls: 1}},
	} {
		fake.Inject(c.fault)
		_, _, _ = client.List(t.Context(), "")
		fake.ClearFaults()
		if got := counted.take(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
