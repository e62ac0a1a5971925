package reconcile_test

import (
	"maps"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

const threatAndRisk = `version: 1
rules:
  - name: all
    require:
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
      RiskConfiguration:
        AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}
`

// TestThreatProtectionIsRestored has somebody turn threat protection off whenever it is turned on, so that the pool
// never offers the risk configuration that depends on it: it is written once, and both are reported.
func TestThreatProtectionIsRestored(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	off := sets("UserPoolTier", "PLUS", "UserPoolAddOns", map[string]any{"AdvancedSecurityMode": "OFF"})
	w.fake.Edit(poolID, off)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: off})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	out := w.answer(t, parse(t, threatAndRisk), request)
	if len(w.writes()) != 1 || out.Outcome != outcome.Unconverged {
		t.Errorf("%d writes, %s (%s)", len(w.writes()), out.Outcome, out.Reason)
	}
	of := map[string]outcome.Finding{}
	for _, d := range out.Drifts {
		of[d.Setting] = d
	}
	const risk = "RiskConfiguration.AccountTakeoverRiskConfiguration.Actions.HighAction.EventAction"
	if of["UserPoolAddOns.AdvancedSecurityMode"].Code != outcome.CodeUnheld ||
		of[risk].Reason != "a risk configuration needs UserPoolAddOns.AdvancedSecurityMode AUDIT or ENFORCED" {
		t.Errorf("%+v", out.Drifts)
	}
}

// TestAuditedGoesWithThePools: what a client has of the pool's risk configuration, and is only audited, goes where the
// pool's goes. It is reported, and is nothing that moved by itself.
func TestAuditedGoesWithThePools(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.fake.PutRich(poolID)
	const list = "RiskConfiguration.RiskExceptionConfiguration.SkippedIPRangeList"
	out := w.reconcile(t, parse(t, `version: 1
rules:
  - {name: all, require: {RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {absent: true}}}}}
  - name: audited
    mode: audit
    clients:
      - ids: [mobile]
        require: {RiskConfiguration: {RiskExceptionConfiguration: {SkippedIPRangeList: {contains: [203.0.113.0/24]}}}}
`))
	want := map[string]outcome.State{list: outcome.StateFixed, "Clients[mobile]." + list: outcome.StateReported}
	if of := states(out); out.Outcome != outcome.Remediated || !maps.Equal(of, want) || len(out.Writes) != 1 {
		t.Errorf("%s (%s) %v: %v", out.Outcome, out.Reason, out.Writes, of)
	}
}

// TestLateRisk: a risk configuration that cannot be read for a moment after threat protection was turned on is waited
// for, though nothing was known to be wrong with it.
func TestLateRisk(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.fake.PutRich(poolID)
	w.threatOff()
	w.fake.Inject(cognitotest.Fault{Operation: "DescribeRiskConfiguration", Skip: 1, Times: 2,
		Error: "UserPoolAddOnNotEnabledException"})
	out := w.reconcile(t, parse(t, `version: 1
rules:
  - name: all
    require:
      UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}
      RiskConfiguration: {RiskExceptionConfiguration: {absent: true}}
`))
	if w.fake.Risk(poolID, "")["RiskExceptionConfiguration"] != nil || out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, out.Writes)
	}
}

// TestClientAfterThePoolsRisk puts the text of a client's mail right, whose subject is the pool's and is put right
// too: in one run, after which a second one finds nothing to do.
func TestClientAfterThePoolsRisk(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	w.fake.PutRich(poolID)
	w.fake.Edit(poolID, sets("UserPoolTier", "PLUS", threat, "ENFORCED"))
	w.editRisk("", "AccountTakeoverRiskConfiguration.NotifyConfiguration.NoActionEmail", nil)
	const mail = "{AccountTakeoverRiskConfiguration: {NotifyConfiguration: {NoActionEmail: "
	required := parse(t, `version: 1
rules:
  - name: all
    require: {RiskConfiguration: `+mail+`{Subject: careful}}}}}
    clients: [{ids: [mobile], require: {RiskConfiguration: `+mail+`{TextBody: somebody signed in}}}}}}]
`)
	if out := w.answer(t, required, onPool(event.Cause{EventID: "one"})); out.Outcome != outcome.Remediated {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, states(out))
	}
	of := object(w.fake.Risk(poolID, "mobile"), "AccountTakeoverRiskConfiguration", "NotifyConfiguration", "NoActionEmail")
	if of["Subject"] != "careful" || of["TextBody"] != "somebody signed in" {
		t.Errorf("%v", of)
	}
	w.pass(time.Hour)
	if out := w.answer(t, required, onPool(event.Cause{EventID: "two"})); out.Outcome != outcome.Unchanged {
		t.Errorf("a second one: %s (%s)", out.Outcome, out.Reason)
	}
}
