package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

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
