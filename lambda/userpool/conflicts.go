package userpool

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A conflict is a rule of the service that one setting or a combination of settings can break. The service rejects a
// write that breaks it. So conflicts are detected before the first write: the fixes that cause one are left out of the
// plan, and the rest is still written.
//
// Each row is based on a rejection that was measured or is documented. Suspected rules are not listed: the service's
// response decides.
type conflict struct {
	id string
	// settings are the settings involved. The first ones depend on the others, so their drift is dropped first.
	settings []string
	broken   func(v view) bool
	reason   string
	// tolerated marks a rule that the service does not enforce for older pools: a pool that already breaks it may
	// continue to do so.
	tolerated bool
}

func (c conflict) in(all []conflict) bool {
	return slices.ContainsFunc(all, func(o conflict) bool { return o.id == c.id })
}

const (
	factors     = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	threat      = "UserPoolAddOns.AdvancedSecurityMode"
	verify      = "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"
	recovery    = "AccountRecoverySetting.RecoveryMechanisms"
	totp        = "SoftwareTokenMfaConfiguration"
	passkey     = "WebAuthnConfiguration.FactorConfiguration"
	account     = "EmailConfiguration.EmailSendingAccount"
	mfa         = "MfaConfiguration"
	smsMFA      = "SmsMfaConfiguration"
	emailMFA    = "EmailMfaConfiguration"
	sms         = "SmsConfiguration"
	tier        = "UserPoolTier"
	autoVerify  = "AutoVerifiedAttributes"
	customEmail = "LambdaConfig.CustomEmailSender"
	customSMS   = "LambdaConfig.CustomSMSSender"
)

var conflicts = []conflict{
	{id: "verification-subset", settings: []string{verify, autoVerify},
		broken: func(v view) bool {
			return !all(v.list(verify), func(s string) bool { return slices.Contains(v.list(autoVerify), s) })
		},
		reason: "every attribute of " + verify + " must be in AutoVerifiedAttributes"},
	{id: "phone-verification-without-sms", settings: []string{autoVerify, sms},
		broken: func(v view) bool { return v.has(autoVerify, "phone_number") && !v.set(sms) },
		reason: "AutoVerifiedAttributes with phone_number needs an SmsConfiguration"},
	{id: "admin-only-recovery", settings: []string{recovery},
		broken: func(v view) bool { return slices.Contains(v.recovery(), "admin_only") && len(v.recovery()) > 1 },
		reason: "the recovery mechanism admin_only cannot be combined with others"},
	{id: "mfa-on-with-one-time-codes", settings: []string{mfa, factors},
		broken: func(v view) bool { return v.text(mfa) == "ON" && v.has(factors, "EMAIL_OTP", "SMS_OTP") },
		reason: "MfaConfiguration ON cannot be combined with EMAIL_OTP or SMS_OTP in " + factors},
	{id: "mfa-on-with-single-factor-passkeys", settings: []string{mfa, factors, passkey},
		broken: func(v view) bool {
			return v.text(mfa) == "ON" && v.has(factors, "WEB_AUTHN") && v.text(passkey) != "MULTI_FACTOR_WITH_USER_VERIFICATION"
		},
		reason: "MfaConfiguration ON with WEB_AUTHN in " + factors + " needs " + passkey +
			" MULTI_FACTOR_WITH_USER_VERIFICATION"},
	{id: "sms-code-without-sms", settings: []string{factors, sms},
		broken: func(v view) bool { return v.has(factors, "SMS_OTP") && !v.set(sms) },
		reason: "SMS_OTP in " + factors + " needs an SmsConfiguration"},
	needsTier("factors-need-essentials", factors, "first factors besides PASSWORD need", "LITE", func(v view) bool {
		return v.has(factors, "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN")
	}),
	needsTier("threat-protection-needs-plus", "UserPoolAddOns", threat+" AUDIT and ENFORCED need", "LITE ESSENTIALS",
		func(v view) bool { return threatens(v.docs) }),
	{id: "email-mfa-needs-ses", settings: []string{emailMFA, account},
		broken: func(v view) bool { return v.emailMFA() && v.text(account) != "DEVELOPER" },
		reason: "EmailMfaConfiguration needs " + account + " DEVELOPER"},
	{id: "email-mfa-with-email-recovery", settings: []string{emailMFA, recovery},
		broken: func(v view) bool { return v.emailMFA() && slices.Equal(v.recovery(), []string{"verified_email"}) },
		reason: "EmailMfaConfiguration cannot be combined with account recovery only by e-mail"},
	needsTier("email-mfa-needs-essentials", emailMFA, "EmailMfaConfiguration needs", "LITE", view.emailMFA),
	{id: "mfa-without-factor", settings: []string{mfa, totp, smsMFA, emailMFA},
		broken: func(v view) bool { return mfaOn(v.docs) && !v.factor() },
		reason: "MfaConfiguration ON and OPTIONAL need a factor: require SoftwareTokenMfaConfiguration, " +
			"SmsMfaConfiguration or EmailMfaConfiguration too"},
	// A call that turns MFA off also turns every factor off. If the baseline does not require that, it would be an
	// unwanted change.
	{id: "factor-with-mfa-off", settings: []string{totp, emailMFA, smsMFA, mfa},
		broken: func(v view) bool { return !mfaOn(v.docs) && v.factor() },
		reason: "a factor cannot be on while MfaConfiguration is OFF: require both to be on, or both to be off"},
	{id: "sms-mfa-without-sms", settings: []string{smsMFA, sms},
		broken: func(v view) bool {
			return mfaOn(v.docs) && v.set(smsMFA) && !v.set("SmsMfaConfiguration.SmsConfiguration") && !v.set(sms)
		},
		reason: "SmsMfaConfiguration needs an SmsConfiguration"},
	{id: "custom-sender-without-key", settings: []string{customEmail, customSMS, "LambdaConfig.KMSKeyID"},
		broken: func(v view) bool { return (v.set(customEmail) || v.set(customSMS)) && !v.set("LambdaConfig.KMSKeyID") },
		reason: "LambdaConfig.CustomEmailSender and CustomSMSSender need LambdaConfig.KMSKeyID"},
	{id: "key-type", settings: []string{"KeyConfiguration"},
		broken: func(v view) bool {
			kind, arn := v.text("KeyConfiguration.KeyType"), v.set("KeyConfiguration.KmsKeyArn")
			return kind == "AWS_OWNED_KEY" && arn || kind == "CUSTOMER_MANAGED_KEY" && !arn
		},
		reason: "KeyConfiguration needs a KmsKeyArn with KeyType CUSTOMER_MANAGED_KEY and cannot have one with " +
			"AWS_OWNED_KEY"},
	{id: "two-sms-senders", settings: []string{sms, "SmsMfaConfiguration.SmsConfiguration"},
		broken: func(v view) bool {
			return v.twoSenders(sms) || v.twoSenders("SmsMfaConfiguration.SmsConfiguration")
		},
		reason: "an SmsConfiguration needs exactly one of SnsCallerArn and EumsSms"},
	{id: "sms-sender-removed", settings: []string{sms},
		broken: func(v view) bool { return view{docs: v.before}.set(sms) && !v.set(sms) },
		reason: "no call removes a pool's SMS sender"},
	{id: "developer-email-without-identity", settings: []string{account, "EmailConfiguration.SourceArn"},
		broken: func(v view) bool { return v.text(account) == "DEVELOPER" && !v.set("EmailConfiguration.SourceArn") },
		reason: account + " DEVELOPER needs EmailConfiguration.SourceArn"},
	{id: "risk-without-threat-protection", settings: []string{"RiskConfiguration", threat},
		broken: func(v view) bool { return v.unoffered("RiskConfiguration") },
		reason: "a risk configuration needs " + threat + " AUDIT or ENFORCED"},
	{id: "client-risk-without-threat-protection", settings: []string{ofClient + "RiskConfiguration", threat},
		broken: func(v view) bool { return v.unoffered(ofClient + "RiskConfiguration") },
		reason: "a risk configuration needs " + threat + " AUDIT or ENFORCED"},
	needsTier("user-events-need-plus", "LogConfigurations.userAuthEvents", "LogConfigurations.userAuthEvents needs",
		"LITE ESSENTIALS", func(v view) bool { return v.set("LogConfigurations.userAuthEvents") }),
	{id: "notifications-to-logs-only", settings: []string{"LogConfigurations.userNotification"},
		broken: func(v view) bool {
			return v.set("LogConfigurations.userNotification.S3Configuration") ||
				v.set("LogConfigurations.userNotification.FirehoseConfiguration")
		},
		reason: "LogConfigurations.userNotification supports only a CloudWatchLogsConfiguration"},
	needsTier("registration-needs-essentials", "DcrConfiguration", "DcrConfiguration Enabled needs", "LITE",
		func(v view) bool { return v.text("DcrConfiguration.EnableStatus") == "Enabled" }),
	needsTier("acr-needs-essentials", "AcrConfiguration", "custom names in AcrConfiguration need", "LITE",
		func(v view) bool { return namesLevels(v.get("AcrConfiguration")) }),
	{id: "mixed-auth-flows", settings: []string{ofClient + "ExplicitAuthFlows"},
		broken: func(v view) bool {
			allows := func(flow string) bool { return strings.HasPrefix(flow, "ALLOW_") }
			flows := v.list(ofClient + "ExplicitAuthFlows")
			return slices.ContainsFunc(flows, allows) && !all(flows, allows)
		},
		reason: "ExplicitAuthFlows that begin with ALLOW_ cannot be combined with the older ones"},
	{id: "default-redirect", settings: []string{ofClient + "DefaultRedirectURI", ofClient + "CallbackURLs"},
		broken: func(v view) bool {
			to := v.text(ofClient + "DefaultRedirectURI")
			return to != "" && !slices.Contains(v.list(ofClient+"CallbackURLs"), to)
		},
		reason: "DefaultRedirectURI must be one of CallbackURLs"},
	{id: "no-secret-to-publish", settings: []string{publish},
		broken: func(v view) bool { return v.get(publish) == true && v.before.get(v.path(publish)) == nil },
		reason: "the client has no secret that Secrets Manager could store"},
}

const ofClient = baseline.Clients + "."

const publish = ofClient + "PublishSecretsInAWSSecretsManager"

// needsTier returns the conflict of a feature that some tiers do not have.
func needsTier(id, setting, who, lacking string, used func(v view) bool) conflict {
	rest := " UserPoolTier ESSENTIALS or PLUS"
	if strings.Contains(lacking, "ESSENTIALS") {
		rest = " UserPoolTier PLUS"
	}
	return conflict{id: id, settings: []string{setting, tier}, reason: who + rest, tolerated: lacking != "LITE",
		broken: func(v view) bool { return used(v) && slices.Contains(strings.Fields(lacking), v.text(tier)) }}
}

// broken returns the conflicts of a pool: those in the table, and objects without a mandatory member.
func broken(docs, before documents) []conflict {
	var found []conflict
	clients, pool := map[string]bool{}, map[string]bool{"": true}
	for _, name := range namesOf(docs) {
		table, _ := name.Table()
		for _, m := range table.Members {
			if m.Trip == baseline.Echo {
				found = append(found, incomplete(m, docs[name][m.Name], name.Prefix()+m.Name)...)
			}
		}
		clients[name.Client()] = true
	}
	delete(clients, "")
	for _, c := range conflicts {
		each := pool
		if strings.HasPrefix(c.settings[0], ofClient) {
			each = clients
		}
		for _, client := range slices.Sorted(maps.Keys(each)) {
			v := view{docs: docs, before: before, client: client}
			if !c.broken(v) {
				continue
			}
			mine := conflict{id: c.id + " " + client, reason: c.reason, tolerated: c.tolerated}
			for _, setting := range c.settings {
				mine.settings = append(mine.settings, v.path(setting))
			}
			found = append(found, mine)
		}
	}
	return found
}

// incomplete finds the objects in v that cannot be written because a mandatory member is missing.
func incomplete(m baseline.Member, v any, path string) []conflict {
	object, ok := v.(map[string]any)
	if !ok || baseline.Empty(v) {
		return nil
	}
	var found []conflict
	for _, below := range m.Members {
		inner, given := object[below.Name]
		if below.Required && below.Kind != baseline.Boolean && (!given || inner == nil || inner == "") {
			found = append(found, conflict{id: "lacks " + path + "." + below.Name, settings: []string{path},
				reason: fmt.Sprintf("%s cannot be written without %s: require it too", path, below.Name)})
		}
		if _, ok := inner.(map[string]any); ok {
			found = append(found, incomplete(below, inner, path+"."+below.Name)...)
		}
	}
	return found
}

type view struct {
	docs   documents
	before documents // as the pool was read
	client string    // id that replaces "Clients[]" in settings
}

func (v view) path(setting string) string {
	return strings.Replace(setting, baseline.Clients, baseline.ClientPath(v.client), 1)
}

func (v view) get(setting string) any { return v.docs.get(v.path(setting)) }

// unoffered reports whether a fix changes a risk configuration that the pool does not offer.
func (v view) unoffered(risk string) bool {
	return !threatens(v.docs) && v.set(risk) && !same(v.get(risk), v.before.get(v.path(risk)))
}

func (v view) text(path string) string {
	text, _ := v.get(path).(string)
	return text
}

func (v view) set(path string) bool { return !baseline.Empty(v.get(path)) }

func (v view) list(path string) []string {
	values, _ := v.get(path).([]any)
	var list []string
	for _, e := range values {
		if text, ok := e.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

func (v view) has(path string, any ...string) bool {
	return slices.ContainsFunc(v.list(path), func(s string) bool { return slices.Contains(any, s) })
}

func (v view) recovery() []string {
	var names []string
	mechanisms, _ := v.get(recovery).([]any)
	for _, e := range mechanisms {
		mechanism, _ := e.(map[string]any)
		name, _ := mechanism["Name"].(string)
		names = append(names, name)
	}
	return names
}

func mfaOn(docs documents) bool {
	mode, _ := docs.get(mfa).(string)
	return mode != "" && mode != "OFF"
}

func (v view) emailMFA() bool { return mfaOn(v.docs) && v.get(emailMFA) != nil }

// factor reports whether an MFA factor is on. While MFA is off, Cognito may return the SMS block as a mirror of the
// pool's SmsConfiguration. Then the block counts only if it was absent before and is required.
func (v view) factor() bool {
	mirror := !mfaOn(v.docs) && !mfaOn(v.before) && !baseline.Empty(v.before.get(smsMFA))
	return v.set(totp) || v.get(emailMFA) != nil || v.set(smsMFA) && !mirror
}

func (v view) twoSenders(path string) bool {
	return v.set(path) && v.set(path+".SnsCallerArn") == v.set(path+".EumsSms")
}

func all(list []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !holds(s) })
}

// namesLevels reports whether an authentication level has another name than the default, which the service returns if
// nothing was set.
func namesLevels(v any) bool {
	table, _ := baseline.UserPool.Table()
	return len(baseline.Leaves(table.Members, map[string]any{"AcrConfiguration": v})) > 0
}
