package reconcile_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
)

// A posture is a pool, its risk configuration and one of its clients, as the API shows them.
type posture struct{ pool, mfa, risk, client map[string]any }

// checks says of each check of others, by id, when a pool passes it.
var checks = map[string]func(p posture) bool{
	"Cognito.1": func(p posture) bool { return deep(p.pool, "UserPoolAddOns.AdvancedSecurityMode") == "ENFORCED" },
	"Cognito.3": func(p posture) bool {
		policy, _ := deep(p.pool, "Policies.PasswordPolicy").(map[string]any)
		return whole8(policy) && atMost(policy["TemporaryPasswordValidityDays"], 7)
	},
	"Cognito.4": func(p posture) bool {
		return deep(p.pool, "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode") == "ENFORCED"
	},
	"Cognito.5": func(p posture) bool { return p.mfa["MfaConfiguration"] == "ON" },
	"Cognito.6": func(p posture) bool { return p.pool["DeletionProtection"] == "ACTIVE" },

	"cognito-user-pool-advanced-security-enabled": func(p posture) bool { return deep(p.pool, "UserPoolAddOns.AdvancedSecurityMode") == "ENFORCED" },
	"cognito-user-pool-password-policy-check": func(p posture) bool {
		policy, _ := deep(p.pool, "Policies.PasswordPolicy").(map[string]any)
		return whole8(policy)
	},
	"cognito-userpool-cust-auth-threat-full-check": func(p posture) bool {
		return deep(p.pool, "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode") == "ENFORCED"
	},
	"cognito-user-pool-mfa-enabled":                 func(p posture) bool { return p.mfa["MfaConfiguration"] == "ON" },
	"cognito-user-pool-deletion-protection-enabled": func(p posture) bool { return p.pool["DeletionProtection"] == "ACTIVE" },

	"cognito_user_pool_advanced_security_enabled":   func(p posture) bool { return deep(p.pool, "UserPoolAddOns.AdvancedSecurityMode") == "ENFORCED" },
	"cognito_user_pool_deletion_protection_enabled": func(p posture) bool { return p.pool["DeletionProtection"] == "ACTIVE" },
	"cognito_user_pool_mfa_enabled":                 func(p posture) bool { return p.mfa["MfaConfiguration"] == "ON" },
	"cognito_user_pool_password_policy_minimum_length_14": func(p posture) bool {
		return !atMost(deep(p.pool, "Policies.PasswordPolicy.MinimumLength"), 13)
	},
	"cognito_user_pool_password_policy_lowercase": func(p posture) bool { return deep(p.pool, "Policies.PasswordPolicy.RequireLowercase") == true },
	"cognito_user_pool_password_policy_uppercase": func(p posture) bool { return deep(p.pool, "Policies.PasswordPolicy.RequireUppercase") == true },
	"cognito_user_pool_password_policy_number":    func(p posture) bool { return deep(p.pool, "Policies.PasswordPolicy.RequireNumbers") == true },
	"cognito_user_pool_password_policy_symbol":    func(p posture) bool { return deep(p.pool, "Policies.PasswordPolicy.RequireSymbols") == true },
	"cognito_user_pool_temporary_password_expiration": func(p posture) bool {
		return atMost(deep(p.pool, "Policies.PasswordPolicy.TemporaryPasswordValidityDays"), 7)
	},
	"cognito_user_pool_self_registration_disabled": func(p posture) bool { return deep(p.pool, "AdminCreateUserConfig.AllowAdminCreateUserOnly") == true },
	"cognito_user_pool_blocks_compromised_credentials_sign_in_attempts": func(p posture) bool {
		events, _ := deep(p.risk, "CompromisedCredentialsRiskConfiguration.EventFilter").([]any)
		return deep(p.pool, "UserPoolAddOns.AdvancedSecurityMode") == "ENFORCED" && slices.Contains(events, any("SIGN_IN")) &&
			deep(p.risk, "CompromisedCredentialsRiskConfiguration.Actions.EventAction") == "BLOCK"
	},
	"cognito_user_pool_blocks_potential_malicious_sign_in_attempts": func(p posture) bool {
		for _, level := range []string{"Low", "Medium", "High"} {
			if deep(p.risk, "AccountTakeoverRiskConfiguration.Actions."+level+"Action.EventAction") != "BLOCK" {
				return false
			}
		}
		return deep(p.pool, "UserPoolAddOns.AdvancedSecurityMode") == "ENFORCED"
	},
	"cognito_user_pool_client_prevent_user_existence_errors": func(p posture) bool { return p.client["PreventUserExistenceErrors"] == "ENABLED" },
	"cognito_user_pool_client_token_revocation_enabled":      func(p posture) bool { return p.client["EnableTokenRevocation"] == true },
}

func deep(object map[string]any, path string) any {
	var v any = object
	for _, key := range strings.Split(path, ".") {
		inner, _ := v.(map[string]any)
		v = inner[key]
	}
	return v
}

func atMost(v any, most int64) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	i, err := n.Int64()
	return err == nil && i <= most
}

func whole8(policy map[string]any) bool {
	for _, class := range []string{"RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols"} {
		if policy[class] != true {
			return false
		}
	}
	return !atMost(policy["MinimumLength"], 7)
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

// TestStrict brings a pool that passes none of the checks to the strict example, and then it passes them all. Each check that the table of controls names is among them.
func TestStrict(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	pool := tree(t, `{"UserPoolTier":"LITE","MfaConfiguration":"OFF","DeletionProtection":"INACTIVE","UserPoolTags":{"team":"a"},
		"Policies":{"PasswordPolicy":{"MinimumLength":6,"TemporaryPasswordValidityDays":90},"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD"]}}}`)
	b.fake.Put(poolID, pool, map[string]any{"MfaConfiguration": "OFF"})
	client := map[string]any{"ClientName": "lax", "PreventUserExistenceErrors": "LEGACY", "RefreshTokenValidity": json.Number("30"), "AuthSessionValidity": json.Number("3"),
		"ExplicitAuthFlows": list("ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"), "AllowedOAuthFlows": list("code", "implicit")}
	b.fake.PutClient(poolID, "lax", client)
	look := func() posture {
		var p posture
		p.pool, p.mfa, _ = b.fake.Pool(poolID)
		p.risk, p.client = b.fake.Risk(poolID, ""), b.fake.Client(poolID, "lax")
		return p
	}
	for id, passes := range checks {
		if passes(look()) {
			t.Errorf("the weak pool passes %s", id)
		}
	}
	out := b.reconcile(t, strict(t))
	if out.Outcome != reconcile.Remediated {
		t.Fatalf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
	}
	for id, passes := range checks {
		if !passes(look()) {
			t.Errorf("the strict pool fails %s", id)
		}
	}
	if flows := look().client["ExplicitAuthFlows"].([]any); !slices.Equal(flows, list("ALLOW_USER_SRP_AUTH")) {
		t.Errorf("flows are %v", flows)
	}
	for _, c := range baseline.Controls() {
		for _, id := range append([]string{c.SecurityHub, c.ConfigRule}, c.Prowler...) {
			if id != "" && checks[id] == nil {
				t.Errorf("no check %s", id)
			}
		}
	}
}
