package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestPermissionsSuffice: whatever a baseline owns, and in either mode, the function makes no call that its role may not make, from the sweep to the write that puts a drifted pool right. The calls
// that the role may make are all made by some baseline, but for those on tags, which Cognito may ask for within others.
func TestPermissionsSuffice(t *testing.T) {
	t.Parallel()
	given, made := map[string]bool{}, map[string]bool{}
	for name, text := range map[string]string{
		"the one that ships": "",
		"the pool":           fmt.Sprintf(oneRule, "DeletionProtection: ACTIVE"),
		"tags":               fmt.Sprintf(oneRule, "UserPoolTags: {env: prod}"),
		"MFA":                fmt.Sprintf(oneRule, "SoftwareTokenMfaConfiguration: {Enabled: true}"),
		"the sender":         fmt.Sprintf(oneRule, "SmsConfiguration: {SnsRegion: eu-central-1}"),
		"risk":               fmt.Sprintf(oneRule, "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}"),
		"logs":               fmt.Sprintf(oneRule, "LogConfigurations: {userAuthEvents: {LogLevel: INFO, S3Configuration: {BucketArn: 'arn:aws:s3:::logs'}}}"),
		"clients":            "version: 1\nrules: [{name: a, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]}]",
		"risk of clients":    "version: 1\nrules: [{name: a, clients: [{require: {RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}}]}]",
		"all":                ownsAll,
	} {
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
			for _, call := range callsOf(t, s) {
				made[call] = true
				if !slices.Contains(may, call) {
					t.Errorf("%s, %s: the function calls %s, and may only %v", name, mode, call, may)
				}
				if mode == "audit" && !strings.HasPrefix(call, "Describe") && !strings.HasPrefix(call, "Get") && !strings.HasPrefix(call, "List") {
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

// callsOf returns the calls to Cognito of a sweep over a pool that is as weak as it can be, and of the event of its last change.
func callsOf(t *testing.T, s Settings) []string {
	t.Helper()
	const pool, client = "eu-west-1_AbCdEf123", "1example23456789"
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	fake.PutRich(pool)
	fake.Edit(pool, func(pool, mfa map[string]any) {
		pool["DeletionProtection"], pool["UserPoolTags"] = "INACTIVE", map[string]any{}
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
	})
	fake.PutRisk(pool, "", map[string]any{})
	fake.PutLogs(pool, []any{})
	fake.PutClient(pool, client, map[string]any{"ClientName": "web", "PreventUserExistenceErrors": "LEGACY", "AuthSessionValidity": json.Number("3"), "RefreshTokenValidity": json.Number("30"),
		"ExplicitAuthFlows": []any{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"}})
	fake.PutRisk(pool, client, map[string]any{})
	pools := userpool.New(cognito.New(cognito.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: aws.AnonymousCredentials{}}))
	r := reconcile.New(pools, s.Baseline, "")
	pools.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	r.Sleep = pools.Sleep
	for _, name := range []string{"scheduled-event", "update-user-pool"} {
		if _, err := r.Handle(t.Context(), fixtures(t)[name], event.Home{Account: "111122223333", Region: "eu-west-1"}, func(out reconcile.Outcome) {
			if out.Outcome == reconcile.Unconverged {
				t.Errorf("the pool is no fair one: %s", out.Reason)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	var calls []string
	for _, call := range fake.Calls() {
		calls = append(calls, call.Operation)
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}
