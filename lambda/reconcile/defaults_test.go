package reconcile_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// serviceDefaults are what the service may show after a write where nothing was set.
var serviceDefaults = []struct {
	of    string // "pool", "mfa" or "client"
	path  string
	value any
}{
	{"pool", "EmailConfiguration.EmailSendingAccount", "COGNITO_DEFAULT"},
	{"pool", "VerificationMessageTemplate.DefaultEmailOption", "CONFIRM_WITH_CODE"},
	{"pool", "Policies.SignInPolicy.AllowedFirstAuthFactors", list("PASSWORD")},
	{"pool", "UserPoolTier", "ESSENTIALS"},
	{"pool", "DeletionProtection", "INACTIVE"},
	{"pool", "MfaConfiguration", "OFF"},
	{"pool", "UserPoolAddOns.AdvancedSecurityMode", "OFF"},
	{"pool", "KeyConfiguration.KeyType", "AWS_OWNED_KEY"},
	{"pool", "IssuerConfiguration.Type", "ORIGINAL"},
	{"pool", "UserPoolTags", map[string]any{}},
	{"pool", "LambdaConfig", map[string]any{}},
	{"pool", "AutoVerifiedAttributes", list()},
	{"pool", "AdminCreateUserConfig.AllowAdminCreateUserOnly", false},
	{"pool", "AcrConfiguration", map[string]any{"Level1": map[string]any{"AcrValue": "urn:cognito:loa:1"},
		"Level2": map[string]any{"AcrValue": "urn:cognito:loa:2"}}},
	{"mfa", "MfaConfiguration", "OFF"},
	{"mfa", "SoftwareTokenMfaConfiguration.Enabled", false},
	{"client", "RefreshTokenRotation", map[string]any{"Feature": "DISABLED", "RetryGracePeriodSeconds": json.Number("0")}},
	{"client", "TokenValidityUnits", map[string]any{"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"}},
	{"client", "PreventUserExistenceErrors", "LEGACY"},
	{"client", "AuthSessionValidity", json.Number("3")},
	{"client", "AllowedOAuthFlowsUserPoolClient", false},
	{"client", "EnablePropagateAdditionalUserContextData", false},
	{"client", "CallbackURLs", list()},
}

// TestServiceDefaultsAreNotReportedAsMoved: whichever defaults the service shows only after a write, nothing has moved,
// the run has remediated, and the next one has nothing to do.
func TestServiceDefaultsAreNotReportedAsMoved(t *testing.T) {
	t.Parallel()
	required := parse(t, `version: 1
rules:
  - name: a
    require:
      Policies: {PasswordPolicy: {MinimumLength: 12}}
      UserPoolAddOns: {absent: true}
      VerificationMessageTemplate: {exactly: {SmsMessage: "Code {####}"}}
      AccountRecoverySetting: {RecoveryMechanisms: [{Priority: 1, Name: verified_email}]}
    clients: [{names: [web], require: {EnableTokenRevocation: true, RefreshTokenRotation: {absent: true},
      AllowedOAuthFlows: {without: [implicit]}}}]
`)
	rapid.Check(t, func(t *rapid.T) {
		b, stop := start(t.Fatalf, rapid.SampledFrom([]cognitotest.Mode{cognitotest.Contract, cognitotest.Measured}).
			Draw(t, "mode"))
		defer stop()
		pool := map[string]any{"Id": poolID, "Name": "a", "SmsVerificationMessage": "Code {####}",
			"Policies": map[string]any{"PasswordPolicy": map[string]any{"MinimumLength": json.Number("8"),
				"TemporaryPasswordValidityDays": json.Number("7")}},
			"VerificationMessageTemplate": map[string]any{"SmsMessage": "Code {####}"}}
		documents := map[string]map[string]any{"pool": pool, "mfa": {},
			"client": {"UserPoolId": poolID, "ClientId": "1web", "ClientName": "web", "RefreshTokenValidity": json.Number("30"),
				"EnableTokenRevocation": false, "ExplicitAuthFlows": list("ALLOW_REFRESH_TOKEN_AUTH")}}
		later := map[string]map[string]any{"pool": {}, "mfa": {}, "client": {}}
		for _, d := range serviceDefaults {
			when := rapid.SampledFrom([]string{"before", "after", "never"}).Draw(t, d.of+" "+d.path)
			into := map[string]map[string]any{"before": documents[d.of], "after": later[d.of]}[when]
			if into != nil {
				keys := strings.Split(d.path, ".")
				object(into, keys[:len(keys)-1]...)[keys[len(keys)-1]] = d.value
			}
		}
		b.fake.Put(poolID, pool, documents["mfa"])
		b.fake.PutClient(poolID, "1web", documents["client"])
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: func(pool, mfa map[string]any) {
			adopt(pool, later["pool"])
			adopt(mfa, later["mfa"])
		}})
		b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPoolClient", Then: func(s *cognitotest.Server) {
			client := s.Client(poolID, "1web")
			if client["EnableTokenRevocation"] == true {
				adopt(client, later["client"])
				s.PutClient(poolID, "1web", client)
			}
		}})
		run := func() outcome.Outcome {
			out, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if out := run(); out.Outcome != outcome.Remediated {
			t.Fatalf("%s (%s)", out.Outcome, out.Reason)
		}
		if out := run(); out.Outcome != outcome.Unchanged {
			t.Fatalf("again: %s (%s), %v", out.Outcome, out.Reason, out.Drifts)
		}
	})
}

// adopt adds what an object lacks.
func adopt(object, more map[string]any) {
	for name, v := range more {
		inner, isObject := object[name].(map[string]any)
		if below, ok := v.(map[string]any); ok && isObject {
			adopt(inner, below)
		} else if object[name] == nil {
			object[name] = v
		}
	}
}
