package main

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
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
	maps.Copy(all, changes)
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

var update = flag.Bool("update", false, "write the golden anew")

// TestReadConfig reads the environments of the golden, which has after the variables of each its errors or its values.
func TestReadConfig(t *testing.T) {
	t.Parallel()
	const path = "testdata/environments.txt"
	want := must(os.ReadFile(path))(t)
	var got strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(string(want)), "\n\n") {
		changes := variables{}
		for line := range strings.SplitSeq(block, "\n") {
			if name, value, ok := strings.Cut(strings.TrimPrefix(line, "> "), "="); ok && line[0] == '>' {
				changes[name] = value
			}
			if line[0] == '>' || line[0] == '#' {
				fmt.Fprintln(&got, line)
			}
		}
		c, errs := ReadConfig(environment(changes), files(map[string]string{"ca.pem": "PEM",
			"good.yaml": string(baseline.Default()),
			"bad.yaml":  "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIV, UserPoolTier: GOLD}}]\n"}))
		for _, err := range errs {
			fmt.Fprintln(&got, err)
		}
		if len(errs) == 0 {
			audits := !slices.ContainsFunc(c.Baseline.Rules, func(r baseline.Rule) bool { return r.Mode != baseline.Audit })
			c.Env, c.Baseline = nil, nil
			fmt.Fprintf(&got, "%+v, only audits: %v\n", c, audits)
		}
		fmt.Fprintln(&got)
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
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
		got := ""
		for _, channel := range newChannels(must(newAccount(config))(t)) {
			got += channel.Name + " "
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestCallsAreCounted: each attempt counts, and as throttled those that the service refused for their number.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	weaken(fake)
	counted := &calls{}
	a := must(newAccount(Config{Env: environment(variables{"AWS_ENDPOINT_URL": url})}))(t)
	client := cognito.New(newClient(a, counted))
	client.Share = 1e6
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
