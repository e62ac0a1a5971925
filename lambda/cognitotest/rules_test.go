package cognitotest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
)

const (
	update = "UpdateUserPool"
	set    = "SetUserPoolMfaConfig"

	setClient = "UpdateUserPoolClient"

	parameter = "InvalidParameterException"
	feature   = "FeatureUnavailableInTierException"
	noPlan    = "This feature is not available in your current feature plan"
)

// A refusal is a pool, a change of its echo, and what the service says to it.
type refusal struct {
	rule    string // the name of the rule that refuses
	pool    func(pool, mfa map[string]any)
	call    string
	request func(request map[string]any)
	code    string
	text    string
}

func factors(pool map[string]any, names ...any) {
	in(pool, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list(names...)
}

// lite makes the pool one of the cheapest plan, with nothing that needs another.
func lite(pool, mfa map[string]any) {
	pool["UserPoolTier"] = "LITE"
	pool["UserPoolAddOns"] = map[string]any{"AdvancedSecurityMode": "OFF"}
	in(pool, "DcrConfiguration")["EnableStatus"] = "Disabled"
	delete(pool, "AcrConfiguration")
	delete(mfa, "EmailMfaConfiguration")
	factors(pool, "PASSWORD")
}

func off(pool, mfa map[string]any) {
	pool["MfaConfiguration"], mfa["MfaConfiguration"] = "OFF", "OFF"
	for _, block := range []string{"SmsMfaConfiguration", "EmailMfaConfiguration", "SoftwareTokenMfaConfiguration"} {
		delete(mfa, block)
	}
}

var refusals = []refusal{
	{"two validity days", nil, update,
		func(r map[string]any) { in(r, "AdminCreateUserConfig")["UnusedAccountValidityDays"] = 7 },
		parameter, "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"},
	{"MFA turned on without a factor", func(p, m map[string]any) { off(p, m); factors(p, "PASSWORD") }, update,
		func(r map[string]any) { r["MfaConfiguration"] = "ON" },
		parameter, "Cannot turn MFA functionality ON, once the user pool has been created"},
	{"phone_number verified without a sender",
		func(p, m map[string]any) { delete(p, "SmsConfiguration"); delete(m, "SmsMfaConfiguration") }, update, nil,
		parameter, "SMS configuration is required when phone_number is selected for auto verification"},
	{"phone_number verified without a sender", func(p, _ map[string]any) { factors(p, "PASSWORD") }, set,
		func(r map[string]any) { delete(r, "SmsMfaConfiguration") },
		parameter, "SMS configuration is required when phone_number is selected for auto verification"},
	{"verification of an attribute that is not verified", nil, update,
		func(r map[string]any) { r["AutoVerifiedAttributes"] = list("email") },
		parameter, "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"},
	{"one-time codes beside MFA ON", nil, set, func(r map[string]any) { r["MfaConfiguration"] = "ON" },
		parameter, "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"},
	{"one-time codes beside MFA ON", nil, update, func(r map[string]any) { r["MfaConfiguration"] = "ON" },
		parameter, "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"},
	{"single-factor passkeys beside MFA ON", func(p, _ map[string]any) { factors(p, "PASSWORD", "WEB_AUTHN") }, set,
		func(r map[string]any) {
			r["MfaConfiguration"] = "ON"
			in(r, "WebAuthnConfiguration")["FactorConfiguration"] = "SINGLE_FACTOR"
		}, parameter, "Cannot set WebAuthn factor configuration to SINGLE_FACTOR if MFA is required"},
	{"single-factor passkeys beside MFA ON", func(p, m map[string]any) {
		factors(p, "PASSWORD", "WEB_AUTHN")
		delete(m, "WebAuthnConfiguration")
	}, update, func(r map[string]any) { r["MfaConfiguration"] = "ON" }, parameter,
		"Cannot set WebAuthn factor configuration to SINGLE_FACTOR if MFA is required"},
	{"SMS_OTP without a sender", func(p, m map[string]any) {
		delete(p, "SmsConfiguration")
		delete(m, "SmsMfaConfiguration")
		p["AutoVerifiedAttributes"], p["UserAttributeUpdateSettings"] = list(), map[string]any{}
	}, update, nil, parameter, "SMS_OTP is missing valid SMS configuration"},
	{"threat protection below PLUS", nil, update, func(r map[string]any) { r["UserPoolTier"] = "ESSENTIALS" },
		feature, "The following features need to be disabled for the ESSENTIALS pricing tier configured: Threat Protection"},
	{"first factors on LITE", lite, update, func(r map[string]any) { factors(r, "PASSWORD", "WEB_AUTHN") }, feature,
		noPlan},
	{"client registration on LITE", lite, update,
		func(r map[string]any) { in(r, "DcrConfiguration")["EnableStatus"] = "Enabled" }, feature, noPlan},
	{"level names on LITE", lite, update,
		func(r map[string]any) { in(r, "AcrConfiguration", "Level1")["AcrValue"] = "urn:ours:low" }, feature, noPlan},
	{"e-mail MFA on LITE", lite, set, func(r map[string]any) { r["EmailMfaConfiguration"] = map[string]any{} }, feature,
		noPlan},
	{"KMS key against its type", nil, update,
		func(r map[string]any) { in(r, "KeyConfiguration")["KeyType"] = "AWS_OWNED_KEY" }, parameter, "KmsKeyArn"},
	{"KMS key against its type", nil, update, func(r map[string]any) { delete(in(r, "KeyConfiguration"), "KmsKeyArn") },
		parameter, "KmsKeyArn"},
	{"admin_only not alone", nil, update, func(r map[string]any) {
		in(r, "AccountRecoverySetting")["RecoveryMechanisms"] = list(map[string]any{"Name": "admin_only", "Priority": 1},
			map[string]any{"Name": "verified_email", "Priority": 2})
	}, parameter, "admin_only"},
	{"custom sender without a key", nil, update, func(r map[string]any) { delete(in(r, "LambdaConfig"), "KMSKeyID") },
		parameter, "KMSKeyID"},
	{"two pre token generation functions", nil, update, func(r map[string]any) {
		in(r, "LambdaConfig")["PreTokenGeneration"] = "arn:aws:lambda:eu-west-1:111122223333:function:other"
	}, parameter, "PreTokenGeneration"},
	{"sender of text messages not exactly one", nil, update,
		func(r map[string]any) { delete(in(r, "SmsConfiguration"), "SnsCallerArn") }, parameter, "EumsSms"},
	{"sender of text messages not exactly one", nil, set, func(r map[string]any) {
		in(r, "SmsMfaConfiguration", "SmsConfiguration",
			"EumsSms")["CallerArn"] = "arn:aws:iam::111122223333:role/eums-sender"
	}, parameter, "EumsSms"},
	{"DEVELOPER without an identity", nil, update,
		func(r map[string]any) { delete(in(r, "EmailConfiguration"), "SourceArn") }, parameter, "SourceArn"},
	{"e-mail MFA without a sender",
		func(p, _ map[string]any) { in(p, "EmailConfiguration")["EmailSendingAccount"] = "COGNITO_DEFAULT" }, set, nil,
		parameter, "Cannot set EmailMfaConfiguration when EmailSendingAccount is COGNITO_DEFAULT"},
	{"e-mail MFA beside recovery by e-mail alone", nil, update, func(r map[string]any) {
		in(r, "AccountRecoverySetting")["RecoveryMechanisms"] = list(map[string]any{"Name": "verified_email", "Priority": 1})
	}, parameter, "recovery"},
	{"recovery by phone alone beside SMS MFA", nil, update, func(r map[string]any) {
		in(r, "AccountRecoverySetting")["RecoveryMechanisms"] = list(map[string]any{"Name": "verified_phone_number",
			"Priority": 1})
	}, parameter, "Account Recovery Setting cannot use verified_phone_number"},
	{"two recovery mechanisms of one priority", nil, update, func(r map[string]any) {
		in(r, "AccountRecoverySetting")["RecoveryMechanisms"] = list(map[string]any{"Name": "verified_email", "Priority": 1},
			map[string]any{"Name": "verified_phone_number", "Priority": 1})
	}, parameter, "priority"},
	{"an identity that SES does not know", nil, update, func(r map[string]any) {
		in(r, "EmailConfiguration")["SourceArn"] = "arn:aws:ses:eu-west-1:111122223333:identity/nobody.example"
	}, parameter, "Email address is not verified. The following identities failed the check in region EU-WEST-1"},
	{"a trigger that is no function", nil, update, func(r map[string]any) {
		in(r, "LambdaConfig")["PreSignUp"] = "arn:aws:lambda:eu-west-1:111122223333:function:nobody"
	}, parameter, "Invalid lambda function ARN provided"},
	{"a role that the caller may not pass", nil, update, func(r map[string]any) {
		in(r, "SmsConfiguration")["SnsCallerArn"] = "arn:aws:iam::111122223333:role/nobody"
	}, "AccessDeniedException", "iam:PassRole"},
	{"passkeys of a site that is none", nil, set,
		func(r map[string]any) { in(r, "WebAuthnConfiguration")["RelyingPartyId"] = "nobody.example" }, parameter,
		"Invalid parameter given"},
	{"older flows beside newer ones", nil, setClient,
		func(r map[string]any) { r["ExplicitAuthFlows"] = list("ALLOW_USER_AUTH", "USER_PASSWORD_AUTH") }, parameter,
		"Usage of ALLOW_ auth flows is not allowed with legacy auth flows"},
	{"no refresh of tokens any more", nil, setClient,
		func(r map[string]any) { r["ClientId"] = "mobile"; delete(r, "RefreshTokenRotation") }, parameter,
		"REFRESH_TOKEN_AUTH should always be allowed"},
	{"rotation beside the refresh flow", nil, setClient,
		func(r map[string]any) { r["ExplicitAuthFlows"] = list("ALLOW_REFRESH_TOKEN_AUTH") }, parameter, "rotation"},
	{"a redirect to elsewhere", nil, setClient,
		func(r map[string]any) { r["DefaultRedirectURI"] = "https://b.example" }, parameter, "redirect"},
	{"a grant without a callback", nil, setClient, func(r map[string]any) {
		delete(r, "CallbackURLs")
		delete(r, "DefaultRedirectURI")
	}, "InvalidOAuthFlowException", "CallbackUrls can not be empty"},
	{"client credentials beside another grant", nil, setClient,
		func(r map[string]any) { r["AllowedOAuthFlows"] = list("code", "client_credentials") },
		"InvalidOAuthFlowException", "client_credentials"},
	{"openid without a user", nil, setClient,
		func(r map[string]any) { r["AllowedOAuthFlows"] = list("client_credentials") },
		"ScopeDoesNotExistException", "openid is not supported with client_credentials flow"},
	{"a validity out of range", nil, setClient, func(r map[string]any) { r["AccessTokenValidity"] = 4 }, parameter,
		"Invalid range for token validity"},
	{"MFA off with a factor", nil, set, func(r map[string]any) { delete(r, "MfaConfiguration") },
		parameter, "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."},
	{"MFA off with a factor", func(p, m map[string]any) { off(p, m) }, set,
		func(r map[string]any) { in(r, "SoftwareTokenMfaConfiguration")["Enabled"] = false },
		parameter, "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."},
	{"passkeys as the only factor", off, set, func(r map[string]any) { r["MfaConfiguration"] = "OPTIONAL" },
		parameter, "SMS MFA, Email MFA, or Software Token MFA must be enabled"},
	{"MFA without a factor", off, set, func(r map[string]any) {
		r["MfaConfiguration"] = "OPTIONAL"
		delete(r, "WebAuthnConfiguration")
		r["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
	}, parameter, "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."},
}

func (r refusal) serve(t *testing.T, mode cognitotest.Mode, options ...cognitotest.Option) (fake, map[string]any) {
	t.Helper()
	f := rich(t, mode, r.pool, options...)
	request, setRequest := f.echo(t)
	switch r.call {
	case set:
		request = setRequest
	case setClient:
		f.PutRich(poolID)
		request = f.echoClient()
	}
	if r.request != nil {
		r.request(request)
	}
	return f, request
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, r := range refusals {
		for name, mode := range modes {
			t.Run(r.rule+"/"+r.call+"/"+name, func(t *testing.T) {
				t.Parallel()
				f, request := r.serve(t, mode)
				pool, mfa, _ := f.Pool(poolID)
				a := f.send(t, r.call, request)
				if a.status != http.StatusBadRequest || a.code() != r.code || !strings.Contains(a.text(), r.text) {
					t.Errorf("answered %d %s: %s, want %s: %s", a.status, a.code(), a.text(), r.code, r.text)
				}
				if got := a.header.Get("X-Amzn-Errortype"); got != r.code+":" {
					t.Errorf("the header says %q", got)
				}
				compare(t, f, pool, mfa)
				f, request = r.serve(t, mode, cognitotest.WithoutValidators())
				f.ok(t, r.call, request)
			})
		}
	}
}

// TestRefusalsCoverRules holds the rows against the table: each rule has one at least.
func TestRefusalsCoverRules(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range refusals {
		if !slices.Contains(names, r.rule) {
			names = append(names, r.rule)
		}
	}
	want := cognitotest.RuleNames()
	slices.Sort(names)
	slices.Sort(want)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("rules without a row (-table +rows):\n%s", diff)
	}
}

// TestTaken are changes that lie close to a refusal and are none.
func TestTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []refusal{
		{"unused days alone", func(p, _ map[string]any) {
			delete(in(p, "Policies", "PasswordPolicy"), "TemporaryPasswordValidityDays")
		}, update,
			func(r map[string]any) { in(r, "AdminCreateUserConfig")["UnusedAccountValidityDays"] = 9 }, "", ""},
		{"MFA ON with a factor", func(p, _ map[string]any) { factors(p, "PASSWORD", "WEB_AUTHN") }, update,
			func(r map[string]any) { r["MfaConfiguration"] = "ON" }, "", ""},
		{"MFA OPTIONAL beside codes", nil, update, nil, "", ""},
		{"default level names on LITE", lite, update,
			func(r map[string]any) { in(r, "AcrConfiguration", "Level2")["AcrValue"] = "urn:cognito:loa:2" }, "", ""},
		{"text messages through End User Messaging", nil, update, func(r map[string]any) {
			r["SmsConfiguration"] = map[string]any{"EumsSms": map[string]any{
				"CallerArn": "arn:aws:iam::111122223333:role/eums-sender"}}
		}, "", ""},
		{"no SMS block where there is no factor", off, set, nil, "", ""},
		{"no factor, MFA off", func(p, _ map[string]any) { p["AutoVerifiedAttributes"] = list("email") }, set,
			func(r map[string]any) {
				for name := range r {
					if name != "UserPoolId" {
						delete(r, name)
					}
				}
			}, "", ""},
		{"empty e-mail MFA block", nil, set, func(r map[string]any) { r["EmailMfaConfiguration"] = map[string]any{} }, "",
			""},
	} {
		for name, mode := range modes {
			t.Run(c.rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				f, request := c.serve(t, mode)
				f.ok(t, c.call, request)
			})
		}
	}
}
