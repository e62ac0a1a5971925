package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
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

// unusual are pools with something that is easily lost when another setting is written.
var unusual = map[string]func(pool, mfa map[string]any){
	"the older validity days alone":                sets(days, nil, olderDays, json.Number("9")),
	"no device tracking, which {} would turn on":   sets("DeviceConfiguration", nil),
	"devices that are always remembered, by {}":    sets("DeviceConfiguration", map[string]any{}),
	"no account recovery, which is the older form": sets("AccountRecoverySetting", nil),
	"booleans that are false":                      sets("Policies.PasswordPolicy.RequireSymbols", false),
	"an issuer and a key":                          sets(),
	"text messages through End User Messaging": sets("SmsConfiguration", eums,
		"mfa:SmsMfaConfiguration.SmsConfiguration", eums),
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
	"SMS MFA is to be off, the pool's sender is exempted": {rule: inRule(noTextFactor) + exempt("SmsConfiguration"),
		fixed: all("SmsMfaConfiguration"), writes: tried,
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

// TestKnownCases has incidents of the pool and of its MFA configuration, of the further documents and of clients, and
// pools with something that is easily lost.
func TestKnownCases(t *testing.T) {
	t.Parallel()
	unaffected := map[string]scenario{}
	for name, pool := range unusual {
		unaffected[name] = scenario{pool: edits(unprotected, pool), rule: deletionProtection, fixed: all(protected)}
	}
	each(t, map[string]map[string]scenario{"pool": knownCases, "unusual": unaffected, "twins": twinCases,
		"documents": documentCases, "clients": clientCases}, func(cases map[string]scenario, t *testing.T) {
		inBoth(t, cases, scenario.check)
	})
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
	"exactly its sender, the factor is missing": {pool: noFactor, moves: append(noTextLeft, block), writes: poolFirst,
		rule:  "SmsMfaConfiguration: {exactly: {SmsConfiguration: " + ownSender + "}}",
		fixed: all("SmsMfaConfiguration")},
	"exactly its sender, the factor is missing and its text exempted": {pool: noFactor, moves: factorBack,
		rule:   inRule("SmsMfaConfiguration: {exactly: {SmsConfiguration: "+ownSender+"}}") + exempt(factorText),
		writes: setMFA, fixed: all("SmsMfaConfiguration"),
		others: map[string]outcome.State{factorText: outcome.StateExempted}},
	"exactly its sender, the factor is missing and its text required": {pool: noFactor, writes: setMFA,
		rule: "SmsAuthenticationMessage: '" + smsText + "'\nSmsMfaConfiguration: {exactly: {SmsConfiguration: " +
			ownSender + "}}", fixed: all("SmsMfaConfiguration"), moves: factorBack},
	"exactly a function that only the older name shows": {pool: sets("LambdaConfig.PreTokenGenerationConfig", nil),
		rule: "LambdaConfig: {PreTokenGenerationConfig: {exactly: {LambdaArn: " +
			"'arn:aws:lambda:eu-west-1:111122223333:function:pre-token', LambdaVersion: V2_0}}}",
		fixed: all("LambdaConfig.PreTokenGenerationConfig"), moves: all(tokensKind + "=V2_0")},
	"a client's sign-in session validity, which is 3 where none is shown": {live: list(ofWeb+"AuthSessionValidity", nil),
		rule: "version: 1\nrules: [{name: r, clients: [{require: {AuthSessionValidity: {atMost: 5}}}]}]"},
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
	"other days, and nothing under the older name, which shows others": {pool: sets(olderDays, json.Number("5")),
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

func marshal(t tester, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return raw
}

// modeCases are about what is left alone because of the rule or of who made the call.
var modeCases = map[string]scenario{
	"enforce and audit": {pool: unprotected, rule: twoRules, fixed: all(protected), others: tooShort},
	"all in audit": {pool: unprotected, rule: twoRules, others: bothReported, says: "only audits",
		change: func(r *reconcile.Reconciler) { r.Baseline = r.Baseline.InMode(baseline.Audit) }},
	"own write": {pool: unprotected, rule: twoRules, others: bothReported, says: "poolkeeper's own write",
		cause: event.Cause{Issuer: ownRole}},
	"own role's name as a session": {pool: unprotected, rule: twoRules, fixed: all(protected), others: tooShort,
		cause: event.Cause{Actor: "arn:aws:sts::111122223333:assumed-role/Evil/Poolkeeper",
			Issuer: "arn:aws:iam::111122223333:role/Evil"}},
	"something fixed beside nothing to write": {pool: unprotected, fixed: all(protected), outcome: outcome.Partial,
		rule:   "LambdaConfig: {PreSignUp: {matches: \"arn:aws:lambda:us-*\"}}\n" + deletionProtection,
		others: map[string]outcome.State{"LambdaConfig.PreSignUp": outcome.StateReported}, says: "no value"},
	"exemption that has run out": {pool: unprotected, fixed: all(protected), rule: strings.Replace(
		inRule(deletionProtection)+exempt(protected), "2027-01-31T00:00:00Z", "2026-11-01T12:00:00Z", 1)},
	"selected by tag": {pool: unprotected, fixed: all(protected), rule: rules("pools: {tags: {env: [pr*]}}, " + protects)},
}

var (
	twoRules     = rules(protects, "mode: audit, require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 20}}}}")
	tooShort     = map[string]outcome.State{policy + "MinimumLength": outcome.StateReported}
	bothReported = map[string]outcome.State{protected: outcome.StateReported,
		policy + "MinimumLength": outcome.StateReported}
)

// TestModes: audit is left alone, and what is enforced beside it is written.
func TestModes(t *testing.T) {
	t.Parallel()
	inBoth(t, modeCases, scenario.check)
}

// TestEveryLeaf damages each leaf that a baseline can require, one at a time, and demands that the reconciler detects
// it, writes it back and moves nothing else.
func TestEveryLeaf(t *testing.T) {
	t.Parallel()
	leaves := map[string]string{}
	for _, setting := range slices.Concat(leafSettings(baseline.Settings(), ""),
		leafSettings(baseline.ClientSettings(), ofWeb), all("PoolName", "UserPoolTags.env", ofWeb+"ClientName")) {
		leaves[setting] = setting
	}
	maps.DeleteFunc(leaves, func(setting, _ string) bool { // the service takes no other destination of these
		return strings.HasPrefix(setting, "LogConfigurations.userNotification.S3") ||
			strings.HasPrefix(setting, "LogConfigurations.userNotification.Fire")
	})
	each(t, leaves, func(setting string, t *testing.T) {
		b := serve(t, cognitotest.Contract, cognitotest.WithoutValidators())
		b.whole(nil)
		b.everyDestination()
		if strings.Contains(setting, "SmsConfiguration.EumsSms.") {
			b.fake.Edit(poolID, sets("SmsConfiguration", eums, "mfa:SmsMfaConfiguration.SmsConfiguration", eums))
		}
		want := deep(must(b.client.Read(t.Context(), poolID, userpool.Everything()))(t).Settings(), setting)
		if want == nil {
			t.Fatal("the rich pool does not set it")
		}
		before := b.snapshot(t)
		b.damage(setting, want)
		required := &baseline.Baseline{Digest: "sha256:leaf", Rules: []baseline.Rule{{Name: "leaf", Mode: baseline.Enforce,
			Require: []baseline.Requirement{{Setting: setting, Op: baseline.Equal, Value: want}}}}}
		out := b.reconcile(t, required)
		if out.Outcome != outcome.Remediated || states(out)[setting] != fixed {
			t.Errorf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
		}
		allowed(t, required, out)
		for _, path := range difference(before, b.snapshot(t)) {
			if path != olderDays {
				t.Errorf("%s is not what it was before the damage", path)
			}
		}
	})
}

// eums is a sender of text messages through End User Messaging, with every member set.
var eums = map[string]any{"EumsSms": map[string]any{"CallerArn": "arn:aws:iam::111122223333:role/eums-sender",
	"ExternalId": "CANARY-eums", "OriginationIdentity": "Example", "ConfigurationSetName": "texts", "InEntityId": "1",
	"InTemplateId": "2", "Region": "eu-west-1"}}

// everyDestination gives the logs of the pool every destination that the table knows.
func (b bench) everyDestination() {
	logs := b.fake.Logs(poolID)
	for _, e := range logs {
		entry, _ := e.(map[string]any)
		entry["CloudWatchLogsConfiguration"] = map[string]any{
			"LogGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:a"}
		if entry["EventSource"] == "userNotification" {
			continue // the service takes no other of it
		}
		entry["S3Configuration"] = map[string]any{"BucketArn": "arn:aws:s3:::bucket"}
		entry["FirehoseConfiguration"] = map[string]any{
			"StreamArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/a"}
	}
	b.fake.PutLogs(poolID, logs)
}

// damage gives a leaf another value, and its twin with it, as the service would.
func (b bench) damage(setting string, have any) {
	paths := []string{setting}
	if other, ok := baseline.TwinOf(setting); ok {
		paths = append(paths, other)
	}
	for _, path := range paths {
		m, _ := baseline.Lookup(path)
		b.set(path, another(m, have))
	}
}

// another is a value of a member that is not the one it has.
func another(m baseline.Member, have any) any {
	switch {
	case m.Kind == baseline.Boolean:
		return have != true
	case m.Kind == baseline.Integer:
		return json.Number("23")
	case m.Kind == baseline.List && m.Elem.Kind == baseline.Object:
		return list(map[string]any{"Name": "admin_only", "Priority": json.Number("1")})
	case m.Kind == baseline.List:
		return list("other")
	case len(m.Enum) > 1:
		others := slices.DeleteFunc(slices.Clone(m.Enum), func(e string) bool { return e == have || e == "OFF" })
		return others[0]
	default:
		return "damaged {####} {##x##}"
	}
}

const (
	passwordChecks = "Cognito.3 cognito-user-pool-password-policy-check cognito_user_pool_"
	stolen         = "cognito_user_pool_blocks_compromised_credentials_sign_in_attempts"
	malicious      = "cognito_user_pool_blocks_potential_malicious_sign_in_attempts"
	takeover       = "RiskConfiguration.AccountTakeoverRiskConfiguration"
	ofLaxer        = "Clients[laxer]."
	policy         = "Policies.PasswordPolicy."
)

// asked are the values that checks ask for: those of Security Hub, of AWS Config, whose rules they are, and of Prowler.
var asked = []struct {
	checks string
	path   string
	want   string // JSON
	fails  []any  // what fails the checks, each alone, in a pool that is strict otherwise
}{
	{"Cognito.1 cognito-user-pool-advanced-security-enabled cognito_user_pool_advanced_security_enabled " + stolen + " " +
		malicious, threat, `"ENFORCED"`, list("AUDIT", "OFF", nil)},
	{passwordChecks + "password_policy_lowercase", policy + "RequireLowercase", "true", list(false, nil)},
	{passwordChecks + "password_policy_uppercase", policy + "RequireUppercase", "true", list(false, nil)},
	{passwordChecks + "password_policy_number", policy + "RequireNumbers", "true", list(false, nil)},
	{passwordChecks + "password_policy_symbol", policy + "RequireSymbols", "true", list(false, nil)},
	{passwordChecks + "password_policy_minimum_length_14", policy + "MinimumLength", "14", list(json.Number("13"))},
	{passwordChecks + "temporary_password_expiration", days, "7", list(json.Number("8"))},
	{"Cognito.4 cognito-userpool-cust-auth-threat-full-check",
		"UserPoolAddOns.AdvancedSecurityAdditionalFlows.CustomAuthMode", `"ENFORCED"`, list("AUDIT", nil)},
	{"Cognito.5 cognito-user-pool-mfa-enabled cognito_user_pool_mfa_enabled", "MfaConfiguration", `"ON"`, list("OFF")},
	{"Cognito.6 cognito-user-pool-deletion-protection-enabled cognito_user_pool_deletion_protection_enabled", protected,
		`"ACTIVE"`, list("INACTIVE", nil)},
	{"cognito_user_pool_self_registration_disabled", "AdminCreateUserConfig.AllowAdminCreateUserOnly", "true",
		list(false, nil)},
	{stolen, "RiskConfiguration.CompromisedCredentialsRiskConfiguration.EventFilter",
		`["SIGN_IN","PASSWORD_CHANGE","SIGN_UP"]`, list(list("SIGN_UP"), nil)},
	{stolen, riskAction, `"BLOCK"`, list("NO_ACTION")},
	{stolen, "RiskConfiguration.CompromisedCredentialsRiskConfiguration", "", list(nil)},
	{malicious, takeover + ".Actions.LowAction.EventAction", `"BLOCK"`, list("MFA_REQUIRED")},
	{malicious, takeover + ".Actions.MediumAction", "", list(nil)},
	{malicious, takeover + ".Actions.HighAction.EventAction", `"BLOCK"`, list("NO_ACTION")},
	{malicious, takeover, "", list(nil)},
	{"cognito_user_pool_client_prevent_user_existence_errors", ofLaxer + "PreventUserExistenceErrors", `"ENABLED"`,
		list("LEGACY", nil)},
	{"cognito_user_pool_client_token_revocation_enabled", ofLaxer + "EnableTokenRevocation", "true", list(false, nil)},
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

// lax plants a pool that passes no check, with two clients.
func (b *bench) lax(t *testing.T) {
	t.Helper()
	b.rich(func(pool, mfa map[string]any) {
		clear(pool)
		clear(mfa)
		sets("UserPoolTier", "LITE", "MfaConfiguration", "OFF", "mfa:MfaConfiguration", "OFF", protected, "INACTIVE",
			"UserPoolTags.team", "a", policy+"MinimumLength", json.Number("6"), days, json.Number("90"), factors,
			list("PASSWORD"))(pool, mfa)
	})
	b.clients = []string{"lax", "laxer"}
	for _, id := range b.clients {
		b.fake.PutClient(poolID, id, map[string]any{"ClientName": id, "PreventUserExistenceErrors": "LEGACY",
			"RefreshTokenValidity": json.Number("30"), "AuthSessionValidity": json.Number("3"),
			"ExplicitAuthFlows": list("ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"),
			"AllowedOAuthFlows": list("code", "implicit"),
			"CallbackURLs":      list("https://app.example.com/callback")})
	}
}

// TestStrict brings a pool that passes none of the checks to the strict example, and then it passes them all. So it
// does after each thing alone that fails one.
func TestStrict(t *testing.T) {
	t.Parallel()
	required := strict(t)
	each(t, modes, func(mode cognitotest.Mode, t *testing.T) {
		b := serve(t, mode)
		b.lax(t)
		weak := b.snapshot(t)
		if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
			t.Fatalf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
		}
		strong := b.snapshot(t)
		for _, c := range asked {
			for _, path := range []string{c.path, strings.Replace(c.path, "laxer", "lax", 1)} {
				if strong[path] != c.want || c.want != "" && weak[path] == c.want {
					t.Errorf("%s is %s, was %s, want %s", path, strong[path], weak[path], c.want)
				}
			}
			for _, v := range c.fails {
				if b.set(c.path, v); v == "OFF" && c.path == "MfaConfiguration" {
					b.fake.Edit(poolID, mfaOff)
				}
				if out := b.reconcile(t, required); out.Outcome != outcome.Remediated {
					t.Errorf("%s = %v: %s (%s)", c.path, v, out.Outcome, out.Reason)
				}
				if diff := cmp.Diff(strong, b.snapshot(t)); diff != "" {
					t.Errorf("%s = %v stays (-want +got):\n%s", c.path, v, diff)
				}
			}
		}
		if got := strong[ofLaxer+"ExplicitAuthFlows"]; got != `["ALLOW_USER_SRP_AUTH"]` {
			t.Errorf("flows are %s", got)
		}
	})
}

// TestStrictKnowsEveryCheck: the strict example is tested with every check in the table of controls, and with no other.
func TestStrictKnowsEveryCheck(t *testing.T) {
	t.Parallel()
	named, tested := map[string]bool{}, map[string]bool{}
	for _, c := range baseline.Controls() {
		for _, id := range []string{c.SecurityHub, c.ConfigRule, c.Prowler} {
			named[id] = true
		}
	}
	for _, c := range asked {
		for _, id := range strings.Fields(c.checks) {
			tested[id] = true
		}
	}
	delete(named, "")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(tested)), slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("(-tested +named by the table of controls):\n%s", diff)
	}
}

const futureWants = "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE, " +
	"SoftwareTokenMfaConfiguration: {Enabled: true}}, clients: [{names: ['web-*'], require: " +
	"{PreventUserExistenceErrors: ENABLED}}]}]\n"

// planted plants a pool that drifts in three documents.
func (b *bench) planted(plant func(pool, mfa, client map[string]any)) {
	b.whole(nil)
	client := b.fake.Client(poolID, web)
	client["PreventUserExistenceErrors"] = "LEGACY"
	b.fake.Edit(poolID, func(pool, mfa map[string]any) {
		unprotected(pool, mfa)
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
		plant(pool, mfa, client)
	})
	b.fake.PutClient(poolID, web, client)
}

// TestUnknownMembers: a member that this build does not know goes back as it was read, and the finding of the write
// names it and its document, unless the baseline says something else of its path, its document, or every one.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	entropy := func(pool, _, _ map[string]any) {
		object(pool, "Policies", "PasswordPolicy")["Entropy"] = json.Number("40")
	}
	misplaced := func(pool, _, _ map[string]any) {
		pool["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false, "New": "x"}
	}
	pool := func(pool, _, _ map[string]any) { pool["FutureThing"] = map[string]any{"On": true} }
	mfa := func(_, mfa, _ map[string]any) { mfa["FutureThing"] = map[string]any{"On": true} }
	client := func(_, _, client map[string]any) { client["FutureThing"] = map[string]any{"On": true} }
	const poolLeaf, mfaLeaf, clientLeaf = "FutureThing.On", "mfa:FutureThing.On", "Clients[" + web + "].FutureThing.On"
	const entropyLeaf = "Policies.PasswordPolicy.Entropy"
	const none = ""
	inBoth(t, map[string]unknownCase{
		"pool":                  {pool, "", none, "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, echo":            {pool, "FutureThing: echo", none, "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, omit":            {pool, "FutureThing: omit", none, "", poolLeaf, ""},
		"pool, stop":            {pool, "FutureThing: stop", "UpdateUserPool", "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, stop all":        {pool, `"*": stop`, "UpdateUserPool", "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, stop document":   {pool, "UserPool: stop", "UpdateUserPool", "FutureThing (UserPool)", poolLeaf, "true"},
		"pool, by both":         {pool, "UserPool.FutureThing: omit, UserPool: stop", none, "", poolLeaf, ""},
		"document before all":   {pool, `UserPool: omit, "*": stop`, none, "", poolLeaf, ""},
		"path before document":  {pool, "LogDelivery: stop, UserPool: stop, FutureThing: omit", none, "", poolLeaf, ""},
		"other document":        {pool, "MfaConfig: stop, AppClient: stop", none, "FutureThing (UserPool)", poolLeaf, "true"},
		"nested":                {entropy, "", none, entropyLeaf + " (UserPool)", entropyLeaf, "40"},
		"nested, omit":          {entropy, entropyLeaf + ": omit", none, "", entropyLeaf, ""},
		"nested, stop":          {entropy, entropyLeaf + ": stop", "UpdateUserPool", entropyLeaf, entropyLeaf, "40"},
		"nested, by document":   {entropy, "UserPool." + entropyLeaf + ": omit", none, "", entropyLeaf, ""},
		"MFA":                   {mfa, "", none, "FutureThing (MfaConfig)", mfaLeaf, "true"},
		"MFA, stop":             {mfa, "MfaConfig: stop", "SetUserPoolMfaConfig", "FutureThing (MfaConfig)", mfaLeaf, "true"},
		"client":                {client, "", none, "Clients[" + web + "].FutureThing (AppClient)", clientLeaf, "true"},
		"client, omit":          {client, `"Clients[].FutureThing": omit`, none, "", clientLeaf, ""},
		"client, omit this":     {client, `"Clients[` + web + `].FutureThing": omit`, none, "", clientLeaf, ""},
		"client, other client":  {client, `"Clients[mobile].FutureThing": omit`, none, "FutureThing", clientLeaf, "true"},
		"client, like the pool": {client, "FutureThing: omit", none, "FutureThing (AppClient)", clientLeaf, "true"},
		"client, stop": {client, `"Clients[].FutureThing": stop`, "UpdateUserPoolClient", "FutureThing (AppClient)",
			clientLeaf, "true"},
		"client, document": {client, "AppClient: stop", "UpdateUserPoolClient", "FutureThing (AppClient)", clientLeaf,
			"true"},
		"a member of another document": {misplaced, "", none, "SoftwareTokenMfaConfiguration (UserPool)",
			"SoftwareTokenMfaConfiguration.New", `"x"`},
		"a member of another document, omit": {misplaced, "UserPool.SoftwareTokenMfaConfiguration: omit", none, "",
			"SoftwareTokenMfaConfiguration.New", ""},
		"in a list": {func(pool, _, _ map[string]any) {
			mechanisms := pool["AccountRecoverySetting"].(map[string]any)["RecoveryMechanisms"].([]any)
			mechanisms[0].(map[string]any)["Delay"] = json.Number("3")
		}, "", none, "RecoveryMechanisms.Delay (UserPool)", "", ""},
		"empty and null": {func(pool, _, _ map[string]any) {
			pool["FutureThing"], pool["Other"] = map[string]any{}, nil
		}, `"*": stop`, none, "", "", ""},
		"in a read-only member": {func(pool, _, _ map[string]any) {
			pool["SchemaAttributes"] = list(map[string]any{"Name": "sub", "New": true})
		}, `"*": stop`, none, "", "", ""},
		"a known member of a strange shape": {func(pool, _, _ map[string]any) { pool["LambdaConfig"] = "hidden" },
			`"*": echo`, "UpdateUserPool", "LambdaConfig (UserPool): its type is", "LambdaConfig", `"hidden"`},
	}, unknownCase.check, cognitotest.WithoutValidators())
}

type unknownCase struct {
	plant      func(pool, mfa, client map[string]any)
	say        string
	unwanted   string // the write that is not made
	says       string
	leaf, want string
}

func (c unknownCase) check(t *testing.T, b bench) {
	b.planted(c.plant)
	out := b.reconcile(t, parse(t, futureWants+"unknownMembers: {"+c.say+"}\n"))
	ending := outcome.Remediated
	if c.unwanted != "" {
		ending = outcome.Partial
	}
	if out.Outcome != ending || !strings.Contains(fmt.Sprint(out.Drifts), c.says) {
		t.Errorf("%s (%s), %v, want %s with %q", out.Outcome, out.Reason, out.Drifts, ending, c.says)
	}
	wanted := all("UpdateUserPool", "SetUserPoolMfaConfig", "UpdateUserPoolClient")
	wanted = slices.DeleteFunc(wanted, func(call string) bool { return call == c.unwanted })
	if !slices.Equal(out.Writes, wanted) {
		t.Errorf("wrote %v, want %v", out.Writes, wanted)
	}
	if got := b.snapshot(t)[c.leaf]; got != c.want && (b.mode == cognitotest.Contract || c.want != "") {
		t.Errorf("%s is %q, want %q", c.leaf, got, c.want)
	}
}

// TestUnknownMemberMoves: an unknown member that our write moves is critical, and its document is left alone for 24
// hours, unless the baseline decides. One that moves without us counts for nothing.
func TestUnknownMemberMoves(t *testing.T) {
	t.Parallel()
	changed, gone, added := sets("FutureThing", "b"), sets("FutureThing", nil), sets("Other", true)
	type moveCase struct {
		change func(pool, mfa map[string]any)
		after  time.Duration
		say    string
		want   outcome.Ending
	}
	inBoth(t, map[string]moveCase{
		"changed, at once":      {changed, time.Minute, "", outcome.Unfixable},
		"gone, a day later":     {gone, 23 * time.Hour, "", outcome.Unfixable},
		"gone, two days later":  {gone, 25 * time.Hour, "", outcome.Remediated},
		"new, decided":          {added, time.Hour, "Other: echo", outcome.Remediated},
		"new, not decided":      {added, time.Hour, "Else: echo", outcome.Unfixable},
		"new, document decided": {added, time.Hour, "UserPool: echo", outcome.Remediated},
	}, func(c moveCase, t *testing.T, b bench) {
		b.rich(alsoUnprotected("FutureThing", "a"))
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Change: c.change})
		required := parse(t, oneRule(protects)+"unknownMembers: {"+c.say+"}\n")
		out := b.answer(t, required, onPool(event.Cause{EventID: "one"}))
		if out.Outcome != outcome.Unconverged || !out.Critical || !strings.Contains(out.Reason, "(UserPool): ") ||
			!strings.Contains(out.Reason, "which poolkeeper does not know") {
			t.Errorf("%s, critical %t (%s)", out.Outcome, out.Critical, out.Reason)
		}
		b.fake.Edit(poolID, unprotected)
		b.pass(c.after)
		out = b.answer(t, required, onPool(event.Cause{EventID: "two"}))
		stopped := strings.Contains(out.Reason, "(UserPool): a write by poolkeeper changed it")
		if out.Outcome != c.want || stopped != (c.want == outcome.Unfixable) {
			t.Errorf("later: %s (%s), want %s", out.Outcome, out.Reason, c.want)
		}
	})
}

// TestRefusedEcho: a document whose unknown member is refused is left alone, with the member's name, however the
// service says so.
func TestRefusedEcho(t *testing.T) {
	t.Parallel()
	echo := func(message string) scenario {
		return scenario{pool: alsoUnprotected("FutureThing", "secret text", "Name", "other", "mfa:"+totp, false),
			rule: "PoolName: customers\nUserPoolTier: PLUS\n" + deletionProtection + "\n" + totpOptional,
			faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Error: "InvalidParameterException",
				Message: message + ": secret text", When: func(body map[string]any) bool { return body["FutureThing"] != nil }}},
			left: all(protected, "PoolName"), fixed: all(totp), says: "FutureThing (UserPool)", lacks: "secret text",
			most: mostTries}
	}
	inBoth(t, map[string]scenario{"named": echo("Unexpected member FutureThing"), "not named": echo("no")}, scenario.check)
}
