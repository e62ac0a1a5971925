package cognitotest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// TestValidation breaks one limit of each kind in an echo.
func TestValidation(t *testing.T) {
	t.Parallel()
	const shape = "SerializationException"
	for name, c := range map[string]struct {
		call string
		edit func(r map[string]any)
		code string
		text string
	}{
		"number too small": {update, func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["MinimumLength"] = 5 },
			parameter,
			"1 validation error detected: Value '5' at 'policies.passwordPolicy.minimumLength' failed to satisfy " +
				"constraint: Member must have value greater than or equal to 6"},
		"number too large": {update,
			func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["PasswordHistorySize"] = 25 }, parameter,
			"Value '25' at 'policies.passwordPolicy.passwordHistorySize' failed to satisfy constraint: Member must have " +
				"value less than or equal to 24"},
		"zero priority": {update, func(r map[string]any) {
			in(r, "AccountRecoverySetting")["RecoveryMechanisms"] = list(map[string]any{"Name": "verified_email", "Priority": 0})
		}, parameter, "greater than or equal to 1"},
		"number with a fraction": {update,
			func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["MinimumLength"] = 8.5 }, shape, ""},
		"text for a number": {update,
			func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["MinimumLength"] = "8" }, shape, ""},
		"text for a boolean": {update,
			func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["RequireSymbols"] = "true" }, shape, ""},
		"text for an object": {update, func(r map[string]any) { r["Policies"] = "none" }, shape, ""},
		"object for a list": {update, func(r map[string]any) { r["AutoVerifiedAttributes"] = map[string]any{} }, shape,
			""},
		"list for a map":    {update, func(r map[string]any) { r["UserPoolTags"] = list() }, shape, ""},
		"number for a text": {update, func(r map[string]any) { r["SmsAuthenticationMessage"] = 1 }, shape, ""},
		"null":              {update, func(r map[string]any) { r["DeviceConfiguration"] = nil }, shape, ""},
		"null inside":       {update, func(r map[string]any) { in(r, "EmailConfiguration")["From"] = nil }, shape, ""},
		"unknown value": {update, func(r map[string]any) { r["DeletionProtection"] = "active" }, parameter,
			"Value 'active' at 'deletionProtection' failed to satisfy constraint: Member must satisfy enum value set"},
		"empty enum": {update, func(r map[string]any) { r["UserPoolTier"] = "" }, parameter, "enum value set"},
		"empty text": {update, func(r map[string]any) { in(r, "EmailConfiguration")["From"] = "" }, parameter,
			"greater than or equal to 1"},
		"short text": {update, func(r map[string]any) { r["SmsAuthenticationMessage"] = "{####" }, parameter,
			"length greater than or equal to 6"},
		"long text": {update, func(r map[string]any) {
			r["SmsAuthenticationMessage"] = "{####}" +
				strings.Repeat("é", 135)
		}, parameter, "length less than or equal to 140"},
		"text without its code": {update, func(r map[string]any) { r["SmsAuthenticationMessage"] = "no code here" },
			parameter, "regular expression pattern"},
		"half a match": {update,
			func(r map[string]any) { in(r, "EmailConfiguration")["ConfigurationSet"] = "good part, bad part" }, parameter,
			"regular expression pattern"},
		"no such ARN": {update,
			func(r map[string]any) { in(r, "LambdaConfig")["PreSignUp"] = "function:pre-sign-up-of-ours" }, parameter,
			"lambdaConfig.preSignUp"},
		"empty list": {update,
			func(r map[string]any) { in(r, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list() }, parameter,
			"length greater than or equal to 1"},
		"long list": {update, func(r map[string]any) {
			in(r, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list("PASSWORD", "PASSWORD", "PASSWORD", "PASSWORD",
				"PASSWORD", "PASSWORD")
		}, parameter, "length less than or equal to 5"},
		"unknown value in a list": {update, func(r map[string]any) { r["AutoVerifiedAttributes"] = list("email", "name") },
			parameter, "autoVerifiedAttributes.2.member"},
		"required member missing": {update,
			func(r map[string]any) { delete(in(r, "LambdaConfig", "CustomSMSSender"), "LambdaVersion") }, parameter,
			"Value null at 'lambdaConfig.customSMSSender.lambdaVersion' failed to satisfy constraint: Member must not be null"},
		"required member missing in a list": {update, func(r map[string]any) {
			in(r, "AccountRecoverySetting")["RecoveryMechanisms"] = list(map[string]any{"Name": "verified_email"})
		}, parameter, "Member must not be null"},
		"empty object": {update, func(r map[string]any) { r["UserPoolAddOns"] = map[string]any{} }, parameter,
			"userPoolAddOns"},
		"empty recovery": {update, func(r map[string]any) { r["AccountRecoverySetting"] = map[string]any{} }, parameter,
			"accountRecoverySetting"},
		"reserved tag": {update, func(r map[string]any) { in(r, "UserPoolTags")["aws:stack"] = "x" },
			"UserPoolTaggingException", "aws:"},
		"long tag key": {update, func(r map[string]any) { in(r, "UserPoolTags")[strings.Repeat("k", 129)] = "x" },
			parameter, "128"},
		"too many tags": {update, func(r map[string]any) { r["UserPoolTags"] = tags(51) }, parameter, "50"},
		"unknown level": {update, func(r map[string]any) {
			clear(in(r, "AcrConfiguration"))
			in(r, "AcrConfiguration", "Level5")["AcrValue"] = "urn:x"
		}, parameter, "Level[1-4]"},
		"read-only member":      {update, func(r map[string]any) { r["Arn"] = "arn" }, parameter, "Arn"},
		"name of the read call": {update, func(r map[string]any) { r["Name"] = "customers" }, parameter, "Name"},
		"e-mail MFA text": {set, func(r map[string]any) { in(r, "EmailMfaConfiguration")["Message"] = "no code" },
			parameter, "emailMfaConfiguration.message"},
		"verification of users": {set,
			func(r map[string]any) { in(r, "WebAuthnConfiguration")["UserVerification"] = "REQUIRED" }, parameter,
			"webAuthnConfiguration.userVerification"},
		"boolean as a text": {set,
			func(r map[string]any) { in(r, "SoftwareTokenMfaConfiguration")["Enabled"] = "true" }, shape, ""},
		"empty SMS block": {set, func(r map[string]any) { r["SmsMfaConfiguration"] = map[string]any{} }, parameter,
			"smsMfaConfiguration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, request := refusal{call: c.call, request: c.edit}.serve(t, cognitotest.Contract)
			pool, mfa, _ := f.Pool(poolID)
			a := f.send(t, c.call, request)
			if a.status != http.StatusBadRequest || a.code() != c.code || !strings.Contains(a.text(), c.text) {
				t.Errorf("answered %d %s: %s, want %s: %s", a.status, a.code(), a.text(), c.code, c.text)
			}
			compare(t, f, pool, mfa)
		})
	}
}

// TestValidationTakes are values at the edge of what is taken.
func TestValidationTakes(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(r map[string]any){
		"tag without a value": func(r map[string]any) { r["UserPoolTags"] = map[string]any{"empty": ""} },
		"fifty tags":          func(r map[string]any) { r["UserPoolTags"] = tags(50) },
		"no history":          func(r map[string]any) { in(r, "Policies", "PasswordPolicy")["PasswordHistorySize"] = 0 },
		"empty device":        func(r map[string]any) { r["DeviceConfiguration"] = map[string]any{} },
		"empty triggers":      func(r map[string]any) { r["LambdaConfig"] = map[string]any{} },
		"longest message":     func(r map[string]any) { r["SmsAuthenticationMessage"] = "{####}" + strings.Repeat("é", 134) },
		"unknown members":     func(r map[string]any) { r["Newest"] = nil; in(r, "EmailConfiguration")["Newest"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, request := refusal{call: update, request: edit}.serve(t, cognitotest.Contract)
			f.ok(t, update, request)
		})
	}
}

func tags(n int) map[string]any {
	all := map[string]any{}
	for i := range n {
		all[fmt.Sprint("key", i)] = "value"
	}
	return all
}
