package reconcile_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
)

// A known case: a pool, what somebody did to it, what the baseline owns, and what has to come of it. Whatever is not
// among moves must be exactly what it was.
type knownCase struct {
	reason   string
	tamper   func(pool, mfa map[string]any) // what the pool is like when it is read
	baseline string                         // required settings
	outcome  outcome.Ending
	states   map[string]outcome.State
	moves    []string          // leaves that may differ afterwards
	final    map[string]string // leaves and their JSON afterwards; "" is absent
	writes   []string
	body     func(t *testing.T, b bench) // more to check in what was sent
}

var (
	updated   = []string{"UpdateUserPool"}
	setMFA    = []string{"SetUserPoolMfaConfig"}
	poolFirst = []string{"UpdateUserPool", "SetUserPoolMfaConfig"}
	mfaFirst  = []string{"SetUserPoolMfaConfig", "UpdateUserPool"}
	none      = []string{}
)

const (
	fixed   = outcome.StateFixed
	left    = outcome.StateUnfixable
	trigger = "arn:aws:lambda:eu-west-1:111122223333:function:pre-sign-up"
)

func absent(path string) func(t *testing.T, b bench) {
	return func(t *testing.T, b bench) {
		t.Helper()
		if v := lookup(b.body(t, "UpdateUserPool"), path); v != nil {
			t.Errorf("UpdateUserPool was sent %s = %v, want it left out", path, v)
		}
	}
}

func sent(path, want string) func(t *testing.T, b bench) {
	return func(t *testing.T, b bench) {
		t.Helper()
		got, _ := json.Marshal(lookup(b.body(t, "UpdateUserPool"), path))
		if string(got) != want {
			t.Errorf("UpdateUserPool was sent %s = %s, want %s", path, got, want)
		}
	}
}

func both(checks ...func(t *testing.T, b bench)) func(t *testing.T, b bench) {
	return func(t *testing.T, b bench) {
		t.Helper()
		for _, check := range checks {
			check(t, b)
		}
	}
}

// totpOnly makes the pool one whose only factor is the authenticator app.
func totpOnly(mode string) func(pool, mfa map[string]any) {
	return func(pool, mfa map[string]any) {
		delete(pool, "SmsConfiguration")
		delete(pool, "SmsAuthenticationMessage")
		pool["AutoVerifiedAttributes"] = list("email")
		pool["UserAttributeUpdateSettings"] = map[string]any{"AttributesRequireVerificationBeforeUpdate": list("email")}
		object(pool, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list("PASSWORD")
		delete(mfa, "SmsMfaConfiguration")
		delete(mfa, "EmailMfaConfiguration")
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": true}
		mfa["MfaConfiguration"], pool["MfaConfiguration"] = mode, mode
	}
}

// mfaOff makes the pool one whose MFA is off.
func mfaOff(pool, mfa map[string]any) {
	for _, block := range []string{"SmsMfaConfiguration", "EmailMfaConfiguration", "SoftwareTokenMfaConfiguration"} {
		delete(mfa, block)
	}
	mfa["MfaConfiguration"], pool["MfaConfiguration"] = "OFF", "OFF"
}

func edits(all ...func(pool, mfa map[string]any)) func(pool, mfa map[string]any) {
	return func(pool, mfa map[string]any) {
		for _, edit := range all {
			edit(pool, mfa)
		}
	}
}

func factorsAre(names ...any) func(pool, mfa map[string]any) {
	return func(pool, _ map[string]any) {
		object(pool, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list(names...)
	}
}

var knownCases = map[string]knownCase{
	"minimum length lowered": {
		reason: "one owned leaf of a rich pool: one call, and nothing else moves",
		tamper: func(pool, _ map[string]any) {
			object(pool, "Policies", "PasswordPolicy")["MinimumLength"] = json.Number("6")
		},
		baseline: "Policies: {PasswordPolicy: {MinimumLength: {atLeast: 14}}}",
		outcome:  outcome.Remediated,
		states:   map[string]outcome.State{"Policies.PasswordPolicy.MinimumLength": fixed},
		moves:    []string{"Policies.PasswordPolicy.MinimumLength"},
		final:    map[string]string{"Policies.PasswordPolicy.MinimumLength": "14"}, writes: updated,
	},
	"compliant": {
		reason: "no drift, no write", baseline: "DeletionProtection: ACTIVE",
		outcome: outcome.Unchanged, states: map[string]outcome.State{}, writes: none,
	},
	"somebody's single-member update reset the pool": {
		reason: "only what is owned is restored; what is not stays as it was found",
		tamper: func(pool, _ map[string]any) {
			for _, name := range []string{"LambdaConfig", "AutoVerifiedAttributes", "UserAttributeUpdateSettings",
				"EmailVerificationMessage", "EmailVerificationSubject",
				"SmsVerificationMessage", "VerificationMessageTemplate", "DeviceConfiguration", "AccountRecoverySetting",
				"AdminCreateUserConfig", "DeletionProtection"} {
				delete(pool, name)
			}
			pool["UserPoolAddOns"] = map[string]any{"AdvancedSecurityMode": "OFF"}
		},
		baseline: "DeletionProtection: ACTIVE\nUserPoolAddOns: {AdvancedSecurityMode: " +
			"ENFORCED}\nAutoVerifiedAttributes: [email]",
		outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed, "UserPoolAddOns.AdvancedSecurityMode": fixed,
			"AutoVerifiedAttributes": fixed},
		moves: []string{"DeletionProtection", "UserPoolAddOns.AdvancedSecurityMode", "AutoVerifiedAttributes"},
		final: map[string]string{"DeletionProtection": `"ACTIVE"`, "UserPoolAddOns.AdvancedSecurityMode": `"ENFORCED"`,
			"AutoVerifiedAttributes": `["email"]`},
		writes: updated,
	},
	"two validity days": {
		reason: "UnusedAccountValidityDays is refused beside TemporaryPasswordValidityDays, so it is not sent; the " +
			"latter stays",
		tamper: func(pool, _ map[string]any) {
			pool["DeletionProtection"] = "INACTIVE"
			object(pool, "Policies", "PasswordPolicy")["TemporaryPasswordValidityDays"] = json.Number("3")
			object(pool, "AdminCreateUserConfig")["UnusedAccountValidityDays"] = json.Number("7")
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection", "AdminCreateUserConfig.UnusedAccountValidityDays"},
		final:  map[string]string{"Policies.PasswordPolicy.TemporaryPasswordValidityDays": "3"},
		writes: updated, body: absent("AdminCreateUserConfig.UnusedAccountValidityDays"),
	},
	"old pool with the older validity days alone": {
		reason: "what the pool has is echoed; only on the service's demand does it go out under the newer name",
		tamper: func(pool, _ map[string]any) {
			pool["DeletionProtection"] = "INACTIVE"
			delete(object(pool, "Policies", "PasswordPolicy"), "TemporaryPasswordValidityDays")
			object(pool, "AdminCreateUserConfig")["UnusedAccountValidityDays"] = json.Number("9")
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"},
		final:  map[string]string{"AdminCreateUserConfig.UnusedAccountValidityDays": "9"},
		writes: updated, body: sent("AdminCreateUserConfig.UnusedAccountValidityDays", "9"),
	},
	"template text altered": {
		reason: "a text and its legacy twin are written together",
		tamper: func(pool, _ map[string]any) {
			object(pool, "VerificationMessageTemplate")["EmailMessage"] = "visit evil.example {####}"
			pool["EmailVerificationMessage"] = "visit evil.example {####}"
		},
		baseline: "VerificationMessageTemplate: {EmailMessage: \"Our code is {####} CANARY-baseline\"}",
		outcome:  outcome.Remediated,
		states:   map[string]outcome.State{"VerificationMessageTemplate.EmailMessage": fixed},
		moves:    []string{"VerificationMessageTemplate.EmailMessage", "EmailVerificationMessage"},
		final: map[string]string{"VerificationMessageTemplate.EmailMessage": `"Our code is {####} CANARY-baseline"`,
			"EmailVerificationMessage": `"Our code is {####} CANARY-baseline"`},
		writes: updated, body: sent("EmailVerificationMessage", `"Our code is {####} CANARY-baseline"`),
	},
	"legacy text required": {
		reason: "a baseline may use the legacy name; the template follows",
		tamper: func(pool, _ map[string]any) {
			object(pool, "VerificationMessageTemplate")["SmsMessage"] = "bad {####}"
			pool["SmsVerificationMessage"] = "bad {####}"
		},
		baseline: "SmsVerificationMessage: \"Good {####} CANARY-baseline\"",
		outcome:  outcome.Remediated, states: map[string]outcome.State{"SmsVerificationMessage": fixed},
		moves: []string{"VerificationMessageTemplate.SmsMessage", "SmsVerificationMessage"},
		final: map[string]string{"VerificationMessageTemplate.SmsMessage": `"Good {####} CANARY-baseline"`}, writes: updated,
	},
	"no device tracking": {
		reason: "DeviceConfiguration, even empty, turns device tracking on: it stays out of the request",
		tamper: func(pool, _ map[string]any) {
			delete(pool, "DeviceConfiguration")
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"}, writes: updated, body: absent("DeviceConfiguration"),
	},
	"device tracking is to be off": {
		reason: "absent is written by leaving the member out",
		tamper: func(pool, _ map[string]any) {
			pool["DeviceConfiguration"] = map[string]any{"ChallengeRequiredOnNewDevice": true,
				"DeviceOnlyRememberedOnUserPrompt": true}
		},
		baseline: "DeviceConfiguration: {absent: true}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeviceConfiguration": fixed},
		moves: []string{"DeviceConfiguration", "DeviceConfiguration.ChallengeRequiredOnNewDevice",
			"DeviceConfiguration.DeviceOnlyRememberedOnUserPrompt"},
		final:  map[string]string{"DeviceConfiguration": ""},
		writes: updated, body: absent("DeviceConfiguration"),
	},
	"always remembered devices": {
		reason: "false and false is not absent, and an empty object is sent as such",
		tamper: func(pool, _ map[string]any) {
			pool["DeviceConfiguration"] = map[string]any{}
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"}, final: map[string]string{"DeviceConfiguration": "present"}, writes: updated,
		body: sent("DeviceConfiguration", "{}"),
	},
	"authenticator app only, MFA on": {
		reason: "the live MFA value travels, MFA is not touched, and no SmsConfiguration is made up",
		tamper: edits(totpOnly("ON"),
			func(pool, _ map[string]any) { object(pool, "Policies", "PasswordPolicy")["RequireNumbers"] = false }),
		baseline: "Policies: {PasswordPolicy: {RequireNumbers: true}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"Policies.PasswordPolicy.RequireNumbers": fixed},
		moves:  []string{"Policies.PasswordPolicy.RequireNumbers"}, writes: updated,
		body: both(absent("SmsConfiguration"), sent("MfaConfiguration", `"ON"`)),
	},
	"text messages through End User Messaging": {
		reason: "a sender that the SDK does not know survives",
		tamper: func(pool, mfa map[string]any) {
			sender := map[string]any{"EumsSms": map[string]any{"CallerArn": "arn:aws:iam::111122223333:role/eums-sender",
				"ExternalId": "CANARY-eums"}}
			pool["SmsConfiguration"] = sender
			object(mfa, "SmsMfaConfiguration")["SmsConfiguration"] = sender
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"},
		final:  map[string]string{"SmsConfiguration.EumsSms.CallerArn": `"arn:aws:iam::111122223333:role/eums-sender"`},
		writes: updated,
	},
	"custom authentication levels": {
		reason: "names that the SDK does not know survive",
		tamper: func(pool, _ map[string]any) {
			pool["AcrConfiguration"] = map[string]any{"Level1": map[string]any{"AcrValue": "urn:ours:low"},
				"Level2": map[string]any{"AcrValue": "urn:cognito:loa:2"},
				"Level3": map[string]any{"AcrValue": "urn:cognito:loa:3"},
				"Level4": map[string]any{"AcrValue": "urn:cognito:loa:4"}}
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"},
		final:  map[string]string{"AcrConfiguration.Level1.AcrValue": `"urn:ours:low"`}, writes: updated,
	},
	"verified attributes cleared with the settings that need them": {
		reason: "the settings that are not owned stay cleared, and the request is lawful",
		tamper: func(pool, _ map[string]any) {
			pool["AutoVerifiedAttributes"] = list()
			pool["UserAttributeUpdateSettings"] = map[string]any{"AttributesRequireVerificationBeforeUpdate": list()}
		},
		baseline: "AutoVerifiedAttributes: [email]", outcome: outcome.Remediated,
		states: map[string]outcome.State{"AutoVerifiedAttributes": fixed},
		moves:  []string{"AutoVerifiedAttributes"}, writes: updated,
		body: sent("UserAttributeUpdateSettings", `{"AttributesRequireVerificationBeforeUpdate":[]}`),
	},
	"verification of an attribute that is not verified": {
		reason: "the subset rule is known, so nothing is sent",
		tamper: func(pool, _ map[string]any) {
			pool["AutoVerifiedAttributes"] = list()
			pool["UserAttributeUpdateSettings"] = map[string]any{"AttributesRequireVerificationBeforeUpdate": list()}
		},
		baseline: "UserAttributeUpdateSettings: {AttributesRequireVerificationBeforeUpdate: [email]}",
		outcome:  outcome.Unfixable,
		states: map[string]outcome.State{
			"UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate": left}, writes: none,
	},
	"order of sets": {
		reason: "reordered sets are no drift",
		tamper: func(pool, _ map[string]any) {
			pool["AutoVerifiedAttributes"] = list("phone_number", "email")
			pool["AccountRecoverySetting"] = map[string]any{"RecoveryMechanisms": list(
				map[string]any{"Name": "verified_phone_number", "Priority": json.Number("2")},
				map[string]any{"Priority": json.Number("1"), "Name": "verified_email"})}
		},
		baseline: "AutoVerifiedAttributes: [email, phone_number]\nAccountRecoverySetting: {RecoveryMechanisms: [{Name: " +
			"verified_email, Priority: 1}, {Name: verified_phone_number, Priority: 2}]}",
		outcome: outcome.Unchanged, states: map[string]outcome.State{}, writes: none,
	},
	"one trigger of many detached": {
		reason:   "the container is replaced as a whole, so the other triggers travel",
		tamper:   func(pool, _ map[string]any) { delete(object(pool, "LambdaConfig"), "PreSignUp") },
		baseline: "LambdaConfig: {PreSignUp: \"" + trigger + "\"}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig.PreSignUp": fixed},
		moves:  []string{"LambdaConfig.PreSignUp"}, final: map[string]string{"LambdaConfig.PreSignUp": `"` + trigger + `"`},
		writes: updated,
	},
	"custom sender removed": {
		reason: "it comes back whole, and the key stays",
		tamper: func(pool, _ map[string]any) { delete(object(pool, "LambdaConfig"), "CustomSMSSender") },
		baseline: "LambdaConfig: {CustomSMSSender: {LambdaArn: \"arn:aws:lambda:eu-west-1:111122223333:function:sms\", " +
			"LambdaVersion: V1_0}}",
		outcome: outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig.CustomSMSSender.LambdaArn": fixed,
			"LambdaConfig.CustomSMSSender.LambdaVersion": fixed},
		moves:  []string{"LambdaConfig.CustomSMSSender.LambdaArn", "LambdaConfig.CustomSMSSender.LambdaVersion"},
		writes: updated,
	},
	"pre token generation detached": {
		reason: "both members are one trigger: the legacy one follows",
		tamper: func(pool, _ map[string]any) {
			delete(object(pool, "LambdaConfig"), "PreTokenGeneration")
			delete(object(pool, "LambdaConfig"), "PreTokenGenerationConfig")
		},
		baseline: "LambdaConfig: {PreTokenGenerationConfig: {LambdaArn: \"" + trigger + "\", LambdaVersion: V2_0}}",
		outcome:  outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig.PreTokenGenerationConfig.LambdaArn": fixed,
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion": fixed},
		moves: []string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
		final: map[string]string{"LambdaConfig.PreTokenGeneration": `"` + trigger + `"`,
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion": `"V2_0"`}, writes: updated,
	},
	"legacy pre token generation redirected": {
		reason: "the version of the event is not owned and stays",
		tamper: func(pool, _ map[string]any) {
			evil := "arn:aws:lambda:eu-west-1:111122223333:function:evil"
			object(pool, "LambdaConfig")["PreTokenGeneration"] = evil
			object(pool, "LambdaConfig")["PreTokenGenerationConfig"] = map[string]any{"LambdaArn": evil, "LambdaVersion": "V2_0"}
		},
		baseline: "LambdaConfig: {PreTokenGeneration: \"" + trigger + "\"}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig.PreTokenGeneration": fixed},
		moves:  []string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn"},
		final: map[string]string{"LambdaConfig.PreTokenGenerationConfig.LambdaArn": `"` + trigger + `"`,
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion": `"V2_0"`}, writes: updated,
	},
	"MFA turned off": {
		reason: "MFA and the factor come back; the pool's SmsConfiguration is brought along, since the call without " +
			"the SMS block may clear it",
		tamper:   mfaOff,
		baseline: "MfaConfiguration: {oneOf: [ON, OPTIONAL], set: OPTIONAL}\nSoftwareTokenMfaConfiguration: {Enabled: true}",
		outcome:  outcome.Remediated, states: map[string]outcome.State{"MfaConfiguration": fixed,
			"SoftwareTokenMfaConfiguration.Enabled": fixed},
		moves:  []string{"MfaConfiguration", "mfa:MfaConfiguration", "mfa:SoftwareTokenMfaConfiguration.Enabled"},
		final:  map[string]string{"mfa:MfaConfiguration": `"OPTIONAL"`, "mfa:SoftwareTokenMfaConfiguration.Enabled": "true"},
		writes: mfaFirst,
	},
	"MFA turned off, no factor named": {
		reason: "there is no factor to turn on", tamper: mfaOff, baseline: "MfaConfiguration: OPTIONAL",
		outcome: outcome.Unfixable, states: map[string]outcome.State{"MfaConfiguration": left}, writes: none,
	},
	"MFA on against one-time codes that are not owned": {
		reason:   "a conflict that is known before the first write: no half of it is applied",
		tamper:   edits(mfaOff, factorsAre("PASSWORD", "EMAIL_OTP")),
		baseline: "MfaConfiguration: ON\nSoftwareTokenMfaConfiguration: {Enabled: true}",
		outcome:  outcome.Unfixable, states: map[string]outcome.State{"MfaConfiguration": left,
			"SoftwareTokenMfaConfiguration.Enabled": left}, writes: none,
	},
	"MFA on and one-time codes off": {
		reason: "the codes have to go before MFA can be on",
		tamper: edits(totpOnly("OFF"), mfaOff, factorsAre("PASSWORD", "EMAIL_OTP")),
		baseline: "MfaConfiguration: ON\nSoftwareTokenMfaConfiguration: {Enabled: true}\nPolicies: {SignInPolicy: " +
			"{AllowedFirstAuthFactors: [PASSWORD]}}",
		outcome: outcome.Remediated,
		states: map[string]outcome.State{"MfaConfiguration": fixed, "SoftwareTokenMfaConfiguration.Enabled": fixed,
			"Policies.SignInPolicy.AllowedFirstAuthFactors": fixed},
		moves: []string{"MfaConfiguration", "mfa:MfaConfiguration", "mfa:SoftwareTokenMfaConfiguration.Enabled",
			"Policies.SignInPolicy.AllowedFirstAuthFactors"}, writes: poolFirst,
	},
	"MFA lowered and one-time codes allowed": {
		reason:   "MFA has to be lowered before the codes are taken, and the later call carries the lowered value",
		tamper:   edits(totpOnly("ON"), factorsAre("PASSWORD")),
		baseline: "MfaConfiguration: OPTIONAL\nPolicies: {SignInPolicy: {AllowedFirstAuthFactors: [PASSWORD, EMAIL_OTP]}}",
		outcome:  outcome.Remediated, states: map[string]outcome.State{"MfaConfiguration": fixed,
			"Policies.SignInPolicy.AllowedFirstAuthFactors": fixed},
		moves:  []string{"MfaConfiguration", "mfa:MfaConfiguration", "Policies.SignInPolicy.AllowedFirstAuthFactors"},
		writes: mfaFirst, body: sent("MfaConfiguration", `"OPTIONAL"`),
	},
	"e-mail MFA and its sender lost": {
		reason: "e-mail MFA needs the sender first",
		tamper: edits(totpOnly("OPTIONAL"), func(pool, _ map[string]any) {
			object(pool, "EmailConfiguration")["EmailSendingAccount"] = "COGNITO_DEFAULT"
		}),
		baseline: "EmailConfiguration: {EmailSendingAccount: DEVELOPER}\nEmailMfaConfiguration: {Subject: \"Your code " +
			"CANARY-subject\"}",
		outcome: outcome.Remediated,
		states: map[string]outcome.State{"EmailConfiguration.EmailSendingAccount": fixed,
			"EmailMfaConfiguration.Subject": fixed},
		moves: []string{"EmailConfiguration.EmailSendingAccount", "mfa:EmailMfaConfiguration",
			"mfa:EmailMfaConfiguration.Subject"}, writes: poolFirst,
	},
	"threat protection off, custom flows gone": {
		reason:   "the mode is owned, the flows are not and stay as found",
		tamper:   func(pool, _ map[string]any) { pool["UserPoolAddOns"] = map[string]any{"AdvancedSecurityMode": "OFF"} },
		baseline: "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"UserPoolAddOns.AdvancedSecurityMode": fixed},
		moves:  []string{"UserPoolAddOns.AdvancedSecurityMode"}, writes: updated,
	},
	"plan dropped with threat protection": {
		reason: "the plan is not owned and is never raised; deletion protection still is put right",
		tamper: func(pool, _ map[string]any) {
			pool["UserPoolTier"] = "ESSENTIALS"
			pool["UserPoolAddOns"] = map[string]any{"AdvancedSecurityMode": "OFF"}
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}\nDeletionProtection: ACTIVE", outcome: outcome.Partial,
		states: map[string]outcome.State{"UserPoolAddOns.AdvancedSecurityMode": left, "DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"}, final: map[string]string{"UserPoolTier": `"ESSENTIALS"`}, writes: updated,
	},
	"issuer and key travel": {
		reason:   "losing either would be an outage",
		tamper:   func(pool, _ map[string]any) { object(pool, "Policies", "PasswordPolicy")["RequireSymbols"] = false },
		baseline: "Policies: {PasswordPolicy: {RequireSymbols: true}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"Policies.PasswordPolicy.RequireSymbols": fixed},
		moves:  []string{"Policies.PasswordPolicy.RequireSymbols"}, writes: updated,
		body: sent("IssuerConfiguration", `{"Type":"UPDATED"}`),
	},
	"no account recovery setting": {
		reason: "absent is the legacy behavior and stays absent",
		tamper: func(pool, _ map[string]any) {
			delete(pool, "AccountRecoverySetting")
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"}, writes: updated, body: absent("AccountRecoverySetting"),
	},
	"account recovery widened": {
		reason: "a list is written whole",
		tamper: edits(totpOnly("OPTIONAL"), func(pool, _ map[string]any) {
			pool["AccountRecoverySetting"] = map[string]any{"RecoveryMechanisms": list(map[string]any{
				"Name": "verified_phone_number", "Priority": json.Number("1")})}
		}),
		baseline: "AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}",
		outcome:  outcome.Remediated,
		states:   map[string]outcome.State{"AccountRecoverySetting.RecoveryMechanisms": fixed},
		moves:    []string{"AccountRecoverySetting.RecoveryMechanisms"}, writes: updated,
	},
	"false stays false": {
		reason: "a boolean that is not owned is not turned on by its neighbor",
		tamper: func(pool, _ map[string]any) {
			object(pool, "Policies", "PasswordPolicy")["RequireSymbols"] = false
			object(pool, "Policies", "PasswordPolicy")["RequireNumbers"] = false
		},
		baseline: "Policies: {PasswordPolicy: {RequireNumbers: true}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"Policies.PasswordPolicy.RequireNumbers": fixed},
		moves:  []string{"Policies.PasswordPolicy.RequireNumbers"},
		final:  map[string]string{"Policies.PasswordPolicy.RequireSymbols": ""}, writes: updated,
	},
	"empty e-mail configuration": {
		reason: "it is not turned into a sender, and no empty text is sent",
		tamper: func(pool, mfa map[string]any) {
			totpOnly("OPTIONAL")(pool, mfa)
			pool["EmailConfiguration"] = map[string]any{"ReplyToEmailAddress": "", "From": ""}
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"}, writes: updated, body: sent("EmailConfiguration", "{}"),
	},
	"system tags": {
		reason: "keys that AWS reserves are refused, so they are not sent",
		tamper: func(pool, _ map[string]any) {
			object(pool, "UserPoolTags")["aws:cloudformation:stack-name"] = "identity"
			object(pool, "UserPoolTags")["env"] = "dev"
		},
		baseline: "UserPoolTags: {env: prod}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"UserPoolTags.env": fixed},
		moves:  []string{"UserPoolTags.env"},
		final:  map[string]string{"UserPoolTags.aws:cloudformation:stack-name": `"identity"`},
		writes: updated, body: absent("UserPoolTags.aws:cloudformation:stack-name"),
	},
	"sender of text messages replaced": {
		reason: "one fact in two documents: both are written, the pool's first",
		tamper: func(pool, mfa map[string]any) {
			object(pool, "SmsConfiguration")["SnsCallerArn"] = "arn:aws:iam::111122223333:role/evil"
			object(mfa, "SmsMfaConfiguration", "SmsConfiguration")["SnsCallerArn"] = "arn:aws:iam::111122223333:role/evil"
		},
		baseline: "SmsConfiguration: {SnsCallerArn: \"arn:aws:iam::111122223333:role/sms\"}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"SmsConfiguration.SnsCallerArn": fixed},
		moves:  []string{"SmsConfiguration.SnsCallerArn", "mfa:SmsMfaConfiguration.SmsConfiguration.SnsCallerArn"},
		final: map[string]string{"SmsConfiguration.SnsCallerArn": `"arn:aws:iam::111122223333:role/sms"`,
			"mfa:SmsMfaConfiguration.SmsConfiguration.SnsCallerArn": `"arn:aws:iam::111122223333:role/sms"`}, writes: poolFirst,
	},
	"pre token generation is to be absent": {
		reason:   "one trigger under two names goes under both",
		baseline: "LambdaConfig: {PreTokenGeneration: {absent: true}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig.PreTokenGeneration": fixed},
		moves: []string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
		final: map[string]string{"LambdaConfig.PreTokenGeneration": "",
			"LambdaConfig.PreTokenGenerationConfig.LambdaArn": "", "LambdaConfig.PreTokenGenerationConfig.LambdaVersion": ""},
		writes: updated,
	},
	"pre token generation with its version is to be absent": {
		reason:   "the legacy name goes with it",
		baseline: "LambdaConfig: {PreTokenGenerationConfig: {absent: true}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig.PreTokenGenerationConfig": fixed},
		moves: []string{"LambdaConfig.PreTokenGeneration", "LambdaConfig.PreTokenGenerationConfig.LambdaArn",
			"LambdaConfig.PreTokenGenerationConfig.LambdaVersion"},
		final:  map[string]string{"LambdaConfig.PreTokenGeneration": ""},
		writes: updated,
	},
	"no triggers but one": {
		reason:   "exactly removes the others, the key and the senders with them",
		baseline: "LambdaConfig: {exactly: {PreSignUp: \"" + trigger + "\"}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"LambdaConfig": fixed},
		moves: []string{"LambdaConfig.CustomMessage", "LambdaConfig.PostConfirmation", "LambdaConfig.PreAuthentication",
			"LambdaConfig.PostAuthentication", "LambdaConfig.DefineAuthChallenge",
			"LambdaConfig.CreateAuthChallenge", "LambdaConfig.VerifyAuthChallengeResponse", "LambdaConfig.PreTokenGeneration",
			"LambdaConfig.UserMigration",
			"LambdaConfig.PreTokenGenerationConfig.LambdaArn", "LambdaConfig.PreTokenGenerationConfig.LambdaVersion",
			"LambdaConfig.CustomSMSSender.LambdaArn", "LambdaConfig.CustomSMSSender.LambdaVersion",
			"LambdaConfig.CustomEmailSender.LambdaArn", "LambdaConfig.CustomEmailSender.LambdaVersion",
			"LambdaConfig.KMSKeyID", "LambdaConfig.InboundFederation.LambdaArn", "LambdaConfig.InboundFederation.LambdaVersion"},
		writes: updated, body: sent("LambdaConfig", `{"PreSignUp":"`+trigger+`"}`),
	},
	"text of SMS MFA required, factor dropped": {
		reason:   "the factor comes back with the pool's own sender",
		tamper:   func(_, mfa map[string]any) { delete(mfa, "SmsMfaConfiguration") },
		baseline: "SmsMfaConfiguration: {SmsAuthenticationMessage: \"Use {####} CANARY-baseline\"}",
		outcome:  outcome.Remediated,
		states:   map[string]outcome.State{"SmsMfaConfiguration.SmsAuthenticationMessage": fixed},
		moves: []string{"SmsAuthenticationMessage", "mfa:SmsMfaConfiguration.SmsAuthenticationMessage",
			"mfa:SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
			"mfa:SmsMfaConfiguration.SmsConfiguration.ExternalId", "mfa:SmsMfaConfiguration.SmsConfiguration.SnsRegion"},
		final: map[string]string{"SmsAuthenticationMessage": `"Use {####} CANARY-baseline"`,
			"mfa:SmsMfaConfiguration.SmsConfiguration.ExternalId": `"CANARY-external-id"`}, writes: poolFirst,
	},
	"Region of SMS MFA required, factor dropped": {
		reason:   "the block is made of the pool's sender, and the pool's sender follows",
		tamper:   func(_, mfa map[string]any) { delete(mfa, "SmsMfaConfiguration") },
		baseline: "SmsMfaConfiguration: {SmsConfiguration: {SnsRegion: eu-central-1}}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"SmsMfaConfiguration.SmsConfiguration.SnsRegion": fixed},
		moves: []string{"SmsConfiguration.SnsRegion", "mfa:SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
			"mfa:SmsMfaConfiguration.SmsConfiguration.ExternalId",
			"mfa:SmsMfaConfiguration.SmsConfiguration.SnsRegion", "mfa:SmsMfaConfiguration.SmsAuthenticationMessage"},
		final: map[string]string{"SmsConfiguration.SnsRegion": `"eu-central-1"`,
			"mfa:SmsMfaConfiguration.SmsConfiguration.ExternalId": `"CANARY-external-id"`}, writes: poolFirst,
	},
	"SMS MFA is to be off": {
		reason: "the factor goes; the pool keeps its sender, which other messages need, and the write that may take it " +
			"is followed by one that brings it",
		tamper: func(pool, _ map[string]any) {
			pool["AutoVerifiedAttributes"], pool["UserAttributeUpdateSettings"] = list("email"),
				map[string]any{"AttributesRequireVerificationBeforeUpdate": list("email")}
			object(pool, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list("PASSWORD")
		},
		baseline: "SmsMfaConfiguration: {absent: true}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"SmsMfaConfiguration": fixed},
		moves: []string{"mfa:SmsMfaConfiguration.SmsAuthenticationMessage",
			"mfa:SmsMfaConfiguration.SmsConfiguration.SnsCallerArn",
			"mfa:SmsMfaConfiguration.SmsConfiguration.ExternalId", "mfa:SmsMfaConfiguration.SmsConfiguration.SnsRegion"},
		final: map[string]string{"SmsConfiguration.ExternalId": `"CANARY-external-id"`}, writes: mfaFirst,
	},
	"MFA is to be off, factors not owned": {
		reason:   "turning it off would turn the factors off, which nobody requires",
		tamper:   totpOnly("OPTIONAL"),
		baseline: "MfaConfiguration: OFF", outcome: outcome.Unfixable,
		states: map[string]outcome.State{"MfaConfiguration": left}, writes: none,
	},
	"MFA is to be off, factor too": {
		reason:   "then it is what is required",
		tamper:   totpOnly("OPTIONAL"),
		baseline: "MfaConfiguration: OFF\nSoftwareTokenMfaConfiguration: {Enabled: false}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"MfaConfiguration": fixed, "SoftwareTokenMfaConfiguration.Enabled": fixed},
		moves:  []string{"MfaConfiguration", "mfa:MfaConfiguration", "mfa:SoftwareTokenMfaConfiguration.Enabled"},
		writes: setMFA,
	},
	"passkey settings of a pool without MFA": {
		reason: "passkeys are no factor: they are written beside OFF",
		tamper: edits(totpOnly("OFF"), mfaOff,
			func(_, mfa map[string]any) { object(mfa, "WebAuthnConfiguration")["UserVerification"] = "preferred" }),
		baseline: "WebAuthnConfiguration: {UserVerification: required}", outcome: outcome.Remediated,
		states: map[string]outcome.State{"WebAuthnConfiguration.UserVerification": fixed},
		moves:  []string{"mfa:WebAuthnConfiguration.UserVerification"}, writes: setMFA,
	},
	"empty first factors list in the pool": {
		reason: "the service refuses an empty list, so it is sent as absent",
		tamper: func(pool, mfa map[string]any) {
			totpOnly("OPTIONAL")(pool, mfa)
			object(pool, "Policies")["SignInPolicy"] = map[string]any{"AllowedFirstAuthFactors": list()}
			pool["DeletionProtection"] = "INACTIVE"
		},
		baseline: "DeletionProtection: ACTIVE", outcome: outcome.Remediated,
		states: map[string]outcome.State{"DeletionProtection": fixed},
		moves:  []string{"DeletionProtection"}, writes: updated, body: absent("Policies.SignInPolicy"),
	},
}

// TestKnownCases runs every case in both worlds: the outcome must not depend on what the service does with what is
// left out.
func TestKnownCases(t *testing.T) {
	t.Parallel()
	for name, c := range knownCases {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				checkKnown(t, c, world)
			})
		}
	}
}

func checkKnown(t *testing.T, c knownCase, world cognitotest.Mode) {
	b := serve(t, world)
	b.rich(c.tamper)
	before := b.snapshot(t)
	required := require(t, c.baseline)
	out := b.reconcile(t, required)
	if out.Outcome != c.outcome {
		t.Errorf("outcome %s (%s), want %s: %s", out.Outcome, out.Reason, c.outcome, c.reason)
	}
	if diff := cmp.Diff(c.states, states(out)); diff != "" {
		t.Errorf("drifts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.writes, b.writes()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	after := b.snapshot(t)
	for _, path := range difference(before, after) {
		if !slices.Contains(c.moves, path) {
			t.Errorf("%s moved from %q to %q: %s", path, before[path], after[path], c.reason)
		}
	}
	for path, want := range c.final {
		if after[path] != want {
			t.Errorf("%s is %q, want %q", path, after[path], want)
		}
	}
	if c.body != nil {
		c.body(t, b)
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
