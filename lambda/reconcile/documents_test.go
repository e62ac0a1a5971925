package reconcile_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

const web = cognitotest.RichClient

var home = event.Home{Account: "111122223333", Region: "eu-west-1"}

// answer hands the event of a fixture to the reconciler.
func (b bench) answer(t testing.TB, required *baseline.Baseline, fixture string) outcome.Outcome {
	t.Helper()
	payload, err := os.ReadFile("../event/testdata/" + fixture + ".json")
	if err != nil {
		t.Fatal(err)
	}
	out, err := handle(t.Context(), b.reconciler(required), payload, home)
	if err != nil {
		t.Fatalf("%s: %v", fixture, err)
	}
	return out
}

// called returns the names of the calls that the fake took, sorted.
func (b bench) called() string {
	var names []string
	for _, call := range b.fake.Calls() {
		names = append(names, call.Operation)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
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
	shipped, err := baseline.Parse(baseline.DefaultFile, baseline.Default())
	if err != nil {
		t.Fatal(err)
	}
	const pool, client = "DescribeUserPool GetUserPoolMfaConfig",
		"DescribeUserPool DescribeUserPoolClient ListUserPoolClients"
	const everything = "DescribeRiskConfiguration DescribeRiskConfiguration DescribeUserPool DescribeUserPoolClient " +
		"GetLogDeliveryConfiguration GetUserPoolMfaConfig ListUserPoolClients"
	tagged := parse(t, strings.Replace(allDocuments, "    require:\n      Del",
		"    pools: {tags: {env: [prod]}}\n    require:\n      Del", 1))
	watching := parse(t, "version: 1\nrules: [{name: a, watch: [groups]}]")
	all := parse(t, allDocuments)
	for name, c := range map[string]struct {
		required *baseline.Baseline
		event    string
		calls    string
	}{
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.whole(nil)
			out := b.answer(t, c.required, c.event)
			if got := b.called(); got != c.calls {
				t.Errorf("%s (%s): %s, want %s", out.Outcome, out.Reason, got, c.calls)
			}
			want := outcome.Unchanged
			if c.calls == "" {
				want = outcome.Ignored
			}
			if name == "what is watched" {
				want = outcome.Drifted
			}
			if out.Outcome != want {
				t.Errorf("%s (%s), want %s", out.Outcome, out.Reason, want)
			}
		})
	}
}

// TestReadsGrowWithClientsOnly: of so many clients, those that no rule selects cost nothing but their place in the
// list.
func TestReadsGrowWithClientsOnly(t *testing.T) {
	t.Parallel()
	// 4 of the pool, 1 again for it never had logs, 1 list of up to 60, and 2 for each client
	for clients, want := range map[int]int{0: 6, 1: 8, 7: 20, 70: 146} {
		b := serve(t, cognitotest.Contract)
		pool, mfa := cognitotest.Rich()
		b.fake.Put(poolID, pool, mfa)
		for i := range clients {
			b.fake.PutClient(poolID, fmt.Sprintf("web%03d", i),
				map[string]any{"ClientName": "web-app", "PreventUserExistenceErrors": "ENABLED"})
			b.fake.PutClient(poolID, fmt.Sprintf("other%03d", i), map[string]any{"ClientName": "other"})
		}
		if clients == 70 {
			want += 2 // 140 clients are three pages
		}
		if _, err := b.reconciler(parse(t, allDocuments).InMode(baseline.Audit)).Reconcile(t.Context(),
			onPool(event.Cause{})); err != nil {
			t.Fatal(err)
		}
		if got := len(b.fake.Calls()); got != want {
			t.Errorf("%d clients cost %d calls, want %d", clients, got, want)
		}
	}
}

const (
	riskAction  = "RiskConfiguration.CompromisedCredentialsRiskConfiguration.Actions.EventAction"
	exceptions  = "RiskConfiguration.RiskExceptionConfiguration"
	riskBlocks  = "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}"
	noSkipped   = "RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}"
	noException = "RiskConfiguration: {RiskExceptionConfiguration: {absent: true}}"
	enforced    = "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}"

	mobileSkips = "RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {contains: [203.0.113.0/24]}}}"
)

var onlyExceptions = map[string]any{"RiskExceptionConfiguration": map[string]any{
	"BlockedIPRangeList": list("192.0.2.0/24")}}

// weakRisk gives the pool another risk configuration, which clients without one of their own have too.
func weakRisk(b bench) {
	b.fake.PutRisk(poolID, "", onlyExceptions)
	b.weakenRisk("")
}

// onClients is a rule for the clients that a selector selects, "" for all.
func onClients(selector, settings string) string {
	return "clients: [{" + selector + "require: {" + settings + "}}]"
}

func oneRule(parts ...string) string {
	return "version: 1\nrules: [{name: all, " + strings.Join(parts, ", ") + "}]"
}

// TestDocuments has an incident in each of the further documents, and what comes of it.
func TestDocuments(t *testing.T) {
	t.Parallel()
	ofClient, ofMobile := "Clients["+web+"].", "Clients[mobile]."
	threatAndRisk := inRule(enforced + ", " + riskBlocks)
	mobile := func(settings string) string { return onClients("names: [mobile-app], ", settings) }
	pool, risk, logs := updated, []string{"SetRiskConfiguration"}, []string{"SetLogDeliveryConfiguration"}
	client, twice, both := []string{"UpdateUserPoolClient"}, slices.Repeat(risk, 2), slices.Concat(pool, risk)
	const ofPool, ofRisk, ofClientRisk = "update-user-pool", "set-risk-configuration", "set-risk-configuration-of-client"
	const ofLogs, clientUpdate = "set-log-delivery-configuration", "update-user-pool-client"
	for name, c := range map[string]struct {
		required string
		tamper   func(b bench)
		event    string
		writes   []string
		fixed    []string
		moves    []string       // what else is allowed to differ from before the incident
		outcome  outcome.Ending // remediated where nothing is said
	}{
		"the pool's risk is emptied": {allDocuments, func(b bench) { b.fake.PutRisk(poolID, "", onlyExceptions) }, ofRisk,
			risk, texts(riskAction), texts("RiskConfiguration."), ""},
		// It has the pool's again.
		"a client's risk is emptied": {allDocuments, func(b bench) { b.fake.PutRisk(poolID, web, map[string]any{}) },
			ofClientRisk, none, nil, texts(ofClient + "RiskConfiguration"), outcome.Unchanged},
		"a client's risk is weakened": {allDocuments, func(b bench) { b.weakenRisk(web) }, ofClientRisk, risk,
			texts(ofClient + riskAction), nil, ""},
		"the pool is to have no risk configuration": {inRule("RiskConfiguration: {absent: true}"), func(bench) {}, ofRisk,
			risk, texts("RiskConfiguration"), texts("RiskConfiguration"), ""},
		"a client that has the pool's risk goes on to have it": {strings.ReplaceAll(allDocuments, "web-*", "*"), weakRisk,
			ofRisk, risk, texts(riskAction, ofMobile+riskAction), texts("RiskConfiguration."), ""},
		"a client that has the pool's risk, which is nobody's": {oneRule(onClients("", riskBlocks)), weakRisk, ofRisk, risk,
			texts(ofMobile + riskAction), texts("RiskConfiguration.", ofMobile+"RiskConfiguration."), ""},
		"a client that has the pool's risk, and has to be stricter": {strings.ReplaceAll(allDocuments, "web-*", "*") +
			"      - {names: [mobile-app], require: {" + noSkipped + "}}\n", func(b bench) {
			weakRisk(b)
			b.editRisk("", "RiskExceptionConfiguration.SkippedIPRangeList", list("203.0.113.0/24"))
		}, ofRisk, twice, texts(riskAction, ofMobile+riskAction, ofMobile+exceptions+".SkippedIPRangeList"),
			texts("RiskConfiguration.", ofMobile+"RiskConfiguration."), ""},
		"threat protection is raised, and the risk is due too": {threatAndRisk, func(b bench) {
			b.fake.Edit(poolID, sets(threat, "AUDIT"))
			b.weakenRisk("")
		}, ofPool, both, texts(threat, riskAction), nil, ""},
		"threat protection and the risk go at once": {threatAndRisk, func(b bench) { b.threatOff(); b.weakenRisk("") },
			ofPool, both, texts(threat, riskAction), nil, ""},
		"threat protection goes, and the risk behind it is as it should": {threatAndRisk, bench.threatOff, ofPool, pool,
			texts(threat), nil, ""},
		"threat protection goes, and what no risk is to have is out of sight": {inRule(enforced + ", " + noException),
			bench.threatOff, ofPool, both, texts(exceptions, threat), texts(exceptions), ""},
		"threat protection goes, and a client's risk with it": {strings.Replace(allDocuments, deletionProtection, enforced,
			1), func(b bench) { b.threatOff(); b.weakenRisk(web) }, ofPool, both, texts(threat, ofClient+riskAction), nil, ""},
		"a risk is wanted where threat protection is off": {inRule(riskBlocks), func(b bench) {
			b.fake.Edit(poolID, sets("UserPoolAddOns", nil))
		}, ofPool, none, nil, texts("UserPoolAddOns"), outcome.Unfixable},
		"the last of the pool's risk goes, which a client has too": {
			oneRule("require: {"+noException+"}", mobile(noException)),
			func(b bench) { b.fake.PutRisk(poolID, "", onlyExceptions) }, ofRisk, risk,
			texts(exceptions, ofMobile+exceptions), texts("RiskConfiguration."), ""},
		"a client is to keep what the pool is to lose": {oneRule("require: {"+noSkipped+"}", mobile(mobileSkips)),
			func(bench) {}, ofRisk, twice, texts(exceptions+".SkippedIPRangeList", ofMobile+exceptions+".SkippedIPRangeList"),
			texts(exceptions+".SkippedIPRangeList", ofMobile+"RiskConfiguration."), ""},
		"a client is to have the pool's risk": {oneRule(onClients("", "RiskConfiguration: {absent: true}")), func(bench) {},
			ofRisk, risk, texts(ofClient + "RiskConfiguration"), texts(ofClient + "RiskConfiguration"), ""},
		"a log entry goes": {inRule("LogConfigurations: {userAuthEvents: {LogLevel: INFO, FirehoseConfiguration: " +
			"{StreamArn: 'arn:aws:firehose:eu-west-1:111122223333:deliverystream/cognito-events'}}}"), bench.logsOff, ofLogs,
			logs,
			texts("LogConfigurations.userAuthEvents.LogLevel",
				"LogConfigurations.userAuthEvents.FirehoseConfiguration.StreamArn"), nil, ""},
		"all logs go": {inRule("LogConfigurations: {userNotification: {absent: true}}"), func(bench) {}, ofLogs, logs,
			texts("LogConfigurations.userNotification"), texts("LogConfigurations.userNotification"), ""},
		"a client is weakened": {allDocuments, func(b bench) {
			b.editClient(web, "PreventUserExistenceErrors", "LEGACY", "CallbackURLs",
				list("https://evil.example", "https://app.example.com/callback"))
		}, clientUpdate, client, texts(ofClient + "PreventUserExistenceErrors"), texts(ofClient + "CallbackURLs"), ""},
		"a client gets a name by which more is required of it": {oneRule(onClients("names: [renamed], ", riskBlocks)),
			func(b bench) { b.editClient(web, "ClientName", "renamed"); b.weakenRisk(web) }, clientUpdate, risk,
			texts(ofClient + riskAction), texts(ofClient + "ClientName"), ""},
		"a client comes that is weak": {strings.Replace(allDocuments, `names: ["web-*"]`, `except: {names: ["mobile-*"]}`,
			1), func(b bench) {
			b.fake.PutClient(poolID, "7rogue7client", map[string]any{"ClientName": "rogue",
				"PreventUserExistenceErrors": "LEGACY", "ClientSecret": "CANARY-rogue-secret"})
		}, "create-user-pool-client", client, texts("Clients[7rogue7client].PreventUserExistenceErrors"), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.whole(nil)
			before, secret := b.snapshot(t), b.fake.Client(poolID, web)["ClientSecret"]
			c.tamper(b)
			want := cmp.Or(c.outcome, outcome.Remediated)
			out := b.answer(t, parse(t, c.required), c.event)
			if out.Outcome != want || !slices.Equal(out.Writes, c.writes) {
				t.Errorf("%s (%s) %v, want %s %v", out.Outcome, out.Reason, out.Writes, want, c.writes)
			}
			for _, setting := range c.fixed {
				if states(out)[setting] != fixed {
					t.Errorf("%s is %q: %v", setting, states(out)[setting], out.Drifts)
				}
			}
			for _, path := range difference(before, b.snapshot(t)) {
				if !slices.ContainsFunc(c.moves, func(m string) bool { return strings.HasPrefix(path, m) }) {
					t.Errorf("%s is not what it was", path)
				}
			}
			if b.fake.Client(poolID, web)["ClientSecret"] != secret {
				t.Error("the client's secret is not what it was")
			}
			if strings.Contains(string(marshal(t, out)), "CANARY") {
				t.Error("a planted secret stands in the outcome")
			}
			again := b.answer(t, parse(t, c.required), c.event)
			if want == outcome.Remediated && again.Outcome != outcome.Unchanged {
				t.Errorf("the second time: %s (%s)", again.Outcome, again.Reason)
			}
		})
	}
}

func texts(all ...string) []string { return all }

// TestOddAnswers: an answer that is no document of the pool or client that was asked for leads to no write.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ operation, body, says string }{
		"a risk without itself": {"DescribeRiskConfiguration", `{}`, "the response has no RiskConfiguration"},
		"another pool's risk": {"DescribeRiskConfiguration",
			`{"RiskConfiguration":{"UserPoolId":"eu-west-1_Other0001"}}`, "for another pool"},
		"another client's risk": {"DescribeRiskConfiguration", `{"RiskConfiguration":{"ClientId":"other"}}`,
			"for another client"},
		"logs that are none": {"GetLogDeliveryConfiguration", `{"LogDeliveryConfiguration":[]}`,
			"the response has no LogDeliveryConfiguration"},
		"another pool's logs": {"GetLogDeliveryConfiguration",
			`{"LogDeliveryConfiguration":{"UserPoolId":"eu-west-1_Other0001"}}`, "for another pool"},
		"a client without itself":  {"DescribeUserPoolClient", `{}`, "the response has no UserPoolClient"},
		"another client":           {"DescribeUserPoolClient", `{"UserPoolClient":{"ClientId":"other"}}`, "for another client"},
		"a list that is no object": {"ListUserPoolClients", `<html>`, ""},
	} {
		b := serve(t, cognitotest.Contract)
		b.whole(unprotected)
		b.fake.Inject(cognitotest.Fault{Operation: c.operation, Body: []byte(c.body)})
		out, err := b.reconciler(parse(t, allDocuments)).Reconcile(t.Context(), onPool(event.Cause{}))
		if err == nil || out.Outcome != outcome.Deferred || !strings.Contains(out.Reason, c.says) || len(b.writes()) > 0 {
			t.Errorf("%s: %s (%s) %v", name, out.Outcome, out.Reason, b.writes())
		}
	}
}

// TestWatch: what comes, changes and goes is reported with who did it, and nothing is undone; what is not watched is
// ignored.
func TestWatch(t *testing.T) {
	t.Parallel()
	required := parse(t, "version: 1\nrules:\n  - {name: watcher, watch: [clients, identityProviders, domains, "+
		"resourceServers, groups]}\n")
	for name, want := range map[string]string{
		"create-user-pool-client":     "clients[rogue] added",
		"delete-user-pool-client":     "clients[" + web + "] removed",
		"add-user-pool-client-secret": "clients[" + web + "] given a new secret",
		"create-identity-provider":    "identityProviders[Rogue] added",
		"update-identity-provider":    "identityProviders[Corporate] changed",
		"delete-identity-provider":    "identityProviders[Corporate] removed",
		"create-user-pool-domain":     "domains[rogue-example] added",
		"update-resource-server":      "resourceServers[https://api.example.com] changed",
		"delete-group":                "groups[admins] removed",
		"update-user-pool-client":     "",
		"update-user-pool":            "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.whole(nil)
			out := b.answer(t, required, name)
			if want == "" {
				if out.Outcome != outcome.Ignored {
					t.Errorf("%s %v", out.Outcome, out.Drifts)
				}
				return
			}
			if len(out.Drifts) != 1 || out.Outcome != outcome.Drifted || len(b.writes()) > 0 {
				t.Fatalf("%s %v", out.Outcome, out.Drifts)
			}
			d := out.Drifts[0]
			if got := fmt.Sprint(d.Setting, " ", d.Have); got != want || d.State != outcome.StateReported ||
				d.Rule != "watcher" || !strings.Contains(d.Reason, "by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory") {
				t.Errorf("%+v, want %s", d, want)
			}
		})
	}
}

// TestWatchTriggers: a trigger that no rule requires is reported, one that a rule requires is not.
func TestWatchTriggers(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(sets("LambdaConfig", map[string]any{"PreSignUp": trigger, "CustomMessage": evil}))
	required := parse(t, "version: 1\nrules:\n  - {name: a, watch: [triggers], require: {LambdaConfig: {PreSignUp: "+
		"'arn:aws:lambda:eu-west-1:111122223333:function:pre-sign-up'}}}\n")
	out := b.answer(t, required, "update-user-pool")
	if len(out.Drifts) != 1 || out.Outcome != outcome.Drifted ||
		out.Drifts[0].Setting != "LambdaConfig.CustomMessage" || out.Drifts[0].State != outcome.StateReported ||
		!strings.HasPrefix(out.Drifts[0].Reason,
			"found after UpdateUserPool by arn:aws:sts::111122223333:assumed-role/AppAdmin/mallory") || len(b.writes()) > 0 {
		t.Errorf("%s %v", out.Outcome, out.Drifts)
	}
	only := parse(t, "version: 1\nrules: [{name: a, watch: [triggers]}]")
	if out := b.answer(t, only, "create-user-pool"); len(out.Drifts) != 2 || out.Outcome != outcome.Drifted {
		t.Errorf("of a new pool: %s %v", out.Outcome, out.Drifts)
	}
	if out := b.reconcile(t, only); len(out.Drifts) != 2 || strings.Contains(out.Drifts[0].Reason, "found after") {
		t.Errorf("of a scan, which knows no actor: %s %v", out.Outcome, out.Drifts)
	}
}

// TestDeletedPool: a pool that a rule names and that is gone is reported as critical; another is nobody's.
func TestDeletedPool(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	named := parse(t, "version: 1\nrules: [{name: crown, pools: {ids: ["+poolID+
		"]}, require: {DeletionProtection: ACTIVE}}]")
	out := b.answer(t, named, "delete-user-pool")
	if out.Outcome != outcome.Drifted || !out.Critical || len(out.Drifts) != 1 || out.Drifts[0].Rule != "crown" ||
		!strings.Contains(out.Drifts[0].Reason, "mallory") {
		t.Errorf("%+v", out)
	}
	other := b.answer(t, require(t, "DeletionProtection: ACTIVE"), "delete-user-pool")
	if other.Outcome != outcome.Ignored || other.Critical {
		t.Errorf("%+v", other)
	}
}

// TestEventTableNamesDocuments: what the event table says a call changes is a document, or a kind of thing that can be
// watched.
func TestEventTableNamesDocuments(t *testing.T) {
	t.Parallel()
	for _, call := range event.Table() {
		for _, name := range call.Changes {
			if _, ok := baseline.DocumentName(name).Table(); !ok {
				t.Errorf("%s changes %s", call.Name, name)
			}
		}
		if call.Watched != "" && !slices.Contains(baseline.Watchable(), baseline.Watched(call.Watched)) {
			t.Errorf("%s is watched as %s", call.Name, call.Watched)
		}
	}
	for _, d := range baseline.Documents() {
		if !slices.ContainsFunc(event.Table(), func(call event.Name) bool {
			return call.Name == d.WriteCall && slices.Contains(call.Changes, string(d.Name))
		}) {
			t.Errorf("no event tells of %s", d.WriteCall)
		}
	}
}
