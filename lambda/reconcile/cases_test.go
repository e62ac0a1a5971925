package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"poolkeeper/lambda/outcome"
)

var (
	updated   = []string{"UpdateUserPool"}
	setMFA    = []string{"SetUserPoolMfaConfig"}
	poolFirst = []string{"UpdateUserPool", "SetUserPoolMfaConfig"}
	tried     = []string{"UpdateUserPool", "SetUserPoolMfaConfig", "UpdateUserPool"} // the first changes nothing
	none      = []string{}
)

const (
	fixed   = outcome.StateFixed
	left    = outcome.StateUnfixable
	trigger = "arn:aws:lambda:eu-west-1:111122223333:function:pre-sign-up"
	evil    = "arn:aws:lambda:eu-west-1:111122223333:function:evil"

	protected  = "DeletionProtection"
	totp       = "SoftwareTokenMfaConfiguration.Enabled"
	factors    = "Policies.SignInPolicy.AllowedFirstAuthFactors"
	threat     = "UserPoolAddOns.AdvancedSecurityMode"
	days       = "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
	olderDays  = "AdminCreateUserConfig.UnusedAccountValidityDays"
	verifies   = "UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate"
	recovery   = "AccountRecoverySetting.RecoveryMechanisms"
	tokens     = "LambdaConfig.PreTokenGeneration"
	tokensARN  = "LambdaConfig.PreTokenGenerationConfig.LambdaArn"
	tokensKind = "LambdaConfig.PreTokenGenerationConfig.LambdaVersion"
	block      = "mfa:SmsMfaConfiguration."
	blockARN   = block + "SmsConfiguration.SnsCallerArn"
	smsRole    = "arn:aws:iam::111122223333:role/cognito-sms"
	smsText    = "Sign-in code {####} CANARY-sms-authentication"
	factorText = "SmsMfaConfiguration.SmsAuthenticationMessage"

	totpOptional = "MfaConfiguration: OPTIONAL\nSoftwareTokenMfaConfiguration: {Enabled: true}"
	totpAlways   = "MfaConfiguration: ON\nSoftwareTokenMfaConfiguration: {Enabled: true}"
)

// sets edits a pool: each path gets the value after it, or goes where that is nil. mfa: stands before a path of the
// MFA configuration.
func sets(pairs ...any) func(pool, mfa map[string]any) {
	return func(pool, mfa map[string]any) {
		for i := 0; i < len(pairs); i += 2 {
			path, ofMFA := strings.CutPrefix(pairs[i].(string), "mfa:")
			root := pool
			if ofMFA {
				root = mfa
			}
			put(root, path, pairs[i+1])
		}
	}
}

func edits(all ...func(pool, mfa map[string]any)) func(pool, mfa map[string]any) {
	return func(pool, mfa map[string]any) {
		for _, edit := range all {
			edit(pool, mfa)
		}
	}
}

// totpOnly makes the pool one whose only factor is the authenticator app.
func totpOnly(mode string) func(pool, mfa map[string]any) {
	return edits(noTexts, sets("SmsConfiguration", nil, "SmsAuthenticationMessage", nil, "mfa:EmailMfaConfiguration", nil,
		"mfa:"+totp, true, "MfaConfiguration", mode, "mfa:MfaConfiguration", mode))
}

// mfaOff makes the pool one whose MFA is off.
func mfaOff(pool, mfa map[string]any) {
	sets("mfa:SmsMfaConfiguration", nil, "mfa:EmailMfaConfiguration", nil, "mfa:SoftwareTokenMfaConfiguration", nil,
		"MfaConfiguration", "OFF", "mfa:MfaConfiguration", "OFF")(pool, mfa)
}

// alsoUnprotected takes the deletion protection from a pool too, so that there is something to write.
func alsoUnprotected(pairs ...any) func(pool, mfa map[string]any) {
	return edits(unprotected, sets(pairs...))
}

// mechanism is one of the ways to recover an account.
func mechanism(name, priority string) map[string]any {
	return map[string]any{"Name": name, "Priority": json.Number(priority)}
}

var eumsSender = map[string]any{"EumsSms": map[string]any{"ExternalId": "CANARY-eums",
	"CallerArn": "arn:aws:iam::111122223333:role/eums-sender"}}

// unusual are pools with something that is easily lost when another setting is written.
var unusual = map[string]func(pool, mfa map[string]any){
	"the older validity days alone":                sets(days, nil, olderDays, json.Number("9")),
	"no device tracking, which {} would turn on":   sets("DeviceConfiguration", nil),
	"devices that are always remembered, by {}":    sets("DeviceConfiguration", map[string]any{}),
	"no account recovery, which is the older form": sets("AccountRecoverySetting", nil),
	"booleans that are false":                      sets("Policies.PasswordPolicy.RequireSymbols", false),
	"an issuer and a key":                          sets(),
	"text messages through End User Messaging": sets("SmsConfiguration", eumsSender,
		"mfa:SmsMfaConfiguration.SmsConfiguration", eumsSender),
	"custom authentication levels, which the SDK does not know": sets("AcrConfiguration.Level1.AcrValue", "urn:ours:low",
		"AcrConfiguration.Level2.AcrValue", "urn:cognito:loa:2", "AcrConfiguration.Level3.AcrValue", "urn:cognito:loa:3",
		"AcrConfiguration.Level4.AcrValue", "urn:cognito:loa:4"),
	"an authenticator app only, and MFA on": totpOnly("ON"),
	"an empty e-mail configuration": edits(totpOnly("OPTIONAL"),
		sets("EmailConfiguration", map[string]any{"ReplyToEmailAddress": "", "From": ""})),
	"an empty list of first factors, which the service refuses": edits(totpOnly("OPTIONAL"),
		sets("Policies.SignInPolicy", map[string]any{"AllowedFirstAuthFactors": list()})),
	"tags of AWS's own, which the service refuses": func(pool, _ map[string]any) {
		object(pool, "UserPoolTags")["aws:cloudformation:stack-name"] = "identity"
	},
}

func all(settings ...string) []string { return settings }

// noFactor is a pool without the SMS factor.
var noFactor = sets("mfa:SmsMfaConfiguration", nil)

// mirrored is a pool with MFA off and a sender of text messages: GetUserPoolMfaConfig shows the SMS block all the same.
func mirrored(pool, mfa map[string]any) {
	mfaOff(pool, mfa)
	noFactor(pool, mfa)
}

// rules is a baseline of rules for every pool.
func rules(all ...string) string {
	text := "version: 1\nrules:\n"
	for i, r := range all {
		text += fmt.Sprintf("  - {name: rule-%d, %s}\n", i+1, r)
	}
	return text
}

func inRule(settings string) string {
	return rules("require: {" + strings.ReplaceAll(settings, "\n", ", ") + "}")
}

func exempt(setting string) string {
	return "exemptions:\n  - {pools: {ids: [" + poolID + "]}, settings: [\"" + setting +
		"\"], until: 2027-01-31T00:00:00Z, reason: a, owner: b}\n"
}

var knownCases = map[string]scenario{
	// Only what is required is restored.
	"somebody's single-member update reset the pool": {
		pool: alsoUnprotected("LambdaConfig", nil, "AutoVerifiedAttributes", nil, "UserAttributeUpdateSettings", nil,
			"EmailVerificationMessage", nil, "EmailVerificationSubject", nil, "SmsVerificationMessage", nil,
			"VerificationMessageTemplate", nil, "DeviceConfiguration", nil, "AccountRecoverySetting", nil,
			"AdminCreateUserConfig", nil, "UserPoolAddOns", map[string]any{"AdvancedSecurityMode": "OFF"}),
		rule:  deletionProtection + "\n" + enforced + "\nAutoVerifiedAttributes: [email]",
		fixed: all(protected, threat, "AutoVerifiedAttributes"),
		moves: all(protected+"=ACTIVE", threat+"=ENFORCED", `AutoVerifiedAttributes=["email"]`),
	},
	// The older days are refused beside the newer ones, which stay.
	"two validity days": {pool: alsoUnprotected(days, json.Number("3"), olderDays, json.Number("7")),
		rule: deletionProtection, fixed: all(protected), moves: all(olderDays+"=3", days+"=3")},
	// It has no leaf once it is empty.
	"an object is to be empty": {pool: unprotected, rule: "AdminCreateUserConfig: {exactly: {}}\n" + deletionProtection,
		fixed: all("AdminCreateUserConfig", protected)},
	"device tracking is to be off": {pool: sets("DeviceConfiguration.ChallengeRequiredOnNewDevice", true),
		rule: "DeviceConfiguration: {absent: true}", fixed: all("DeviceConfiguration"), moves: all("DeviceConfiguration=")},
	// The settings that need the attributes stay cleared, and the request is lawful.
	"verified attributes cleared": {pool: sets("AutoVerifiedAttributes", list(), verifies, list()),
		rule: "AutoVerifiedAttributes: [email]", fixed: all("AutoVerifiedAttributes")},
	"verification of an attribute that is not verified": {
		pool: sets("AutoVerifiedAttributes", list(), verifies, list()), left: all(verifies),
		rule: "UserAttributeUpdateSettings: {AttributesRequireVerificationBeforeUpdate: [email]}"},
	"the order of a set is no drift": {
		pool: sets("AutoVerifiedAttributes", list("phone_number", "email"), recovery,
			list(mechanism("verified_phone_number", "2"), mechanism("verified_email", "1"))),
		rule: "AutoVerifiedAttributes: [email, phone_number]\nAccountRecoverySetting: {RecoveryMechanisms: [{Name: " +
			"verified_email, Priority: 1}, {Name: verified_phone_number, Priority: 2}]}"},
	"custom sender removed": {pool: sets("LambdaConfig.CustomSMSSender", nil),
		rule: "LambdaConfig: {CustomSMSSender: {LambdaArn: 'arn:aws:lambda:eu-west-1:111122223333:function:sms', " +
			"LambdaVersion: V1_0}}",
		fixed: all("LambdaConfig.CustomSMSSender.LambdaArn", "LambdaConfig.CustomSMSSender.LambdaVersion")},
	"pre token generation detached, under both names": {
		pool:  sets(tokens, nil, "LambdaConfig.PreTokenGenerationConfig", nil),
		rule:  "LambdaConfig: {PreTokenGenerationConfig: {LambdaArn: '" + trigger + "', LambdaVersion: V2_0}}",
		fixed: all(tokensARN, tokensKind), moves: all(tokens+"="+trigger, tokensKind+"=V2_0")},
	// The version is not required, and stays.
	"pre token generation redirected": {pool: sets(tokens, evil, tokensARN, evil, tokensKind, "V2_0"),
		rule: "LambdaConfig: {PreTokenGeneration: '" + trigger + "'}", fixed: all(tokens),
		moves: all(tokensARN + "=" + trigger)},
	"pre token generation is to be absent, by its older name": {
		rule: "LambdaConfig: {PreTokenGeneration: {absent: true}}", fixed: all(tokens),
		moves: all(tokens+"=", tokensARN+"=", tokensKind+"=")},
	"pre token generation is to be absent, by its newer name": {
		rule: "LambdaConfig: {PreTokenGenerationConfig: {absent: true}}", fixed: all("LambdaConfig.PreTokenGenerationConfig"),
		moves: all(tokens+"=", tokensARN+"=", tokensKind+"=")},
	"no triggers but one": {rule: "LambdaConfig: {exactly: {PreSignUp: '" + trigger + "'}}", fixed: all("LambdaConfig"),
		moves: all("LambdaConfig.PreSignUp="+trigger, "LambdaConfig.CustomMessage=", tokens+"=", tokensARN+"=",
			"LambdaConfig.CustomSMSSender.LambdaArn=", "LambdaConfig.KMSKeyID=")},
	"triggers absent but for a version": {
		pool: sets("LambdaConfig.CustomSMSSender", nil, "LambdaConfig.CustomEmailSender", nil, "LambdaConfig.KMSKeyID", nil),
		rule: inRule("LambdaConfig: {absent: true}") + exempt(tokensKind), fixed: all("LambdaConfig"),
		others: map[string]outcome.State{tokensKind: outcome.StateExempted},
		moves:  all("LambdaConfig.PreSignUp=", tokensKind+"=V2_0")},
	// The call without the SMS block may take the sender, which is brought along.
	"MFA turned off": {pool: mfaOff, fixed: all("MfaConfiguration", totp), writes: tried,
		rule:  "MfaConfiguration: {oneOf: [ON, OPTIONAL], set: OPTIONAL}\nSoftwareTokenMfaConfiguration: {Enabled: true}",
		moves: all("mfa:MfaConfiguration=OPTIONAL", "mfa:"+totp+"=true")},
	"MFA turned off, and no factor is named": {pool: mfaOff, rule: "MfaConfiguration: OPTIONAL",
		left: all("MfaConfiguration")},
	// A conflict that is known before the first write: no half of it is applied.
	"MFA on, beside one-time codes that are not required": {
		pool: edits(mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP"))), rule: totpAlways,
		left: all("MfaConfiguration", totp)},
	"MFA on, and one-time codes off, which have to go first": {
		pool:  edits(totpOnly("OFF"), mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP"))),
		rule:  totpAlways + "\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD]}}",
		fixed: all("MfaConfiguration", totp, factors), writes: poolFirst},
	// The plan shows what can only be written once another setting is.
	"MFA on, and all that has to go for it": {
		rule: "MfaConfiguration: ON\nEmailMfaConfiguration: {absent: true}\nPolicies: {SignInPolicy: " +
			"{AllowedFirstAuthFactors: [PASSWORD]}}\nAccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_email, " +
			"Priority: 1}]}",
		fixed:  all("MfaConfiguration", "EmailMfaConfiguration", factors, recovery),
		writes: all("UpdateUserPool", "SetUserPoolMfaConfig", "UpdateUserPool")},
	"MFA lowered, and one-time codes allowed, which have to come later": {pool: totpOnly("ON"),
		rule:  "MfaConfiguration: OPTIONAL\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD, EMAIL_OTP]}}",
		fixed: all("MfaConfiguration", factors), writes: all("SetUserPoolMfaConfig", "UpdateUserPool")},
	"e-mail MFA and its sender lost, which it needs first": {
		pool: edits(totpOnly("OPTIONAL"), sets("EmailConfiguration.EmailSendingAccount", "COGNITO_DEFAULT")),
		rule: "EmailConfiguration: {EmailSendingAccount: DEVELOPER}\n" +
			"EmailMfaConfiguration: {Subject: 'Your code CANARY-subject'}",
		fixed: all("EmailConfiguration.EmailSendingAccount", "EmailMfaConfiguration.Subject"),
		moves: all("mfa:EmailMfaConfiguration=present"), writes: poolFirst},
	"threat protection off, and custom flows gone, which are not required": {rule: enforced, fixed: all(threat),
		pool: sets("UserPoolAddOns", map[string]any{"AdvancedSecurityMode": "OFF"})},
	// The plan is not required, and is never raised.
	"plan dropped with threat protection": {rule: enforced + "\n" + deletionProtection, fixed: all(protected),
		pool: alsoUnprotected("UserPoolTier", "ESSENTIALS", threat, "OFF", "UserPoolAddOns.AdvancedSecurityAdditionalFlows",
			nil), left: all(threat)},
	"sender of text messages replaced, in both documents": {
		pool: sets("SmsConfiguration.SnsCallerArn", smsRole+"-evil", blockARN, smsRole+"-evil"),
		rule: "SmsConfiguration: {SnsCallerArn: " + smsRole + "}", fixed: all("SmsConfiguration.SnsCallerArn"),
		moves: all("SmsConfiguration.SnsCallerArn="+smsRole, blockARN+"="+smsRole), writes: poolFirst},
	// The factor comes back with the pool's own sender.
	"text of SMS MFA required, factor dropped": {pool: noFactor, writes: poolFirst,
		rule: "SmsMfaConfiguration: {SmsAuthenticationMessage: 'Use {####} CANARY'}", fixed: all(factorText),
		moves: all("SmsAuthenticationMessage=Use {####} CANARY", blockARN+"="+smsRole,
			block+"SmsConfiguration.ExternalId=CANARY-external-id", block+"SmsConfiguration.SnsRegion=eu-west-1")},
	"Region of SMS MFA required, factor dropped": {pool: noFactor, writes: poolFirst,
		rule:  "SmsMfaConfiguration: {SmsConfiguration: {SnsRegion: eu-central-1}}",
		fixed: all("SmsMfaConfiguration.SmsConfiguration.SnsRegion"),
		moves: all("SmsConfiguration.SnsRegion=eu-central-1", blockARN+"="+smsRole,
			block+"SmsConfiguration.ExternalId=CANARY-external-id", block+"SmsAuthenticationMessage="+smsText)},
	// The pool keeps its sender, which other messages need: the write that may take it is followed by one that brings it.
	"SMS MFA is to be off": {rule: noTextFactor, fixed: all("SmsMfaConfiguration"), writes: tried,
		pool: sets("AutoVerifiedAttributes", list("email"), verifies, list("email"), factors, list("PASSWORD"))},
	"MFA is to be off, which would turn off factors that are not required": {
		pool: totpOnly("OPTIONAL"), rule: "MfaConfiguration: OFF", left: all("MfaConfiguration")},
	"MFA is to be off, and its factor too": {pool: totpOnly("OPTIONAL"), fixed: all("MfaConfiguration", totp),
		rule: "MfaConfiguration: OFF\nSoftwareTokenMfaConfiguration: {Enabled: false}", writes: setMFA},
	"passkey settings of a pool without MFA": {
		pool: edits(totpOnly("OFF"), mfaOff, sets("mfa:WebAuthnConfiguration.UserVerification", "preferred")),
		rule: "WebAuthnConfiguration: {UserVerification: required}", fixed: all("WebAuthnConfiguration.UserVerification")},
	// A requirement that a later rule, an exemption or a limit leaves something of.
	"a part of what is absent": {pool: sets("LambdaConfig", map[string]any{"PreSignUp": trigger}),
		rule:  rules("require: {LambdaConfig: {absent: true}}", "require: {LambdaConfig: {UserMigration: '"+evil+"'}}"),
		fixed: all("LambdaConfig", "LambdaConfig.UserMigration"), moves: all("LambdaConfig.UserMigration=" + evil)},
	"an exempted part": {pool: sets("UserPoolTags", map[string]any{"env": "dev", "team": "x"}),
		rule: inRule("UserPoolTags: {exactly: {env: prod}}") + exempt("UserPoolTags.team"), fixed: all("UserPoolTags"),
		others: map[string]outcome.State{"UserPoolTags.team": outcome.StateExempted},
		moves:  all("UserPoolTags.env=prod", "UserPoolTags.team=x")},
	"a list that cannot be empty": {left: all(recovery), says: "the API needs at least 1",
		pool: sets("mfa:EmailMfaConfiguration", nil, recovery, list(mechanism("verified_email", "1"))),
		rule: "AccountRecoverySetting: {RecoveryMechanisms: {without: [{Name: verified_email, Priority: 1}]}}"},
}

// TestKnownCases has incidents of the pool and of its MFA configuration, and pools with something that is easily lost.
func TestKnownCases(t *testing.T) {
	t.Parallel()
	every := maps.Clone(knownCases)
	for name, pool := range unusual {
		every[name] = scenario{pool: edits(unprotected, pool), rule: deletionProtection, fixed: all(protected)}
	}
	runAll(t, every)
}

// twinCases are about what the service shows only because of a twin, which is no factor, no drift and no change; a
// twin's text travels with the factor; and that a factor is there is not the same fact as what is in it.
var twinCases = map[string]scenario{
	"MFA off, the factor absent": {pool: mirrored, rule: noTextFactor},
	"MFA off, all factors off": {pool: mirrored, rule: "MfaConfiguration: 'OFF'\n" + noTextFactor +
		"\nEmailMfaConfiguration: {absent: true}\nSoftwareTokenMfaConfiguration: {Enabled: false}"},
	"MFA off, the factor absent but for its text": {pool: mirrored, rule: inRule(noTextFactor) + exempt(factorText)},
	"MFA on, the factor absent but for its text": {rule: inRule(noTextFactor) + exempt(factorText),
		others: map[string]outcome.State{factorText: outcome.StateExempted}},
	"exactly its text": {rule: "SmsMfaConfiguration: {exactly: {SmsAuthenticationMessage: '" + smsText + "'}}"},
	"exactly another text": {rule: "SmsMfaConfiguration: {exactly: {SmsAuthenticationMessage: 'New {####}'}}",
		fixed: all("SmsMfaConfiguration"), writes: poolFirst,
		moves: all(block+"SmsAuthenticationMessage=New {####}", "SmsAuthenticationMessage=New {####}")},
	"a sender in a missing factor": {pool: noFactor, moves: factorBack, writes: setMFA,
		rule:  "SmsMfaConfiguration: {SmsConfiguration: {SnsCallerArn: '" + smsRole + "'}}",
		fixed: all(senderIn + "SnsCallerArn")},
	"a sender in a factor, and MFA on": {pool: mirrored, moves: factorBack, writes: setMFA,
		fixed: all("MfaConfiguration", senderIn+"SnsCallerArn"),
		rule:  "MfaConfiguration: OPTIONAL\nSmsMfaConfiguration: {SmsConfiguration: {SnsCallerArn: '" + smsRole + "'}}"},
	"all of it, the factor is missing": {pool: noFactor, rule: wholeFactor, fixed: all("SmsMfaConfiguration"),
		moves: factorBack, writes: setMFA},
	"all of it, the factor is missing and the sender is another": {
		pool: edits(noFactor, sets("SmsAuthenticationMessage", nil, "SmsConfiguration.ExternalId", "other")),
		rule: wholeFactor, fixed: all("SmsMfaConfiguration", "SmsConfiguration", "SmsAuthenticationMessage"),
		moves: append(all("SmsConfiguration.ExternalId=CANARY-external-id"), factorBack...), writes: poolFirst},
	"the factor is to be there": {pool: noFactor, fixed: all("SmsMfaConfiguration"), moves: factorBack, writes: setMFA,
		rule: "SmsMfaConfiguration: {present: true, set: {SmsConfiguration: " + ownSender + "}}"},
	"exactly its sender": {rule: "SmsMfaConfiguration: {exactly: {SmsConfiguration: " + ownSender + "}}",
		fixed: all("SmsMfaConfiguration"), moves: noTextLeft, writes: poolFirst},
	"the factor absent but for its sender": {rule: inRule(noTextFactor) + exempt("SmsMfaConfiguration.SmsConfiguration"),
		fixed: all("SmsMfaConfiguration"), moves: noTextLeft, writes: poolFirst,
		others: map[string]outcome.State{senderIn + "ExternalId": outcome.StateExempted,
			senderIn + "SnsCallerArn": outcome.StateExempted, senderIn + "SnsRegion": outcome.StateExempted}},
	"exactly other days, under the older name": {rule: adminExactly("UnusedAccountValidityDays: 5"),
		fixed: all("AdminCreateUserConfig"), moves: all(days + "=5")},
	"exactly the days that it shows, and does not read": {pool: sets(olderDays, json.Number("5")),
		rule: adminExactly("UnusedAccountValidityDays: 5"), fixed: all("AdminCreateUserConfig"), moves: all(days + "=5")},
	"exactly, and nothing of the days": {pool: sets(olderDays, json.Number("5")), rule: adminExactly(""),
		fixed: all("AdminCreateUserConfig"), moves: all(days + "=3")},
	"other days, and nothing under the older name": {pool: sets(olderDays, json.Number("3")),
		rule:  "AdminCreateUserConfig: {absent: true}\nPolicies: {PasswordPolicy: {TemporaryPasswordValidityDays: 7}}",
		fixed: all(days, "AdminCreateUserConfig"), moves: all(days+"=7", olderDays)},
	"the default name of a level": {pool: sets("AcrConfiguration", nil),
		rule: "AcrConfiguration: {Level1: {AcrValue: 'urn:cognito:loa:1'}}"},
	"days under the older name": {pool: sets(days, nil, olderDays, json.Number("1")),
		rule: "Policies: {PasswordPolicy: {TemporaryPasswordValidityDays: {atMost: 7}}}"},
}

const ownSender = "{SnsCallerArn: '" + smsRole + "', ExternalId: CANARY-external-id, SnsRegion: eu-west-1}"
const senderIn = "SmsMfaConfiguration.SmsConfiguration."
const wholeFactor = "SmsAuthenticationMessage: '" + smsText + "'\nSmsConfiguration: {exactly: " + ownSender +
	"}\nSmsMfaConfiguration: {exactly: {SmsAuthenticationMessage: '" + smsText + "', SmsConfiguration: " + ownSender + "}}"

var (
	factorBack = all(block+"SmsAuthenticationMessage="+smsText, blockARN+"="+smsRole, block,
		"SmsAuthenticationMessage="+smsText)
	noTextLeft = all(block+"SmsAuthenticationMessage=", "SmsAuthenticationMessage=", blockARN+"="+smsRole)
)

func adminExactly(more string) string {
	return "AdminCreateUserConfig: {exactly: {AllowAdminCreateUserOnly: true, " + more + "}}"
}

// TestTwinsAndMirrors runs the cases of twins.
func TestTwinsAndMirrors(t *testing.T) {
	t.Parallel()
	runAll(t, twinCases)
}
