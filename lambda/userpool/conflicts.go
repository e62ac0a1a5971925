package userpool

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A conflict is a rule of the service that two or more settings break together, or one alone. Breaking it makes a
// write refused, so it is looked for before the first write: what breaks it is left out of the plan, and the rest is
// still put right.
//
// Each row rests on a refusal that was measured or is documented; what is only suspected is left to the service's own
// answer.
type conflict struct {
	id string
	// settings are those that take part, the one that depends on the others first: its drift is given up first.
	settings []string
	broken   func(v view) bool
	reason   string
	// tolerated marks a rule that older pools are known to break lawfully: a pool that breaks it already may go on doing
	// so.
	tolerated bool
}

// in reports whether the conflict is one of those.
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
		reason: "every attribute of " + verify + " has to be in AutoVerifiedAttributes"},
	{id: "phone-verification-without-sms", settings: []string{autoVerify, sms},
		broken: func(v view) bool { return v.has(autoVerify, "phone_number") && !v.set(sms) },
		reason: "AutoVerifiedAttributes with phone_number needs an SmsConfiguration"},
	{id: "admin-only-recovery", settings: []string{recovery},
		broken: func(v view) bool { return slices.Contains(v.recovery(), "admin_only") && len(v.recovery()) > 1 },
		reason: "the recovery mechanism admin_only has to stand alone"},
	{id: "mfa-on-with-one-time-codes", settings: []string{mfa, factors},
		broken: func(v view) bool { return v.text(mfa) == "ON" && v.has(factors, "EMAIL_OTP", "SMS_OTP") },
		reason: "MfaConfiguration ON cannot stand beside EMAIL_OTP or SMS_OTP in " + factors},
	{id: "mfa-on-with-single-factor-passkeys", settings: []string{mfa, factors, passkey},
		broken: func(v view) bool {
			return v.text(mfa) == "ON" && v.has(factors, "WEB_AUTHN") && v.text(passkey) != "MULTI_FACTOR_WITH_USER_VERIFICATION"
		},
		reason: "MfaConfiguration ON beside WEB_AUTHN in " + factors + " needs " + passkey +
			" MULTI_FACTOR_WITH_USER_VERIFICATION"},
	{id: "sms-code-without-sms", settings: []string{factors, sms},
		broken: func(v view) bool { return v.has(factors, "SMS_OTP") && !v.set(sms) },
		reason: "SMS_OTP in " + factors + " needs an SmsConfiguration"},
	needsTier("factors-need-essentials", factors, "first factors beyond PASSWORD need", "LITE", func(v view) bool {
		return v.has(factors, "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN")
	}),
	needsTier("threat-protection-needs-plus", "UserPoolAddOns", threat+" AUDIT and ENFORCED need", "LITE ESSENTIALS",
		func(v view) bool { return threatens(v.docs) }),
	{id: "email-mfa-needs-ses", settings: []string{emailMFA, account},
		broken: func(v view) bool { return v.emailMFA() && v.text(account) != "DEVELOPER" },
		reason: "EmailMfaConfiguration needs " + account + " DEVELOPER"},
	{id: "email-mfa-with-email-recovery", settings: []string{emailMFA, recovery},
		broken: func(v view) bool { return v.emailMFA() && slices.Equal(v.recovery(), []string{"verified_email"}) },
		reason: "EmailMfaConfiguration cannot stand beside an account recovery by e-mail alone"},
	needsTier("email-mfa-needs-essentials", emailMFA, "EmailMfaConfiguration needs", "LITE", view.emailMFA),
	{id: "mfa-without-factor", settings: []string{mfa, totp, smsMFA, emailMFA},
		broken: func(v view) bool { return mfaOn(v.docs) && !v.factor() },
		reason: "MfaConfiguration ON and OPTIONAL need a factor: require SoftwareTokenMfaConfiguration, " +
			"SmsMfaConfiguration or EmailMfaConfiguration too"},
	// A call that turns MFA off turns every factor off with it. Where the baseline does not ask for that too, it would be
	// a change that nobody required.
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
		reason: "KeyConfiguration takes a KmsKeyArn with KeyType CUSTOMER_MANAGED_KEY, and none with AWS_OWNED_KEY"},
	{id: "two-sms-senders", settings: []string{sms, "SmsMfaConfiguration.SmsConfiguration"},
		broken: func(v view) bool {
			return v.twoSenders(sms) || v.twoSenders("SmsMfaConfiguration.SmsConfiguration")
		},
		reason: "an SmsConfiguration takes exactly one of SnsCallerArn and EumsSms"},
	{id: "sms-sender-removed", settings: []string{sms},
		broken: func(v view) bool { return view{docs: v.before}.set(sms) && !v.set(sms) },
		reason: "no call removes a pool's sender of text messages"},
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
		reason: "LogConfigurations.userNotification takes a CloudWatchLogsConfiguration only"},
	needsTier("registration-needs-essentials", "DcrConfiguration", "DcrConfiguration Enabled needs", "LITE",
		func(v view) bool { return v.text("DcrConfiguration.EnableStatus") == "Enabled" }),
	needsTier("acr-needs-essentials", "AcrConfiguration", "custom names in AcrConfiguration need", "LITE",
		func(v view) bool { return v.set("AcrConfiguration") && !defaultACR(v.get("AcrConfiguration")) }),
	{id: "mixed-auth-flows", settings: []string{ofClient + "ExplicitAuthFlows"},
		broken: func(v view) bool {
			allows := func(flow string) bool { return strings.HasPrefix(flow, "ALLOW_") }
			flows := v.list(ofClient + "ExplicitAuthFlows")
			return slices.ContainsFunc(flows, allows) && !all(flows, allows)
		},
		reason: "ExplicitAuthFlows that begin with ALLOW_ cannot stand beside the older ones"},
	{id: "default-redirect", settings: []string{ofClient + "DefaultRedirectURI", ofClient + "CallbackURLs"},
		broken: func(v view) bool {
			to := v.text(ofClient + "DefaultRedirectURI")
			return to != "" && !slices.Contains(v.list(ofClient+"CallbackURLs"), to)
		},
		reason: "DefaultRedirectURI has to be one of CallbackURLs"},
}

// ofClient begins a setting of each app client.
const ofClient = baseline.Clients + "."

// needsTier is the conflict of what some plans do not have.
func needsTier(id, setting, who, lacking string, used func(v view) bool) conflict {
	rest := " UserPoolTier ESSENTIALS or PLUS"
	if strings.Contains(lacking, "ESSENTIALS") {
		rest = " UserPoolTier PLUS"
	}
	return conflict{id: id, settings: []string{setting, tier}, reason: who + rest, tolerated: lacking != "LITE",
		broken: func(v view) bool { return used(v) && slices.Contains(strings.Fields(lacking), v.text(tier)) }}
}

// broken returns the conflicts of a pool, those of the table and the objects that lack a required member.
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

// incomplete finds the objects in v that cannot be written because a required member is missing.
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
