package reconcile_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
)

// A known case is what somebody did to a pool, what the baseline requires, and what has to come of it. Each leaf that
// is neither of a fixed setting nor among moves must be exactly what it was.
type knownCase struct {
	tamper   func(pool, mfa map[string]any)
	baseline string
	fixed    []string
	left     []string          // settings that cannot be fixed
	moves    map[string]string // leaves that move too, or are of interest, and their JSON; "" is absent
	writes   []string          // UpdateUserPool where nothing is said
}

var (
	updated   = []string{"UpdateUserPool"}
	setMFA    = []string{"SetUserPoolMfaConfig"}
	poolFirst = []string{"UpdateUserPool", "SetUserPoolMfaConfig"}
	mfaFirst  = []string{"SetUserPoolMfaConfig", "UpdateUserPool"}
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
	smsRole    = `"arn:aws:iam::111122223333:role/cognito-sms"`
	smsText    = `"Sign-in code {####} CANARY-sms-authentication"`

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

var knownCases = map[string]knownCase{
	"minimum length lowered": {
		tamper:   sets("Policies.PasswordPolicy.MinimumLength", json.Number("6")),
		baseline: "Policies: {PasswordPolicy: {MinimumLength: {atLeast: 14}}}",
		fixed:    []string{"Policies.PasswordPolicy.MinimumLength"},
		moves:    map[string]string{"Policies.PasswordPolicy.MinimumLength": "14"},
	},
	"compliant": {baseline: deletionProtection},
	// Only what is required is restored.
	"somebody's single-member update reset the pool": {
		tamper: alsoUnprotected("LambdaConfig", nil, "AutoVerifiedAttributes", nil, "UserAttributeUpdateSettings", nil,
			"EmailVerificationMessage", nil, "EmailVerificationSubject", nil, "SmsVerificationMessage", nil,
			"VerificationMessageTemplate", nil, "DeviceConfiguration", nil, "AccountRecoverySetting", nil,
			"AdminCreateUserConfig", nil, "UserPoolAddOns", map[string]any{"AdvancedSecurityMode": "OFF"}),
		baseline: deletionProtection + "\nUserPoolAddOns: {AdvancedSecurityMode: ENFORCED}\nAutoVerifiedAttributes: [email]",
		fixed:    []string{protected, threat, "AutoVerifiedAttributes"},
		moves:    map[string]string{protected: `"ACTIVE"`, threat: `"ENFORCED"`, "AutoVerifiedAttributes": `["email"]`},
	},
	// The older days are refused beside the newer ones, which stay.
	"two validity days": {
		tamper:   alsoUnprotected(days, json.Number("3"), olderDays, json.Number("7")),
		baseline: deletionProtection, fixed: []string{protected}, moves: map[string]string{olderDays: "3", days: "3"},
	},
	"template text altered, whose older name follows": {
		tamper: sets("VerificationMessageTemplate.EmailMessage", "visit evil.example {####}",
			"EmailVerificationMessage", "visit evil.example {####}"),
		baseline: "VerificationMessageTemplate: {EmailMessage: 'Our code is {####} CANARY'}",
		fixed:    []string{"VerificationMessageTemplate.EmailMessage"},
		moves: map[string]string{"VerificationMessageTemplate.EmailMessage": `"Our code is {####} CANARY"`,
			"EmailVerificationMessage": `"Our code is {####} CANARY"`},
	},
	"text required by its older name, which the template follows": {
		tamper:   sets("VerificationMessageTemplate.SmsMessage", "bad {####}", "SmsVerificationMessage", "bad {####}"),
		baseline: "SmsVerificationMessage: 'Good {####} CANARY'", fixed: []string{"SmsVerificationMessage"},
		moves: map[string]string{"VerificationMessageTemplate.SmsMessage": `"Good {####} CANARY"`},
	},
	// It has no leaf once it is empty.
	"an object is to be empty": {
		tamper: unprotected, baseline: "AdminCreateUserConfig: {exactly: {}}\n" + deletionProtection,
		fixed: []string{"AdminCreateUserConfig", protected},
	},
	"device tracking is to be off": {
		tamper:   sets("DeviceConfiguration.ChallengeRequiredOnNewDevice", true),
		baseline: "DeviceConfiguration: {absent: true}", fixed: []string{"DeviceConfiguration"},
		moves: map[string]string{"DeviceConfiguration": ""},
	},
	// The settings that need the attributes stay cleared, and the request is lawful.
	"verified attributes cleared": {
		tamper:   sets("AutoVerifiedAttributes", list(), verifies, list()),
		baseline: "AutoVerifiedAttributes: [email]", fixed: []string{"AutoVerifiedAttributes"},
	},
	"verification of an attribute that is not verified": {
		tamper:   sets("AutoVerifiedAttributes", list(), verifies, list()),
		baseline: "UserAttributeUpdateSettings: {AttributesRequireVerificationBeforeUpdate: [email]}",
		left:     []string{verifies},
	},
	"the order of a set is no drift": {
		tamper: sets("AutoVerifiedAttributes", list("phone_number", "email"), recovery,
			list(mechanism("verified_phone_number", "2"), mechanism("verified_email", "1"))),
		baseline: "AutoVerifiedAttributes: [email, phone_number]\nAccountRecoverySetting: {RecoveryMechanisms: [{Name: " +
			"verified_email, Priority: 1}, {Name: verified_phone_number, Priority: 2}]}",
	},
	"one trigger of many detached": {
		tamper:   sets("LambdaConfig.PreSignUp", nil),
		baseline: "LambdaConfig: {PreSignUp: '" + trigger + "'}", fixed: []string{"LambdaConfig.PreSignUp"},
		moves: map[string]string{"LambdaConfig.PreSignUp": `"` + trigger + `"`},
	},
	"custom sender removed": {
		tamper: sets("LambdaConfig.CustomSMSSender", nil),
		baseline: "LambdaConfig: {CustomSMSSender: {LambdaArn: 'arn:aws:lambda:eu-west-1:111122223333:function:sms', " +
			"LambdaVersion: V1_0}}",
		fixed: []string{"LambdaConfig.CustomSMSSender.LambdaArn", "LambdaConfig.CustomSMSSender.LambdaVersion"},
	},
	"pre token generation detached, under both names": {
		tamper:   sets(tokens, nil, "LambdaConfig.PreTokenGenerationConfig", nil),
		baseline: "LambdaConfig: {PreTokenGenerationConfig: {LambdaArn: '" + trigger + "', LambdaVersion: V2_0}}",
		fixed:    []string{tokensARN, tokensKind},
		moves:    map[string]string{tokens: `"` + trigger + `"`, tokensKind: `"V2_0"`},
	},
	// The version is not required, and stays.
	"pre token generation redirected": {
		tamper:   sets(tokens, evil, tokensARN, evil, tokensKind, "V2_0"),
		baseline: "LambdaConfig: {PreTokenGeneration: '" + trigger + "'}", fixed: []string{tokens},
		moves: map[string]string{tokensARN: `"` + trigger + `"`},
	},
	"pre token generation is to be absent, by its older name": {
		baseline: "LambdaConfig: {PreTokenGeneration: {absent: true}}", fixed: []string{tokens},
		moves: map[string]string{tokens: "", tokensARN: "", tokensKind: ""},
	},
	"pre token generation is to be absent, by its newer name": {
		baseline: "LambdaConfig: {PreTokenGenerationConfig: {absent: true}}",
		fixed:    []string{"LambdaConfig.PreTokenGenerationConfig"},
		moves:    map[string]string{tokens: "", tokensARN: "", tokensKind: ""},
	},
	"no triggers but one": {
		baseline: "LambdaConfig: {exactly: {PreSignUp: '" + trigger + "'}}", fixed: []string{"LambdaConfig"},
		moves: map[string]string{"LambdaConfig.PreSignUp": `"` + trigger + `"`, "LambdaConfig.CustomMessage": "", tokens: "",
			tokensARN: "", "LambdaConfig.CustomSMSSender.LambdaArn": "", "LambdaConfig.KMSKeyID": ""},
	},
	// The call without the SMS block may take the sender, which is brought along.
	"MFA turned off": {
		tamper:   mfaOff,
		baseline: "MfaConfiguration: {oneOf: [ON, OPTIONAL], set: OPTIONAL}\nSoftwareTokenMfaConfiguration: {Enabled: true}",
		fixed:    []string{"MfaConfiguration", totp},
		moves:    map[string]string{"mfa:MfaConfiguration": `"OPTIONAL"`, "mfa:" + totp: "true"}, writes: tried,
	},
	"MFA turned off, and no factor is named": {
		tamper: mfaOff, baseline: "MfaConfiguration: OPTIONAL", left: []string{"MfaConfiguration"},
	},
	// A conflict that is known before the first write: no half of it is applied.
	"MFA on, beside one-time codes that are not required": {
		tamper:   edits(mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP"))),
		baseline: totpAlways, left: []string{"MfaConfiguration", totp},
	},
	"MFA on, and one-time codes off, which have to go first": {
		tamper:   edits(totpOnly("OFF"), mfaOff, sets(factors, list("PASSWORD", "EMAIL_OTP"))),
		baseline: totpAlways + "\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD]}}",
		fixed:    []string{"MfaConfiguration", totp, factors}, writes: poolFirst,
	},
	// The plan shows what can only be written once another setting is.
	"MFA on, and all that has to go for it": {
		baseline: "MfaConfiguration: ON\nEmailMfaConfiguration: {absent: true}\nPolicies: {SignInPolicy: " +
			"{AllowedFirstAuthFactors: [PASSWORD]}}\nAccountRecoverySetting: {RecoveryMechanisms: [{Name: verified_email, " +
			"Priority: 1}]}",
		fixed:  []string{"MfaConfiguration", "EmailMfaConfiguration", factors, recovery},
		writes: []string{"UpdateUserPool", "SetUserPoolMfaConfig", "UpdateUserPool"},
	},
	"MFA lowered, and one-time codes allowed, which have to come later": {
		tamper:   totpOnly("ON"),
		baseline: "MfaConfiguration: OPTIONAL\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD, EMAIL_OTP]}}",
		fixed:    []string{"MfaConfiguration", factors}, writes: mfaFirst,
	},
	"e-mail MFA and its sender lost, which it needs first": {
		tamper: edits(totpOnly("OPTIONAL"), sets("EmailConfiguration.EmailSendingAccount", "COGNITO_DEFAULT")),
		baseline: "EmailConfiguration: {EmailSendingAccount: DEVELOPER}\n" +
			"EmailMfaConfiguration: {Subject: 'Your code CANARY-subject'}",
		fixed:  []string{"EmailConfiguration.EmailSendingAccount", "EmailMfaConfiguration.Subject"},
		moves:  map[string]string{"mfa:EmailMfaConfiguration": "present"},
		writes: poolFirst,
	},
	"threat protection off, and custom flows gone, which are not required": {
		tamper:   sets("UserPoolAddOns", map[string]any{"AdvancedSecurityMode": "OFF"}),
		baseline: "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}", fixed: []string{threat},
	},
	// The plan is not required, and is never raised.
	"plan dropped with threat protection": {
		tamper: alsoUnprotected("UserPoolTier", "ESSENTIALS", threat, "OFF",
			"UserPoolAddOns.AdvancedSecurityAdditionalFlows", nil),
		baseline: "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}\n" + deletionProtection,
		fixed:    []string{protected}, left: []string{threat},
	},
	"account recovery widened": {
		tamper:   edits(totpOnly("OPTIONAL"), sets(recovery, list(mechanism("verified_phone_number", "1")))),
		baseline: "AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}",
		fixed:    []string{recovery},
	},
	"one tag of many": {
		tamper:   edits(unusual["tags of AWS's own, which the service refuses"], sets("UserPoolTags.env", "dev")),
		baseline: "UserPoolTags: {env: prod}", fixed: []string{"UserPoolTags.env"},
	},
	"sender of text messages replaced, in both documents": {
		tamper: sets("SmsConfiguration.SnsCallerArn", "arn:aws:iam::111122223333:role/evil", blockARN,
			"arn:aws:iam::111122223333:role/evil"),
		baseline: "SmsConfiguration: {SnsCallerArn: " + smsRole + "}", fixed: []string{"SmsConfiguration.SnsCallerArn"},
		moves: map[string]string{"SmsConfiguration.SnsCallerArn": smsRole, blockARN: smsRole}, writes: poolFirst,
	},
	// The factor comes back with the pool's own sender.
	"text of SMS MFA required, factor dropped": {
		tamper:   sets("mfa:SmsMfaConfiguration", nil),
		baseline: "SmsMfaConfiguration: {SmsAuthenticationMessage: 'Use {####} CANARY'}",
		fixed:    []string{"SmsMfaConfiguration.SmsAuthenticationMessage"},
		moves: map[string]string{"SmsAuthenticationMessage": `"Use {####} CANARY"`, blockARN: smsRole,
			block + "SmsConfiguration.ExternalId": `"CANARY-external-id"`, block + "SmsConfiguration.SnsRegion": `"eu-west-1"`},
		writes: poolFirst,
	},
	"Region of SMS MFA required, factor dropped": {
		tamper:   sets("mfa:SmsMfaConfiguration", nil),
		baseline: "SmsMfaConfiguration: {SmsConfiguration: {SnsRegion: eu-central-1}}",
		fixed:    []string{"SmsMfaConfiguration.SmsConfiguration.SnsRegion"},
		moves: map[string]string{"SmsConfiguration.SnsRegion": `"eu-central-1"`, blockARN: smsRole,
			block + "SmsConfiguration.ExternalId": `"CANARY-external-id"`, block + "SmsAuthenticationMessage": smsText},
		writes: poolFirst,
	},
	// The pool keeps its sender, which other messages need: the write that may take it is followed by one that brings it.
	"SMS MFA is to be off": {
		tamper:   sets("AutoVerifiedAttributes", list("email"), verifies, list("email"), factors, list("PASSWORD")),
		baseline: noTextFactor, fixed: []string{"SmsMfaConfiguration"}, writes: tried,
	},
	"MFA is to be off, which would turn off factors that are not required": {
		tamper: totpOnly("OPTIONAL"), baseline: "MfaConfiguration: OFF", left: []string{"MfaConfiguration"},
	},
	"MFA is to be off, and its factor too": {
		tamper:   totpOnly("OPTIONAL"),
		baseline: "MfaConfiguration: OFF\nSoftwareTokenMfaConfiguration: {Enabled: false}",
		fixed:    []string{"MfaConfiguration", totp}, writes: setMFA,
	},
	"passkey settings of a pool without MFA": {
		tamper:   edits(totpOnly("OFF"), mfaOff, sets("mfa:WebAuthnConfiguration.UserVerification", "preferred")),
		baseline: "WebAuthnConfiguration: {UserVerification: required}",
		fixed:    []string{"WebAuthnConfiguration.UserVerification"}, writes: setMFA,
	},
}

// TestKnownCases runs every case in both worlds: the outcome must not depend on what the service does with what is
// left out.
func TestKnownCases(t *testing.T) {
	t.Parallel()
	all := maps.Clone(knownCases)
	for name, tamper := range unusual {
		all[name] = knownCase{tamper: edits(unprotected, tamper), baseline: deletionProtection, fixed: []string{protected}}
	}
	for name, c := range all {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				c.check(t, world)
			})
		}
	}
}

// wants returns the outcome, what becomes of each drift, and the writes.
func (c knownCase) wants() (ending outcome.Ending, of map[string]outcome.State, writes []string) {
	ending, of, writes = outcome.Unchanged, map[string]outcome.State{}, c.writes
	for _, setting := range c.left {
		ending, of[setting] = outcome.Unfixable, left
	}
	for _, setting := range c.fixed {
		of[setting] = fixed
	}
	switch {
	case len(c.fixed) > 0 && len(c.left) > 0:
		ending = outcome.Partial
	case len(c.fixed) > 0:
		ending = outcome.Remediated
	}
	if len(c.fixed) > 0 && writes == nil {
		writes = updated
	}
	return ending, of, writes
}

func (c knownCase) check(t *testing.T, world cognitotest.Mode) {
	b := serve(t, world)
	b.rich(c.tamper)
	before := b.snapshot(t)
	required := require(t, c.baseline)
	preview, err := b.reconciler(required).Plan(t.Context(), poolID)
	if err != nil {
		t.Fatal(err)
	}
	out := b.reconcile(t, required)
	ending, of, writes := c.wants()
	if out.Outcome != ending {
		t.Errorf("outcome %s (%s), want %s", out.Outcome, out.Reason, ending)
	}
	if diff := cmp.Diff(of, states(out)); diff != "" {
		t.Errorf("drifts (-want +got):\n%s", diff)
	}
	for setting, state := range states(preview.Outcome) {
		if (state == outcome.StatePlanned) != (of[setting] == fixed) {
			t.Errorf("%s is %s in the plan", setting, state)
		}
	}
	if diff := cmp.Diff(preview.Writes, out.Writes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("planned, and written (-planned +written):\n%s", diff)
	}
	if diff := cmp.Diff(writes, b.writes(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	after := b.snapshot(t)
	for _, path := range difference(before, after) {
		_, moves := c.moves[path]
		ofFixed := func(setting string) bool { return strings.HasPrefix(plainPath(path)+".", setting+".") }
		if !moves && !slices.ContainsFunc(c.fixed, ofFixed) {
			t.Errorf("%s moved from %q to %q", path, before[path], after[path])
		}
	}
	for path, want := range c.moves {
		if after[path] != want {
			t.Errorf("%s is %q, want %q", path, after[path], want)
		}
	}
	b.fake.ResetCalls()
	if again := b.reconcile(t, required); len(b.writes()) > 0 {
		t.Errorf("a second reconcile wrote %v (%s: %s)", b.writes(), again.Outcome, again.Reason)
	}
}

func lookup(v any, path string) any {
	root, _ := v.(map[string]any)
	for name, e := range root {
		if name == path {
			return e
		}
		if len(path) > len(name) && path[:len(name)+1] == name+"." {
			return lookup(e, path[len(name)+1:])
		}
	}
	return nil
}
