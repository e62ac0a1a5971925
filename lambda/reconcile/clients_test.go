package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// TestClients has what rules can say of clients, and what clients can be like, and what comes of it.
func TestClients(t *testing.T) {
	t.Parallel()
	clients := func(entries string) string {
		return "version: 1\nrules:\n  - name: a\n    clients:\n" + indent(entries, "      ")
	}
	const legacy = "PreventUserExistenceErrors"
	for name, c := range map[string]struct {
		required string
		web      map[string]any // what the client web-app has instead; mobile-app is as it was
		outcome  outcome.Ending
		states   map[string]outcome.State // below the client web-app, or another where the setting says so
		after    map[string]any
		says     string
	}{
		"a client in two entries: the later wins, setting by setting": {
			clients("- {names: ['web-*'], require: {AuthSessionValidity: 4, PreventUserExistenceErrors: LEGACY}}\n- " +
				"{names: ['*-app'], require: {PreventUserExistenceErrors: ENABLED}}"),
			map[string]any{legacy: "LEGACY"}, outcome.Remediated,
			map[string]outcome.State{legacy: fixed, "AuthSessionValidity": fixed},
			map[string]any{legacy: "ENABLED", "AuthSessionValidity": json.Number("4")}, ""},
		"a client in two rules: the later wins, mode and all": {
			clients("- {require: {PreventUserExistenceErrors: ENABLED, AuthSessionValidity: 4}}") +
				"  - name: b\n    mode: audit\n    clients:\n      - {ids: [" + web +
				"], require: {PreventUserExistenceErrors: ENABLED}}\n",
			map[string]any{legacy: "LEGACY"}, outcome.Remediated,
			map[string]outcome.State{legacy: outcome.StateReported, "AuthSessionValidity": fixed},
			map[string]any{legacy: "LEGACY"}, ""},
		"but for one by name": {clients("- {except: {names: ['web-*']}, require: {PreventUserExistenceErrors: ENABLED}}"),
			map[string]any{legacy: "LEGACY"},
			outcome.Unchanged, map[string]outcome.State{}, map[string]any{legacy: "LEGACY"}, ""},
		"but for one by id": {clients("- {names: ['*'], except: {ids: [" + web +
			"]}, require: {PreventUserExistenceErrors: ENABLED}}"), map[string]any{legacy: "LEGACY"},
			outcome.Unchanged, map[string]outcome.State{}, map[string]any{legacy: "LEGACY"}, ""},
		"an exemption of any client's setting": {
			clients("- {names: ['web-*'], require: {PreventUserExistenceErrors: ENABLED, AuthSessionValidity: 4}}") +
				exempt("Clients[].PreventUserExistenceErrors"),
			map[string]any{legacy: "LEGACY"}, outcome.Remediated,
			map[string]outcome.State{legacy: outcome.StateExempted, "AuthSessionValidity": fixed},
			map[string]any{legacy: "LEGACY"}, ""},
		"an exemption of this client": {clients("- {require: {PreventUserExistenceErrors: ENABLED}}") +
			exempt("Clients["+web+"]"),
			map[string]any{legacy: "LEGACY"}, outcome.Exempted,
			map[string]outcome.State{legacy: outcome.StateExempted}, map[string]any{legacy: "LEGACY"}, ""},
		"an exemption of another client": {clients("- {require: {PreventUserExistenceErrors: ENABLED}}") +
			exempt("Clients[mobile].PreventUserExistenceErrors"),
			map[string]any{legacy: "LEGACY"}, outcome.Remediated, map[string]outcome.State{legacy: fixed},
			map[string]any{legacy: "ENABLED"}, ""},
		"the units travel with the validities": {clients("- {names: ['web-*'], require: {AccessTokenValidity: {atMost: " +
			"20}}}"), map[string]any{"AccessTokenValidity": json.Number("60")},
			outcome.Remediated, map[string]outcome.State{"AccessTokenValidity": fixed},
			map[string]any{"AccessTokenValidity": json.Number("20"), "IdTokenValidity": json.Number("15"),
				"TokenValidityUnits": map[string]any{"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"}}, ""},
		"a redirect that the pool still has": {clients("- {names: ['web-*'], require: {CallbackURLs: " +
			"['https://app.example.com/callback'], PreventUserExistenceErrors: ENABLED}}"),
			map[string]any{legacy: "LEGACY", "CallbackURLs": list("https://evil.example"),
				"DefaultRedirectURI": "https://evil.example"}, outcome.Partial,
			map[string]outcome.State{legacy: fixed, "CallbackURLs": outcome.StateUnfixable},
			map[string]any{"CallbackURLs": list("https://evil.example")}, "DefaultRedirectURI must be one of CallbackURLs"},
		"a redirect that goes with its URL": {
			clients("- {names: ['web-*'], require: {CallbackURLs: ['https://app.example.com/callback'], " +
				"DefaultRedirectURI: 'https://app.example.com/callback'}}"),
			map[string]any{"CallbackURLs": list("https://evil.example"), "DefaultRedirectURI": "https://evil.example"},
			outcome.Remediated,
			map[string]outcome.State{"CallbackURLs": fixed, "DefaultRedirectURI": fixed}, nil, ""},
		"a new flow beside old ones": {clients("- {names: ['web-*'], require: {ExplicitAuthFlows: {contains: " +
			"[ALLOW_USER_SRP_AUTH]}, PreventUserExistenceErrors: ENABLED}}"),
			map[string]any{legacy: "LEGACY", "ExplicitAuthFlows": list("ADMIN_NO_SRP_AUTH")}, outcome.Partial,
			map[string]outcome.State{legacy: fixed, "ExplicitAuthFlows": outcome.StateUnfixable},
			map[string]any{"ExplicitAuthFlows": list("ADMIN_NO_SRP_AUTH")}, "cannot be combined with the older ones"},
		"an old flow is taken away": {clients("- {names: ['web-*'], require: {ExplicitAuthFlows: {without: " +
			"[USER_PASSWORD_AUTH]}}}"),
			map[string]any{"ExplicitAuthFlows": list("ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH")}, outcome.Remediated,
			map[string]outcome.State{"ExplicitAuthFlows": fixed},
			map[string]any{"ExplicitAuthFlows": list("ADMIN_NO_SRP_AUTH")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for mode := range modes {
				b := serve(t, modes[mode])
				b.whole(nil)
				client := b.fake.Client(poolID, web)
				for member, v := range c.web {
					client[member] = v
				}
				b.fake.PutClient(poolID, web, client)
				other := b.fake.Client(poolID, "mobile")
				before := b.snapshot(t)
				out := b.reconcile(t, parse(t, c.required))
				if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) {
					t.Errorf("%s (%s) %v, want %s", out.Outcome, out.Reason, out.Drifts, c.outcome)
				}
				now := b.fake.Client(poolID, web)
				for setting, want := range c.states {
					if got := states(out)["Clients["+web+"]."+setting]; got != want {
						t.Errorf("%s is %q, want %q", setting, got, want)
					}
				}
				for member, want := range c.after {
					if fmt.Sprint(now[member]) != fmt.Sprint(want) {
						t.Errorf("%s is %v, want %v", member, now[member], want)
					}
				}
				for _, path := range difference(before, b.snapshot(t)) {
					if states(out)[path] != fixed {
						t.Errorf("%s moved", path)
					}
				}
				if fmt.Sprint(other) != fmt.Sprint(b.fake.Client(poolID, "mobile")) &&
					!strings.Contains(c.required, "- {require: {PreventUserExistenceErrors: ENABLED, Auth") {
					t.Error("the other client is not what it was")
				}
			}
		})
	}
}

func exempt(setting string) string {
	return "exemptions:\n  - {pools: {ids: [" + poolID + "]}, settings: [\"" + setting +
		"\"], until: 2027-01-31T00:00:00Z, reason: a, owner: b}\n"
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
			b.whole(func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
			for _, id := range []string{web, "mobile"} {
				client := b.fake.Client(poolID, id)
				client["PreventUserExistenceErrors"] = "LEGACY"
				b.fake.PutClient(poolID, id, client)
			}
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

// TestClientThatGoesIsNotFixed: a client that is deleted after the pool was written was not put right.
func TestClientThatGoesIsNotFixed(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.whole(func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
	client := b.fake.Client(poolID, web)
	client["PreventUserExistenceErrors"] = "LEGACY"
	b.fake.PutClient(poolID, web, client)
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

// TestManyClients: two hundred weak clients are put right, although no run has the time that is asked for before the
// writes of a pool.
func TestManyClients(t *testing.T) {
	t.Parallel()
	b := serve(t, cognitotest.Contract)
	b.rich(nil)
	for i := range 200 {
		b.fake.PutClient(poolID, fmt.Sprintf("web%03d", i),
			map[string]any{"ClientName": "web-app", "PreventUserExistenceErrors": "LEGACY",
				"AuthSessionValidity":  json.Number("3"),
				"RefreshTokenValidity": json.Number("30"), "ExplicitAuthFlows": list("ALLOW_USER_SRP_AUTH"),
				"ClientSecret": "CANARY-many"})
	}
	required := parse(t, "version: 1\nrules: [{name: a, clients: [{names: ['web-*'], require: "+
		"{PreventUserExistenceErrors: ENABLED}}]}]")
	weak := func() (n int) {
		for i := range 200 {
			if b.fake.Client(poolID, fmt.Sprintf("web%03d", i))["PreventUserExistenceErrors"] != "ENABLED" {
				n++
			}
		}
		return n
	}
	// There is not the time for all of the writes and a verification of each: those of clients are begun one by one.
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	out, err := b.reconciler(required).Reconcile(ctx, onPool(event.Cause{}))
	if err != nil || out.Outcome != outcome.Remediated || weak() != 0 || len(out.Drifts) != 200 {
		t.Fatalf("%s (%s), %d are weak: %v", out.Outcome, out.Reason, weak(), err)
	}
	if slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.State != fixed }) {
		t.Error("a drift is not fixed")
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
		client := b.fake.Client(poolID, web)
		client["PreventUserExistenceErrors"], client["AllowedOAuthScopes"], client["AllowedOAuthFlows"] = "LEGACY",
			list("email"), list("implicit")
		b.fake.PutClient(poolID, web, client)
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
