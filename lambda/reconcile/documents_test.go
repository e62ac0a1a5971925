package reconcile_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

var home = event.Home{Account: "111122223333", Region: "eu-west-1"}

// onEvent hands the event of a fixture to a reconciler of the pool.
func onEvent(t tester, r *reconcile.Reconciler, fixture string) outcome.Outcome {
	t.Helper()
	payload := must(os.ReadFile("../event/testdata/" + fixture + ".json"))(t)
	return must(handle(t.Context(), r, payload, home))(t)
}

const allDocuments = `version: 1
rules:
  - name: all
    require:
      DeletionProtection: ACTIVE
      MfaConfiguration: OPTIONAL
      RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
      LogConfigurations: {userAuthEvents: {LogLevel: INFO}}
    clients:
      - names: ["web-*"]
        require:
          PreventUserExistenceErrors: ENABLED
          RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
`

// TestReads: an event costs no more reads than what it can have changed and the baseline owns.
func TestReads(t *testing.T) {
	t.Parallel()
	shipped := parse(t, string(baseline.Default()))
	const pool, client = "DescribeUserPool GetUserPoolMfaConfig",
		"DescribeUserPool DescribeUserPoolClient ListUserPoolClients"
	const everything = "DescribeRiskConfiguration DescribeRiskConfiguration DescribeUserPool DescribeUserPoolClient " +
		"GetLogDeliveryConfiguration GetUserPoolMfaConfig ListUserPoolClients"
	tagged := parse(t, strings.Replace(allDocuments, "    require:\n      Del",
		"    pools: {tags: {env: [prod]}}\n    require:\n      Del", 1))
	watching := parse(t, "version: 1\nrules: [{name: a, watch: [groups]}]")
	all := parse(t, allDocuments)
	type readCase struct {
		required     *baseline.Baseline
		event, calls string
	}
	each(t, map[string]readCase{
		"the baseline that ships":           {shipped, "update-user-pool", pool},
		"the baseline that ships, a client": {shipped, "update-user-pool-client", ""},
		"the baseline that ships, risk":     {shipped, "set-risk-configuration", ""},
		"the baseline that ships, a group":  {shipped, "create-group", ""},
		"a pool that no rule may select": {parse(t, oneRule("pools: {ids: [eu-west-1_Other]}", protects)),
			"update-user-pool", ""},
		"the pool": {all, "update-user-pool",
			"DescribeRiskConfiguration DescribeRiskConfiguration DescribeUserPool GetLogDeliveryConfiguration " +
				"GetUserPoolMfaConfig ListUserPoolClients"},
		"MFA": {all, "mfa-off-console", pool},
		"risk": {all, "set-risk-configuration",
			"DescribeRiskConfiguration DescribeRiskConfiguration DescribeUserPool ListUserPoolClients"},
		"a client's risk": {all, "set-risk-configuration-of-client",
			"DescribeRiskConfiguration DescribeUserPool ListUserPoolClients"},
		"logs": {all, "set-log-delivery-configuration",
			"DescribeUserPool GetLogDeliveryConfiguration"},
		"a client, by its name":       {all, "update-user-pool-client", "DescribeRiskConfiguration " + client},
		"a client whose id is hidden": {all, "update-user-pool-client-hidden", "DescribeRiskConfiguration " + client},
		"a client, by its id": {parse(t, strings.Replace(allDocuments, `names: ["web-*"]`, "ids: ["+web+"]", 1)),
			"update-user-pool-client", client},
		"a client that is not there": {all, "create-user-pool-client", "DescribeUserPool ListUserPoolClients"},
		"tags":                       {all, "tag-resource", pool},
		"a new pool":                 {all, "create-user-pool", everything},
		"MFA, which tags nothing":    {tagged, "mfa-off-console", pool},
		"what is watched":            {watching, "create-group", "DescribeUserPool"},
		"what is not watched":        {watching, "create-identity-provider", ""},
		"tags that select":           {tagged, "tag-resource", everything},
	}, func(c readCase, t *testing.T) {
		b := serve(t, cognitotest.Contract)
		b.whole(nil)
		out := onEvent(t, b.reconciler(c.required), c.event)
		var calls []string
		for _, call := range b.fake.Calls() {
			calls = append(calls, call.Operation)
		}
		slices.Sort(calls)
		want := outcome.Unchanged
		if c.calls == "" {
			want = outcome.Ignored
		} else if c.required == watching {
			want = outcome.Drifted
		}
		if got := strings.Join(calls, " "); out.Outcome != want || got != c.calls {
			t.Errorf("%s (%s) after %s, want %s after %s", out.Outcome, out.Reason, got, want, c.calls)
		}
	})
}

// TestReadsGrowWithClientsOnly: of so many clients, those that no rule selects cost nothing but their place in the
// list.
func TestReadsGrowWithClientsOnly(t *testing.T) {
	t.Parallel()
	// 4 of the pool, 1 again for it never had logs, 1 list of up to 60, and 2 for each client
	for clients, want := range map[int]int{0: 6, 1: 8, 7: 20, 70: 146} {
		b := withPool(t, cognitotest.Contract, nil)
		for i := range clients {
			b.fake.PutClient(poolID, fmt.Sprintf("web%03d", i),
				map[string]any{"ClientName": "web-app", "PreventUserExistenceErrors": "ENABLED"})
			b.fake.PutClient(poolID, fmt.Sprintf("other%03d", i), map[string]any{"ClientName": "other"})
		}
		if clients == 70 {
			want += 2 // 140 clients are three pages
		}
		b.answer(t, parse(t, allDocuments).InMode(baseline.Audit), onPool(event.Cause{}))
		if got := len(b.fake.Calls()); got != want {
			t.Errorf("%d clients cost %d calls, want %d", clients, got, want)
		}
	}
}

const (
	web      = cognitotest.RichClient
	ofWeb    = "Clients[" + web + "]."
	ofMobile = "Clients[mobile]."
	legacy   = "PreventUserExistenceErrors"
	isKnown  = "PreventUserExistenceErrors: ENABLED"
	session  = "AuthSessionValidity"

	riskAction   = "RiskConfiguration.CompromisedCredentialsRiskConfiguration.Actions.EventAction"
	riskBlocks   = "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}"
	exceptions   = "RiskConfiguration.RiskExceptionConfiguration"
	noException  = "RiskConfiguration: {RiskExceptionConfiguration: {absent: true}}"
	skipped      = exceptions + ".SkippedIPRangeList"
	noSkipped    = "RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}"
	mobileSkips  = "RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {contains: [203.0.113.0/24]}}}"
	enforced     = "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}"
	noAction     = "AccountTakeoverRiskConfiguration.NotifyConfiguration.NoActionEmail"
	noActionMail = "RiskConfiguration: {AccountTakeoverRiskConfiguration: {NotifyConfiguration: {NoActionEmail: "
)

var (
	oldFlows  = list("ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH")
	redirects = list(ofWeb+"CallbackURLs", list("https://evil.example"), ofWeb+"DefaultRedirectURI",
		"https://evil.example")
	legacyWeb = slices.Clip(list(ofWeb+legacy, "LEGACY"))
	risk      = slices.Clip(all("SetRiskConfiguration"))

	everyClient    = strings.ReplaceAll(allDocuments, "web-*", "*")
	onlyExceptions = map[string]any{"RiskExceptionConfiguration": map[string]any{
		"BlockedIPRangeList": list("192.0.2.0/24")}}
)

// weakRisk gives the pool another risk configuration, which clients without one of their own have too.
func weakRisk(b bench) {
	b.fake.PutRisk(poolID, "", onlyExceptions)
	b.weakenRisk("")
}

// onClients is a rule for the clients that a selector selects, "" for all.
func onClients(selector, settings string) string {
	return "clients: [{" + selector + "require: {" + settings + "}}]"
}

func webRule(settings string) string { return onClients("names: ['web-*'], ", settings) }

func oneRule(parts ...string) string { return rules(strings.Join(parts, ", ")) }

// documentCases have an incident in each of the further documents.
var documentCases = map[string]scenario{
	"the pool's risk is emptied": {rule: allDocuments, event: "set-risk-configuration", fixed: all(riskAction),
		incident: func(b bench) { b.fake.PutRisk(poolID, "", onlyExceptions) }, moves: all("RiskConfiguration.")},
	// It has the pool's again.
	"a client's risk is emptied": {rule: allDocuments, event: "set-risk-configuration-of-client",
		incident: func(b bench) { b.fake.PutRisk(poolID, web, map[string]any{}) }, moves: all(ofWeb + "RiskConfiguration")},
	"a client's risk is weakened": {rule: allDocuments, event: "set-risk-configuration-of-client",
		incident: func(b bench) { b.weakenRisk(web) }, fixed: all(ofWeb + riskAction)},
	"the pool is to have no risk configuration": {rule: "RiskConfiguration: {absent: true}",
		event: "set-risk-configuration", fixed: all("RiskConfiguration")},
	"a client that has the pool's risk goes on to have it": {rule: everyClient, incident: weakRisk,
		event: "set-risk-configuration", fixed: all(riskAction, ofMobile+riskAction), moves: all("RiskConfiguration."),
		writes: risk},
	"a client that has the pool's risk, which is nobody's": {rule: rules(onClients("", riskBlocks)), incident: weakRisk,
		event: "set-risk-configuration", fixed: all(ofMobile + riskAction),
		moves: all("RiskConfiguration.", ofMobile+"RiskConfiguration."), writes: risk},
	"a client that has the pool's risk, and has to be stricter": {
		rule: everyClient + "      - {names: [mobile-app], require: {" + noSkipped + "}}\n", incident: func(b bench) {
			weakRisk(b)
			b.editRisk("", "RiskExceptionConfiguration.SkippedIPRangeList", list("203.0.113.0/24"))
		}, event: "set-risk-configuration", fixed: all(riskAction, ofMobile+riskAction, ofMobile+skipped),
		moves: all("RiskConfiguration.", ofMobile+"RiskConfiguration."), writes: append(risk, risk...)},
	"threat protection is raised, and the risk is due too": {rule: enforced + "\n" + riskBlocks,
		incident: func(b bench) { b.set(threat, "AUDIT"); b.weakenRisk("") }, event: "update-user-pool",
		fixed: all(threat, riskAction)},
	"threat protection and the risk go at once": {rule: enforced + "\n" + riskBlocks, event: "update-user-pool",
		incident: func(b bench) { b.threatOff(); b.weakenRisk("") }, fixed: all(threat, riskAction)},
	"threat protection goes, and the risk behind it is as it should": {rule: enforced + "\n" + riskBlocks,
		incident: bench.threatOff, event: "update-user-pool", fixed: all(threat, riskAction), writes: updated},
	"threat protection goes, and what no risk is to have is out of sight": {rule: enforced + "\n" + noException,
		incident: bench.threatOff, event: "update-user-pool", fixed: all(exceptions, threat), moves: all(exceptions)},
	"threat protection goes, and a client's risk with it": {
		rule:  strings.Replace(allDocuments, deletionProtection, enforced, 1),
		event: "update-user-pool", incident: func(b bench) { b.threatOff(); b.weakenRisk(web) },
		fixed: all(threat, riskAction, ofWeb+riskAction), writes: all("UpdateUserPool", "SetRiskConfiguration")},
	"a risk is wanted where threat protection is off": {rule: riskBlocks, event: "update-user-pool",
		incident: func(b bench) { b.set("UserPoolAddOns", nil) }, moves: all("UserPoolAddOns"), left: all(riskAction)},
	"the last of the pool's risk goes, which a client has too": {event: "set-risk-configuration",
		rule:     rules("require: {" + noException + "}, " + onClients("names: [mobile-app], ", noException)),
		incident: func(b bench) { b.fake.PutRisk(poolID, "", onlyExceptions) }, writes: risk,
		fixed: all(exceptions, ofMobile+exceptions), moves: all("RiskConfiguration.")},
	"a client is to keep what the pool is to lose": {event: "set-risk-configuration",
		rule:  rules("require: {" + noSkipped + "}, " + onClients("names: [mobile-app], ", mobileSkips)),
		fixed: all(skipped, ofMobile+skipped), moves: all(ofMobile + "RiskConfiguration."), writes: append(risk, risk...)},
	"a client is to have the pool's risk": {rule: rules(onClients("", "RiskConfiguration: {absent: true}")),
		event: "set-risk-configuration", fixed: all(ofWeb + "RiskConfiguration")},
	"a client with an empty risk of its own is to have the pool's": {
		rule: rules(onClients("", "RiskConfiguration: {absent: true}")), event: "set-risk-configuration-of-client",
		incident: func(b bench) { b.fake.PutRisk(poolID, web, map[string]any{"LastModifiedDate": 1767225600.5}) },
		fixed:    all(ofWeb + "RiskConfiguration"), moves: all(ofWeb + "RiskConfiguration")},
	"no client has a risk of its own where there is none": {event: "update-user-pool", incident: bench.threatOff,
		rule: rules(onClients("", "RiskConfiguration: {absent: true}")), moves: all("UserPoolAddOns", ofWeb)},
	// What a client has of the pool's risk configuration goes where the pool's goes: it is no change by itself.
	"a client that is audited has the pool's risk": {rule: rules("require: {"+noSkipped+"}",
		"mode: audit, "+onClients("ids: [mobile], ", mobileSkips)), fixed: all(skipped),
		others: map[string]outcome.State{ofMobile + skipped: outcome.StateReported}},
	"a client's mail, the subject of which is the pool's": {
		rule: rules("require: {" + noActionMail + "{Subject: careful}}}}}, " +
			onClients("ids: [mobile], ", noActionMail+"{TextBody: somebody signed in}}}}")),
		live:  list("RiskConfiguration."+noAction, nil),
		fixed: all("RiskConfiguration."+noAction+".Subject", ofMobile+"RiskConfiguration."+noAction+".TextBody"),
		moves: all(ofMobile+"RiskConfiguration."+noAction+".TextBody=somebody signed in",
			ofMobile+"RiskConfiguration."+noAction+".Subject=careful", ofMobile+"RiskConfiguration."),
		writes: append(risk, risk...)},
	"a log entry goes": {event: "set-log-delivery-configuration", incident: bench.logsOff,
		rule: "LogConfigurations: {userAuthEvents: {LogLevel: INFO, FirehoseConfiguration: " +
			"{StreamArn: 'arn:aws:firehose:eu-west-1:111122223333:deliverystream/cognito-events'}}}",
		fixed: all("LogConfigurations.userAuthEvents.LogLevel",
			"LogConfigurations.userAuthEvents.FirehoseConfiguration.StreamArn")},
	"all logs go": {rule: "LogConfigurations: {userNotification: {absent: true}}",
		event: "set-log-delivery-configuration", fixed: all("LogConfigurations.userNotification")},
	"a client is weakened": {rule: allDocuments, event: "update-user-pool-client", incident: func(b bench) {
		b.weakenClient()
		b.editClient(web, "CallbackURLs", list("https://evil.example", "https://app.example.com/callback"))
	}, fixed: all(ofWeb + legacy), moves: all(ofWeb + "CallbackURLs")},
	"a client gets a name by which more is required of it": {rule: rules(onClients("names: [renamed], ", riskBlocks)),
		event: "update-user-pool-client", fixed: all(ofWeb + riskAction), moves: all(ofWeb + "ClientName"),
		incident: func(b bench) { b.editClient(web, "ClientName", "renamed"); b.weakenRisk(web) }},
	"a client comes that is weak": {event: "create-user-pool-client", fixed: all("Clients[7rogue7client]." + legacy),
		rule: strings.Replace(allDocuments, `names: ["web-*"]`, `except: {names: ["mobile-*"]}`, 1),
		incident: func(b bench) {
			b.fake.PutClient(poolID, "7rogue7client", map[string]any{"ClientName": "rogue",
				"PreventUserExistenceErrors": "LEGACY", "ClientSecret": "CANARY-rogue-secret"})
		}},
	// A read that does not show it yet is tried again, though nothing was known to be wrong with it.
	"a risk that cannot be read at once": {rule: enforced + "\n" + noException, incident: bench.threatOff,
		faults: []cognitotest.Fault{{Operation: "DescribeRiskConfiguration", Skip: 1, Times: 2,
			Error: "UserPoolAddOnNotEnabledException"}}, fixed: all(threat, exceptions), moves: all(exceptions)},
	// It is written once, and both are reported: the pool never offers the risk configuration.
	"threat protection is turned off whenever it is on": {rule: enforced + "\n" + riskBlocks, live: list(threat, "OFF"),
		faults: []cognitotest.Fault{{Operation: "UpdateUserPool", Change: sets(threat, "OFF")}},
		left:   all(threat, riskAction), outcome: outcome.Unconverged, writes: updated,
		says: "a risk configuration needs UserPoolAddOns.AdvancedSecurityMode AUDIT or ENFORCED"},
}

// clientCases are what rules can say of clients, and what the client web-app can be like. mobile-app is as the rules
// want it.
var clientCases = map[string]scenario{
	"two entries: the later wins, setting by setting": {live: legacyWeb,
		rule: rules("clients: [{names: ['web-*'], require: {AuthSessionValidity: 4, PreventUserExistenceErrors: LEGACY}}, " +
			"{names: ['*-app'], require: {" + isKnown + "}}]"), fixed: all(ofWeb+legacy, ofWeb+session),
		moves: all(ofWeb+legacy+"=ENABLED", ofWeb+session+"=4")},
	"two rules: the later wins, mode and all": {live: legacyWeb,
		rule: rules(webRule(isKnown+", AuthSessionValidity: 4"),
			"mode: audit, "+onClients("ids: ["+web+"], ", isKnown)), fixed: all(ofWeb + session),
		others: map[string]outcome.State{ofWeb + legacy: outcome.StateReported}},
	"but for one by name": {live: legacyWeb, rule: rules(onClients("except: {names: ['web-*']}, ", isKnown))},
	"but for one by id": {live: legacyWeb,
		rule: rules(onClients("names: ['*'], except: {ids: ["+web+"]}, ", isKnown))},
	"an exemption of any client's setting": {live: legacyWeb, fixed: all(ofWeb + session),
		rule:   rules(webRule(isKnown+", AuthSessionValidity: 4")) + exempt("Clients[]."+legacy),
		others: map[string]outcome.State{ofWeb + legacy: outcome.StateExempted}},
	"an exemption of this client": {live: legacyWeb, rule: rules(onClients("", isKnown)) + exempt("Clients["+web+"]"),
		others: map[string]outcome.State{ofWeb + legacy: outcome.StateExempted}},
	"an exemption of another client": {live: legacyWeb, fixed: all(ofWeb + legacy),
		rule: rules(onClients("", isKnown)) + exempt(ofMobile+legacy), moves: all(ofWeb + legacy + "=ENABLED")},
	"the units travel with the validities": {rule: rules(webRule("AccessTokenValidity: {atMost: 20}")),
		live: list(ofWeb+"AccessTokenValidity", json.Number("60")), fixed: all(ofWeb + "AccessTokenValidity"),
		moves: all(ofWeb+"AccessTokenValidity=20", ofWeb+"IdTokenValidity=15",
			ofWeb+"TokenValidityUnits.AccessToken=minutes")},
	"an hour where 45 minutes are the most": {
		rule:  rules(webRule("AccessTokenValidity: {atMost: 45}, TokenValidityUnits: {AccessToken: minutes}")),
		live:  list(ofWeb+"AccessTokenValidity", json.Number("1"), ofWeb+"TokenValidityUnits.AccessToken", "hours"),
		fixed: all(ofWeb+"AccessTokenValidity", ofWeb+"TokenValidityUnits.AccessToken"),
		moves: all(ofWeb+"AccessTokenValidity=45", ofWeb+"TokenValidityUnits.AccessToken=minutes")},
	"a redirect that the pool still has": {live: append(legacyWeb, redirects...),
		rule:  rules(webRule("CallbackURLs: ['https://app.example.com/callback'], " + isKnown)),
		fixed: all(ofWeb + legacy), left: all(ofWeb + "CallbackURLs"),
		says: "DefaultRedirectURI must be one of CallbackURLs"},
	"a redirect that goes with its URL": {live: redirects, fixed: all(ofWeb+"CallbackURLs", ofWeb+"DefaultRedirectURI"),
		rule: rules(webRule("CallbackURLs: ['https://app.example.com/callback'], " +
			"DefaultRedirectURI: 'https://app.example.com/callback'"))},
	"a new flow beside old ones": {live: append(legacyWeb, ofWeb+"ExplicitAuthFlows", oldFlows[:1]),
		rule:  rules(webRule("ExplicitAuthFlows: {contains: [ALLOW_USER_SRP_AUTH]}, " + isKnown)),
		fixed: all(ofWeb + legacy), left: all(ofWeb + "ExplicitAuthFlows"), says: "cannot be combined with the older ones"},
	"an old flow is taken away": {live: list(ofWeb+"ExplicitAuthFlows", oldFlows), fixed: all(ofWeb + "ExplicitAuthFlows"),
		rule:  rules(webRule("ExplicitAuthFlows: {without: [USER_PASSWORD_AUTH]}")),
		moves: all(ofWeb + `ExplicitAuthFlows=["ADMIN_NO_SRP_AUTH"]`)},
	// What the service refuses of a client is given up, and the rest of the client is put right.
	"a scope that does not exist": refusedOfAClient("ScopeDoesNotExistException", "no", "AllowedOAuthScopes", "[openid]"),
	"a flow":                      refusedOfAClient("InvalidOAuthFlowException", "no", "AllowedOAuthFlows", "[code]"),
	"a flow, by another code": refusedOfAClient("InvalidParameterException",
		"1 validation error detected: Value '[code]' at "+
			"'allowedOAuthFlows' failed to satisfy constraint: a", "AllowedOAuthFlows", "[code]"),
	"the last URL to call back": {live: append(legacyWeb, ofWeb+"CallbackURLs", list("https://a.example/c"),
		ofWeb+"DefaultRedirectURI", "", ofWeb+"AllowedOAuthFlows", list("code", "implicit")),
		rule: rules(webRule(isKnown + ", CallbackURLs: {absent: true}, AllowedOAuthFlows: {without: [implicit]}")),
		left: all(ofWeb + "CallbackURLs"), fixed: all(ofWeb+legacy, ofWeb+"AllowedOAuthFlows"), refused: true},
	"a validity out of range": {live: append(legacyWeb, ofWeb+"TokenValidityUnits", map[string]any{"AccessToken": "hours"},
		ofWeb+"AccessTokenValidity", json.Number("2")), rule: rules(webRule(isKnown + ", AccessTokenValidity: 60")),
		left: all(ofWeb + "AccessTokenValidity"), fixed: all(ofWeb + legacy), refused: true},
	"no refresh of tokens": {live: append(legacyWeb, ofWeb+"RefreshTokenRotation", nil, ofWeb+"ExplicitAuthFlows",
		list("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH")), left: all(ofWeb + "ExplicitAuthFlows"),
		rule:  rules(webRule(isKnown + ", ExplicitAuthFlows: {without: [ALLOW_REFRESH_TOKEN_AUTH]}")),
		fixed: all(ofWeb + legacy), refused: true},
	// The scope is only sent back, and is refused beside the grant.
	"openid without a user": {live: legacyWeb, left: all(ofWeb + "AllowedOAuthFlows"), fixed: all(ofWeb + legacy),
		rule: rules(webRule(isKnown + ", AllowedOAuthFlows: [client_credentials]")), refused: true},
	// Rules select a client by the name in its document, in whichever read it changes.
	"renamed before the first read":   renamedMeanwhile(0),
	"renamed before the one to write": renamedMeanwhile(1),
	// It was not put right, and stops nothing.
	"deleted after the pool was written": {pool: unprotected, fixed: all(protected), live: legacyWeb,
		faults: []cognitotest.Fault{{Operation: "DescribeUserPoolClient", Skip: 1, Then: webGone}},
		rule:   rules("require: {" + deletionProtection + "}, " + webRule(isKnown)), moves: all(ofWeb)},
	"deleted while it is read":     deletedMeanwhile(cognitotest.Fault{Operation: "DescribeUserPoolClient"}),
	"deleted before it is written": deletedMeanwhile(cognitotest.Fault{Operation: "UpdateUserPoolClient"}),
	"deleted when its risk was read": deletedMeanwhile(cognitotest.Fault{Operation: "DescribeUserPoolClient",
		Delay: 50 * time.Millisecond}),
}

// refusedOfAClient has the service refuse a value of a client, beside settings that it takes.
func refusedOfAClient(code, message, setting, value string) scenario {
	c := scenario{live: append(legacyWeb, ofWeb+"AllowedOAuthScopes", list("email"),
		ofWeb+"AllowedOAuthFlows", list("implicit")),
		rule: rules(webRule(isKnown + ", AllowedOAuthScopes: [openid], AllowedOAuthFlows: [code]")),
		faults: []cognitotest.Fault{{Operation: "UpdateUserPoolClient", Error: code, Message: message,
			When: func(body map[string]any) bool { return fmt.Sprint(body[setting]) == value }}},
		left: all(ofWeb + setting), fixed: all(ofWeb + legacy)}
	for _, other := range all("AllowedOAuthScopes", "AllowedOAuthFlows") {
		if other != setting {
			c.fixed = append(c.fixed, ofWeb+other)
		}
	}
	return c
}

// renamedMeanwhile has somebody rename a client after so many reads of clients.
func renamedMeanwhile(reads int) scenario {
	return scenario{live: legacyWeb, rule: rules("require: {" + deletionProtection + "}, " + webRule(isKnown)),
		moves: all(ofWeb + "ClientName=renamed"), writes: none,
		faults: []cognitotest.Fault{{Operation: "DescribeUserPoolClient", Skip: reads, Times: 1,
			Then: func(s *cognitotest.Server) { bench{fake: s}.editClient(web, "ClientName", "renamed") }}}}
}

// deletedMeanwhile has somebody delete a client while it is put right.
func deletedMeanwhile(fault cognitotest.Fault) scenario {
	fault.Times, fault.Then = 1, webGone
	return scenario{pool: unprotected, live: append(legacyWeb, ofMobile+legacy, "LEGACY"), rule: everyClient,
		faults: []cognitotest.Fault{fault}, fixed: all(protected, ofMobile+legacy), moves: all(ofWeb)}
}

func webGone(s *cognitotest.Server) { s.RemoveClient(poolID, web) }

// watched is the event of a change that rules watch, and what is said of it. Nothing is undone.
func watched(fixture, setting, have string) scenario {
	return scenario{event: fixture, others: map[string]outcome.State{setting: outcome.StateReported},
		rule: oneRule("watch: [clients, identityProviders, domains, resourceServers, groups]"), says: `"have":"` + have +
			`"..."rule":"rule-1"...by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory`}
}

// watchCases are changes that are reported with who made them, and what is not watched, which is ignored.
var watchCases = map[string]scenario{
	"a client comes":              watched("create-user-pool-client", "clients[rogue]", "added"),
	"a client goes":               watched("delete-user-pool-client", "clients["+web+"]", "removed"),
	"a client has another secret": watched("add-user-pool-client-secret", "clients["+web+"]", "given a new secret"),
	"a provider comes":            watched("create-identity-provider", "identityProviders[Rogue]", "added"),
	"a provider changes":          watched("update-identity-provider", "identityProviders[Corporate]", "changed"),
	"a provider goes":             watched("delete-identity-provider", "identityProviders[Corporate]", "removed"),
	"a domain comes":              watched("create-user-pool-domain", "domains[rogue-example]", "added"),
	"a resource server changes": watched("update-resource-server", "resourceServers[https://api.example.com]",
		"changed"),
	"a group goes": watched("delete-group", "groups[admins]", "removed"),
	"a client changes": {event: "update-user-pool-client", outcome: outcome.Ignored,
		rule: oneRule("watch: [clients]")},
	"the pool changes": {event: "update-user-pool", outcome: outcome.Ignored, rule: oneRule("watch: [clients]")},
	// A trigger that no rule requires is reported, one that a rule requires is not.
	"a trigger": {event: "update-user-pool", pool: twoTriggers,
		rule:   oneRule("watch: [triggers], require: {LambdaConfig: {PreSignUp: '" + trigger + "'}}"),
		others: map[string]outcome.State{"LambdaConfig.CustomMessage": outcome.StateReported},
		says:   "found after UpdateUserPool by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory"},
	"the triggers of a new pool": {event: "create-user-pool", pool: twoTriggers, others: bothTriggers,
		rule: oneRule("watch: [triggers]")},
	"the triggers, by a scan that knows no actor": {pool: twoTriggers, others: bothTriggers,
		rule: oneRule("watch: [triggers]"), lacks: "found after"},
	"a trigger newer than the table": {pool: sets("LambdaConfig", map[string]any{"PostFuture": evil}),
		rule: oneRule("watch: [triggers]"), others: map[string]outcome.State{
			"LambdaConfig.PostFuture": outcome.StateReported}},
	"a pool is deleted that a rule names": {event: "delete-user-pool", outcome: outcome.Drifted,
		rule: oneRule("pools: {ids: ["+poolID+"]}", protects), faults: []cognitotest.Fault{refusedRead(goneCode, "")},
		others: map[string]outcome.State{"UserPool": outcome.StateReported}, says: `"critical":true...mallory`},
	"another pool is deleted": {event: "delete-user-pool", outcome: outcome.Ignored, rule: deletionProtection,
		lacks: `"critical":true`},
}

var (
	twoTriggers  = sets("LambdaConfig", map[string]any{"PreSignUp": trigger, "CustomMessage": evil})
	bothTriggers = map[string]outcome.State{"LambdaConfig.CustomMessage": outcome.StateReported,
		"LambdaConfig.PreSignUp": outcome.StateReported}
)

// TestWatch runs what is watched, and what is not.
func TestWatch(t *testing.T) {
	t.Parallel()
	inBoth(t, watchCases, scenario.check)
}

// TestEventTableNamesDocuments: what the event table says a call changes is a document, or a kind of thing that can be
// watched.
func TestEventTableNamesDocuments(t *testing.T) {
	t.Parallel()
	for _, call := range event.Table() {
		for _, name := range call.Changes {
			if _, ok := name.Table(); !ok {
				t.Errorf("%s changes %s", call.Name, name)
			}
		}
		if call.Watched != "" && !slices.Contains(baseline.Watchable(), call.Watched) {
			t.Errorf("%s is watched as %s", call.Name, call.Watched)
		}
	}
	for _, d := range baseline.Documents() {
		if !slices.ContainsFunc(event.Table(), func(call event.Name) bool {
			return call.Name == d.WriteCall && slices.Contains(call.Changes, d.Name)
		}) {
			t.Errorf("no event tells of %s", d.WriteCall)
		}
	}
}

const publishes = "PublishSecretsInAWSSecretsManager"

// A secretCase is a requirement of the clients, and the client of which it changes where the secret is stored.
type secretCase struct {
	required   string
	secretless bool // the client web-app has no secret
	changes    string
	says       string // where nothing can be fixed
}

// In the rich pool the secret of mobile is published.
var secretCases = map[string]secretCase{
	"true":          {publishes + ": true", false, web, ""},
	"false":         {publishes + ": false", false, "mobile", ""},
	"absent":        {publishes + ": {absent: true}", false, "mobile", ""},
	"an ARN":        {"ClientSecretArn: {present: true}", false, web, ""},
	"no ARN":        {"ClientSecretArn: {absent: true}", false, "mobile", ""},
	"another fix":   {"AuthSessionValidity: 4", false, "", ""},
	"true, none":    {publishes + ": true", true, "", "the client has no secret that"},
	"an ARN, none":  {"ClientSecretArn: {present: true}", true, "", "the client has no secret that"},
	"false, none":   {publishes + ": false", true, "mobile", ""},
	"another, none": {"AuthSessionValidity: 4", true, "", ""},
}

// TestPublishedSecrets: ClientSecretArn shows whether Secrets Manager stores a client's secret. Only the write that
// changes that says so, nothing else moves, and undo takes it back.
func TestPublishedSecrets(t *testing.T) {
	t.Parallel()
	inBoth(t, secretCases, secretCase.check)
}

func (c secretCase) check(t *testing.T, b bench) {
	b.whole(nil)
	if c.secretless {
		b.editClient(web, "ClientSecret", nil, "ClientSecretArn", nil)
	}
	before, required := b.snapshot(t), parse(t, oneRule(onClients("", c.required)))
	preview := must(b.reconciler(required).Plan(t.Context(), poolID))(t)
	if (len(preview.Writes) > 0) != (c.says == "") {
		t.Errorf("planned %v", preview.Writes)
	}
	out := b.answer(t, required, onPool(event.Cause{}))
	if (out.Outcome == outcome.Remediated) != (c.says == "") || !strings.Contains(out.Reason, c.says) {
		t.Fatalf("%s (%s): %v", out.Outcome, out.Reason, out.Drifts)
	}
	for _, call := range b.fake.Calls() {
		body := tree(t, string(call.Body))
		if call.Operation == "UpdateUserPoolClient" && (body[publishes] != nil) != (body["ClientId"] == c.changes) {
			t.Errorf("sent %s of %s", body[publishes], body["ClientId"])
		}
	}
	after, ofChanged := b.snapshot(t), "Clients["+c.changes+"].ClientSecret"
	for _, path := range difference(before, after) {
		if !strings.HasPrefix(path, ofChanged) && !strings.HasSuffix(path, "].AuthSessionValidity") {
			t.Errorf("%s moved from %q to %q", path, before[path], after[path])
		}
	}
	if c.changes != "" && (before[ofChanged+"Arn"] == "") == (after[ofChanged+"Arn"] == "") {
		t.Errorf("%sArn is %q, as it was", ofChanged, after[ofChanged+"Arn"])
	}
	again := b.answer(t, required, onPool(event.Cause{}))
	if len(again.Writes) > 0 || (again.Outcome == outcome.Unchanged) != (c.says == "") {
		t.Errorf("again: %s %v", again.Outcome, again.Writes)
	}
	if c.says == "" {
		b.undo(t, out.Record, before)
	}
}

// TestNamedClientsNeverFanOut: a request for some clients stays one, even where it takes up a run that was interrupted.
func TestNamedClientsNeverFanOut(t *testing.T) {
	t.Parallel()
	w := withPool(t, cognitotest.Measured, unprotected)
	required := parse(t, oneRule(protects, onClients("", "EnableTokenRevocation: true")))
	for i := range 9 {
		w.fake.PutClient(poolID, fmt.Sprint("client", i), map[string]any{"EnableTokenRevocation": false})
	}
	w.kill(t, required, call("one", "Admin", w.time()), 0)
	w.pass(2 * time.Minute)
	r, request := w.reconciler(required), onPool(event.Cause{EventName: event.ScanPools})
	r.MostClients, request.Clients = 2, []string{"client7", "client8"}
	out, err := deliver(t.Context(), r, request)
	if err != nil || len(out.Details.Clients) > 0 || !hasCode(out, outcome.CodeInterrupted) {
		t.Errorf("%s (%s), fanned out %q: %v", out.Outcome, out.Reason, out.Details.Clients, err)
	}
	for id, want := range map[string]bool{"client0": false, "client7": true, "client8": true} {
		if got := w.fake.Client(poolID, id)["EnableTokenRevocation"]; got != want {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
	if pool, _, _ := w.fake.Pool(poolID); pool["DeletionProtection"] != "ACTIVE" {
		t.Error("what the interrupted run was to fix is not fixed")
	}
}
