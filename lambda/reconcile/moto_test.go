package reconcile_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestAgainstMoto runs the main job against moto: real calls make and damage the pools, the reconciler puts them right.
func TestAgainstMoto(t *testing.T) {
	t.Parallel()
	client := sdk(t.Fatalf, mototest.Start(t))
	pools := userpool.New(client)
	for _, c := range []struct {
		name     string
		tamper   func(in *cognito.UpdateUserPoolInput)
		mfa      *cognito.SetUserPoolMfaConfigInput
		baseline string
		outcome  reconcile.Word
		check    func(t *testing.T, pool map[string]any, mfa map[string]any)
		writes   []string
	}{
		{
			name:     "deletion protection and a password length",
			tamper:   func(in *cognito.UpdateUserPoolInput) { in.DeletionProtection = types.DeletionProtectionTypeInactive },
			baseline: "DeletionProtection: ACTIVE\nPolicies: {PasswordPolicy: {MinimumLength: {atLeast: 14}}}",
			outcome:  reconcile.Remediated, writes: updated,
			check: func(t *testing.T, pool, _ map[string]any) {
				if pool["DeletionProtection"] != "ACTIVE" || fmt.Sprint(lookup(pool, "Policies.PasswordPolicy.MinimumLength")) != "14" {
					t.Errorf("the pool is %v", pool)
				}
			},
		},
		{
			name:     "a trigger and threat protection",
			tamper:   func(in *cognito.UpdateUserPoolInput) { in.LambdaConfig.PreSignUp, in.UserPoolAddOns = nil, nil },
			baseline: "UserPoolTier: PLUS\nUserPoolAddOns: {AdvancedSecurityMode: ENFORCED}\nLambdaConfig: {PreSignUp: \"" + trigger + "\"}",
			outcome:  reconcile.Remediated, writes: updated,
			check: func(t *testing.T, pool, _ map[string]any) {
				if lookup(pool, "LambdaConfig.PreSignUp") != trigger || lookup(pool, "LambdaConfig.PostConfirmation") == nil || lookup(pool, "UserPoolAddOns.AdvancedSecurityMode") != "ENFORCED" {
					t.Errorf("the pool is %v", pool)
				}
			},
		},
		{
			name:     "MFA turned off",
			tamper:   func(*cognito.UpdateUserPoolInput) {},
			mfa:      &cognito.SetUserPoolMfaConfigInput{MfaConfiguration: types.UserPoolMfaTypeOff},
			baseline: "MfaConfiguration: OPTIONAL\nSoftwareTokenMfaConfiguration: {Enabled: true}",
			outcome:  reconcile.Remediated, writes: setMFA,
			check: func(t *testing.T, _, mfa map[string]any) {
				if mfa["MfaConfiguration"] != "OPTIONAL" || lookup(mfa, "SoftwareTokenMfaConfiguration.Enabled") != true {
					t.Errorf("the MFA configuration is %v", mfa)
				}
			},
		},
		{
			name: "compliant", tamper: func(*cognito.UpdateUserPoolInput) {}, baseline: "Policies: {PasswordPolicy: {MinimumLength: {atLeast: 8}}}",
			outcome: reconcile.Unchanged, writes: none, check: func(*testing.T, map[string]any, map[string]any) {},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			id := motoPool(t, client)
			update := motoUpdate(id)
			c.tamper(update)
			if _, err := client.UpdateUserPool(t.Context(), update); err != nil {
				t.Fatal(err)
			}
			if c.mfa != nil {
				c.mfa.UserPoolId = aws.String(id)
				if _, err := client.SetUserPoolMfaConfig(t.Context(), c.mfa); err != nil {
					t.Fatal(err)
				}
			}
			before := motoLeaves(t, pools, id)
			r := bench{client: pools}.reconciler(require(t, c.baseline))
			out, err := r.Reconcile(t.Context(), id, event.Cause{})
			if err != nil {
				t.Fatal(err)
			}
			if out.Outcome != c.outcome || fmt.Sprint(out.Writes) != fmt.Sprint(c.writes) {
				t.Errorf("outcome %s with writes %v (%s), want %s with %v", out.Outcome, out.Writes, out.Reason, c.outcome, c.writes)
			}
			state, err := pools.Read(t.Context(), id, userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig}})
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, state.Documents["UserPool"], state.Documents["MfaConfig"])
			for _, path := range difference(before, motoLeaves(t, pools, id)) {
				if !named(out, path) {
					t.Errorf("%s moved and is not among the drifts %v", path, out.Drifts)
				}
			}
		})
	}
}

// TestClientsAgainstMoto does the same with an app client: made with a secret, weakened by a call that leaves a member out, found by its name and put right.
func TestClientsAgainstMoto(t *testing.T) {
	t.Parallel()
	client := sdk(t.Fatalf, mototest.Start(t))
	id := motoPool(t, client)
	made, err := client.CreateUserPoolClient(t.Context(), &cognito.CreateUserPoolClientInput{UserPoolId: aws.String(id), ClientName: aws.String("web-app"), GenerateSecret: true,
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesEnabled, CallbackURLs: []string{"https://app.example.com/callback"}})
	if err != nil {
		t.Fatal(err)
	}
	web, secret := made.UserPoolClient.ClientId, aws.ToString(made.UserPoolClient.ClientSecret)
	if _, err := client.UpdateUserPoolClient(t.Context(), &cognito.UpdateUserPoolClientInput{UserPoolId: aws.String(id), ClientId: web, ClientName: aws.String("web-app"),
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesLegacy, CallbackURLs: []string{"https://app.example.com/callback", "https://evil.example"}}); err != nil {
		t.Fatal(err)
	}
	required := parse(t, "version: 1\nrules: [{name: a, clients: [{names: [\"web-*\"], require: {PreventUserExistenceErrors: ENABLED, CallbackURLs: {without: [\"https://evil.example\"]}}}]}]")
	out, err := bench{client: userpool.New(client)}.reconciler(required).Reconcile(t.Context(), id, event.Cause{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Outcome != reconcile.Remediated || len(out.Drifts) != 2 || fmt.Sprint(out.Writes) != "[UpdateUserPoolClient]" {
		t.Errorf("%s (%s) %v %v", out.Outcome, out.Reason, out.Writes, out.Drifts)
	}
	now, err := client.DescribeUserPoolClient(t.Context(), &cognito.DescribeUserPoolClientInput{UserPoolId: aws.String(id), ClientId: web})
	if err != nil {
		t.Fatal(err)
	}
	c := now.UserPoolClient
	if c.PreventUserExistenceErrors != types.PreventUserExistenceErrorTypesEnabled || fmt.Sprint(c.CallbackURLs) != "[https://app.example.com/callback]" || aws.ToString(c.ClientSecret) != secret || secret == "" {
		t.Errorf("the client is %s %v, its secret the same: %v", c.PreventUserExistenceErrors, c.CallbackURLs, aws.ToString(c.ClientSecret) == secret)
	}
}

func named(out reconcile.Outcome, path string) bool {
	for _, d := range out.Drifts {
		if d.Setting == path || "mfa:"+d.Setting == path {
			return true
		}
	}
	return false
}

func motoPool(t *testing.T, client *cognito.Client) string {
	t.Helper()
	out, err := client.CreateUserPool(t.Context(), &cognito.CreateUserPoolInput{PoolName: aws.String("customers"), DeletionProtection: types.DeletionProtectionTypeActive})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.UserPool.Id)
}

// motoUpdate is a full update, as the console sends it.
func motoUpdate(id string) *cognito.UpdateUserPoolInput {
	return &cognito.UpdateUserPoolInput{
		UserPoolId: aws.String(id), PoolName: aws.String("customers"), DeletionProtection: types.DeletionProtectionTypeActive, UserPoolTier: types.UserPoolTierTypePlus,
		Policies: &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{MinimumLength: aws.Int32(10), RequireLowercase: true, TemporaryPasswordValidityDays: 3}},
		LambdaConfig: &types.LambdaConfigType{PreSignUp: aws.String(trigger),
			PostConfirmation: aws.String("arn:aws:lambda:eu-west-1:111122223333:function:post-confirmation")},
		AutoVerifiedAttributes: []types.VerifiedAttributeType{types.VerifiedAttributeTypeEmail},
		UserPoolTags:           map[string]string{"env": "prod", "empty": ""},
		UserPoolAddOns:         &types.UserPoolAddOnsType{AdvancedSecurityMode: types.AdvancedSecurityModeTypeEnforced},
		AdminCreateUserConfig:  &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true},
		AccountRecoverySetting: &types.AccountRecoverySettingType{RecoveryMechanisms: []types.RecoveryOptionType{
			{Name: types.RecoveryOptionNameTypeVerifiedEmail, Priority: aws.Int32(1)}}},
	}
}

// motoLeaves is the pool as moto shows it. Its DescribeUserPool shows a stale MfaConfiguration; the other call is the authority.
func motoLeaves(t *testing.T, pools *userpool.Client, id string) map[string]string {
	t.Helper()
	state, err := pools.Read(t.Context(), id, userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig}})
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
