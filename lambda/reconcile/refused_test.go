package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// mostTries is how many writes six requirements of one document may take, whichever of them are refused.
const mostTries = 12

// A wish is a requirement of one document, the live value that breaks it, and where its value stands in a body.
type wish struct {
	setting, required string
	weaken            func(pool map[string]any)
	has               func(body map[string]any) bool
}

// A plain wish is about one text or number.
func plain(setting, required string, weak any) wish {
	return wish{setting: setting, required: required,
		weaken: func(pool map[string]any) { put(pool, setting, weak) },
		has:    func(body map[string]any) bool { return fmt.Sprint(deep(body, setting)) == required }}
}

var wishes = []wish{
	plain("DeletionProtection", "ACTIVE", "INACTIVE"),
	plain("UserPoolAddOns.AdvancedSecurityMode", "ENFORCED", "AUDIT"),
	plain("Policies.PasswordPolicy.MinimumLength", "20", json.Number("8")),
	plain("AdminCreateUserConfig.AllowAdminCreateUserOnly", "true", false),
	plain("DeviceConfiguration.ChallengeRequiredOnNewDevice", "true", false),
	plain("EmailConfiguration.ReplyToEmailAddress", "security@example.com", "old@example.com"),
}

// refusals are answers that name nothing, or the wrong member.
var refusals = []struct{ code, message string }{
	{"InvalidParameterException", "Email address is not verified. The following identities failed the check"},
	{"InvalidParameterException", "Invalid lambda function ARN provided"},
	{"FeatureUnavailableInTierException", "This feature is not available in your current feature plan"},
	{"InvalidParameterException", "DeletionProtection and MinimumLength are fine"},
	{"AccessDeniedException", "not authorized to perform iam:PassRole"},
	{"NotAuthorizedException", ""},
}

// TestRejectedFixDoesNotBlockOthers: whichever of n requirements the service refuses, in whatever words, the others
// hold.
func TestRejectedFixDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, stop := start(t.Fatalf, cognitotest.Measured)
		defer stop()
		var text strings.Builder
		refused := map[string]bool{}
		answer := rapid.SampledFrom(refusals).Draw(t, "answer")
		b.rich(func(pool, _ map[string]any) {
			for _, w := range wishes {
				w.weaken(pool)
			}
		})
		for _, w := range wishes {
			parts := strings.Split(w.setting, ".")
			fmt.Fprintf(&text, "      %s: %s%s\n", strings.Join(parts, ": {"), w.required, strings.Repeat("}", len(parts)-1))
			refused[w.setting] = rapid.Bool().Draw(t, w.setting)
		}
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: answer.code, Message: answer.message,
			When: func(body map[string]any) bool {
				return slices.ContainsFunc(wishes, func(w wish) bool { return refused[w.setting] && w.has(body) })
			}})
		before := b.snapshot(t)
		required, err := baseline.Parse("test.yaml", []byte("version: 1\nrules:\n  - name: a\n    require:\n"+text.String()))
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.reconciler(required).Reconcile(t.Context(), onPool(event.Cause{}))
		if err != nil {
			t.Fatal(err)
		}
		moved := difference(before, b.snapshot(t))
		for _, w := range wishes {
			want := outcome.StateFixed
			if refused[w.setting] {
				want = outcome.StateUnfixable
			}
			if states(out)[w.setting] != want || slices.Contains(moved, w.setting) == refused[w.setting] {
				t.Fatalf("%s is %s, want %s: %s (%s)", w.setting, states(out)[w.setting], want, out.Outcome, out.Reason)
			}
		}
		if tries := len(b.writes()); tries > mostTries {
			t.Fatalf("%d writes were tried", tries)
		}
	})
}

// TestRefusedByTheService: what one of the service's own rules refuses is reported, and the other requirements hold.
func TestRefusedByTheService(t *testing.T) {
	t.Parallel()
	const pool, mfaMode = "DeletionProtection: ACTIVE, ", "MfaConfiguration: OPTIONAL, "
	const totp = "SoftwareTokenMfaConfiguration: {Enabled: true}, "
	for name, c := range map[string]struct {
		edit            func(pool, mfa map[string]any)
		fine, bad, says string // the requirement that holds, the one that is refused, and a word of the service
		refused         string // the setting
	}{
		"an identity that SES does not know": {unprotected, pool,
			"EmailConfiguration: {SourceArn: 'arn:aws:ses:eu-west-1:111122223333:identity/nobody.example'}",
			"not verified", "EmailConfiguration.SourceArn"},
		"a trigger that is no function": {unprotected, pool,
			"LambdaConfig: {PreSignUp: 'arn:aws:lambda:eu-west-1:111122223333:function:nobody'}",
			"Invalid lambda function ARN", "LambdaConfig.PreSignUp"},
		"a role that the caller may not pass": {unprotected, pool,
			"SmsConfiguration: {SnsCallerArn: 'arn:aws:iam::111122223333:role/nobody'}", "iam:PassRole",
			"SmsConfiguration.SnsCallerArn"},
		"recovery by phone beside SMS MFA": {unprotected, pool,
			"AccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_phone_number, Priority: 1}]}",
			"verified_phone_number", "AccountRecoverySetting.RecoveryMechanisms"},
		"passkeys of a site that is none": {edits(totpOnly("OFF"), mfaOff), mfaMode + totp,
			"WebAuthnConfiguration: {RelyingPartyId: nobody.example}", "Invalid parameter",
			"WebAuthnConfiguration.RelyingPartyId"},
	} {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, world)
				b.rich(c.edit)
				out := b.reconcile(t, parse(t, "version: 1\nrules: [{name: a, require: {"+c.fine+c.bad+"}}]"))
				got := states(out)
				fine, _, _ := strings.Cut(c.fine, ":")
				if out.Outcome != outcome.Partial || got[fine] != fixed || got[c.refused] != left ||
					!strings.Contains(out.Reason, c.says) {
					t.Errorf("%s (%s) %v", out.Outcome, out.Reason, got)
				}
			})
		}
	}
}

// TestRefusedOfAClient: the same of an app client.
func TestRefusedOfAClient(t *testing.T) {
	t.Parallel()
	flows := func(names ...any) map[string]any { return map[string]any{"ExplicitAuthFlows": list(names...)} }
	for name, c := range map[string]struct {
		has          map[string]any
		bad, refused string
	}{
		"the last URL to call back": {map[string]any{"CallbackURLs": list("https://a.example/c"), "DefaultRedirectURI": "",
			"AllowedOAuthFlows": list("code", "implicit")},
			"CallbackURLs: {absent: true}, AllowedOAuthFlows: {without: [implicit]}", "CallbackURLs"},
		"a validity out of range": {map[string]any{"TokenValidityUnits": map[string]any{"AccessToken": "hours"},
			"AccessTokenValidity": json.Number("2")}, "AccessTokenValidity: 60", "AccessTokenValidity"},
		"no refresh of tokens": {flows("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"),
			"ExplicitAuthFlows: {without: [ALLOW_REFRESH_TOKEN_AUTH]}", "ExplicitAuthFlows"},
		"openid without a user": {nil, "AllowedOAuthFlows: [client_credentials]", "AllowedOAuthFlows"},
	} {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, world)
				b.whole(nil)
				client := b.fake.Client(poolID, web)
				delete(client, "RefreshTokenRotation")
				for member, v := range c.has {
					client[member] = v
				}
				client["PreventUserExistenceErrors"] = "LEGACY"
				b.fake.PutClient(poolID, web, client)
				out := b.reconcile(t, parse(t, "version: 1\nrules: [{name: a, clients: [{names: ['web-*'], require: {"+
					"PreventUserExistenceErrors: ENABLED, AuthSessionValidity: 7, "+c.bad+"}}]}]"))
				for setting, state := range states(out) {
					want := fixed
					if strings.HasSuffix(setting, "."+c.refused) {
						want = left
					}
					if state != want {
						t.Errorf("%s is %s, want %s (%s)", setting, state, want, out.Reason)
					}
				}
				if out.Outcome != outcome.Partial {
					t.Errorf("%s (%s)", out.Outcome, out.Reason)
				}
			})
		}
	}
}

// TestTriedAgainAfterALaterUnit: a setting that is refused is tried again once a later unit wrote, and what that unit
// wrote is not reported as a change by others.
func TestTriedAgainAfterALaterUnit(t *testing.T) {
	t.Parallel()
	const action = "RiskConfiguration.AccountTakeoverRiskConfiguration.Actions.HighAction.EventAction"
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, mode)
			b.rich(nil)
			out := b.reconcile(t, require(t, noTextFactor+"\nPolicies: {PasswordPolicy: {MinimumLength: 20}}\n"+
				"RiskConfiguration: {AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: NO_ACTION}}}}"))
			want := map[string]outcome.State{"SmsMfaConfiguration": left, action: fixed,
				"Policies.PasswordPolicy.MinimumLength": fixed}
			if diff := cmp.Diff(want, states(out)); diff != "" || out.Outcome != outcome.Partial {
				t.Errorf("%s (%s), drifts (-want +got):\n%s", out.Outcome, out.Reason, diff)
			}
		})
	}
}
