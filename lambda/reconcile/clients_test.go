package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

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
	for name, c := range secretCases {
		for mode, world := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				c.check(t, serve(t, world))
			})
		}
	}
}

func (c secretCase) check(t *testing.T, b bench) {
	b.whole(nil)
	if c.secretless {
		b.editClient(web, "ClientSecret", nil, "ClientSecretArn", nil)
	}
	before, required := b.snapshot(t), parse(t, oneRule(onClients("", c.required)))
	preview, err := b.reconciler(required).Plan(t.Context(), poolID)
	if err != nil || (len(preview.Writes) > 0) != (c.says == "") {
		t.Errorf("planned %v %v", preview.Writes, err)
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
		b.undo(t, out.Record)
		if moved := difference(before, b.snapshot(t)); len(moved) > 0 {
			t.Errorf("not what it was after undo: %q", moved)
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
