package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// takesSMS has SetUserPoolMfaConfig drop the SMS sender, as it may.
var takesSMS = cognitotest.Fault{Operation: "SetUserPoolMfaConfig",
	Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }}

// A killCase is an incident at whose remediation a process is killed.
type killCase struct {
	required string
	tamper   func(b bench)
	takesSMS bool                                  // the write of the MFA configuration drops the sender
	next     func(cause event.Cause) event.Request // the request after the kill, nil for the same one again
	fixes    []string                              // what the remediation changes, and nothing else
}

var killCases = map[string]killCase{
	"one document": {required: deletionProtection, fixes: []string{protected},
		tamper: func(b bench) { b.fake.Edit(poolID, unprotected) }},
	"MFA and SMS": {required: totpOptional, takesSMS: true, fixes: mfaFixes,
		tamper: func(b bench) { b.fake.Edit(poolID, mfaOff) }},
	"MFA and SMS, then an event of a client": {required: totpOptional, takesSMS: true, fixes: mfaFixes, next: ofClient,
		tamper: func(b bench) { b.fake.Edit(poolID, mfaOff) }},
	"risk": {required: "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}",
		tamper: weakRisk, fixes: []string{riskAction}},
	"a client": {required: deletionProtection, fixes: []string{"Clients[" + web + "].EnableTokenRevocation"},
		tamper: func(b bench) { b.editClient(web, "EnableTokenRevocation", false) }},
}

var mfaFixes = []string{"MfaConfiguration", "mfa:MfaConfiguration", "mfa:SoftwareTokenMfaConfiguration.Enabled"}

// ofClient asks for what a call about one client can have changed.
func ofClient(cause event.Cause) event.Request {
	return event.Request{Kind: event.One, UserPoolID: poolID, Cause: cause, ClientID: web,
		Call: event.Name{Name: "UpdateUserPoolClient", Changes: []string{"AppClient"}}}
}

// TestKilledAnywhere kills the process at each of its calls, before it took effect and after, and has the message
// delivered again: the pool is right, nothing unmanaged is lost, and whoever wrote, people are notified of it.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range killCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, after := range []bool{false, true} {
				for dies := 1; c.killed(t, dies, after); dies++ {
				}
			}
		})
	}
}

// killed runs one case, and reports whether the process came to the call at which it dies.
func (c killCase) killed(t *testing.T, dies int, after bool) bool {
	t.Helper()
	w, stop := ledgeredOn(t.Errorf, cognitotest.Measured)
	defer stop()
	w.whole(nil)
	c.tamper(w.bench)
	before := w.snapshot(t)
	if c.takesSMS {
		w.fake.Inject(takesSMS)
	}
	required := parse(t, "version: 1\nrules:\n  - name: a\n    require:\n"+indent(c.required, "      ")+
		"    clients: [{names: [web-*], require: {EnableTokenRevocation: true}}]")
	calls := 0
	doomed := &process{Pools: w.client, Ledger: w.ledger, strike: func(string, int) wrong {
		calls++
		return wrong{kills: calls == dies, Fault: cognitotest.Fault{Apply: after}}
	}}
	first, request := w.process(required), onPool(event.Cause{EventID: "event-1", EventName: "UpdateUserPool"})
	first.Pools, first.Ledger = doomed, doomed
	_, _ = first.Reconcile(t.Context(), request) // and nobody is notified, nor is Close called
	wrote := len(w.writes()) > 0
	w.pass(2 * time.Minute)
	if c.next != nil {
		request = c.next(event.Cause{EventID: "event-2", EventName: "UpdateUserPoolClient"})
	}
	out := w.answer(t, required, request)
	at := fmt.Sprintf("killed at call %d (after: %v)", dies, after)
	if wrote && (out.Outcome == outcome.Unchanged || out.Outcome == outcome.Ignored) {
		t.Errorf("%s: it wrote, and people are not notified: %s (%s)", at, out.Outcome, out.Reason)
	}
	moved := difference(before, w.snapshot(t))
	if narrower := c.next != nil && !wrote; !slices.Equal(moved, c.fixes) && (len(moved) > 0 || !narrower) {
		t.Errorf("%s: %v changed, want %v", at, moved, c.fixes)
	}
	if third := w.answer(t, required, request); c.next == nil && third.Outcome != outcome.Unchanged {
		t.Errorf("%s: the third run: %s (%s)", at, third.Outcome, third.Reason)
	}
	return doomed.dead
}

// TestKilledAndOutOfReach: an interrupted run is reported, and its record closed, where nothing can be restored any
// more: the pool is gone, no rule selects it, or the rule only audits.
func TestKilledAndOutOfReach(t *testing.T) {
	t.Parallel()
	required := require(t, noTextFactor)
	for name, c := range map[string]struct {
		required *baseline.Baseline
		fault    cognitotest.Fault
		outcome  outcome.Ending
		says     string
	}{
		"the pool is gone": {required, cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException"},
			outcome.Drifted, "no such user pool"},
		"the rule only audits": {require(t, noTextFactor).InMode(baseline.Audit), cognitotest.Fault{},
			outcome.Unconverged, "could not be restored: the rule only audits"},
		"no rule selects the pool": {parse(t, "version: 1\nrules: [{name: a, pools: {names: [other]}, require: {"+
			deletionProtection+"}}]"), cognitotest.Fault{}, outcome.Unconverged, "no rule selects the pool any longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, request := interrupted(t, required)
			if c.fault.Error != "" {
				w.fake.Inject(c.fault)
			}
			out := w.answer(t, c.required, request)
			if out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) || !hasCode(out, outcome.CodeInterrupted) {
				t.Fatalf("%s (%s), %v", out.Outcome, out.Reason, out.Drifts)
			}
			if again := w.answer(t, c.required, request); hasCode(again, outcome.CodeInterrupted) {
				t.Errorf("reported again: %s (%s)", again.Outcome, again.Reason)
			}
		})
	}
}
