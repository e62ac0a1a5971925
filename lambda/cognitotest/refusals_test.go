package cognitotest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
)

// A refusal is a pool, a change of the echo of one call, and what the service says to it.
type refusal struct {
	rule    string // the name of the rule that refuses
	call    string
	pool    string // patch of the rich pool
	request string // patch of the echo
	says    string
}

const (
	off = `{"pool": {"MfaConfiguration": "OFF"}, "mfa": {"MfaConfiguration": "OFF", "SmsMfaConfiguration": null,
		"EmailMfaConfiguration": null, "SoftwareTokenMfaConfiguration": null}}`
	// lite is a pool of the cheapest plan, with nothing that needs another.
	lite = `{"pool": {"UserPoolTier": "LITE", "UserPoolAddOns": {"AdvancedSecurityMode": "OFF"}, "AcrConfiguration": null,
		"DcrConfiguration": {"EnableStatus": "Disabled"}, "Policies": {"SignInPolicy":
		{"AllowedFirstAuthFactors": ["PASSWORD"]}}}, "mfa": {"EmailMfaConfiguration": null}}`
	passwordOnly = `{"pool": {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}}}`
	passkeys     = `{"pool": {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}}}}`
	noPlan       = "FeatureUnavailableInTierException: This feature is not available in your current feature plan"
	recoverBy    = `{"AccountRecoverySetting": {"RecoveryMechanisms": [%s]}}`
)

// refusals are those that no fact of package conformance has.
var refusals = []refusal{
	{"phone_number verified without a sender", set, passwordOnly, `{"SmsMfaConfiguration": null}`,
		"SMS configuration is required when phone_number is selected for auto verification"},
	{"a feature on LITE", update, lite, `{"AcrConfiguration": {"Level1": {"AcrValue": "urn:ours:low"}}}`, noPlan},
	{"a feature on LITE", set, lite, `{"EmailMfaConfiguration": {}}`, noPlan},
	{"two recovery mechanisms of one priority", update, "", fmt.Sprintf(recoverBy,
		`{"Name": "verified_email", "Priority": 1}, {"Name": "verified_phone_number", "Priority": 1}`), "priority"},
	{"recovery by phone alone beside SMS MFA", update, "",
		fmt.Sprintf(recoverBy, `{"Name": "verified_phone_number", "Priority": 1}`),
		"Account Recovery Setting cannot use verified_phone_number"},
	{"a trigger that is no function", update, "",
		`{"LambdaConfig": {"PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:nobody"}}`,
		"Invalid lambda function ARN provided"},
	{"sender of text messages not exactly one", update, "", `{"SmsConfiguration": {"SnsCallerArn": null}}`, "EumsSms"},
	{"a role that the caller may not pass", update, "",
		`{"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::111122223333:role/nobody"}}`,
		"AccessDeniedException: not authorized to perform: iam:PassRole"},
	{"an identity that SES does not know", update, "",
		`{"EmailConfiguration": {"SourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/nobody.example"}}`,
		"Email address is not verified. The following identities failed the check in region EU-WEST-1"},
	{"passkeys of a site that is none", set, "", `{"WebAuthnConfiguration": {"RelyingPartyId": "nobody.example"}}`,
		"Invalid parameter given"},
	{"no refresh of tokens any more", setClient, "", `{"ClientId": "mobile", "RefreshTokenRotation": null}`,
		"REFRESH_TOKEN_AUTH should always be allowed"},
	{"rotation beside the refresh flow", setClient, "", `{"ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]}`, "rotation"},
	{"a grant without a callback", setClient, "", `{"CallbackURLs": null, "DefaultRedirectURI": null}`,
		"InvalidOAuthFlowException: CallbackUrls can not be empty"},
	{"client credentials beside another grant", setClient, "", `{"AllowedOAuthFlows": ["code", "client_credentials"]}`,
		"InvalidOAuthFlowException: client_credentials"},
	{"openid without a user", setClient, "", `{"AllowedOAuthFlows": ["client_credentials"]}`,
		"ScopeDoesNotExistException: openid is not supported with client_credentials flow"},
	{"a secret that is not there", setClient, `{"client": {"ClientSecret": null}}`,
		`{"PublishSecretsInAWSSecretsManager": true}`, "requires a client secret"},
	{"a validity out of range", setClient, "", `{"AccessTokenValidity": 4}`, "Invalid range for token validity"},
}

// TestRefusals: each rule refuses in both worlds, changes nothing, and is what refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, r := range refusals {
		for name, mode := range modes {
			t.Run(r.rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				r.check(t, mode)
				f := rich(t, mode, r.pool, cognitotest.WithoutValidators())
				request := f.echo(t, r.call)
				patch(t, request, r.request)
				f.ok(t, r.call, request)
			})
		}
	}
}

func (r refusal) check(t *testing.T, mode cognitotest.Mode) {
	t.Helper()
	f := rich(t, mode, r.pool)
	request := f.echo(t, r.call)
	patch(t, request, r.request)
	before := f.state()
	a := f.send(t, r.call, request)
	code, text := parameter, r.says
	if name, rest, ok := strings.Cut(r.says, "Exception: "); ok {
		code, text = name+"Exception", rest
	}
	if a.status != http.StatusBadRequest || a.code() != code || !strings.Contains(a.says(), text) {
		t.Errorf("answered %d %s, want %q", a.status, a.says(), r.says)
	}
	if got := a.header.Get("X-Amzn-Errortype"); got != code+":" {
		t.Errorf("the header says %q", got)
	}
	if diff := cmp.Diff(before, f.state()); diff != "" {
		t.Errorf("a refused call changed (-before +after):\n%s", diff)
	}
}

// TestValidation breaks one limit of each kind in an echo.
func TestValidation(t *testing.T) {
	t.Parallel()
	const shape = "SerializationException: "
	for i, r := range []refusal{
		{"number too small", update, "", `{"Policies": {"PasswordPolicy": {"MinimumLength": 5}}}`,
			"1 validation error detected: Value '5' at 'policies.passwordPolicy.minimumLength' failed to satisfy " +
				"constraint: Member must have value greater than or equal to 6"},
		{"number too large", update, "", `{"Policies": {"PasswordPolicy": {"PasswordHistorySize": 25}}}`,
			"at 'policies.passwordPolicy.passwordHistorySize' failed to satisfy constraint: Member must have value less " +
				"than or equal to 24"},
		{"text for a number", update, "", `{"Policies": {"PasswordPolicy": {"MinimumLength": "8"}}}`, shape},
		{"number for a text", update, "", `{"SmsAuthenticationMessage": 1}`, shape},
		{"unknown value", update, "", `{"DeletionProtection": "active"}`,
			"Value 'active' at 'deletionProtection' failed to satisfy constraint: Member must satisfy enum value set"},
		{"empty text", update, "", `{"EmailConfiguration": {"From": ""}}`, "greater than or equal to 1"},
		{"short text", update, "", `{"SmsAuthenticationMessage": "{####"}`, "length greater than or equal to 6"},
		{"long text", update, "", `{"SmsAuthenticationMessage": "{####}` + strings.Repeat("é", 135) + `"}`,
			"length less than or equal to 140"},
		{"long list", update, "", `{"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "PASSWORD",
			"PASSWORD", "PASSWORD", "PASSWORD", "PASSWORD"]}}}`, "length less than or equal to 5"},
		{"unknown value in a list", update, "", `{"AutoVerifiedAttributes": ["email", "name"]}`,
			"autoVerifiedAttributes.2.member"},
		{"required member missing", update, "", `{"LambdaConfig": {"CustomSMSSender": {"LambdaVersion": null}}}`,
			"Value null at 'lambdaConfig.customSMSSender.lambdaVersion' failed to satisfy constraint: Member must not be null"},
		{"empty object", update, "", `{"UserPoolAddOns": {}}`, "userPoolAddOns"},
		{"long tag key", update, "", `{"UserPoolTags": {"` + strings.Repeat("k", 129) + `": "x"}}`, "128"},
		{"too many tags", update, "", tags(51), "50"},
		{"read-only member", update, "", `{"Arn": "arn"}`, "Arn"},
		{"name of the read call", update, "", `{"Name": "customers"}`, "Name"},
		{"notifications to a bucket", setLogs, "", `{"LogConfigurations": [{"EventSource": "userNotification",
			"LogLevel": "ERROR", "S3Configuration": {"BucketArn": "arn:aws:s3:::logs"}}]}`, "CloudWatch Logs"},
		{"user events of another level", setLogs, "",
			`{"LogConfigurations": [{"EventSource": "userAuthEvents", "LogLevel": "ERROR"}]}`, "logLevel"},
		{"one source twice", setLogs, "", `{"LogConfigurations": [{"EventSource": "userAuthEvents", "LogLevel": "INFO"},
			{"EventSource": "userAuthEvents", "LogLevel": "INFO"}]}`, "Duplicate"},
		{"a source that is none", setLogs, "", `{"LogConfigurations": [{"EventSource": "others", "LogLevel": "INFO"}]}`,
			"enum value set"},
		{"a client that is gone", setClient, "", `{"ClientId": "gone"}`, "ResourceNotFoundException: User pool client"},
	} {
		t.Run(fmt.Sprintf("%d %s", i, r.rule), func(t *testing.T) {
			t.Parallel()
			r.check(t, cognitotest.Contract)
		})
	}
}

// TestTaken are changes that lie close to a refusal and are none.
func TestTaken(t *testing.T) {
	t.Parallel()
	for _, r := range []refusal{
		{"unused days alone", update,
			`{"pool": {"Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": null}}}}`,
			`{"AdminCreateUserConfig": {"UnusedAccountValidityDays": 9}}`, ""},
		{"MFA ON with a factor", update, passkeys, `{"MfaConfiguration": "ON"}`, ""},
		{"default level names on LITE", update, lite,
			`{"AcrConfiguration": {"Level2": {"AcrValue": "urn:cognito:loa:2"}}}`, ""},
		{"End User Messaging", update, "", `{"SmsConfiguration": {"SnsCallerArn": null,
			"EumsSms": {"CallerArn": "arn:aws:iam::111122223333:role/eums-sender"}}}`, ""},
		{"no SMS block where there is no factor", set, off, "", ""},
		{"empty e-mail MFA block", set, "", `{"EmailMfaConfiguration": {}}`, ""},
		{"tag without a value", update, "", `{"UserPoolTags": {"empty": ""}}`, ""},
		{"fifty tags", update, `{"pool": {"UserPoolTags": null}}`, tags(50), ""},
		{"empty device", update, "", `{"DeviceConfiguration": {}}`, ""},
		{"unknown members", update, "", `{"Newest": 2, "EmailConfiguration": {"Newest": 1}}`, ""},
	} {
		for name, mode := range modes {
			t.Run(r.rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				f := rich(t, mode, r.pool)
				request := f.echo(t, r.call)
				patch(t, request, r.request)
				f.ok(t, r.call, request)
			})
		}
	}
}

func tags(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"key%d": "value"`, i))
	}
	return `{"UserPoolTags": {` + strings.Join(all, ", ") + `}}`
}
