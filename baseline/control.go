package baseline

import (
	"encoding/json"
	"slices"
)

// A Control describes a setting from the outside: the public checks that cover it, and the side effects of a change.
type Control struct {
	Setting     string
	SecurityHub string // id of the control
	ConfigRule  string // name of the AWS Config managed rule
	Prowler     string // name of the check
	// Hazard is a warning to read before the setting is changed. Cost is what a change may add to the bill.
	Hazard, Cost string

	sound Requirement // the value that the checks require; no operator: it depends on other settings
}

// Controls returns the table, in the order of the settings. The caller must not change it.
func Controls() []Control { return controls }

// ControlsOf returns the rows for the setting at path, for the objects around it, and for the settings inside it.
func ControlsOf(path string) []Control {
	path = AnyClient(path)
	return slices.DeleteFunc(slices.Clone(controls), func(c Control) bool {
		return !Covers(c.Setting, path) && !Covers(path, c.Setting)
	})
}

// Costlier reports whether a change from have to want may cause the cost in the table. It does not if the value is
// removed or changed to one that the API lists earlier. Want may be the text of an operator.
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
	plusCost     = "needs UserPoolTier PLUS, which is billed for each monthly active user"
)

func password(name string, sound Requirement, prowler string) Control {
	return Control{Setting: "Policies.PasswordPolicy." + name, sound: sound, SecurityHub: passwordHub,
		ConfigRule: passwordRule, Prowler: "cognito_user_pool_" + prowler}
}

func is(v any) Requirement { return Requirement{Op: Equal, Value: v} }

// controls uses the ids that Security Hub, AWS Config and Prowler publish.
var controls = []Control{
	{Setting: "Policies.PasswordPolicy.MinimumLength", sound: Requirement{Op: AtLeast, Value: json.Number("8")},
		SecurityHub: passwordHub, ConfigRule: passwordRule, Prowler: "cognito_user_pool_password_policy_minimum_length_14",
		Hazard: "applies to new passwords only; existing passwords stay valid"},
	password("RequireUppercase", is(true), "password_policy_uppercase"),
	password("RequireLowercase", is(true), "password_policy_lowercase"),
	password("RequireNumbers", is(true), "password_policy_number"),
	password("RequireSymbols", is(true), "password_policy_symbol"),
	password("TemporaryPasswordValidityDays", Requirement{Op: AtMost, Value: json.Number("7")},
		"temporary_password_expiration"),
	{Setting: "DeletionProtection", sound: is("ACTIVE"), SecurityHub: "Cognito.6",
		ConfigRule: "cognito-user-pool-deletion-protection-enabled", Prowler: "cognito_user_pool_deletion_protection_enabled",
		Hazard: "nobody, including CloudFormation, can delete the pool until it is set to INACTIVE"},
	{Setting: "LambdaConfig",
		Hazard: "the trigger's Lambda function must allow Cognito to invoke it; poolkeeper does not add that permission"},
	{Setting: "AdminCreateUserConfig.AllowAdminCreateUserOnly", Prowler: "cognito_user_pool_self_registration_disabled",
		Hazard: "true disables self-registration for everybody"},
	{Setting: "UserPoolAddOns.AdvancedSecurityMode", sound: is("ENFORCED"), SecurityHub: "Cognito.1",
		ConfigRule: "cognito-user-pool-advanced-security-enabled", Prowler: "cognito_user_pool_advanced_security_enabled",
		Cost: plusCost, Hazard: "ENFORCED blocks nothing without a risk configuration"},
	{Setting: "UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", sound: is("ENFORCED"),
		SecurityHub: "Cognito.4", ConfigRule: "cognito-userpool-cust-auth-threat-full-check", Cost: plusCost},
	{Setting: "UserPoolTier", Cost: "a higher plan is billed for each monthly active user"},
	{Setting: "IssuerConfiguration.Type", Hazard: "changes the iss claim of every token, which applications check"},
	{Setting: "MfaConfiguration", sound: Requirement{Op: OneOf, Value: []any{"ON", "OPTIONAL"}}, SecurityHub: "Cognito.5",
		ConfigRule: "cognito-user-pool-mfa-enabled", Prowler: "cognito_user_pool_mfa_enabled",
		Hazard: "ON locks out users without a factor until they set one up; at least one factor must be enabled"},
	{Setting: "RiskConfiguration", Cost: plusCost,
		Hazard: "a client with its own configuration does not follow the pool's"},
	{Setting: "RiskConfiguration.CompromisedCredentialsRiskConfiguration",
		Prowler: "cognito_user_pool_blocks_compromised_credentials_sign_in_attempts"},
	{Setting: "RiskConfiguration.AccountTakeoverRiskConfiguration.Actions",
		Prowler: "cognito_user_pool_blocks_potential_malicious_sign_in_attempts",
		Hazard:  "BLOCK at low risk also blocks many legitimate users"},
	{Setting: "LogConfigurations.userAuthEvents", Cost: plusCost + "; the destination of the events is billed too"},
	{Setting: "Clients[].ExplicitAuthFlows", Hazard: "applications that use a removed flow can no longer sign in"},
	{Setting: "Clients[].CallbackURLs", Hazard: "sign-ins can no longer return to a removed URL"},
	{Setting: "Clients[].PreventUserExistenceErrors", sound: is("ENABLED"),
		Prowler: "cognito_user_pool_client_prevent_user_existence_errors"},
	{Setting: "Clients[].EnableTokenRevocation", sound: is(true),
		Prowler: "cognito_user_pool_client_token_revocation_enabled"},
}

// Checks returns the ids of the checks of a row, each with its product: "Security Hub Cognito.6".
func (c Control) Checks() []string {
	var checks []string
	of := [][2]string{{"Security Hub", c.SecurityHub}, {"AWS Config", c.ConfigRule}, {"Prowler", c.Prowler}}
	for _, check := range of {
		if check[1] != "" {
			checks = append(checks, check[0]+" "+check[1])
		}
	}
	return checks
}
