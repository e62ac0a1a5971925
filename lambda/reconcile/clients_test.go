package reconcile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

const (
	legacy  = "PreventUserExistenceErrors"
	isKnown = "PreventUserExistenceErrors: ENABLED"
)

// A clientCase is what the rules say of clients, what the client web-app is like, and what comes of it. mobile-app is
// as the rules want it.
type clientCase struct {
	clients string // the entries of the rule
	more    string // of the baseline
	web     []any  // members and values; LEGACY where nothing is said
	states  map[string]outcome.State
	after   []any // members and values
	says    string
}

var (
	oldCallback = list("https://evil.example")
	oldFlows    = list("ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH")
	redirects   = []any{"CallbackURLs", oldCallback, "DefaultRedirectURI", "https://evil.example"}
)

var clientCases = map[string]clientCase{
	"two entries: the later wins, setting by setting": {
		clients: "- {names: ['web-*'], require: {AuthSessionValidity: 4, PreventUserExistenceErrors: LEGACY}}\n" +
			"- {names: ['*-app'], require: {" + isKnown + "}}",
		states: map[string]outcome.State{legacy: fixed, "AuthSessionValidity": fixed},
		after:  list(legacy, "ENABLED", "AuthSessionValidity", json.Number("4"))},
	"two rules: the later wins, mode and all": {
		clients: "- {names: ['web-*'], require: {" + isKnown + ", AuthSessionValidity: 4}}",
		more:    "  - {name: b, mode: audit, clients: [{ids: [" + web + "], require: {" + isKnown + "}}]}\n",
		states:  map[string]outcome.State{legacy: outcome.StateReported, "AuthSessionValidity": fixed}},
	"but for one by name": {clients: "- {except: {names: ['web-*']}, require: {" + isKnown + "}}"},
	"but for one by id":   {clients: "- {names: ['*'], except: {ids: [" + web + "]}, require: {" + isKnown + "}}"},
	"an exemption of any client's setting": {
		clients: "- {names: ['web-*'], require: {" + isKnown + ", AuthSessionValidity: 4}}",
		more:    exempt("Clients[].PreventUserExistenceErrors"),
		states:  map[string]outcome.State{legacy: outcome.StateExempted, "AuthSessionValidity": fixed}},
	"an exemption of this client": {clients: "- {require: {" + isKnown + "}}", more: exempt("Clients[" + web + "]"),
		states: map[string]outcome.State{legacy: outcome.StateExempted}},
	"an exemption of another client": {clients: "- {require: {" + isKnown + "}}",
		more: exempt("Clients[mobile]." + legacy), states: map[string]outcome.State{legacy: fixed},
		after: list(legacy, "ENABLED")},
	"the units travel with the validities": {
		clients: "- {names: ['web-*'], require: {AccessTokenValidity: {atMost: 20}}}",
		web:     list("AccessTokenValidity", json.Number("60")),
		states:  map[string]outcome.State{"AccessTokenValidity": fixed},
		after: list("AccessTokenValidity", json.Number("20"), "IdTokenValidity", json.Number("15"), "TokenValidityUnits",
			map[string]any{"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"})},
	"a redirect that the pool still has": {
		clients: "- {names: ['web-*'], require: {CallbackURLs: ['https://app.example.com/callback'], " + isKnown + "}}",
		web:     append(list(legacy, "LEGACY"), redirects...),
		states:  map[string]outcome.State{legacy: fixed, "CallbackURLs": left},
		after:   list("CallbackURLs", oldCallback), says: "DefaultRedirectURI must be one of CallbackURLs"},
	"a redirect that goes with its URL": {
		clients: "- {names: ['web-*'], require: {CallbackURLs: ['https://app.example.com/callback'], " +
			"DefaultRedirectURI: 'https://app.example.com/callback'}}",
		web: redirects, states: map[string]outcome.State{"CallbackURLs": fixed, "DefaultRedirectURI": fixed}},
	"a new flow beside old ones": {
		clients: "- {names: ['web-*'], require: {ExplicitAuthFlows: {contains: [ALLOW_USER_SRP_AUTH]}, " + isKnown + "}}",
		web:     list(legacy, "LEGACY", "ExplicitAuthFlows", oldFlows[:1]),
		states:  map[string]outcome.State{legacy: fixed, "ExplicitAuthFlows": left},
		after:   list("ExplicitAuthFlows", oldFlows[:1]), says: "cannot be combined with the older ones"},
	"an old flow is taken away": {
		clients: "- {names: ['web-*'], require: {ExplicitAuthFlows: {without: [USER_PASSWORD_AUTH]}}}",
		web:     list("ExplicitAuthFlows", oldFlows), states: map[string]outcome.State{"ExplicitAuthFlows": fixed},
		after: list("ExplicitAuthFlows", oldFlows[:1])},
}

// TestClients has what rules can say of clients, and what clients can be like, and what comes of it.
func TestClients(t *testing.T) {
	t.Parallel()
	for name, c := range clientCases {
		for mode := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				b := serve(t, modes[mode])
				b.whole(nil)
				live := c.web
				if live == nil {
					live = list(legacy, "LEGACY")
				}
				b.editClient(web, live...)
				before, of := b.snapshot(t), map[string]outcome.State{}
				for setting, state := range c.states {
					of["Clients["+web+"]."+setting] = state
				}
				out := b.reconcile(t, parse(t, "version: 1\nrules:\n  - name: a\n    clients:\n"+
					indent(c.clients, "      ")+c.more))
				if diff := cmp.Diff(of, states(out)); diff != "" || !strings.Contains(out.Reason, c.says) {
					t.Errorf("%s (%s) (-want +got):\n%s", out.Outcome, out.Reason, diff)
				}
				now := b.fake.Client(poolID, web)
				for i := 0; i < len(c.after); i += 2 {
					if member := c.after[i].(string); fmt.Sprint(now[member]) != fmt.Sprint(c.after[i+1]) {
						t.Errorf("%s is %v, want %v", member, now[member], c.after[i+1])
					}
				}
				for _, path := range difference(before, b.snapshot(t)) {
					if of[path] != fixed {
						t.Errorf("%s moved", path)
					}
				}
			})
		}
	}
}

func exempt(setting string) string {
	return "exemptions:\n  - {pools: {ids: [" + poolID + "]}, settings: [\"" + setting +
		"\"], until: 2027-01-31T00:00:00Z, reason: a, owner: b}\n"
}

// TestPublishedSecrets: ClientSecretArn shows whether Secrets Manager stores a client's secret. Only the write that
// changes that says so, nothing else moves, and undo takes it back. In the rich pool the secret of mobile is published.
func TestPublishedSecrets(t *testing.T) {
	t.Parallel()
	const member = "PublishSecretsInAWSSecretsManager"
	secretless := func(b bench, id string) {
		client := b.fake.Client(poolID, id)
		delete(client, "ClientSecret")
		delete(client, "ClientSecretArn")
		b.fake.PutClient(poolID, id, client)
	}
	for name, c := range map[string]struct {
		required   string
		secretless bool // the client web-app has no secret
		outcome    outcome.Ending
		changes    string // the client of which the requirement changes the setting
		says       string
	}{
		"true":          {member + ": true", false, outcome.Remediated, web, ""},
		"false":         {member + ": false", false, outcome.Remediated, "mobile", ""},
		"absent":        {member + ": {absent: true}", false, outcome.Remediated, "mobile", ""},
		"an ARN":        {"ClientSecretArn: {present: true}", false, outcome.Remediated, web, ""},
		"no ARN":        {"ClientSecretArn: {absent: true}", false, outcome.Remediated, "mobile", ""},
		"another fix":   {"AuthSessionValidity: 4", false, outcome.Remediated, "", ""},
		"true, none":    {member + ": true", true, outcome.Unfixable, "", "the client has no secret that"},
		"an ARN, none":  {"ClientSecretArn: {present: true}", true, outcome.Unfixable, "", "the client has no secret that"},
		"false, none":   {member + ": false", true, outcome.Remediated, "mobile", ""},
		"another, none": {"AuthSessionValidity: 4", true, outcome.Remediated, "", ""},
	} {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				w := withLedger(t)
				w.bench = serve(t, world)
				w.whole(nil)
				if c.secretless {
					secretless(w.bench, web)
				}
				before := w.snapshot(t)
				required := parse(t, "version: 1\nrules: [{name: a, clients: [{require: {"+c.required+"}}]}]")
				preview, err := w.process(required).Plan(t.Context(), poolID)
				if changes := len(preview.Writes) > 0; err != nil || changes != (c.outcome == outcome.Remediated) {
					t.Errorf("planned %v %v", preview.Writes, err)
				}
				out, err := w.process(required).ReconcileFrom(t.Context(), poolID, "", event.Cause{})
				if err != nil || out.Outcome != c.outcome || !strings.Contains(fmt.Sprint(out.Drifts), c.says) {
					t.Fatalf("%s (%s), want %s: %v", out.Outcome, out.Reason, c.outcome, out.Drifts)
				}
				for _, call := range w.fake.Calls() {
					body := tree(t, string(call.Body))
					if call.Operation == "UpdateUserPoolClient" && (body[member] != nil) != (body["ClientId"] == c.changes) {
						t.Errorf("sent %s of %s", body[member], body["ClientId"])
					}
				}
				after := w.snapshot(t)
				for _, path := range difference(before, after) {
					_, setting, _ := strings.Cut(path, "].")
					ofClient := strings.HasPrefix(path, "Clients["+c.changes+"].ClientSecret")
					if !ofClient && setting != "AuthSessionValidity" {
						t.Errorf("%s moved from %q to %q", path, before[path], after[path])
					}
				}
				arn := "Clients[" + c.changes + "].ClientSecretArn"
				if c.changes != "" && (before[arn] == "") == (after[arn] == "") {
					t.Errorf("%s is %q, as it was", arn, after[arn])
				}
				again, err := w.process(required).ReconcileFrom(t.Context(), poolID, "", event.Cause{})
				if err != nil || len(again.Writes) > 0 || c.outcome == outcome.Remediated && again.Outcome != outcome.Unchanged {
					t.Errorf("again: %s %v (%v)", again.Outcome, again.Writes, err)
				}
				if c.outcome != outcome.Remediated {
					return
				}
				w.undo(t, out.Record)
				for _, path := range difference(before, w.snapshot(t)) {
					t.Errorf("%s is not what it was after undo", path)
				}
			})
		}
	}
}

// TestClientThatGoes: a client that somebody deletes while it is being kept stops nothing.
func TestClientThatGoes(t *testing.T) {
	t.Parallel()
	required := parse(t, strings.ReplaceAll(allDocuments, "web-*", "*"))
	for name, fault := range map[string]cognitotest.Fault{
		"while it is read":       {Operation: "DescribeUserPoolClient"},
		"when its risk was read": {Operation: "DescribeUserPoolClient", Delay: 50 * time.Millisecond},
		"before it is written":   {Operation: "UpdateUserPoolClient"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Contract)
			b.whole(unprotected)
			b.editClient(web, legacy, "LEGACY")
			b.editClient("mobile", legacy, "LEGACY")
			fault.Times, fault.Then = 1, func(s *cognitotest.Server) { s.RemoveClient(poolID, web) }
			b.fake.Inject(fault)
			out := b.reconcile(t, required)
			pool, _, _ := b.fake.Pool(poolID)
			if out.Outcome != outcome.Remediated || pool["DeletionProtection"] != "ACTIVE" ||
				b.fake.Client(poolID, "mobile")["PreventUserExistenceErrors"] != "ENABLED" || b.fake.Client(poolID, web) != nil {
				t.Errorf("%s (%s) %v", out.Outcome, out.Reason, out.Drifts)
			}
			for _, d := range out.Drifts {
				if strings.HasPrefix(d.Setting, "Clients["+web+"]") && d.State == outcome.StateUnfixable {
					t.Errorf("%s of a client that is gone is %s", d.Setting, d.State)
				}
			}
		})
	}
}

// TestDeletedClientIsNotReportedAsFixed: a client that is deleted after the pool was written was not put right.
func TestDeletedClientIsNotReportedAsFixed(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.whole(unprotected)
	b.weakenClient()
	b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPoolClient", Skip: 1,
		Then: func(s *cognitotest.Server) { s.RemoveClient(poolID, web) }})
	out := b.reconcile(t, parse(t, `version: 1
rules:
- name: all
  require: {DeletionProtection: ACTIVE}
  clients: [{names: ["web-*"], require: {PreventUserExistenceErrors: ENABLED}}]`))
	if diff := cmp.Diff(map[string]outcome.State{"DeletionProtection": fixed}, states(out)); diff != "" {
		t.Errorf("%s (%s) (-want +got):\n%s", out.Outcome, out.Reason, diff)
	}
}

// TestClientRefused: what the service refuses of a client is given up, and the rest of the client is put right. None
// of it is put off.
func TestClientRefused(t *testing.T) {
	t.Parallel()
	required := parse(t, "version: 1\nrules: [{name: a, clients: [{names: ['web-*'], require: "+
		"{PreventUserExistenceErrors: ENABLED, AllowedOAuthScopes: [openid], AllowedOAuthFlows: [code], CallbackURLs: "+
		"['https://app.example.com/a'], DefaultRedirectURI: 'https://app.example.com/a'}}]}]")
	const constraint = "1 validation error detected: Value '[code]' at 'allowedOAuthFlows' failed to satisfy constraint: a"
	for code, c := range map[string]struct{ message, setting, want string }{
		"ScopeDoesNotExistException": {"Scope does not exist", "AllowedOAuthScopes", "[openid]"},
		"InvalidOAuthFlowException":  {"no", "AllowedOAuthFlows", "[code]"},
		"InvalidParameterException":  {constraint, "AllowedOAuthFlows", "[code]"},
	} {
		b := serve(t, cognitotest.Contract)
		b.whole(nil)
		b.editClient(web, legacy, "LEGACY", "AllowedOAuthScopes", list("email"), "AllowedOAuthFlows", list("implicit"))
		client := b.fake.Client(poolID, web)
		b.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPoolClient", Error: code, Message: c.message,
			When: func(body map[string]any) bool { return fmt.Sprint(body[c.setting]) == c.want }})
		out := b.reconcile(t, required)
		now := b.fake.Client(poolID, web)
		if out.Outcome != outcome.Partial || states(out)["Clients["+web+"]."+c.setting] != outcome.StateUnfixable ||
			now["PreventUserExistenceErrors"] != "ENABLED" || fmt.Sprint(now[c.setting]) != fmt.Sprint(client[c.setting]) {
			t.Errorf("%s: %s (%s) %v", code, out.Outcome, out.Reason, states(out))
		}
	}
}

// TestClientRenamedMeanwhile: rules select a client by the name in its document, in whichever read it changes.
func TestClientRenamedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, before := range []int{0, 1} { // reads of clients: those of the first look, and that before the write
		b := serve(t, cognitotest.Contract)
		b.whole(nil)
		b.editClient(web, "PreventUserExistenceErrors", "LEGACY")
		b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPoolClient", Skip: before, Times: 1,
			Then: func(s *cognitotest.Server) {
				client := s.Client(poolID, web)
				client["ClientName"] = "renamed"
				s.PutClient(poolID, web, client)
			}})
		out := b.reconcile(t, parse(t, "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}, "+
			"clients: [{names: ['web-*'], require: {PreventUserExistenceErrors: ENABLED}}]}]"))
		if out.Outcome != outcome.Unchanged || len(b.writes()) > 0 {
			t.Errorf("%d: %s (%s) %v, wrote %v", before, out.Outcome, out.Reason, out.Drifts, b.writes())
		}
	}
}

// TestScopeBesideAGrant: a scope that is only sent back is refused beside a grant that is required, and takes nothing
// else with it.
func TestScopeBesideAGrant(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.whole(nil)
	out := b.reconcile(t, parse(t, `version: 1
rules: [{name: a, clients: [{names: ['web-*'],
  require: {AllowedOAuthFlows: [client_credentials], AuthSessionValidity: 7}}]}]`))
	got := states(out)
	if got["Clients["+web+"].AuthSessionValidity"] != fixed || got["Clients["+web+"].AllowedOAuthFlows"] != left {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, got)
	}
}

// TestNamedClientsNeverFanOut: a request for some clients stays one, even where it takes up a run that was interrupted.
func TestNamedClientsNeverFanOut(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, `version: 1
rules: [{name: all, require: {DeletionProtection: ACTIVE}, clients: [{require: {EnableTokenRevocation: true}}]}]`)
	w.fake.Edit(poolID, unprotected)
	for i := range 9 {
		w.fake.PutClient(poolID, fmt.Sprint("client", i), map[string]any{"EnableTokenRevocation": false})
	}
	w.kill(t, required, call("one", "Admin", w.time()), 0)
	w.pass(2 * time.Minute)
	r, request := w.process(required), onPool(event.Cause{EventName: event.ScanPools})
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
