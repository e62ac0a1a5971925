package baseline

import "testing"

// TestNoContradiction: what can hold together is taken.
func TestNoContradiction(t *testing.T) {
	t.Parallel()
	const sender = `{LambdaArn: "arn:aws:lambda:eu-west-1:111122223333:function:x", LambdaVersion: V1_0}`
	for name, rules := range map[string]string{
		"two forms of one fact": `[{name: a, require: {AdminCreateUserConfig: {UnusedAccountValidityDays: {atMost: 7}},
			Policies: {PasswordPolicy: {TemporaryPasswordValidityDays: 5}}}}]`,
		"one fact, of which nothing is set": `[{name: a, require: {LambdaConfig: {PreTokenGeneration: {present: true},
			PreTokenGenerationConfig: {LambdaArn: {matches: "arn:*"}}}}}]`,
		"a later rule by the other name": `[{name: a,
			require: {VerificationMessageTemplate: {exactly: {DefaultEmailOption: CONFIRM_WITH_CODE,
			EmailMessage: "a {####}"}}}},
			{name: b, require: {EmailVerificationMessage: "b {####}"}}]`,
		"a key that another rule wants to be there": `[{name: a, require: {LambdaConfig: {exactly: {CustomSMSSender: ` +
			sender + `, KMSKeyID: "arn:aws:kms:eu-west-1:111122223333:key/x"}}}}, {name: b,
				require: {LambdaConfig: {KMSKeyID: {present: true}}}}]`,
		"a sender that another rule takes away": `[{name: a, require: {LambdaConfig: {CustomSMSSender: ` + sender +
			`}}}, {name: b, require: {LambdaConfig: {CustomSMSSender: {absent: true}, KMSKeyID: {absent: true}}}}]`,
		"an address that may be any": `[{name: a, clients: [{names: [web],
			require: {CallbackURLs: ["https://a.example"]}}, {names: [app],
			require: {DefaultRedirectURI: "https://b.example"}}]}]`,
		"verified attributes beyond those named": `[{name: a, require: {AutoVerifiedAttributes: {contains: [phone_number]},
			UserAttributeUpdateSettings: {AttributesRequireVerificationBeforeUpdate: {contains: [email]}}}}]`,
		"absence is enough": `[{name: a, require: {MfaConfiguration: OFF,
			SoftwareTokenMfaConfiguration: {absent: true}, SmsMfaConfiguration: {absent: true}}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustParse(t, "version: 1\nrules: "+rules+"\n")
		})
	}
}
