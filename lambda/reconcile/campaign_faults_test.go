package reconcile_test

import (
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

// A wrong is a way in which a call goes wrong: a call to Cognito, to the ledger or to whoever notifies people.
type wrong struct {
	cognitotest.Fault
	lapses bool          // the time of the invocation is used up while nothing is answered
	passes time.Duration // so long does the call take
	kills  bool          // the process dies
	lapse  func()
}

func errored(code string, status int, applied bool) wrong {
	return wrong{Fault: cognitotest.Fault{Error: code, Message: "no", Status: status, Apply: applied}}
}

func answered(body string) wrong {
	return wrong{Fault: cognitotest.Fault{Body: []byte(body), Apply: true}}
}

func meanwhile(pool, _ map[string]any) { object(pool, "UserPoolTags")["meanwhile"] = "x" }

// wireFaults strike calls to Cognito, on the wire.
var wireFaults = map[string]wrong{
	"throttled":                    errored("TooManyRequestsException", 0, false),
	"concurrent modification":      errored("ConcurrentModificationException", 0, false),
	"server error before applying": errored("InternalErrorException", 500, false),
	"server error after applying":  errored("InternalErrorException", 500, true),
	"access denied":                errored("AccessDeniedException", 0, false),
	"expired credentials":          errored("ExpiredTokenException", 0, false),
	"gone":                         errored("ResourceNotFoundException", 0, false),
	"refused":                      errored("InvalidParameterException", 0, false),
	"unknown error":                errored("BrandNewException", 0, false),
	"malformed JSON":               answered(`{"UserPool": <html>`),
	"an empty object":              answered(`{}`),
	"truncated body":               answered(`{"UserPool":{"Id":"eu-we`),
	"reset before applying":        {Fault: cognitotest.Fault{Drop: true}},
	"reset after applying":         {Fault: cognitotest.Fault{Drop: true, Apply: true}},
	"timeout before applying":      {Fault: cognitotest.Fault{Drop: true}, lapses: true},
	"timeout after applying":       {Fault: cognitotest.Fault{Drop: true, Apply: true}, lapses: true},
	"slow":                         {Fault: cognitotest.Fault{Delay: 3 * time.Millisecond}},
	"slower than the lease":        {passes: 90 * time.Second},
	"an unknown member comes": {Fault: cognitotest.Fault{Then: func(s *cognitotest.Server) {
		s.Edit(poolID, func(pool, _ map[string]any) { pool["FutureThing"] = "new" })
	}}},
	"somebody changes another setting": {Fault: cognitotest.Fault{
		Then: func(s *cognitotest.Server) { s.Edit(poolID, meanwhile) }}},
	"the service changes something on its own": {Fault: cognitotest.Fault{Change: meanwhile}},
}

// localFaults strike calls to the ledger and to whoever notifies people.
var localFaults = map[string]wrong{
	"failed before applying":  errored("unavailable", 0, false),
	"failed after applying":   errored("unavailable", 0, true),
	"timeout before applying": {Fault: cognitotest.Fault{Drop: true}, lapses: true},
	"timeout after applying":  {Fault: cognitotest.Fault{Drop: true, Apply: true}, lapses: true},
	"slower than the lease":   {passes: 90 * time.Second},
}

// kills strike every call of a process.
var kills = map[string]wrong{
	"killed before the call": {kills: true},
	"killed after the call":  {kills: true, Fault: cognitotest.Fault{Apply: true}},
}

// campaignBaseline requires something of every document.
const campaignBaseline = `version: 1
rules:
  - name: all
    require:
      DeletionProtection: ACTIVE
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
      SoftwareTokenMfaConfiguration: {Enabled: true}
      RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
      LogConfigurations:
        userAuthEvents:
          LogLevel: INFO
          FirehoseConfiguration:
            {StreamArn: "arn:aws:firehose:eu-west-1:111122223333:deliverystream/cognito-events"}
    clients:
      - names: ["web-*"]
        require:
          PreventUserExistenceErrors: ENABLED
          RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
`

// textsBaseline takes a factor from a pool that loses its SMS sender with it, until a second write restores the
// sender.
const textsBaseline = `version: 1
rules: [{name: all, require: {DeletionProtection: ACTIVE, SmsMfaConfiguration: {absent: true}}}]
`

// An incident is what somebody does to a pool that is at the baseline.
type incident struct {
	required string
	mode     cognitotest.Mode
	plant    func(pool, mfa map[string]any) // what the pool is before it, unless it has everything
	harm     func(b bench)
	many     bool // more than one document is harmed, or written
	begun    bool // a process that was killed has made the write that takes the sender
}

var incidents = map[string]incident{
	"the pool":                   {harm: func(b bench) { b.fake.Edit(poolID, unprotected) }},
	"MFA":                        {harm: bench.factorOff},
	"the risk":                   {harm: func(b bench) { b.weakenRisk("") }},
	"the logs":                   {harm: bench.logsOff},
	"a client":                   {harm: bench.weakenClient},
	"a client's risk":            {harm: func(b bench) { b.weakenRisk(web) }},
	"threat protection and risk": {harm: func(b bench) { b.threatOff(); b.weakenRisk("") }, many: true},
	"the text messages": {required: textsBaseline, mode: cognitotest.Measured, many: true, plant: noTexts,
		harm: textsOn},
	"the text messages, begun": {required: textsBaseline, mode: cognitotest.Measured, many: true, begun: true,
		plant: noTexts, harm: textsOn},
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

// noTexts leaves the pool nothing that needs text messages but its sender.
func noTexts(pool, mfa map[string]any) {
	sets("AutoVerifiedAttributes", list("email"), verifies, list("email"), factors, list("PASSWORD"),
		"mfa:SmsMfaConfiguration", nil)(pool, mfa)
}

func textsOn(b bench) {
	_, mfa := cognitotest.Rich()
	b.fake.Edit(poolID, func(_, is map[string]any) { is["SmsMfaConfiguration"] = mfa["SmsMfaConfiguration"] })
}

func (b bench) factorOff() {
	b.fake.Edit(poolID, sets("mfa:SoftwareTokenMfaConfiguration", nil))
}

func (b bench) logsOff() {
	b.fake.PutLogs(poolID, slices.DeleteFunc(b.fake.Logs(poolID), func(e any) bool {
		entry, _ := e.(map[string]any)
		return entry["EventSource"] == "userAuthEvents"
	}))
}

// weakenRisk weakens the risk configuration of a client, or of the pool where there is none.
func (b bench) weakenRisk(client string) {
	b.editRisk(client, "CompromisedCredentialsRiskConfiguration.Actions.EventAction", "NO_ACTION")
}

func (b bench) weakenClient() {
	b.editClient(web, "PreventUserExistenceErrors", "LEGACY")
}

func (b bench) threatOff() { b.fake.Edit(poolID, sets(threat, "OFF")) }

// writesOf returns the write calls of the API.
func writesOf() map[string]bool {
	names := map[string]bool{}
	for _, d := range baseline.Documents() {
		names[d.WriteCall] = true
	}
	return names
}
