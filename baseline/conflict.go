package baseline

import (
	"slices"
	"strings"
)

// A Conflict is a combination of settings that the service rejects. It is an error in a baseline that requires it, and
// a fix of a pool that would cause it is not written. Each one is based on a rejection that was measured or is
// documented. Suspected ones are not listed: the service's response decides.
type Conflict struct {
	ID string
	// Settings are the settings involved. The first ones depend on the others, so their drift is dropped first.
	Settings []string
	Broken   func(f Facts) bool
	Reason   string
	// Tolerated marks a conflict that a pool may keep if it already has it: the service does not enforce it there.
	Tolerated bool
}

// Facts returns what is certain about a setting: of the settings of a pool, or of those that meet a set of
// requirements. Paths of client settings begin with Clients[].
type Facts func(setting string) Known

// Known is what is certain about one setting.
type Known struct {
	Present, Absent bool
	Text            string // the value, or "" if it is not certain
	Elements        []any  // the list has all of these
	Closed          bool   // no others are in the list
	Without         []any  // these are not in the list
}

// KnownOf returns what is known about a setting with this live value.
func KnownOf(setting string, v any) Known {
	m, _ := Lookup(setting)
	k := Known{Present: text(m, v) != "", Elements: list(v), Closed: true}
	k.Absent = !k.Present
	k.Text, _ = v.(string)
	return k
}

func (f Facts) is(setting string, values ...string) bool {
	return slices.Contains(values, f(setting).Text)
}

func (f Facts) set(settings ...string) bool {
	return slices.ContainsFunc(settings, func(s string) bool { return f(s).Present })
}

// absent reports whether the setting is certainly absent, or has its default.
func (f Facts) absent(setting string) bool { return f(setting).Absent }

// texts returns the texts that are certainly in a list. An object in the list counts by its Name.
func (f Facts) texts(setting string) []string {
	var all []string
	for _, e := range f(setting).Elements {
		if object, ok := e.(map[string]any); ok {
			e = object["Name"]
		}
		if text, ok := e.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func (f Facts) has(setting string, texts ...string) bool {
	return slices.ContainsFunc(f.texts(setting), func(s string) bool { return slices.Contains(texts, s) })
}

// only reports whether the list has no other elements than these.
func (f Facts) only(setting string, texts ...string) bool {
	return f(setting).Closed && len(beyond(f.texts(setting), texts)) == 0
}

func (f Facts) emailMFA() bool { return f.set(emailMFAPath) && !f.absent(mfaPath) }

func (f Facts) twice(setting, member string) bool {
	seen := map[string]bool{}
	return slices.ContainsFunc(f(setting).Elements, func(e any) bool {
		text := canonical(At(e, []string{member}))
		again := seen[text]
		seen[text] = true
		return again
	})
}

const (
	modePath      = "UserPoolAddOns.AdvancedSecurityMode"
	flowsOfAddOns = "UserPoolAddOns.AdvancedSecurityAdditionalFlows"
	tierPath      = "UserPoolTier"
	mfaPath       = "MfaConfiguration"
	totpPath      = "SoftwareTokenMfaConfiguration.Enabled"
	factorsPath   = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	recoveryPath  = "AccountRecoverySetting.RecoveryMechanisms"
	verifyPath    = "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"
	verifiedPath  = "AutoVerifiedAttributes"
	accountPath   = "EmailConfiguration.EmailSendingAccount"
	identityPath  = "EmailConfiguration.SourceArn"
	smsPath       = "SmsConfiguration"
	smsMFAPath    = "SmsMfaConfiguration"
	emailMFAPath  = "EmailMfaConfiguration"
	webAuthnPath  = "WebAuthnConfiguration.FactorConfiguration"
	keyTypePath   = "KeyConfiguration.KeyType"
	keyPath       = "KeyConfiguration.KmsKeyArn"
	senderKeyPath = "LambdaConfig.KMSKeyID"

	riskPath         = "RiskConfiguration"
	clientRiskPath   = Clients + "." + riskPath
	userEventsPath   = "LogConfigurations.userAuthEvents"
	notificationPath = "LogConfigurations.userNotification"
	flowsPath        = Clients + ".ExplicitAuthFlows"
	callbacksPath    = Clients + ".CallbackURLs"
	scopesPath       = Clients + ".AllowedOAuthScopes"
	redirectPath     = Clients + ".DefaultRedirectURI"
	grantsPath       = Clients + ".AllowedOAuthFlows"
	oauthPath        = Clients + ".AllowedOAuthFlowsUserPoolClient"
)

var senders = []string{"LambdaConfig.CustomEmailSender", "LambdaConfig.CustomSMSSender"}

// Conflicts returns the conflicts that a pool can have. The caller must not change them.
func Conflicts() []Conflict { return append(conflicts, mfaWithCodes) }

var conflicts = []Conflict{
	{ID: "verification-subset", Settings: []string{verifyPath, verifiedPath}, Broken: func(f Facts) bool {
		return f(verifiedPath).Closed && len(beyond(f.texts(verifyPath), f.texts(verifiedPath))) > 0
	}, Reason: "every attribute that an update has to verify must be in AutoVerifiedAttributes"},
	{ID: "phone-verification-without-sms", Settings: []string{verifiedPath, smsPath},
		Broken: func(f Facts) bool { return f.has(verifiedPath, "phone_number") && f.absent(smsPath) },
		Reason: "AutoVerifiedAttributes with phone_number needs an SmsConfiguration"},
	{ID: "admin-only-recovery", Settings: []string{recoveryPath},
		Broken: func(f Facts) bool { return f.has(recoveryPath, "admin_only") && len(f.texts(recoveryPath)) > 1 },
		Reason: "the recovery mechanism admin_only cannot be combined with others"},
	{ID: "equal-recovery-mechanisms", Settings: []string{recoveryPath},
		Broken: func(f Facts) bool { return f.twice(recoveryPath, "Priority") || f.twice(recoveryPath, "Name") },
		Reason: "two recovery mechanisms cannot have the same Priority or the same Name"},
	{ID: "mfa-on-with-single-factor-passkeys", Settings: []string{mfaPath, factorsPath, webAuthnPath},
		Broken: func(f Facts) bool {
			single := f.is(webAuthnPath, "SINGLE_FACTOR") || f.absent(webAuthnPath)
			return f.is(mfaPath, "ON") && f.has(factorsPath, "WEB_AUTHN") && single
		}, Reason: "MfaConfiguration ON with WEB_AUTHN in " + factorsPath + " needs " + webAuthnPath +
			" MULTI_FACTOR_WITH_USER_VERIFICATION"},
	{ID: "sms-code-without-sms", Settings: []string{factorsPath, smsPath},
		Broken: func(f Facts) bool { return f.has(factorsPath, "SMS_OTP") && f.absent(smsPath) },
		Reason: "SMS_OTP in " + factorsPath + " needs an SmsConfiguration"},
	needsTier("factors-need-essentials", factorsPath, "first factors besides PASSWORD need", "ESSENTIALS or PLUS",
		func(f Facts) bool { return len(beyond(f.texts(factorsPath), []string{"PASSWORD"})) > 0 }),
	needsTier("threat-protection-needs-plus", modePath, modePath+" AUDIT and ENFORCED need", "PLUS",
		func(f Facts) bool { return f.is(modePath, "AUDIT", "ENFORCED") }),
	{ID: "email-mfa-needs-ses", Settings: []string{emailMFAPath, accountPath},
		Broken: func(f Facts) bool { return f.emailMFA() && f.absent(accountPath) },
		Reason: "EmailMfaConfiguration needs " + accountPath + " DEVELOPER"},
	{ID: "email-mfa-with-email-recovery", Settings: []string{emailMFAPath, recoveryPath}, Broken: func(f Facts) bool {
		return f.emailMFA() && f.only(recoveryPath, "verified_email") && f.has(recoveryPath, "verified_email")
	}, Reason: "EmailMfaConfiguration cannot be combined with account recovery only by e-mail"},
	needsTier("email-mfa-needs-essentials", emailMFAPath, "EmailMfaConfiguration needs", "ESSENTIALS or PLUS",
		Facts.emailMFA),
	{ID: "mfa-without-factor", Settings: []string{mfaPath, totpPath, smsMFAPath, emailMFAPath},
		Broken: func(f Facts) bool {
			return f.is(mfaPath, "ON", "OPTIONAL") && f.absent(totpPath) && f.absent(smsMFAPath) && f.absent(emailMFAPath)
		}, Reason: "MfaConfiguration ON and OPTIONAL need a factor: require SoftwareTokenMfaConfiguration, " +
			"SmsMfaConfiguration or EmailMfaConfiguration too"},
	// A call that turns MFA off also turns every factor off, which the baseline may not want.
	{ID: "factor-with-mfa-off", Settings: []string{totpPath, emailMFAPath, smsMFAPath, mfaPath},
		Broken: func(f Facts) bool { return f.absent(mfaPath) && f.set(totpPath, emailMFAPath, smsMFAPath) },
		Reason: "a factor cannot be on while MfaConfiguration is OFF: require both to be on, or both to be off"},
	{ID: "sms-mfa-without-sms", Settings: []string{smsMFAPath, smsPath}, Broken: func(f Facts) bool {
		return !f.absent(mfaPath) && f.set(smsMFAPath) && f.absent(smsMFAPath+"."+smsPath) && f.absent(smsPath)
	}, Reason: "SmsMfaConfiguration needs an SmsConfiguration"},
	{ID: "custom-sender-without-key", Settings: append(senders, senderKeyPath),
		Broken: func(f Facts) bool { return f.set(senders...) && f.absent(senderKeyPath) },
		Reason: "CustomEmailSender and CustomSMSSender need " + senderKeyPath},
	{ID: "key-type", Settings: []string{"KeyConfiguration"}, Broken: func(f Facts) bool {
		return f.is(keyTypePath, "AWS_OWNED_KEY") && f.set(keyPath) ||
			f.is(keyTypePath, "CUSTOMER_MANAGED_KEY") && f.absent(keyPath)
	}, Reason: "KeyConfiguration needs a KmsKeyArn with KeyType CUSTOMER_MANAGED_KEY and cannot have one with " +
		"AWS_OWNED_KEY"},
	{ID: "two-sms-senders", Settings: []string{smsPath, smsMFAPath + "." + smsPath}, Broken: func(f Facts) bool {
		return slices.ContainsFunc([]string{smsPath, smsMFAPath + "." + smsPath}, func(sms string) bool {
			sns, eums := sms+".SnsCallerArn", sms+".EumsSms"
			return f.set(sns) && f.set(eums) || f.set(sms) && f.absent(sns) && f.absent(eums)
		})
	}, Reason: "an SmsConfiguration needs exactly one of SnsCallerArn and EumsSms"},
	{ID: "developer-email-without-identity", Settings: []string{accountPath, identityPath},
		Broken: func(f Facts) bool { return f.is(accountPath, "DEVELOPER") && f.absent(identityPath) },
		Reason: accountPath + " DEVELOPER needs " + identityPath},
	{ID: "risk-without-threat-protection", Settings: []string{riskPath, modePath}, Reason: needsMode,
		Broken: func(f Facts) bool { return f.set(riskPath) && f.absent(modePath) }},
	{ID: "client-risk-without-threat-protection", Settings: []string{clientRiskPath, modePath}, Reason: needsMode,
		Broken: func(f Facts) bool { return f.set(clientRiskPath) && f.absent(modePath) }},
	needsTier("user-events-need-plus", userEventsPath, userEventsPath+" needs", "PLUS",
		func(f Facts) bool { return f.set(userEventsPath) }),
	{ID: "notifications-to-logs-only", Settings: []string{notificationPath}, Broken: func(f Facts) bool {
		return f.set(notificationPath+".S3Configuration", notificationPath+".FirehoseConfiguration")
	}, Reason: notificationPath + " supports only a CloudWatchLogsConfiguration"},
	needsTier("registration-needs-essentials", "DcrConfiguration", "DcrConfiguration Enabled needs", "ESSENTIALS or PLUS",
		func(f Facts) bool { return f.is("DcrConfiguration.EnableStatus", "Enabled") }),
	needsTier("acr-needs-essentials", "AcrConfiguration", "custom names in AcrConfiguration need", "ESSENTIALS or PLUS",
		func(f Facts) bool { return f.set("AcrConfiguration") }),
	{ID: "mixed-auth-flows", Settings: []string{flowsPath}, Broken: func(f Facts) bool {
		flows := f.texts(flowsPath)
		newer := slices.DeleteFunc(slices.Clone(flows), func(s string) bool { return !strings.HasPrefix(s, "ALLOW_") })
		return len(newer) > 0 && len(newer) < len(flows)
	}, Reason: "ExplicitAuthFlows that begin with ALLOW_ cannot be combined with the older ones"},
	{ID: "default-redirect", Settings: []string{redirectPath, callbacksPath}, Broken: func(f Facts) bool {
		to := f(redirectPath).Text
		return to != "" && f(callbacksPath).Closed && !f.has(callbacksPath, to)
	}, Reason: "DefaultRedirectURI must be one of CallbackURLs"},
}

// mfaWithCodes is only a warning in a baseline.
var mfaWithCodes = Conflict{ID: "mfa-on-with-one-time-codes", Settings: []string{mfaPath, factorsPath},
	Broken: func(f Facts) bool { return f.is(mfaPath, "ON") && f.has(factorsPath, "EMAIL_OTP", "SMS_OTP") },
	Reason: "MfaConfiguration ON cannot be combined with EMAIL_OTP or SMS_OTP in " + factorsPath}

// contradictions are combinations that no baseline can require. In a pool, the service's response decides.
var contradictions = []Conflict{
	{Settings: []string{factorsPath}, Broken: func(f Facts) bool {
		factors := f(factorsPath)
		return factors.Closed && len(factors.Elements) > 0 && !f.has(factorsPath, "PASSWORD") ||
			slices.Contains(factors.Without, any("PASSWORD"))
	}, Reason: "the API does not accept first factors without PASSWORD"},
	{Settings: []string{grantsPath}, Broken: func(f Facts) bool {
		return f.has(grantsPath, "client_credentials") && f.has(grantsPath, "code", "implicit")
	}, Reason: "client_credentials cannot be combined with code or implicit"},
	{Settings: []string{scopesPath}, Broken: func(f Facts) bool {
		m, _ := Lookup(scopesPath)
		return f.has(grantsPath, "client_credentials") && f.has(scopesPath, m.Elem.Usual...)
	}, Reason: "AllowedOAuthFlows client_credentials can be combined only with scopes of a resource server"},
	{Settings: []string{oauthPath, grantsPath, scopesPath}, Broken: func(f Facts) bool {
		some := len(f.texts(grantsPath))+len(f.texts(scopesPath))+len(f.texts(callbacksPath)) > 0
		return f.absent(oauthPath) && some || f.set(oauthPath) && (f.only(grantsPath) || f.only(scopesPath))
	}, Reason: "must be true for AllowedOAuthFlows, AllowedOAuthScopes and CallbackURLs, and true needs the first two"},
	{Settings: []string{callbacksPath},
		Broken: func(f Facts) bool { return f.only(callbacksPath) && f.has(grantsPath, "code", "implicit") },
		Reason: "cannot be empty: AllowedOAuthFlows code and implicit need a URL"},
	{Settings: []string{flowsPath}, Broken: func(f Facts) bool {
		return f.is(Clients+".RefreshTokenRotation.Feature", "ENABLED") && f.has(flowsPath, "ALLOW_REFRESH_TOKEN_AUTH")
	}, Reason: "ALLOW_REFRESH_TOKEN_AUTH cannot be combined with RefreshTokenRotation ENABLED"},
}

// needsTier returns the conflict of a feature that only some tiers have: "ESSENTIALS or PLUS", or "PLUS".
func needsTier(id, setting, who, tiers string, used func(f Facts) bool) Conflict {
	plus := tiers == "PLUS"
	return Conflict{ID: id, Settings: []string{setting, tierPath}, Reason: who + " UserPoolTier " + tiers, Tolerated: plus,
		Broken: func(f Facts) bool { return used(f) && (f.is(tierPath, "LITE") || plus && f.is(tierPath, "ESSENTIALS")) }}
}

const needsMode = "a risk configuration needs " + modePath + " AUDIT or ENFORCED"

func beyond(part, whole []string) []string {
	return slices.DeleteFunc(slices.Clone(part), func(s string) bool { return slices.Contains(whole, s) })
}
