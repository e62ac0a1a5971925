package reconcile_test

import (
	"maps"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

const threatAndRisk = `version: 1
rules:
  - {name: all, require: {UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}, RiskConfiguration: {AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}}}}
`

// TestNoRaceForWhatDependsOnIt lets somebody turn threat protection off whenever it is turned on, so that the risk configuration, which depends on it, never comes to be read: it is written once, and told.
func TestNoRaceForWhatDependsOnIt(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	off := func(pool, _ map[string]any) {
		pool["UserPoolTier"], pool["UserPoolAddOns"] = "PLUS", map[string]any{"AdvancedSecurityMode": "OFF"}
	}
	w.fake.Edit(poolID, off)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: off})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	out := w.answer(t, parse(t, threatAndRisk), request)
	if len(w.writes()) != 1 || out.Outcome != reconcile.Unconverged {
		t.Errorf("%d writes, %s (%s)", len(w.writes()), out.Outcome, out.Reason)
	}
	of := map[string]reconcile.Drift{}
	for _, d := range out.Drifts {
		of[d.Setting] = d
	}
	if of["UserPoolAddOns.AdvancedSecurityMode"].Left != reconcile.LeftUnheld ||
		of["RiskConfiguration.AccountTakeoverRiskConfiguration.Actions.HighAction.EventAction"].Reason != "a risk configuration needs UserPoolAddOns.AdvancedSecurityMode AUDIT or ENFORCED" {
		t.Errorf("%+v", out.Drifts)
	}
}

// TestAuditedGoesWithThePools: what a client has of the pool's risk configuration, and is only audited, goes where the pool's is to go. It is reported, and is nothing that moved unawares.
func TestAuditedGoesWithThePools(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.fake.PutRich(poolID)
	const of = "RiskConfiguration.RiskExceptionConfiguration.SkippedIPRangeList"
	out := w.reconcile(t, parse(t, `version: 1
rules:
  - {name: all, require: {RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}}}
  - {name: audited, mode: audit, clients: [{ids: [mobile], require: {RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {contains: [203.0.113.0/24]}}}}}]}
`))
	if of, want := states(out), (map[string]reconcile.DriftState{of: reconcile.Fixed, "Clients[mobile]." + of: reconcile.Reported}); out.Outcome != reconcile.Remediated || !maps.Equal(of, want) || len(out.Writes) != 1 {
		t.Errorf("%s (%s) %v: %v", out.Outcome, out.Reason, out.Writes, of)
	}
}

// TestLateRisk: a risk configuration that cannot be read for a moment after threat protection was turned on is waited for, though nothing was known to be wrong with it.
func TestLateRisk(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.fake.PutRich(poolID)
	w.fake.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolAddOns")["AdvancedSecurityMode"] = "OFF" })
	w.fake.Inject(cognitotest.Fault{Operation: "DescribeRiskConfiguration", Skip: 1, Times: 2, Error: "UserPoolAddOnNotEnabledException"})
	out := w.reconcile(t, parse(t, `version: 1
rules: [{name: all, require: {UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}, RiskConfiguration: {RiskExceptionConfiguration: {absent: true}}}}]
`))
	if _, there := w.fake.Risk(poolID, "")["RiskExceptionConfiguration"]; there || out.Outcome != reconcile.Remediated {
		t.Errorf("%s (%s) %v, it is there: %t", out.Outcome, out.Reason, out.Writes, there)
	}
}

// TestClientAfterThePoolsRisk puts the text of a client's mail right, the subject of which it has of the pool, and only once that is put right too: in one reconcile, after which a second one finds nothing to do.
func TestClientAfterThePoolsRisk(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.fake.PutRich(poolID)
	w.fake.Edit(poolID, func(pool, _ map[string]any) {
		pool["UserPoolTier"], pool["UserPoolAddOns"] = "PLUS", map[string]any{"AdvancedSecurityMode": "ENFORCED"}
	})
	risk := w.fake.Risk(poolID, "")
	delete(object(risk, "AccountTakeoverRiskConfiguration", "NotifyConfiguration"), "NoActionEmail")
	w.fake.PutRisk(poolID, "", risk)
	const mail = "{AccountTakeoverRiskConfiguration: {NotifyConfiguration: {NoActionEmail: "
	required := parse(t, `version: 1
rules:
  - name: all
    require: {RiskConfiguration: `+mail+`{Subject: careful}}}}}
    clients: [{ids: [mobile], require: {RiskConfiguration: `+mail+`{TextBody: somebody signed in}}}}}}]
`)
	r, saved := w.keeper(required), 0
	r.Before = func(userpool.State) error { saved++; return nil }
	out, err := r.Reconcile(t.Context(), poolID, event.Cause{EventID: "one", Time: w.time()})
	if err != nil || out.Outcome != reconcile.Remediated {
		t.Errorf("%v: %s (%s) %v", err, out.Outcome, out.Reason, states(out))
	}
	if saved != 1 {
		t.Errorf("the state before was handed over %d times, the last time with what was written", saved)
	}
	of := object(w.fake.Risk(poolID, "mobile"), "AccountTakeoverRiskConfiguration", "NotifyConfiguration", "NoActionEmail")
	if of["Subject"] != "careful" || of["TextBody"] != "somebody signed in" {
		t.Errorf("%v", of)
	}
	w.pass(time.Hour)
	if out, err := w.keeper(required).Reconcile(t.Context(), poolID, event.Cause{EventID: "two", Time: w.time()}); err != nil || out.Outcome != reconcile.Unchanged {
		t.Errorf("a second one: %v: %s (%s)", err, out.Outcome, out.Reason)
	}
}

// TestEmptiedIsFixed: an object that is required to have nothing in it has no leaf to speak of once that is so, and is put right all the same.
func TestEmptiedIsFixed(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	out := w.answer(t, parse(t, "version: 1\nrules: [{name: all, require: {AdminCreateUserConfig: {exactly: {}}, DeletionProtection: ACTIVE}}]\n"), request)
	if out.Outcome != reconcile.Remediated || states(out)["AdminCreateUserConfig"] != reconcile.Fixed {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, states(out))
	}
}
