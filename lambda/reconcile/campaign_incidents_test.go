package reconcile_test

import (
	"slices"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

// campaignBaseline requires something of every document.
const campaignBaseline = `version: 1
rules:
  - name: all
    require:
      DeletionProtection: ACTIVE
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
      SoftwareTokenMfaConfiguration: {Enabled: true}
      RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
      LogConfigurations: {userAuthEvents: {LogLevel: INFO, FirehoseConfiguration: {StreamArn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/cognito-events"}}}
    clients: [{names: ["web-*"], require: {PreventUserExistenceErrors: ENABLED, RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}}]
`

// textsBaseline takes a factor from a pool whose sender of text messages goes with it, until a second write gives it back.
const textsBaseline = "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE, SmsMfaConfiguration: {absent: true}}}]"

// An incident is what somebody does to a pool that is at the baseline.
type incident struct {
	required string
	mode     cognitotest.Mode
	plant    func(pool, mfa map[string]any) // what the pool is before it, unless it has everything
	harm     func(b bench)
	many     bool // more than one document is harmed
	begun    bool // a process that was killed has made the first write already
}

var incidents = map[string]incident{
	"the pool":                   {harm: func(b bench) { b.fake.Edit(poolID, unprotected) }},
	"MFA":                        {harm: bench.factorOff},
	"the risk":                   {harm: func(b bench) { b.weakenRisk("") }},
	"the logs":                   {harm: bench.logsOff},
	"a client":                   {harm: bench.weakenClient},
	"a client's risk":            {harm: func(b bench) { b.weakenRisk(web) }},
	"threat protection and risk": {harm: func(b bench) { b.threatOff(); b.weakenRisk("") }, many: true},
	"the text messages":          {required: textsBaseline, mode: cognitotest.Measured, many: true, plant: noTexts, harm: textsOn},
	"the text messages, begun":   {required: textsBaseline, mode: cognitotest.Measured, many: true, begun: true, plant: noTexts, harm: textsOn},
	"everything": {many: true, harm: func(b bench) {
		b.fake.Edit(poolID, unprotected)
		b.factorOff()
		b.weakenRisk("")
		b.weakenRisk(web)
		b.weakenClient()
		b.logsOff()
	}},
}

func init() {
	for name, i := range incidents {
		if i.required == "" {
			i.required, i.mode = campaignBaseline, cognitotest.Contract
		}
		incidents[name] = i
	}
}

func noTexts(pool, mfa map[string]any) {
	pool["AutoVerifiedAttributes"], pool["UserAttributeUpdateSettings"] = list("email"), map[string]any{"AttributesRequireVerificationBeforeUpdate": list("email")}
	object(pool, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list("PASSWORD")
	delete(mfa, "SmsMfaConfiguration")
}

func textsOn(b bench) {
	_, mfa := cognitotest.Rich()
	b.fake.Edit(poolID, func(_, is map[string]any) { is["SmsMfaConfiguration"] = mfa["SmsMfaConfiguration"] })
}

func (b bench) factorOff() {
	b.fake.Edit(poolID, func(_, mfa map[string]any) { delete(mfa, "SoftwareTokenMfaConfiguration") })
}

func (b bench) logsOff() {
	b.fake.PutLogs(poolID, slices.DeleteFunc(b.fake.Logs(poolID), func(e any) bool {
		entry, _ := e.(map[string]any)
		return entry["EventSource"] == "userAuthEvents"
	}))
}

func (b bench) weakenRisk(client string) {
	risk := b.fake.Risk(poolID, client)
	object(risk, "CompromisedCredentialsRiskConfiguration", "Actions")["EventAction"] = "NO_ACTION"
	b.fake.PutRisk(poolID, client, risk)
}

func (b bench) weakenClient() {
	client := b.fake.Client(poolID, web)
	client["PreventUserExistenceErrors"] = "LEGACY"
	b.fake.PutClient(poolID, web, client)
}

func (b bench) threatOff() {
	b.fake.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolAddOns")["AdvancedSecurityMode"] = "OFF" })
}

// writesOf returns the write calls of the API.
func writesOf() map[string]bool {
	names := map[string]bool{}
	for _, d := range baseline.Documents() {
		names[d.WriteCall] = true
	}
	return names
}
