package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
)

// baselines have requirements of each document.
var baselines = map[string]string{
	"the one that ships": "",
	"the pool":           fmt.Sprintf(oneRule, "DeletionProtection: ACTIVE"),
	"tags":               fmt.Sprintf(oneRule, "UserPoolTags: {env: prod}"),
	"MFA":                fmt.Sprintf(oneRule, "SoftwareTokenMfaConfiguration: {Enabled: true}"),
	"the sender":         fmt.Sprintf(oneRule, "SmsConfiguration: {SnsRegion: eu-central-1}"),
	"risk":               "version: 1\nrules: [{name: a, require: " + riskRule + "}]",
	"logs": fmt.Sprintf(oneRule,
		"LogConfigurations: {userAuthEvents: {LogLevel: INFO, S3Configuration: {BucketArn: 'arn:aws:s3:::logs'}}}"),
	"clients":         "version: 1\nrules: [{name: a, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]}]",
	"risk of clients": "version: 1\nrules: [{name: a, clients: [{require: " + riskRule + "}]}]",
	"all":             ownsAll,
}

// TestPermissionsSuffice: whatever a baseline requires, and in either mode, the function makes no call that its role
// may not make, from the scan to the write that fixes a pool. The calls that the role may make are all made by some
// baseline, but for those on tags, which Cognito may ask for within others.
func TestPermissionsSuffice(t *testing.T) {
	t.Parallel()
	given, made := map[string]bool{}, map[string]bool{}
	for name, text := range baselines {
		for _, mode := range []string{"enforce", "audit"} {
			s := read(t, text, map[string]any{"mode": mode})
			var may []string
			for _, line := range stated(s) {
				if action, ok := strings.CutPrefix(line, "cognito-idp:"); ok {
					may = append(may, action[:strings.IndexByte(action, ' ')])
				}
			}
			for _, action := range may {
				given[action] = true
			}
			for _, call := range callsMade(t, s) {
				made[call] = true
				if !slices.Contains(may, call) {
					t.Errorf("%s, %s: the function calls %s, and may only %v", name, mode, call, may)
				}
				if mode == "audit" && !reading.MatchString(call) {
					t.Errorf("%s: in audit mode the function calls %s", name, call)
				}
			}
		}
	}
	for action := range given {
		if !made[action] && action != "TagResource" && action != "UntagResource" {
			t.Errorf("no baseline makes the function call %s", action)
		}
	}
}

var reading = regexp.MustCompile("^(Describe|Get|List)")

// callsMade returns the calls to Cognito of a scan over a pool that is as weak as it can be, and of the event of its
// last change.
func callsMade(t *testing.T, s Settings) []string {
	t.Helper()
	fake, url := weakPool(t)
	pools := cognito.New(idp.New(idp.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: aws.AnonymousCredentials{},
	}))
	pools.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	r := reconcile.New(pools, s.Baseline, ledger.NewMemory())
	r.Sleep = pools.Sleep
	home := event.Home{Account: "111122223333", Region: "eu-west-1"}
	handle := func(ctx context.Context, request event.Request) (outcome.Outcome, error) {
		out, err := r.Reconcile(ctx, request)
		if out.Outcome == outcome.Unconverged {
			t.Errorf("the fake's pool is wrong: %s", out.Reason)
		}
		return out, err
	}
	scanner := queue.Scanner{Pools: pools, Baseline: s.Baseline, Ledger: r.Ledger, Handle: handle, Now: r.Now,
		Sleep: r.Sleep}
	if _, err := scanner.Scan(t.Context(), event.Decode(fixtures(t)["scheduled-event"], home)); err != nil {
		t.Fatal(err)
	}
	if _, err := handle(t.Context(), event.Decode(fixtures(t)["update-user-pool"], home)); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, call := range fake.Calls() {
		calls = append(calls, call.Operation)
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}

// weakPool starts a fake with a pool that meets no requirement.
func weakPool(t *testing.T) (fake *cognitotest.Server, url string) {
	t.Helper()
	const pool, client = "eu-west-1_AbCdEf123", cognitotest.RichClient
	fake, url = cognitotest.Serve(t, cognitotest.Contract)
	fake.PutRich(pool)
	fake.Edit(pool, func(pool, mfa map[string]any) {
		pool["DeletionProtection"], pool["UserPoolTags"] = "INACTIVE", map[string]any{}
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
	})
	fake.PutLogs(pool, []any{})
	fake.PutRisk(pool, "", map[string]any{})
	fake.PutRisk(pool, client, map[string]any{})
	web := fake.Client(pool, client)
	web["PreventUserExistenceErrors"] = "LEGACY"
	fake.PutClient(pool, client, web)
	return fake, url
}
