package cognitotest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
)

// A change is a request with the states before and after it: the document UserPool or that of a client, and the pool's
// MFA document.
type change struct {
	request, was, is object
	mfaWas, mfa      object
	onlyMFA          bool // the call is SetUserPoolMfaConfig
}

func (c change) text(path string) string { return text(c.is, path) }

func (c change) has(path string, any ...string) bool {
	return slices.ContainsFunc(elements[string](at(c.is, path)), func(s string) bool { return slices.Contains(any, s) })
}

func (c change) mode() string { return text(c.mfa, "MfaConfiguration") }

func (c change) on() bool { return c.mode() == "ON" || c.mode() == "OPTIONAL" }

func (c change) emailMFA() bool { return c.on() && c.mfa["EmailMfaConfiguration"] != nil }

func (c change) sms() bool { return len(asObject(c.is["SmsConfiguration"])) > 0 }

func (c change) onlyRecovery(name string) bool {
	mechanisms := elements[object](at(c.is, "AccountRecoverySetting.RecoveryMechanisms"))
	return len(mechanisms) == 1 && mechanisms[0]["Name"] == name
}

// levelsNamed reports whether an authentication level has a name that is not its default.
func (c change) levelsNamed() bool {
	for level, v := range asObject(c.is["AcrConfiguration"]) {
		if asObject(v)["AcrValue"] != "urn:cognito:loa:"+strings.TrimPrefix(level, "Level") {
			return true
		}
	}
	return false
}

// validFor reports whether the lifetime of a client's token, if there is one, is within two limits.
func (c change) validFor(token, unit string, least, most time.Duration) bool {
	n, _ := c.is[token+"Validity"].(json.Number)
	if n == "" || n == "0" {
		return true
	}
	if given := c.text("TokenValidityUnits." + token); given != "" {
		unit = given
	}
	count, err := n.Int64()
	lifetime := time.Duration(count) * map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute,
		"hours": time.Hour, "days": day}[unit]
	return err == nil && least <= lifetime && lifetime <= most
}

const (
	both      = "both writes of the pool"
	onPool    = "UpdateUserPool"
	onMFA     = "SetUserPoolMfaConfig"
	onClient  = "UpdateUserPoolClient"
	parameter = "InvalidParameterException"
	feature   = "FeatureUnavailableInTierException"
	noFlow    = "InvalidOAuthFlowException"
	noPlan    = "This feature is not available in your current feature plan"
	factors   = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	flows     = "ExplicitAuthFlows"
	refresh   = "ALLOW_REFRESH_TOKEN_AUTH"
	grants    = "AllowedOAuthFlows"
	day       = 24 * time.Hour
)

// nowhere reports whether a value names an identity, a function, a role or a site that does not exist.
func nowhere(v any) bool { return strings.Contains(fmt.Sprint(v), "nobody") }

// rules are the measured or documented rejections of the service, in the order of the checks. Many of its messages name
// a wrong member or none.
var rules = []struct {
	name, operation string
	broken          func(c change) bool
	code, text      string
}{
	{"two validity days", onPool, func(c change) bool {
		return !baseline.Empty(at(c.request, "AdminCreateUserConfig.UnusedAccountValidityDays")) &&
			!baseline.Empty(at(c.is, "Policies.PasswordPolicy.TemporaryPasswordValidityDays"))
	}, parameter, "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"},
	{"MFA turned on without a factor", onPool, func(c change) bool {
		return c.request["MfaConfiguration"] == "ON" && c.mfaWas["MfaConfiguration"] != "ON" && !anyFactor(c.mfaWas)
	}, parameter, "Cannot turn MFA functionality ON, once the user pool has been created"},
	{"phone_number verified without a sender", both, func(c change) bool {
		return c.has("AutoVerifiedAttributes", "phone_number") && !c.sms() &&
			(!c.onlyMFA || c.mfaWas["SmsMfaConfiguration"] != nil)
	}, parameter, "SMS configuration is required when phone_number is selected for auto verification"},
	{"verification of an attribute that is not verified", onPool, func(c change) bool {
		needed := elements[string](at(c.is, "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"))
		return slices.ContainsFunc(needed, func(name string) bool { return !c.has("AutoVerifiedAttributes", name) })
	}, parameter, "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"},
	{"one-time codes beside MFA ON", both,
		func(c change) bool { return c.mode() == "ON" && c.has(factors, "EMAIL_OTP", "SMS_OTP") },
		parameter, "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"},
	{"single-factor passkeys beside MFA ON", both, func(c change) bool {
		return c.mode() == "ON" && c.has(factors, "WEB_AUTHN") &&
			at(c.mfa, "WebAuthnConfiguration.FactorConfiguration") != "MULTI_FACTOR_WITH_USER_VERIFICATION"
	}, parameter, "Cannot set WebAuthn factor configuration to SINGLE_FACTOR if MFA is required"},
	{"SMS_OTP without a sender", onPool, func(c change) bool { return c.has(factors, "SMS_OTP") && !c.sms() },
		parameter, "SMS_OTP is missing valid SMS configuration"},
	{"threat protection below PLUS", onPool, func(c change) bool {
		mode, tier := c.text("UserPoolAddOns.AdvancedSecurityMode"), c.text("UserPoolTier")
		return (mode == "AUDIT" || mode == "ENFORCED") && tier != "PLUS" && tier != ""
	}, feature, "The following features need to be disabled for the {tier} pricing tier configured: Threat Protection"},
	{"a feature on LITE", both, func(c change) bool {
		return c.text("UserPoolTier") == "LITE" && (c.emailMFA() || c.levelsNamed() ||
			c.text("DcrConfiguration.EnableStatus") == "Enabled" ||
			c.has(factors, "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"))
	}, feature, noPlan},
	{"KMS key against its type", onPool, func(c change) bool {
		kind, arn := c.text("KeyConfiguration.KeyType"), c.text("KeyConfiguration.KmsKeyArn")
		return kind == "AWS_OWNED_KEY" && arn != "" || kind == "CUSTOMER_MANAGED_KEY" && arn == ""
	}, parameter, "KmsKeyArn is required for CUSTOMER_MANAGED_KEY and not allowed for AWS_OWNED_KEY"},
	{"admin_only not alone", onPool, func(c change) bool {
		mechanisms := elements[object](at(c.is, "AccountRecoverySetting.RecoveryMechanisms"))
		admin := func(m object) bool { return m["Name"] == "admin_only" }
		return len(mechanisms) > 1 && slices.ContainsFunc(mechanisms, admin)
	}, parameter, "admin_only cannot be combined with other RecoveryMechanisms"},
	{"two recovery mechanisms of one priority", onPool, func(c change) bool {
		mechanisms := elements[object](at(c.request, "AccountRecoverySetting.RecoveryMechanisms"))
		return len(mechanisms) == 2 && mechanisms[0]["Priority"] == mechanisms[1]["Priority"]
	}, parameter, "Invalid parameter given: duplicate priority"},
	{"recovery by phone alone beside SMS MFA", both, func(c change) bool {
		return c.on() && c.mfa["SmsMfaConfiguration"] != nil && c.onlyRecovery("verified_phone_number")
	}, parameter, "Account Recovery Setting cannot use verified_phone_number"},
	{"e-mail MFA beside recovery by e-mail alone", both,
		func(c change) bool { return c.emailMFA() && c.onlyRecovery("verified_email") },
		parameter, "EmailMfaConfiguration cannot be combined with account recovery by verified_email alone"},
	{"custom sender without a key", onPool, func(c change) bool {
		triggers := asObject(c.request["LambdaConfig"])
		return (triggers["CustomSMSSender"] != nil || triggers["CustomEmailSender"] != nil) && triggers["KMSKeyID"] == nil
	}, parameter, "KMSKeyID is required for CustomSMSSender and CustomEmailSender"},
	{"two pre token generation functions", onPool, func(c change) bool {
		triggers := asObject(c.request["LambdaConfig"])
		legacy, config := triggers["PreTokenGeneration"], asObject(triggers["PreTokenGenerationConfig"])
		return config != nil && legacy != nil && config["LambdaArn"] != legacy
	}, parameter, "PreTokenGeneration and PreTokenGenerationConfig must name the same function"},
	{"a trigger that is no function", onPool, func(c change) bool { return nowhere(c.request["LambdaConfig"]) },
		parameter, "Invalid lambda function ARN provided"},
	{"sender of text messages not exactly one", both, func(c change) bool {
		wrong := func(path string) bool {
			sender := asObject(at(c.request, path))
			return sender != nil && (sender["SnsCallerArn"] == nil) == (sender["EumsSms"] == nil)
		}
		return wrong("SmsConfiguration") || wrong("SmsMfaConfiguration.SmsConfiguration")
	}, parameter, "SmsConfiguration takes exactly one of SnsCallerArn and EumsSms"},
	{"a role that the caller may not pass", both, func(c change) bool { return nowhere(c.is["SmsConfiguration"]) },
		"AccessDeniedException", "not authorized to perform: iam:PassRole"},
	{"DEVELOPER without an identity", onPool, func(c change) bool {
		return c.text("EmailConfiguration.EmailSendingAccount") == "DEVELOPER" && c.text("EmailConfiguration.SourceArn") == ""
	}, parameter, "EmailConfiguration SourceArn is required for DEVELOPER"},
	{"an identity that SES does not know", onPool, func(c change) bool { return nowhere(c.is["EmailConfiguration"]) },
		parameter, "Email address is not verified. The following identities failed the check in region EU-WEST-1"},
	{"e-mail MFA without a sender", onMFA, func(c change) bool {
		return c.emailMFA() && c.text("EmailConfiguration.EmailSendingAccount") != "DEVELOPER"
	}, parameter, "Cannot set EmailMfaConfiguration when EmailSendingAccount is COGNITO_DEFAULT"},
	{"passkeys of a site that is none", onMFA,
		func(c change) bool { return nowhere(c.request["WebAuthnConfiguration"]) }, parameter, "Invalid parameter given"},
	{"MFA off with a factor", onMFA, func(c change) bool {
		given := func(block string) bool { return c.request[block] != nil }
		return c.mode() == "OFF" && slices.ContainsFunc(factorBlocks, given)
	}, parameter, "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."},
	{"passkeys as the only factor", onMFA,
		func(c change) bool { return c.on() && !anyFactor(c.mfa) && c.request["WebAuthnConfiguration"] != nil },
		parameter, "SMS MFA, Email MFA, or Software Token MFA must be enabled"},
	{"MFA without a factor", onMFA, func(c change) bool { return c.on() && !anyFactor(c.mfa) },
		parameter, "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."},

	{"older flows beside newer ones", onClient, func(c change) bool {
		older := func(flow string) bool { return !strings.HasPrefix(flow, "ALLOW_") }
		all := elements[string](c.is[flows])
		return slices.ContainsFunc(all, older) && len(slices.DeleteFunc(all, older)) > 0
	}, parameter, "Usage of ALLOW_ auth flows is not allowed with legacy auth flows"},
	{"no refresh of tokens any more", onClient, func(c change) bool {
		before, after := elements[string](c.was[flows]), elements[string](c.is[flows])
		return slices.Contains(before, refresh) && after != nil && !slices.Contains(after, refresh) &&
			c.text("RefreshTokenRotation.Feature") != "ENABLED"
	}, parameter, "REFRESH_TOKEN_AUTH should always be allowed"},
	{"rotation beside the refresh flow", onClient, func(c change) bool {
		return c.has(flows, refresh) && c.text("RefreshTokenRotation.Feature") == "ENABLED"
	}, parameter, "Refresh token rotation is not supported with the given auth flows"},
	{"a redirect to elsewhere", onClient, func(c change) bool {
		return c.text("DefaultRedirectURI") != "" && !c.has("CallbackURLs", c.text("DefaultRedirectURI"))
	}, parameter, "Default redirect URI must be one of the callback URLs"},
	{"a grant without a callback", onClient, func(c change) bool {
		return c.has(grants, "code", "implicit") && elements[string](c.is["CallbackURLs"]) == nil
	}, noFlow, "CallbackUrls can not be empty"},
	{"client credentials beside another grant", onClient, func(c change) bool {
		return c.has(grants, "client_credentials") && len(elements[string](c.is[grants])) > 1
	}, noFlow, "client_credentials flow can not be selected along with code flow or implicit flow"},
	{"openid without a user", onClient, func(c change) bool {
		return c.has(grants, "client_credentials") && c.has("AllowedOAuthScopes", "openid")
	}, "ScopeDoesNotExistException", "openid is not supported with client_credentials flow"},
	{"a secret that is not there", onClient, func(c change) bool {
		secret := cmp.Or(c.was["ClientSecret"], c.was["ClientSecretArn"])
		return c.is["PublishSecretsInAWSSecretsManager"] == true && secret == nil
	}, parameter, "PublishSecretsInAWSSecretsManager requires a client secret"},
	{"a validity out of range", onClient, func(c change) bool {
		return !c.validFor("AccessToken", "hours", 5*time.Minute, day) ||
			!c.validFor("IdToken", "hours", 5*time.Minute, day) || !c.validFor("RefreshToken", "days", time.Hour, 3650*day)
	}, parameter, "Invalid range for token validity"},
}

// check checks a request that makes a pool from an old one. Those of a client have it in place of the pool.
func (s *Server) check(operation string, request object, old, next *pool) error {
	c := change{request, old.userPool, next.userPool, old.mfaConfig, next.mfaConfig, operation == onMFA}
	for _, r := range rules {
		concerns := r.operation == operation || r.operation == both && operation != onClient
		if s.validators && concerns && r.broken(c) {
			return &failure{Code: r.code, Message: strings.ReplaceAll(r.text, "{tier}", c.text("UserPoolTier"))}
		}
	}
	return nil
}

var factorBlocks = []string{"SmsMfaConfiguration", "SoftwareTokenMfaConfiguration", "EmailMfaConfiguration"}

// anyFactor reports whether an MFA document enables a factor.
func anyFactor(mfa object) bool {
	return mfa["SmsMfaConfiguration"] != nil || mfa["EmailMfaConfiguration"] != nil ||
		at(mfa, "SoftwareTokenMfaConfiguration.Enabled") == true
}
