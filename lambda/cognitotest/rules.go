package cognitotest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// A change is a request, and the pool before and after it.
type change struct {
	request   map[string]any
	old, next *pool
	onPool    bool // the call is not SetUserPoolMfaConfig
}

func (c change) text(path string) string {
	text, _ := at(c.next.userPool, path).(string)
	return text
}

func (c change) list(path string) []string { return texts(at(c.next.userPool, path)) }

func texts(v any) []string {
	values, _ := v.([]any)
	var all []string
	for _, v := range values {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func (c change) has(path string, any ...string) bool {
	return slices.ContainsFunc(c.list(path), func(s string) bool { return slices.Contains(any, s) })
}

func (c change) mode() string {
	mode, _ := c.next.mfaConfig["MfaConfiguration"].(string)
	return mode
}

func (c change) on() bool { return c.mode() == "ON" || c.mode() == "OPTIONAL" }

func (c change) emailMFA() bool { return c.on() && c.next.mfaConfig["EmailMfaConfiguration"] != nil }

func (c change) sms() bool { return len(object(c.next.userPool["SmsConfiguration"])) > 0 }

func (c change) recovery() []string {
	mechanisms, _ := at(c.next.userPool, "AccountRecoverySetting.RecoveryMechanisms").([]any)
	var names []string
	for _, m := range mechanisms {
		name, _ := object(m)["Name"].(string)
		names = append(names, name)
	}
	return names
}

// levelsNamed says whether an authentication level has another name than its default one.
func (c change) levelsNamed() bool {
	for level, v := range object(c.next.userPool["AcrConfiguration"]) {
		if object(v)["AcrValue"] != "urn:cognito:loa:"+strings.TrimPrefix(level, "Level") {
			return true
		}
	}
	return false
}

func (c change) lite(needs bool) bool { return needs && c.text("UserPoolTier") == "LITE" }

const (
	parameter = "InvalidParameterException"
	feature   = "FeatureUnavailableInTierException"
	noPlan    = "This feature is not available in your current feature plan"
	factors   = "Policies.SignInPolicy.AllowedFirstAuthFactors"
)

// nobody is in the name of an identity, a function, a role or a site that does not exist.
const nobody = "nobody"

// rules are the refusals that the service was seen to make, or documents, in the order in which they are tried. An
// empty operation is both writes.
var rules = []struct {
	name      string
	operation string
	broken    func(c change) bool
	code      string
	text      string
}{
	{"two validity days", "UpdateUserPool", func(c change) bool {
		return number(at(c.request, "AdminCreateUserConfig.UnusedAccountValidityDays")) != "" &&
			number(at(c.next.userPool, "Policies.PasswordPolicy.TemporaryPasswordValidityDays")) != ""
	}, parameter, "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"},
	{"MFA turned on without a factor", "UpdateUserPool", func(c change) bool {
		was, _ := c.old.mfaConfig["MfaConfiguration"].(string)
		return c.request["MfaConfiguration"] == "ON" && was != "ON" && len(factorsOf(c.old.mfaConfig)) == 0
	}, parameter, "Cannot turn MFA functionality ON, once the user pool has been created"},
	{"phone_number verified without a sender", "", func(c change) bool {
		return c.has("AutoVerifiedAttributes", "phone_number") && !c.sms() &&
			(c.onPool || c.old.mfaConfig["SmsMfaConfiguration"] != nil)
	},
		parameter, "SMS configuration is required when phone_number is selected for auto verification"},
	{"verification of an attribute that is not verified", "UpdateUserPool", func(c change) bool {
		for _, attribute := range c.list("UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate") {
			if !c.has("AutoVerifiedAttributes", attribute) {
				return true
			}
		}
		return false
	}, parameter, "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"},
	{"one-time codes beside MFA ON", "", func(c change) bool {
		return c.mode() == "ON" &&
			c.has(factors, "EMAIL_OTP", "SMS_OTP")
	},
		parameter, "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"},
	{"single-factor passkeys beside MFA ON", "", func(c change) bool {
		return c.mode() == "ON" && c.has(factors, "WEB_AUTHN") &&
			at(c.next.mfaConfig, "WebAuthnConfiguration.FactorConfiguration") != "MULTI_FACTOR_WITH_USER_VERIFICATION"
	}, parameter, "Cannot set WebAuthn factor configuration to SINGLE_FACTOR if MFA is required"},
	{"SMS_OTP without a sender", "UpdateUserPool", func(c change) bool { return c.has(factors, "SMS_OTP") && !c.sms() },
		parameter, "SMS_OTP is missing valid SMS configuration"},
	{"threat protection below PLUS", "UpdateUserPool", func(c change) bool {
		mode := c.text("UserPoolAddOns.AdvancedSecurityMode")
		return (mode == "AUDIT" || mode == "ENFORCED") && c.text("UserPoolTier") != "PLUS" && c.text("UserPoolTier") != ""
	}, feature, "The following features need to be disabled for the {tier} pricing tier configured: Threat Protection"},
	{"first factors on LITE", "UpdateUserPool", func(c change) bool {
		return c.lite(c.has(factors, "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"))
	}, feature, noPlan},
	{"client registration on LITE", "UpdateUserPool",
		func(c change) bool { return c.lite(c.text("DcrConfiguration.EnableStatus") == "Enabled") },
		feature, noPlan +
			"Registration"},
	{"level names on LITE", "UpdateUserPool", func(c change) bool { return c.lite(c.levelsNamed()) },
		feature, noPlan},
	{"e-mail MFA on LITE", "", func(c change) bool { return c.lite(c.emailMFA()) },
		feature, noPlan},
	{"KMS key against its type", "UpdateUserPool", func(c change) bool {
		kind, arn := c.text("KeyConfiguration.KeyType"), c.text("KeyConfiguration.KmsKeyArn")
		return kind == "AWS_OWNED_KEY" && arn != "" || kind == "CUSTOMER_MANAGED_KEY" && arn == ""
	}, parameter, "KmsKeyArn is required for CUSTOMER_MANAGED_KEY and not allowed for AWS_OWNED_KEY"},
	{"admin_only not alone", "UpdateUserPool", func(c change) bool {
		return len(c.recovery()) > 1 && slices.Contains(c.recovery(), "admin_only")
	}, parameter, "admin_only cannot be combined with other RecoveryMechanisms"},
	{"custom sender without a key", "UpdateUserPool", func(c change) bool {
		triggers := object(c.request["LambdaConfig"])
		return (triggers["CustomSMSSender"] != nil || triggers["CustomEmailSender"] != nil) && triggers["KMSKeyID"] == nil
	}, parameter, "KMSKeyID is required for CustomSMSSender and CustomEmailSender"},
	{"two pre token generation functions", "UpdateUserPool", func(c change) bool {
		triggers := object(c.request["LambdaConfig"])
		config := object(triggers["PreTokenGenerationConfig"])
		return config != nil && triggers["PreTokenGeneration"] != nil && config["LambdaArn"] != triggers["PreTokenGeneration"]
	}, parameter, "PreTokenGeneration and PreTokenGenerationConfig must name the same function"},
	{"sender of text messages not exactly one", "", func(c change) bool {
		for _, path := range []string{"SmsConfiguration", "SmsMfaConfiguration.SmsConfiguration"} {
			if sender := object(at(c.request, path)); sender != nil &&
				(sender["SnsCallerArn"] == nil) == (sender["EumsSms"] == nil) {
				return true
			}
		}
		return false
	}, parameter, "SmsConfiguration takes exactly one of SnsCallerArn and EumsSms"},
	{"DEVELOPER without an identity", "UpdateUserPool", func(c change) bool {
		return c.text("EmailConfiguration.EmailSendingAccount") == "DEVELOPER" && c.text("EmailConfiguration.SourceArn") == ""
	}, parameter, "EmailConfiguration SourceArn is required for DEVELOPER"},
	{"e-mail MFA without a sender", "SetUserPoolMfaConfig", func(c change) bool {
		return c.emailMFA() && c.text("EmailConfiguration.EmailSendingAccount") != "DEVELOPER"
	}, parameter, "Cannot set EmailMfaConfiguration when EmailSendingAccount is COGNITO_DEFAULT"},
	{"recovery by phone alone beside SMS MFA", "", func(c change) bool {
		return c.on() && c.next.mfaConfig["SmsMfaConfiguration"] != nil &&
			slices.Equal(c.recovery(), []string{"verified_phone_number"})
	}, parameter, "Account Recovery Setting cannot use verified_phone_number"},
	{"two recovery mechanisms of one priority", "UpdateUserPool", func(c change) bool {
		mechanisms, _ := at(c.request, "AccountRecoverySetting.RecoveryMechanisms").([]any)
		return len(mechanisms) == 2 && object(mechanisms[0])["Priority"] == object(mechanisms[1])["Priority"]
	}, parameter, "Invalid parameter given: duplicate priority"},
	{"an identity that SES does not know", "UpdateUserPool",
		func(c change) bool { return strings.Contains(c.text("EmailConfiguration.SourceArn"), nobody) },
		parameter, "Email address is not verified. The following identities failed the check in region EU-WEST-1"},
	{"a trigger that is no function", "UpdateUserPool", func(c change) bool {
		for _, trigger := range object(c.request["LambdaConfig"]) {
			if name, _ := trigger.(string); strings.Contains(name, nobody) {
				return true
			}
		}
		return false
	}, parameter, "Invalid lambda function ARN provided"},
	{"a role that the caller may not pass", "", func(c change) bool {
		return strings.Contains(c.text("SmsConfiguration.SnsCallerArn"), nobody)
	}, "AccessDeniedException", "not authorized to perform: iam:PassRole"},
	{"passkeys of a site that is none", "SetUserPoolMfaConfig", func(c change) bool {
		site, _ := at(c.request, "WebAuthnConfiguration.RelyingPartyId").(string)
		return strings.Contains(site, nobody)
	}, parameter, "Invalid parameter given"},
	{"e-mail MFA beside recovery by e-mail alone", "",
		func(c change) bool { return c.emailMFA() && slices.Equal(c.recovery(), []string{"verified_email"}) },
		parameter, "EmailMfaConfiguration cannot be combined with account recovery by verified_email alone"},
	{"MFA off with a factor", "SetUserPoolMfaConfig", func(c change) bool {
		return c.mode() == "OFF" && slices.ContainsFunc(factorBlocks,
			func(block string) bool { return c.request[block] != nil })
	}, parameter, "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."},
	{"passkeys as the only factor", "SetUserPoolMfaConfig", func(c change) bool {
		return c.on() && len(factorsOf(c.next.mfaConfig)) == 0 && c.request["WebAuthnConfiguration"] != nil
	}, parameter, "SMS MFA, Email MFA, or Software Token MFA must be enabled"},
	{"MFA without a factor", "SetUserPoolMfaConfig", func(c change) bool {
		return c.on() &&
			len(factorsOf(c.next.mfaConfig)) == 0
	},
		parameter, "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."},
}

// clientRules are the refusals of UpdateUserPoolClient. Their words name the flow or nothing, never the setting.
var clientRules = []struct {
	name   string
	broken func(old, client map[string]any) bool
	code   string
	text   string
}{
	{"older flows beside newer ones", func(_, client map[string]any) bool {
		newer := 0
		for _, flow := range texts(client["ExplicitAuthFlows"]) {
			if strings.HasPrefix(flow, "ALLOW_") {
				newer++
			}
		}
		return newer > 0 && newer < len(texts(client["ExplicitAuthFlows"]))
	}, parameter, "Usage of ALLOW_ auth flows is not allowed with legacy auth flows"},
	{"no refresh of tokens any more", func(old, client map[string]any) bool {
		flows := texts(client["ExplicitAuthFlows"])
		return slices.Contains(texts(old["ExplicitAuthFlows"]), "ALLOW_REFRESH_TOKEN_AUTH") && len(flows) > 0 &&
			!slices.Contains(flows, "ALLOW_REFRESH_TOKEN_AUTH") && at(client, "RefreshTokenRotation.Feature") != "ENABLED"
	}, parameter, "REFRESH_TOKEN_AUTH should always be allowed"},
	{"rotation beside the refresh flow", func(_, client map[string]any) bool {
		return slices.Contains(texts(client["ExplicitAuthFlows"]), "ALLOW_REFRESH_TOKEN_AUTH") &&
			at(client, "RefreshTokenRotation.Feature") == "ENABLED"
	}, parameter, "Refresh token rotation is not supported with the given auth flows"},
	{"a redirect to elsewhere", func(_, client map[string]any) bool {
		to, _ := client["DefaultRedirectURI"].(string)
		return to != "" && !slices.Contains(texts(client["CallbackURLs"]), to)
	}, parameter, "Default redirect URI must be one of the callback URLs"},
	{"a grant without a callback", func(_, client map[string]any) bool {
		flows := texts(client["AllowedOAuthFlows"])
		return (slices.Contains(flows, "code") || slices.Contains(flows, "implicit")) && texts(client["CallbackURLs"]) == nil
	}, "InvalidOAuthFlowException", "CallbackUrls can not be empty"},
	{"client credentials beside another grant", func(_, client map[string]any) bool {
		flows := texts(client["AllowedOAuthFlows"])
		return len(flows) > 1 && slices.Contains(flows, "client_credentials")
	}, "InvalidOAuthFlowException", "client_credentials flow can not be selected along with code flow or implicit flow"},
	{"openid without a user", func(_, client map[string]any) bool {
		return slices.Contains(texts(client["AllowedOAuthFlows"]), "client_credentials") &&
			slices.Contains(texts(client["AllowedOAuthScopes"]), "openid")
	}, "ScopeDoesNotExistException", "openid is not supported with client_credentials flow"},
	{"a validity out of range", func(_, client map[string]any) bool {
		return !validFor(client, "AccessToken", "hours", 5*time.Minute, 24*time.Hour) ||
			!validFor(client, "IdToken", "hours", 5*time.Minute, 24*time.Hour) ||
			!validFor(client, "RefreshToken", "days", time.Hour, 3650*24*time.Hour)
	}, parameter, "Invalid range for token validity"},
}

// validFor says whether the lifetime of a token, if there is one, lies between two others.
func validFor(client map[string]any, token, unit string, least, most time.Duration) bool {
	n, _ := client[token+"Validity"].(json.Number)
	if n == "" || n == "0" {
		return true
	}
	if given, _ := at(client, "TokenValidityUnits."+token).(string); given != "" {
		unit = given
	}
	count, err := n.Int64()
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 *
		time.Hour}
	lifetime := time.Duration(count) * units[unit]
	return err == nil && least <= lifetime && lifetime <= most
}

func judgeClient(old, client map[string]any) error {
	for _, r := range clientRules {
		if r.broken(old, client) {
			return &failure{Code: r.code, Message: r.text}
		}
	}
	return nil
}

func judge(operation string, c change) error {
	c.onPool = operation != "SetUserPoolMfaConfig"
	for _, r := range rules {
		if (r.operation == "" || r.operation == operation || r.operation == "UpdateUserPool" &&
			operation == "CreateUserPool") && r.broken(c) {
			return &failure{Code: r.code, Message: strings.ReplaceAll(r.text, "{tier}", c.text("UserPoolTier"))}
		}
	}
	return nil
}

// factorsOf returns the factors that an MFA document turns on.
func factorsOf(mfa map[string]any) []string {
	var on []string
	for _, block := range factorBlocks {
		if mfa[block] != nil && (!strings.HasPrefix(block, "SoftwareToken") || at(mfa, block+".Enabled") == true) {
			on = append(on, block)
		}
	}
	return on
}

// number returns the digits of a JSON number other than 0, or "".
func number(v any) string {
	n, _ := v.(json.Number)
	if n == "0" {
		return ""
	}
	return string(n)
}
