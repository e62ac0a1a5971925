package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/userpool"
)

// A motoBench is moto with one pool, and the client of the SDK that makes and damages it.
type motoBench struct {
	bench
	sdk *idp.Client
	id  string
}

func onMoto(t *testing.T, url string) motoBench {
	t.Helper()
	client := sdk(t, url)
	m := motoBench{bench: newBench(nil, cognito.New(client)), sdk: client}
	out, err := client.CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("customers"),
		DeletionProtection: types.DeletionProtectionTypeActive})
	if err != nil {
		t.Fatal(err)
	}
	m.id = aws.ToString(out.UserPool.Id)
	return m
}

func (m motoBench) reconcile(t *testing.T, required *baseline.Baseline) outcome.Outcome {
	t.Helper()
	out, err := m.reconciler(required).Reconcile(t.Context(), event.Request{Kind: event.One, UserPoolID: m.id})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fullUpdate is an update of everything, as the console sends it.
const fullUpdate = `{"PoolName": "customers", "DeletionProtection": "ACTIVE", "UserPoolTier": "PLUS",
	"Policies": {"PasswordPolicy": {"MinimumLength": 10, "RequireLowercase": true, "TemporaryPasswordValidityDays": 3}},
	"LambdaConfig": {"PreSignUp": "` + trigger + `", "PostConfirmation": "` + postConfirmation + `"},
	"AutoVerifiedAttributes": ["email"], "UserPoolTags": {"env": "prod", "empty": ""},
	"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}, "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true},
	"AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}}`

// motoCases are incidents, by real calls, and the leaves of the pool after they are put right.
var motoCases = map[string]struct {
	tamper   func(update, mfa map[string]any) // the bodies of the calls; without a member of MFA there is no such call
	baseline string
	outcome  outcome.Ending
	leaves   map[string]string
	writes   []string
}{
	"deletion protection and a password length": {
		tamper:   unprotected,
		baseline: "DeletionProtection: ACTIVE\nPolicies: {PasswordPolicy: {MinimumLength: {atLeast: 14}}}",
		outcome:  outcome.Remediated, writes: updated,
		leaves: map[string]string{protected: `"ACTIVE"`, policy + "MinimumLength": "14"},
	},
	"a trigger and threat protection": {
		tamper: sets("LambdaConfig.PreSignUp", nil, "UserPoolAddOns", nil),
		baseline: "UserPoolTier: PLUS\nUserPoolAddOns: {AdvancedSecurityMode: ENFORCED}\n" +
			"LambdaConfig: {PreSignUp: '" + trigger + "'}",
		outcome: outcome.Remediated, writes: updated,
		leaves: map[string]string{"LambdaConfig.PreSignUp": `"` + trigger + `"`, threat: `"ENFORCED"`,
			"LambdaConfig.PostConfirmation": `"` + postConfirmation + `"`},
	},
	"MFA turned off": {
		tamper: sets("mfa:MfaConfiguration", "OFF"), baseline: totpOptional, outcome: outcome.Remediated, writes: setMFA,
		leaves: map[string]string{"mfa:MfaConfiguration": `"OPTIONAL"`, "mfa:" + totp: "true"},
	},
	"compliant": {tamper: sets(), baseline: "Policies: {PasswordPolicy: {MinimumLength: {atLeast: 8}}}",
		outcome: outcome.Unchanged, writes: none},
}

// TestAgainstMoto runs the main job against moto: real calls make and damage the pools, and a run puts them right.
func TestAgainstMoto(t *testing.T) {
	t.Parallel()
	url := mototest.Start(t)
	for name, c := range motoCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := onMoto(t, url)
			update, mfa := tree(t, fullUpdate), map[string]any{}
			c.tamper(update, mfa)
			m.send(t, "UpdateUserPool", update)
			if len(mfa) > 0 {
				m.send(t, "SetUserPoolMfaConfig", mfa)
			}
			before := m.leaves(t)
			out := m.reconcile(t, require(t, c.baseline))
			if out.Outcome != c.outcome || !slices.Equal(out.Writes, c.writes) {
				t.Errorf("%s with %v (%s), want %s with %v", out.Outcome, out.Writes, out.Reason, c.outcome, c.writes)
			}
			now := m.leaves(t)
			for path, want := range c.leaves {
				if now[path] != want {
					t.Errorf("%s is %s, want %s", path, now[path], want)
				}
			}
			for _, path := range difference(before, now) {
				if states(out)[plainPath(path)] == "" {
					t.Errorf("%s moved and is not among the findings %v", path, out.Drifts)
				}
			}
		})
	}
}

// send makes a call about the pool.
func (m motoBench) send(t *testing.T, call string, body map[string]any) {
	t.Helper()
	body["UserPoolId"] = m.id
	_, err := m.client.Write(t.Context(), m.id, userpool.Request{Call: call, Body: marshal(t, body)})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClientsAgainstMoto does the same with an app client: made with a secret, weakened by a call that leaves a member
// out, found by its name and put right.
func TestClientsAgainstMoto(t *testing.T) {
	t.Parallel()
	m := onMoto(t, mototest.Start(t))
	const callback = "https://app.example.com/callback"
	made, err := m.sdk.CreateUserPoolClient(t.Context(), &idp.CreateUserPoolClientInput{UserPoolId: aws.String(m.id),
		ClientName: aws.String("web-app"), GenerateSecret: true, CallbackURLs: []string{callback},
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesEnabled})
	if err != nil {
		t.Fatal(err)
	}
	web, secret := made.UserPoolClient.ClientId, aws.ToString(made.UserPoolClient.ClientSecret)
	_, err = m.sdk.UpdateUserPoolClient(t.Context(), &idp.UpdateUserPoolClientInput{UserPoolId: aws.String(m.id),
		ClientId: web, ClientName: aws.String("web-app"), CallbackURLs: []string{callback, "https://evil.example"},
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesLegacy})
	if err != nil {
		t.Fatal(err)
	}
	out := m.reconcile(t, parse(t, `version: 1
rules:
  - name: a
    clients:
      - names: ["web-*"]
        require: {PreventUserExistenceErrors: ENABLED, CallbackURLs: {without: ["https://evil.example"]}}
`))
	if out.Outcome != outcome.Remediated || len(out.Drifts) != 2 || fmt.Sprint(out.Writes) != "[UpdateUserPoolClient]" {
		t.Errorf("%s (%s) %v %v", out.Outcome, out.Reason, out.Writes, out.Drifts)
	}
	now, err := m.sdk.DescribeUserPoolClient(t.Context(),
		&idp.DescribeUserPoolClientInput{UserPoolId: aws.String(m.id), ClientId: web})
	if err != nil {
		t.Fatal(err)
	}
	c, same := now.UserPoolClient, secret != "" && aws.ToString(now.UserPoolClient.ClientSecret) == secret
	if c.PreventUserExistenceErrors != types.PreventUserExistenceErrorTypesEnabled || !same ||
		strings.Join(c.CallbackURLs, " ") != callback {
		t.Errorf("the client is %s %v, its secret the same: %v", c.PreventUserExistenceErrors, c.CallbackURLs, same)
	}
}

const postConfirmation = "arn:aws:lambda:eu-west-1:111122223333:function:post-confirmation"

// leaves is the pool as moto shows it. Its DescribeUserPool shows a stale MfaConfiguration; the other call is the
// authority.
func (m motoBench) leaves(t *testing.T) map[string]string {
	t.Helper()
	state, err := m.client.Read(t.Context(), m.id,
		userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig}})
	if err != nil {
		t.Fatal(err)
	}
	leaves := map[string]string{}
	flatten("", state.Documents["UserPool"], leaves)
	flatten("mfa:", state.Documents["MfaConfig"], leaves)
	delete(leaves, "LastModifiedDate")
	delete(leaves, "MfaConfiguration")
	return leaves
}
