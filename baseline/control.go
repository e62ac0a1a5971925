package baseline

import (
	"encoding/json"
	"slices"
)

// A Control is what others say of a setting: the checks that look at it, and what a change of it means beyond the pool.
type Control struct {
	Setting     string
	SecurityHub string   // id of the control
	ConfigRule  string   // name of the AWS Config managed rule
	Prowler     []string // names of the checks
	// Hazard is what a person should know before the setting is changed; Cost what it may add to the bill.
	Hazard, Cost string

	sound Requirement // what the checks ask of the setting; without an operator, it cannot be said of a value alone
}

// Controls returns the table, in the order of the settings. The caller must not change it.
func Controls() []Control { return controls }

// ControlsOf returns the rows about the setting at path, about what it lies in, and about what lies in it.
func ControlsOf(path string) []Control {
	var found []Control
	path = AnyClient(path)
	for _, c := range controls {
		if covers(c.Setting, path) || covers(path, c.Setting) {
			found = append(found, c)
		}
	}
	return found
}

// Costlier says whether a change from have to want may cost what the table says of the setting: it does not where a
// value gives way to none, or to one that the API lists before it. Want may be the text of an operator.
func Costlier(setting string, have, want any) bool {
	if Empty(want) {
		return false
	}
	m, _ := Lookup(setting)
	place := func(v any) int { return slices.IndexFunc(m.Enum, func(s string) bool { return s == v }) }
	return place(want) < 0 || place(want) > place(have)
}

const (
	passwordHub  = "Cognito.3"
	passwordRule = "cognito-user-pool-password-policy-check"
	plusCost     = "needs the plan PLUS, which is billed for each monthly active user"
)

func is(v any) Requirement { return Requirement{Op: Equal, Value: v} }

// controls has the ids as Security Hub, AWS Config and Prowler publish them.
var controls = []Control{
	{Setting: "Policies.PasswordPolicy.MinimumLength", sound: Requirement{Op: AtLeast, Value: json.Number("8")},
		SecurityHub: passwordHub, ConfigRule: passwordRule, Prowler: []string{
			"cognito_user_pool_password_policy_minimum_length_14"},
		Hazard: "counts for new passwords only; those in use stay"},
	{Setting: "Policies.PasswordPolicy.RequireUppercase", sound: is(true), SecurityHub: passwordHub,
		ConfigRule: passwordRule, Prowler: []string{"cognito_user_pool_password_policy_uppercase"}},
	{Setting: "Policies.PasswordPolicy.RequireLowercase", sound: is(true), SecurityHub: passwordHub,
		ConfigRule: passwordRule, Prowler: []string{"cognito_user_pool_password_policy_lowercase"}},
	{Setting: "Policies.PasswordPolicy.RequireNumbers", sound: is(true), SecurityHub: passwordHub,
		ConfigRule: passwordRule, Prowler: []string{"cognito_user_pool_password_policy_number"}},
	{Setting: "Policies.PasswordPolicy.RequireSymbols", sound: is(true), SecurityHub: passwordHub,
		ConfigRule: passwordRule, Prowler: []string{"cognito_user_pool_password_policy_symbol"}},
	{Setting: "Policies.PasswordPolicy.TemporaryPasswordValidityDays",
		sound: Requirement{Op: AtMost, Value: json.Number("7")}, SecurityHub: passwordHub, ConfigRule: passwordRule,
		Prowler: []string{"cognito_user_pool_temporary_password_expiration"}},
	{Setting: "DeletionProtection", sound: is("ACTIVE"), SecurityHub: "Cognito.6",
		ConfigRule: "cognito-user-pool-deletion-protection-enabled",
		Prowler:    []string{"cognito_user_pool_deletion_protection_enabled"},
		Hazard:     "a pool has to be set INACTIVE before anybody, CloudFormation included, can delete it"},
	{Setting: "LambdaConfig",
		Hazard: "a trigger that is attached needs a permission in its function's policy, which is not changed with it"},
	{Setting: "AdminCreateUserConfig.AllowAdminCreateUserOnly", Prowler: []string{
		"cognito_user_pool_self_registration_disabled"}, Hazard: "true closes self-registration for everybody"},
	{Setting: "UserPoolAddOns.AdvancedSecurityMode", sound: is("ENFORCED"), SecurityHub: "Cognito.1",
		ConfigRule: "cognito-user-pool-advanced-security-enabled",
		Prowler:    []string{"cognito_user_pool_advanced_security_enabled"}, Cost: plusCost,
		Hazard: "ENFORCED blocks nothing until a risk configuration says what to block"},
	{Setting: "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", sound: is("ENFORCED"),
		SecurityHub: "Cognito.4", ConfigRule: "cognito-userpool-cust-auth-threat-full-check", Cost: plusCost},
	{Setting: "UserPoolTier", Cost: "a higher plan is billed for each monthly active user"},
	{Setting: "IssuerConfiguration.Type", Hazard: "changes the iss claim of every token, which applications check"},
	{Setting: "MfaConfiguration", sound: Requirement{Op: OneOf, Value: []any{"ON", "OPTIONAL"}}, SecurityHub: "Cognito.5",
		ConfigRule: "cognito-user-pool-mfa-enabled", Prowler: []string{"cognito_user_pool_mfa_enabled"},
		Hazard: "ON locks out users who have no factor until they set one up; it needs a factor to be enabled"},
	{Setting: "RiskConfiguration", Hazard: "a client with a configuration of its own does not follow the pool's",
		Cost: plusCost},
	{Setting: "RiskConfiguration.CompromisedCredentialsRiskConfiguration",
		Prowler: []string{"cognito_user_pool_blocks_compromised_credentials_sign_in_attempts"}},
	{Setting: "RiskConfiguration.AccountTakeoverRiskConfiguration.Actions",
		Prowler: []string{"cognito_user_pool_blocks_potential_malicious_sign_in_attempts"},
		Hazard:  "BLOCK at low risk turns away many who are no strangers"},
	{Setting: "LogConfigurations.userAuthEvents", Cost: plusCost + "; where the events go is billed too"},
	{Setting: "Clients[].ExplicitAuthFlows",
		Hazard: "an application that signs in by a flow that is taken away cannot sign in any more"},
	{Setting: "Clients[].CallbackURLs", Hazard: "a sign-in cannot return to a URL that is taken away"},
	{Setting: "Clients[].PreventUserExistenceErrors", sound: is("ENABLED"),
		Prowler: []string{"cognito_user_pool_client_prevent_user_existence_errors"}},
	{Setting: "Clients[].EnableTokenRevocation", sound: is(true),
		Prowler: []string{"cognito_user_pool_client_token_revocation_enabled"}},
}

// Checks returns the ids of the checks of a row, each with the name of who checks: "Security Hub Cognito.6".
func (c Control) Checks() []string {
	var checks []string
	if c.SecurityHub != "" {
		checks = append(checks, "Security Hub "+c.SecurityHub)
	}
	if c.ConfigRule != "" {
		checks = append(checks, "AWS Config "+c.ConfigRule)
	}
	for _, p := range c.Prowler {
		checks = append(checks, "Prowler "+p)
	}
	return checks
}
