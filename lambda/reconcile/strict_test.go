package reconcile_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

const (
	passwordChecks = "Cognito.3 cognito-user-pool-password-policy-check cognito_user_pool_"
	stolen         = "cognito_user_pool_blocks_compromised_credentials_sign_in_attempts"
	malicious      = "cognito_user_pool_blocks_potential_malicious_sign_in_attempts"
	takeover       = "RiskConfiguration.AccountTakeoverRiskConfiguration"
	ofLaxer        = "Clients[laxer]."
	policy         = "Policies.PasswordPolicy."
)

// asked are the values that checks ask for: those of Security Hub, of AWS Config, whose rules they are, and of Prowler.
var asked = []struct {
	checks string
	path   string
	want   string // JSON
	fails  []any  // what fails the checks, each alone, in a pool that is strict otherwise
}{
	{"Cognito.1 cognito-user-pool-advanced-security-enabled cognito_user_pool_advanced_security_enabled " + stolen + " " +
		malicious, threat, `"ENFORCED"`, list("AUDIT", "OFF", nil)},
	{passwordChecks + "password_policy_lowercase", policy + "RequireLowercase", "true", list(false, nil)},
	{passwordChecks + "password_policy_uppercase", policy + "RequireUppercase", "true", list(false, nil)},
	{passwordChecks + "password_policy_number", policy + "RequireNumbers", "true", list(false, nil)},
	{passwordChecks + "password_policy_symbol", policy + "RequireSymbols", "true", list(false, nil)},
	{passwordChecks + "password_policy_minimum_length_14", policy + "MinimumLength", "14", list(json.Number("13"))},
	{passwordChecks + "temporary_password_expiration", days, "7", list(json.Number("8"))},
	{"Cognito.4 cognito-userpool-cust-auth-threat-full-check",
		"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", `"ENFORCED"`, list("AUDIT", nil)},
	{"Cognito.5 cognito-user-pool-mfa-enabled cognito_user_pool_mfa_enabled", "MfaConfiguration", `"ON"`, list("OFF")},
	{"Cognito.6 cognito-user-pool-deletion-protection-enabled cognito_user_pool_deletion_protection_enabled", protected,
		`"ACTIVE"`, list("INACTIVE", nil)},
	{"cognito_user_pool_self_registration_disabled", "AdminCreateUserConfig.AllowAdminCreateUserOnly", "true",
		list(false, nil)},
	{stolen, "RiskConfiguration.CompromisedCredentialsRiskConfiguration.EventFilter",
		`["SIGN_IN","PASSWORD_CHANGE","SIGN_UP"]`, list(list("SIGN_UP"), nil)},
	{stolen, riskAction, `"BLOCK"`, list("NO_ACTION")},
	{stolen, "RiskConfiguration.CompromisedCredentialsRiskConfiguration", "", list(nil)},
	{malicious, takeover + ".Actions.LowAction.EventAction", `"BLOCK"`, list("MFA_REQUIRED")},
	{malicious, takeover + ".Actions.MediumAction", "", list(nil)},
	{malicious, takeover + ".Actions.HighAction.EventAction", `"BLOCK"`, list("NO_ACTION")},
	{malicious, takeover, "", list(nil)},
	{"cognito_user_pool_client_prevent_user_existence_errors", ofLaxer + "PreventUserExistenceErrors", `"ENABLED"`,
		list("LEGACY", nil)},
	{"cognito_user_pool_client_token_revocation_enabled", ofLaxer + "EnableTokenRevocation", "true", list(false, nil)},
}

// strict is the baseline that ships with its strict example made a rule.
func strict(t *testing.T) *baseline.Baseline {
	t.Helper()
	var text strings.Builder
	in := false
	for line := range strings.Lines(string(baseline.Default())) {
		bare := strings.TrimPrefix(line, "#")
		switch {
		case strings.HasPrefix(bare, "  - name: strict"):
			in = true
		case in && !strings.HasPrefix(bare, "    "):
			in = false
		}
		if in {
			line = bare
		}
		text.WriteString(line)
	}
	return parse(t, text.String())
}

// lax plants a pool that passes no check, with two clients.
func (b *bench) lax(t *testing.T) {
	t.Helper()
	b.rich(func(pool, mfa map[string]any) {
		clear(pool)
		clear(mfa)
		sets("UserPoolTier", "LITE", "MfaConfiguration", "OFF", "mfa:MfaConfiguration", "OFF", protected, "INACTIVE",
			"UserPoolTags.team", "a", policy+"MinimumLength", json.Number("6"), days, json.Number("90"), factors,
			list("PASSWORD"))(pool, mfa)
	})
	b.clients = []string{"lax", "laxer"}
	for _, id := range b.clients {
		b.fake.PutClient(poolID, id, map[string]any{"ClientName": id, "PreventUserExistenceErrors": "LEGACY",
			"RefreshTokenValidity": json.Number("30"), "AuthSessionValidity": json.Number("3"),
			"ExplicitAuthFlows": list("ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"),
			"AllowedOAuthFlows": list("code", "implicit"),
			"CallbackURLs":      list("https://app.example.com/callback")})
	}
}

// TestStrict brings a pool that passes none of the checks to the strict example, and then it passes them all. So it
// does after each thing alone that fails one.
func TestStrict(t *testing.T) {
	t.Parallel()
	required := strict(t)
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, mode)
			b.lax(t)
			weak := b.snapshot(t)
			if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
				t.Fatalf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
			}
			strong := b.snapshot(t)
			for _, c := range asked {
				for _, path := range []string{c.path, strings.Replace(c.path, "laxer", "lax", 1)} {
					if strong[path] != c.want || c.want != "" && weak[path] == c.want {
						t.Errorf("%s is %s, was %s, want %s", path, strong[path], weak[path], c.want)
					}
				}
				for _, v := range c.fails {
					if b.set(c.path, v); v == "OFF" && c.path == "MfaConfiguration" {
						b.fake.Edit(poolID, mfaOff)
					}
					if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
						t.Errorf("%s = %v: %s (%s)", c.path, v, out.Outcome, out.Reason)
					}
					if diff := cmp.Diff(strong, b.snapshot(t)); diff != "" {
						t.Errorf("%s = %v stays (-want +got):\n%s", c.path, v, diff)
					}
				}
			}
			if got := strong[ofLaxer+"ExplicitAuthFlows"]; got != `["ALLOW_USER_SRP_AUTH"]` {
				t.Errorf("flows are %s", got)
			}
		})
	}
}

// TestStrictKnowsEveryCheck: the strict example is tested with every check in the table of controls, and with no other.
func TestStrictKnowsEveryCheck(t *testing.T) {
	t.Parallel()
	named, tested := map[string]bool{}, map[string]bool{}
	for _, c := range baseline.Controls() {
		for _, id := range []string{c.SecurityHub, c.ConfigRule, c.Prowler} {
			named[id] = true
		}
	}
	for _, c := range asked {
		for _, id := range strings.Fields(c.checks) {
			tested[id] = true
		}
	}
	delete(named, "")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(tested)), slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("(-tested +named by the table of controls):\n%s", diff)
	}
}
