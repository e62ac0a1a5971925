package userpool

import (
	"fmt"
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
		broken: func(v view) bool { return !subset(v.list(verify), v.list(autoVerify)) },
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
	{id: "factors-need-essentials", settings: []string{factors, tier},
		broken: func(v view) bool {
			return v.text(tier) == "LITE" && v.has(factors, "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN")
		},
		reason: "first factors beyond PASSWORD need UserPoolTier ESSENTIALS or PLUS"},
	{id: "threat-protection-needs-plus", settings: []string{"UserPoolAddOns", tier}, tolerated: true,
		broken: func(v view) bool {
			on := v.text(threat) != "" && v.text(threat) != "OFF"
			return on && (v.text(tier) == "LITE" || v.text(tier) == "ESSENTIALS")
		},
		reason: threat + " AUDIT and ENFORCED need UserPoolTier PLUS"},
	{id: "email-mfa-needs-ses", settings: []string{emailMFA, account},
		broken: func(v view) bool { return v.emailMFA() && v.text(account) != "DEVELOPER" },
		reason: "EmailMfaConfiguration needs " + account + " DEVELOPER"},
	{id: "email-mfa-with-email-recovery", settings: []string{emailMFA, recovery},
		broken: func(v view) bool { return v.emailMFA() && slices.Equal(v.recovery(), []string{"verified_email"}) },
		reason: "EmailMfaConfiguration cannot stand beside an account recovery by e-mail alone"},
	{id: "email-mfa-needs-essentials", settings: []string{emailMFA, tier},
		broken: func(v view) bool { return v.emailMFA() && v.text(tier) == "LITE" },
		reason: "EmailMfaConfiguration needs UserPoolTier ESSENTIALS or PLUS"},
	{id: "mfa-without-factor", settings: []string{mfa, totp, smsMFA, emailMFA},
		broken: func(v view) bool { return v.mfaOn() && len(v.factors()) == 0 },
		reason: "MfaConfiguration ON and OPTIONAL need a factor: require SoftwareTokenMfaConfiguration, " +
			"SmsMfaConfiguration or EmailMfaConfiguration too"},
	// A call that turns MFA off turns every factor off with it. Where the baseline does not ask for that too, it would be
	// a change that nobody required.
	{id: "factor-with-mfa-off", settings: []string{totp, emailMFA, smsMFA, mfa},
		broken: func(v view) bool { return !v.mfaOn() && len(v.factors()) > 0 },
		reason: "a factor cannot be on while MfaConfiguration is OFF: require both to be on, or both to be off"},
	{id: "sms-mfa-without-sms", settings: []string{smsMFA, sms},
		broken: func(v view) bool {
			return v.mfaOn() && v.set(smsMFA) && !v.set("SmsMfaConfiguration.SmsConfiguration") && !v.set(sms)
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
	{id: "developer-email-without-identity", settings: []string{account, "EmailConfiguration.SourceArn"},
		broken: func(v view) bool { return v.text(account) == "DEVELOPER" && !v.set("EmailConfiguration.SourceArn") },
		reason: account + " DEVELOPER needs EmailConfiguration.SourceArn"},
	{id: "risk-without-threat-protection", settings: []string{"RiskConfiguration", threat},
		broken: func(v view) bool {
			mode := v.text(threat)
			return (mode == "" || mode == "OFF") && v.set("RiskConfiguration") &&
				!same(v.get("RiskConfiguration"), v.before.get("RiskConfiguration"))
		},
		reason: "a risk configuration needs " + threat + " AUDIT or ENFORCED"},
	{id: "user-events-need-plus", settings: []string{"LogConfigurations.userAuthEvents", tier}, tolerated: true,
		broken: func(v view) bool {
			return v.set("LogConfigurations.userAuthEvents") && (v.text(tier) == "LITE" || v.text(tier) == "ESSENTIALS")
		},
		reason: "LogConfigurations.userAuthEvents needs UserPoolTier PLUS"},
	{id: "notifications-to-logs-only", settings: []string{"LogConfigurations.userNotification"},
		broken: func(v view) bool {
			return v.set("LogConfigurations.userNotification.S3Configuration") ||
				v.set("LogConfigurations.userNotification.FirehoseConfiguration")
		},
		reason: "LogConfigurations.userNotification takes a CloudWatchLogsConfiguration only"},
	{id: "registration-needs-essentials", settings: []string{"DcrConfiguration", tier},
		broken: func(v view) bool {
			return v.text(tier) == "LITE" && v.text("DcrConfiguration.EnableStatus") == "Enabled"
		},
		reason: "DcrConfiguration Enabled needs UserPoolTier ESSENTIALS or PLUS"},
	{id: "acr-needs-essentials", settings: []string{"AcrConfiguration", tier},
		broken: func(v view) bool {
			return v.text(tier) == "LITE" && v.set("AcrConfiguration") && !defaultACR(v.get("AcrConfiguration"))
		},
		reason: "custom names in AcrConfiguration need UserPoolTier ESSENTIALS or PLUS"},
}

// clientConflicts are the rules of one app client; the settings stand below it.
var clientConflicts = []struct {
	id       string
	settings []string
	pools    []string // settings of the pool that take part
	broken   func(v view, client string) bool
	reason   string
}{
	{"mixed-auth-flows", []string{"ExplicitAuthFlows"}, nil, func(v view, client string) bool {
		old, new := false, false
		for _, flow := range v.list(client + ".ExplicitAuthFlows") {
			allow := strings.HasPrefix(flow, "ALLOW_")
			old, new = old || !allow, new || allow
		}
		return old && new
	}, "ExplicitAuthFlows that begin with ALLOW_ cannot stand beside the older ones"},
	{"client-risk-without-threat-protection", []string{"RiskConfiguration"}, []string{threat},
		func(v view, client string) bool {
			mode, risk := v.text(threat), client+".RiskConfiguration"
			return (mode == "" || mode == "OFF") && v.set(risk) && !same(v.get(risk), v.before.get(risk))
		}, "a risk configuration needs " + threat + " AUDIT or ENFORCED"},
	{"default-redirect", []string{"DefaultRedirectURI", "CallbackURLs"}, nil, func(v view, client string) bool {
		to := v.text(client + ".DefaultRedirectURI")
		return to != "" && !slices.Contains(v.list(client+".CallbackURLs"), to)
	}, "DefaultRedirectURI has to be one of CallbackURLs"},
}

func brokenClient(v view, client string) []conflict {
	var found []conflict
	for _, c := range clientConflicts {
		if !c.broken(v, client) {
			continue
		}
		var settings []string
		for _, setting := range c.settings {
			settings = append(settings, client+"."+setting)
		}
		settings = append(settings, c.pools...)
		found = append(found, conflict{id: c.id + " of " + client, settings: settings, reason: c.reason})
	}
	return found
}

// broken returns the conflicts of a pool, those of the table and the objects that lack a required member.
func broken(v view) []conflict {
	var found []conflict
	for _, c := range conflicts {
		if c.broken(v) {
			found = append(found, c)
		}
	}
	var clients []string
	for _, name := range namesOf(v.docs) {
		table, _ := name.Table()
		for _, m := range table.Members {
			if m.Trip == baseline.Echo {
				found = append(found, incomplete(m, v.docs[name][m.Name], name.Prefix()+m.Name)...)
			}
		}
		if client := name.Client(); client != "" && !slices.Contains(clients, client) {
			clients = append(clients, client)
			found = append(found, brokenClient(v, baseline.ClientPath(client))...)
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
