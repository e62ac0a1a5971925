package cognitotest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

// TestOmitted leaves every member out in turn, and holds what becomes of it against what is known: nothing else moves.
func TestOmitted(t *testing.T) {
	t.Parallel()
	kept := map[string]bool{"PoolName": true, "DcrConfiguration": true}
	measured := map[string]bool{"MfaConfiguration": true, "Policies": true, "UserAttributeUpdateSettings": true,
		"SmsConfiguration": true, "UserPoolTier": true, "UserPoolTags": true}
	for name, mode := range modes {
		for _, m := range baseline.Documents()[0].Members {
			if m.Trip == baseline.ReadOnly {
				continue
			}
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				t.Parallel()
				f := rich(t, mode, nil, cognitotest.WithoutValidators())
				request, _ := f.echo(t)
				delete(request, m.Name)
				// Twins are one fact: what is left out under one name is left out under both.
				if twin := map[string]string{"SmsVerificationMessage": "SmsMessage", "EmailVerificationMessage": "EmailMessage",
					"EmailVerificationSubject": "EmailSubject"}[m.Name]; twin != "" {
					delete(in(request, "VerificationMessageTemplate"), twin)
				}
				if m.Name == "VerificationMessageTemplate" {
					delete(request, "SmsVerificationMessage")
					delete(request, "EmailVerificationMessage")
					delete(request, "EmailVerificationSubject")
				}
				before, _, _ := f.Pool(poolID)
				f.ok(t, update, request)
				after, _, _ := f.Pool(poolID)
				shown := m.Name
				if m.ReadName != "" {
					shown = m.ReadName
				}
				same := cmp.Equal(before[shown], after[shown])
				if want := kept[m.Name] || mode == cognitotest.Measured && measured[m.Name]; same != want {
					t.Errorf("kept is %v, want %v: %v", same, want, after[shown])
				}
			})
		}
	}
}

// TestSingleMember is the famous accident: one member is sent, and everything else is gone.
func TestSingleMember(t *testing.T) {
	t.Parallel()
	f := rich(t, cognitotest.Contract, nil)
	f.ok(t, update, map[string]any{"UserPoolId": poolID, "UserPoolTags": map[string]any{"env": "dev"}})
	pool, mfa, _ := f.Pool(poolID)
	for name, want := range map[string]any{
		"DeletionProtection": "INACTIVE", "MfaConfiguration": "OFF", "UserPoolTier": "ESSENTIALS", "UserPoolAddOns": nil,
		"LambdaConfig":                map[string]any{},
		"EmailConfiguration":          map[string]any{"EmailSendingAccount": "COGNITO_DEFAULT"},
		"VerificationMessageTemplate": map[string]any{"DefaultEmailOption": "CONFIRM_WITH_CODE"},
		"UserPoolTags":                map[string]any{"env": "dev"}, "Name": "customers", "DeviceConfiguration": nil,
		"SmsConfiguration": nil,
	} {
		if diff := cmp.Diff(want, pool[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if mfa["MfaConfiguration"] != "OFF" || mfa["EmailMfaConfiguration"] != nil || mfa["SmsMfaConfiguration"] != nil {
		t.Errorf("the MFA document is %v", mfa)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	both := func(path ...string) func(t *testing.T, mode cognitotest.Mode, pool, mfa map[string]any, want any) {
		return func(t *testing.T, _ cognitotest.Mode, pool, _ map[string]any, want any) {
			t.Helper()
			if diff := cmp.Diff(want, in(pool, path[:len(path)-1]...)[path[len(path)-1]]); diff != "" {
				t.Errorf("%v (-want +got):\n%s", path, diff)
			}
		}
	}
	const other = "arn:aws:lambda:eu-west-1:111122223333:function:other"
	for name, c := range map[string]struct {
		pool  func(pool, mfa map[string]any)
		edit  func(r map[string]any)
		check func(t *testing.T, mode cognitotest.Mode, pool, mfa map[string]any, want any)
		want  any
	}{
		"half of the policies": {nil, func(r map[string]any) { delete(in(r, "Policies"), "SignInPolicy") },
			func(t *testing.T, mode cognitotest.Mode, pool, _ map[string]any, _ any) {
				t.Helper()
				first, _ := walk(pool, "Policies.SignInPolicy.AllowedFirstAuthFactors").([]any)
				if kept := len(first) == 4; kept != (mode == cognitotest.Measured) {
					t.Errorf("the sign-in policy kept: %v", kept)
				}
			}, nil},
		"other half of the policies": {nil, func(r map[string]any) { delete(in(r, "Policies"), "PasswordPolicy") },
			func(t *testing.T, mode cognitotest.Mode, pool, _ map[string]any, _ any) {
				t.Helper()
				want := map[cognitotest.Mode]json.Number{cognitotest.Contract: "8", cognitotest.Measured: "14"}[mode]
				if got := in(pool, "Policies", "PasswordPolicy")["MinimumLength"]; got != want {
					t.Errorf("minimum length %v, want %v", got, want)
				}
			}, nil},
		"unknown member given": {func(p, _ map[string]any) { p["Newest"] = "old" },
			func(r map[string]any) { r["Newest"] = map[string]any{"A": "b"} }, both("Newest"), map[string]any{"A": "b"}},
		"unknown member omitted": {func(p, _ map[string]any) { p["Newest"] = "old" }, func(map[string]any) {},
			func(t *testing.T, mode cognitotest.Mode, pool, _ map[string]any, _ any) {
				t.Helper()
				if kept := pool["Newest"] == "old"; kept != (mode == cognitotest.Measured) {
					t.Errorf("the unknown member kept: %v", kept)
				}
			}, nil},
		"system tags survive": {func(p, _ map[string]any) { in(p, "UserPoolTags")["aws:stack"] = "s" },
			func(r map[string]any) { r["UserPoolTags"] = map[string]any{"a": "b"} },
			both("UserPoolTags"), map[string]any{"aws:stack": "s", "a": "b"}},
		"system tags survive omission": {func(p, _ map[string]any) { in(p, "UserPoolTags")["aws:stack"] = "s" },
			func(r map[string]any) { delete(r, "UserPoolTags") },
			both("UserPoolTags", "aws:stack"), "s"},
		"rename": {nil, func(r map[string]any) { r["PoolName"] = "renamed" }, both("Name"), "renamed"},
		"level left out": {nil, func(r map[string]any) { delete(in(r, "AcrConfiguration"), "Level1") },
			both("AcrConfiguration", "Level1", "AcrValue"), "urn:cognito:loa:1"},
		"levels left out": {nil, func(r map[string]any) { delete(r, "AcrConfiguration") },
			both("AcrConfiguration", "Level2", "AcrValue"), "urn:cognito:loa:2"},
		"levels never shown": {func(p, _ map[string]any) { delete(p, "AcrConfiguration") }, func(map[string]any) {},
			both("AcrConfiguration"), nil},
		"registration": {nil,
			func(r map[string]any) { r["DcrConfiguration"] = map[string]any{"OpenDcrEnabled": false} },
			both("DcrConfiguration"), map[string]any{"EnableStatus": "Enabled", "OpenDcrEnabled": false}},
		"trigger left out": {nil, func(r map[string]any) { delete(in(r, "LambdaConfig"), "PreSignUp") },
			both("LambdaConfig", "PreSignUp"), nil},
		"zero days": {nil,
			func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["TemporaryPasswordValidityDays"] = 0 },
			both("Policies", "PasswordPolicy", "TemporaryPasswordValidityDays"), json.Number("7")},
		"days follow": {nil,
			func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["TemporaryPasswordValidityDays"] = 5 },
			both("AdminCreateUserConfig", "UnusedAccountValidityDays"), json.Number("5")},
		"only the legacy text": {nil, func(r map[string]any) {
			r["EmailVerificationMessage"] = "new {####}"
			delete(in(r, "VerificationMessageTemplate"), "EmailMessage")
		}, both("VerificationMessageTemplate", "EmailMessage"), "new {####}"},
		"only the legacy text, no template": {nil, func(r map[string]any) {
			r["EmailVerificationMessage"] = "new {####}"
			delete(r, "VerificationMessageTemplate")
		}, both("VerificationMessageTemplate", "EmailMessage"), "new {####}"},
		"only the template": {nil, func(r map[string]any) {
			delete(r, "SmsVerificationMessage")
			in(r, "VerificationMessageTemplate")["SmsMessage"] = "new {####}"
		}, both("SmsVerificationMessage"), "new {####}"},
		"two texts": {nil, func(r map[string]any) {
			r["EmailVerificationSubject"] = "legacy"
			in(r, "VerificationMessageTemplate")["EmailSubject"] = "template"
		}, both("EmailVerificationSubject"), "template"},
		"legacy trigger alone": {nil, func(r map[string]any) {
			in(r, "LambdaConfig")["PreTokenGeneration"] = other
			delete(in(r, "LambdaConfig"), "PreTokenGenerationConfig")
		}, both("LambdaConfig", "PreTokenGenerationConfig"), map[string]any{"LambdaArn": other, "LambdaVersion": "V1_0"}},
		"newer trigger alone": {nil, func(r map[string]any) {
			in(r, "LambdaConfig", "PreTokenGenerationConfig")["LambdaArn"] = other
			delete(in(r, "LambdaConfig"), "PreTokenGeneration")
		}, both("LambdaConfig", "PreTokenGeneration"), other},
		"text message on both sides": {nil, func(r map[string]any) { r["SmsAuthenticationMessage"] = "new {####}" },
			func(t *testing.T, _ cognitotest.Mode, _, mfa map[string]any, _ any) {
				t.Helper()
				if got := in(mfa, "SmsMfaConfiguration")["SmsAuthenticationMessage"]; got != "new {####}" {
					t.Errorf("the MFA document has %v", got)
				}
			}, nil},
		"MFA off": {nil, func(r map[string]any) { r["MfaConfiguration"] = "OFF" },
			func(t *testing.T, _ cognitotest.Mode, _, mfa map[string]any, _ any) {
				t.Helper()
				if mfa["MfaConfiguration"] != "OFF" || mfa["SoftwareTokenMfaConfiguration"] != nil ||
					mfa["WebAuthnConfiguration"] == nil {
					t.Errorf("the MFA document is %v", mfa)
				}
			}, nil},
		"sending through Cognito": {nil, func(r map[string]any) {
			r["EmailConfiguration"] = map[string]any{"EmailSendingAccount": "COGNITO_DEFAULT"}
		},
			func(t *testing.T, _ cognitotest.Mode, _, mfa map[string]any, _ any) {
				t.Helper()
				if mfa["EmailMfaConfiguration"] != nil {
					t.Error("e-mail MFA is still on")
				}
			}, nil},
	} {
		for world, mode := range modes {
			t.Run(name+"/"+world, func(t *testing.T) {
				t.Parallel()
				f := rich(t, mode, c.pool)
				request, _ := f.echo(t)
				delete(request, "Newest")
				c.edit(request)
				f.ok(t, update, request)
				pool, mfa, _ := f.Pool(poolID)
				c.check(t, mode, pool, mfa, c.want)
			})
		}
	}
}
