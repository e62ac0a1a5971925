package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/halving"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestScopeOf: a request concerns what its call can have changed, and at the whole pool where it names no call.
func TestScopeOf(t *testing.T) {
	t.Parallel()
	ofClients := onClients("", "EnableTokenRevocation: true")
	only := func(rule string) *baseline.Baseline { return parse(t, oneRule(rule)) }
	const requiresLogs = "require: {LogConfigurations: {userNotification: {LogLevel: ERROR}}}"
	pool, clients := only(protects), only(ofClients)
	of := func(call string) event.Request {
		return event.Request{Kind: event.One, UserPoolID: poolID, Call: tabled(call)}
	}
	client := func(id string) event.Request {
		r := of("UpdateUserPoolClient")
		r.ClientID = id
		return r
	}
	kinds := func(names ...baseline.DocumentName) []baseline.DocumentName { return names }
	no := func(call string) reconcile.Scope {
		return reconcile.Scope{Ignored: "the baseline neither requires nor watches anything that " + call + " changes"}
	}
	for name, c := range map[string]struct {
		required *baseline.Baseline
		request  event.Request
		want     reconcile.Scope
	}{
		"a scan concerns all that is required": {pool, onPool(event.Cause{}),
			reconcile.Scope{Whole: true, Kinds: kinds(baseline.UserPool)}},
		"the call can have changed it":    {pool, of("UpdateUserPool"), reconcile.Scope{Kinds: kinds(baseline.UserPool)}},
		"the call changes something else": {pool, of("SetLogDeliveryConfiguration"), no("SetLogDeliveryConfiguration")},
		"a tag changes no logs":           {only(requiresLogs), of("TagResource"), no("TagResource")},
		"a tag may change the selection": {only("pools: {names: [customers]}, " + requiresLogs), of("TagResource"),
			reconcile.Scope{Kinds: kinds(baseline.LogDelivery)}},
		"a call about one client": {clients, client(web),
			reconcile.Scope{Kinds: kinds(baseline.AppClient), Clients: []string{web}}},
		"a client that CloudTrail left out": {clients, client(""), reconcile.Scope{Kinds: kinds(baseline.AppClient)}},
		"some clients of a scan": {only(protects + ", " + ofClients),
			event.Request{Kind: event.One, UserPoolID: poolID, Clients: []string{"a", "b"}},
			reconcile.Scope{Kinds: kinds(baseline.AppClient), Clients: []string{"a", "b"}}},
		"what is watched": {only("watch: [groups]"), of("CreateGroup"), reconcile.Scope{}},
		"a deletion of a named pool": {only("pools: {ids: [" + poolID + "]}, " + protects), of("DeleteUserPool"),
			reconcile.Scope{}},
		"a deletion of another pool": {pool, of("DeleteUserPool"), no("DeleteUserPool")},
	} {
		if diff := cmp.Diff(c.want, reconcile.ScopeOf(c.required, c.request), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A decided case is a pool, what is required of it, and what is decided about its first unit.
type decided struct {
	rule     string
	edit     func(pool, mfa map[string]any)
	flapping map[string]string
	attempt  reconcile.Attempt
	writes   []string
	findings map[string]outcome.State
	code     outcome.Code
	reason   string // a part of that of the first finding
}

const protects = "require: {DeletionProtection: ACTIVE}"

var decisions = map[string]decided{
	"compliant":        {rule: protects},
	"drift is written": {rule: protects, edit: unprotected, writes: updated},
	"flapping": {rule: protects, edit: unprotected,
		flapping: map[string]string{protected: "too often"}, findings: unprotectable, code: outcome.CodeFlapping,
		reason: "too often"},
	"refused": {rule: protects, edit: unprotected,
		attempt:  reconcile.Attempt{Search: halving.Search{Refused: map[string]string{protected: "no"}}},
		findings: unprotectable, reason: "no"},
	"does not hold": {rule: protects, edit: unprotected,
		attempt:  reconcile.Attempt{Search: halving.Search{Unheld: map[string]bool{protected: true}}},
		findings: unprotectable, code: outcome.CodeUnheld, reason: "does not have the written value"},
	"excluded is tried later": {rule: protects, edit: unprotected,
		attempt: reconcile.Attempt{Search: halving.Search{Postponed: map[string]bool{protected: true}}}},
	"refused in one of two documents": {rule: "require: {SmsMfaConfiguration: {SmsAuthenticationMessage: 'New {####}'}}",
		attempt: reconcile.Attempt{
			Search: halving.Search{Refused: map[string]string{factorText: "no"},
				Accepted: map[string][]baseline.DocumentName{factorText: {baseline.UserPool}}}},
		findings: map[string]outcome.State{factorText: left}, code: outcome.CodeHalf, reason: "it was written in UserPool"},
	"a restore is written": {rule: protects, edit: noSender,
		attempt: reconcile.Attempt{Restores: sender}, writes: updated},
	"nothing is lost": {rule: protects, attempt: reconcile.Attempt{Restores: sender}},
	"a restore that was refused": {rule: protects, edit: noSender,
		attempt: reconcile.Attempt{Restores: sender,
			Search: halving.Search{Refused: map[string]string{"SmsConfiguration": "no"}}}, code: outcome.CodeRestore,
		findings: map[string]outcome.State{"SmsConfiguration": left}, reason: "could not be restored: no"},
}

var (
	unprotectable = map[string]outcome.State{protected: left}
	noSender      = edits(totpOnly("OFF"), mfaOff)
)

var sender = []baseline.Drift{{Setting: "SmsConfiguration", Action: baseline.Write, Value: map[string]any{
	"SnsCallerArn": smsRole, "SnsRegion": "eu-west-1"}}}

// TestDecide decides about the pool's own unit.
func TestDecide(t *testing.T) {
	t.Parallel()
	each(t, decisions, decided.check)
}

func (c decided) check(t *testing.T) {
	pool, mfa := cognitotest.Rich()
	pool["Id"] = poolID
	if c.edit != nil {
		c.edit(pool, mfa)
	}
	state := userpool.State{ID: poolID, Documents: map[baseline.DocumentName]map[string]any{
		baseline.UserPool: tree(t, string(marshal(t, pool))), baseline.MfaConfig: tree(t, string(marshal(t, mfa)))}}
	rules := reconcile.Rules{Baseline: parse(t, oneRule(c.rule)), Now: clock, Flapping: c.flapping}
	d := reconcile.Decide(rules, reconcile.Unit{baseline.UserPool, baseline.MfaConfig}, state, c.attempt)
	var writes []string
	for _, w := range d.Plan.Writes {
		writes = append(writes, w.Call)
	}
	of := states(outcome.Outcome{Drifts: d.Findings})
	if !slices.Equal(writes, c.writes) || !cmp.Equal(of, c.findings, cmpopts.EquateEmpty()) {
		t.Errorf("%v, %v, want %v, %v", writes, of, c.writes, c.findings)
	}
	if len(d.Findings) > 0 && (d.Findings[0].Code != c.code || !strings.Contains(d.Findings[0].Reason, c.reason)) {
		t.Errorf("%s: %s", d.Findings[0].Code, d.Findings[0].Reason)
	}
}

// TestConclude names the ending by the findings, by the precedence of the endings.
func TestConclude(t *testing.T) {
	t.Parallel()
	one := func(state outcome.State, code outcome.Code) outcome.Finding {
		return outcome.Finding{Setting: string(state), State: state, Code: code, Reason: "because of " + string(state)}
	}
	fixed, unfixable := one(outcome.StateFixed, ""), one(outcome.StateUnfixable, "")
	reported, exempted := one(outcome.StateReported, outcome.CodeAudited), one(outcome.StateExempted, "")
	noValue := one(outcome.StateReported, outcome.CodeNoValue)
	flaps := one(outcome.StateUnfixable, outcome.CodeFlapping)
	unheld := one(outcome.StateUnfixable, outcome.CodeUnheld)
	lost := one(outcome.StateUnfixable, outcome.CodeRestore)
	all := func(findings ...outcome.Finding) []outcome.Finding { return findings }
	const why, both = "because of unfixable", "because of unfixable; because of reported"
	const moved = "settings changed that no write should have changed: a, b"
	for name, c := range map[string]struct {
		findings []outcome.Finding
		moved    []string
		want     outcome.Ending
		reason   string
	}{
		"nothing":                        {nil, nil, outcome.Unchanged, ""},
		"all exempted":                   {all(exempted), nil, outcome.Exempted, ""},
		"reported":                       {all(exempted, reported), nil, outcome.Drifted, "because of reported"},
		"fixed":                          {all(fixed, exempted), nil, outcome.Remediated, ""},
		"fixed, and audited elsewhere":   {all(fixed, reported), nil, outcome.Remediated, "because of reported"},
		"fixed, and one without a value": {all(fixed, noValue), nil, outcome.Partial, "because of reported"},
		"fixed and unfixable":            {all(fixed, unfixable, reported), nil, outcome.Partial, both},
		"unfixable":                      {all(unfixable, unfixable, reported), nil, outcome.Unfixable, both},
		"one did not hold":               {all(fixed, unheld), nil, outcome.Unconverged, why},
		"one flaps":                      {all(fixed, flaps), nil, outcome.Unconverged, why},
		"one could not be restored":      {all(lost), nil, outcome.Unconverged, why},
		"something moved, named once":    {all(fixed), []string{"b", "a", "b"}, outcome.Unconverged, moved},
		"something moved, and one flaps": {all(flaps), []string{"b", "a"}, outcome.Unconverged, moved + "; " + why},
	} {
		if ending, reason := reconcile.Conclude(c.findings, c.moved); ending != c.want || reason != c.reason {
			t.Errorf("%s: %s (%s), want %s (%s)", name, ending, reason, c.want, c.reason)
		}
	}
}

// recordOf is a closed record of one accepted write for a setting, made so long before the clock.
func recordOf(ago time.Duration, setting string, state outcome.State, change func(*outcome.Record),
) outcome.Record {
	began := clock.Add(-ago)
	r := outcome.Record{ID: outcome.NewRecordID(poolID, began, ""), UserPoolID: poolID, Began: began, Ended: began,
		Until: began.Add(time.Minute), Drifts: []outcome.Finding{{Setting: setting, State: state}},
		Cause: event.Cause{EventID: fmt.Sprint(ago), Issuer: "arn:aws:iam::111122223333:role/ci"},
		Sent: []outcome.Sent{{Call: "UpdateUserPool", Document: "UserPool", Status: outcome.Accepted,
			Fixes: []string{setting}}}}
	if change != nil {
		change(&r)
	}
	return r
}

// TestExhausted: a setting flaps once its accepted writes within the time of the budget are as many as the budget.
func TestExhausted(t *testing.T) {
	t.Parallel()
	budget := baseline.FlapBudget{Times: 2, Within: time.Hour}
	cause := event.Cause{EventID: "now", Actor: "arn:aws:iam::111122223333:user/ann"}
	status := func(s outcome.WriteStatus) func(*outcome.Record) {
		return func(r *outcome.Record) { r.Sent[0].Status = s }
	}
	fixed := func(ago time.Duration, change func(*outcome.Record)) outcome.Record {
		return recordOf(ago, "A", outcome.StateFixed, change)
	}
	twice := []outcome.Record{fixed(time.Minute, nil), fixed(2*time.Minute, nil)}
	first := twice[0]
	with := func(second outcome.Record) []outcome.Record { return []outcome.Record{first, second} }
	doubled := fixed(time.Minute, func(r *outcome.Record) { r.Sent = append(r.Sent, r.Sent[0]) })
	const says = "written 2 times within 60 minutes, and changed back each time (role ci called 2 times, ann called once)"
	for name, c := range map[string]struct {
		budget  baseline.FlapBudget
		records []outcome.Record
		cause   event.Cause
		want    string // a part of the reason for A
	}{
		"twice":                  {budget, twice, cause, says},
		"once":                   {budget, twice[:1], cause, ""},
		"one too long ago":       {budget, with(fixed(61*time.Minute, nil)), cause, ""},
		"one refused":            {budget, with(fixed(2*time.Minute, status(outcome.Refused))), cause, ""},
		"one unclear":            {budget, with(fixed(2*time.Minute, status(outcome.Unclear))), cause, ""},
		"one of another setting": {budget, with(recordOf(2*time.Minute, "B", outcome.StateFixed, nil)), cause, ""},
		"one did not hold": {budget, with(recordOf(2*time.Minute, "A", outcome.StateUnfixable, nil)), cause,
			"and once the value did not last"},
		"written twice by one run": {budget, []outcome.Record{doubled}, cause, ""},
		"no budget":                {baseline.FlapBudget{}, twice, cause, ""},
		"a scan asks for it": {budget, twice, event.Cause{EventName: event.ScanPools},
			"and changed back each time (role ci called 2 times)"},
	} {
		found := outcome.Exhausted(c.budget, c.records, c.cause, clock)
		if reason := found["A"]; (reason == "") != (c.want == "") || !strings.Contains(reason, c.want) {
			t.Errorf("%s: %q, want %q", name, reason, c.want)
		}
	}
}

// TestInterrupted: a run was interrupted if its record is open after its time, and something may have been written.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*outcome.Record)
		want   bool
	}{
		"open, and its time is over": {func(*outcome.Record) {}, true},
		"ended":                      {func(r *outcome.Record) { r.Ended = clock }, false},
		"still within its time":      {func(r *outcome.Record) { r.Until = clock.Add(time.Second) }, false},
		"at its time":                {func(r *outcome.Record) { r.Until = clock }, true},
		"nothing was sent":           {func(r *outcome.Record) { r.Sent = nil }, false},
		"all was refused":            {func(r *outcome.Record) { r.Sent[0].Status = outcome.Refused }, false},
		"nobody knows the answer":    {func(r *outcome.Record) { r.Sent[0].Status = outcome.Intended }, true},
	} {
		record := recordOf(time.Hour, "A", outcome.StatePlanned, func(r *outcome.Record) { r.Ended = time.Time{} })
		c.change(&record)
		if found := outcome.Interrupted([]outcome.Record{record}, clock); (len(found) == 1) != c.want {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// TestRecordRestores: what a write may have taken is open until a later write of its document is accepted.
func TestRecordRestores(t *testing.T) {
	t.Parallel()
	takes := func(s outcome.WriteStatus) outcome.Sent {
		return outcome.Sent{Document: baseline.MfaConfig, Status: s, Removes: []string{"SmsConfiguration"}}
	}
	gives := func(name baseline.DocumentName, s outcome.WriteStatus) outcome.Sent {
		return outcome.Sent{Document: name, Status: s}
	}
	taken, given := takes(outcome.Accepted), gives(baseline.UserPool, outcome.Accepted)
	all := func(sent ...outcome.Sent) []outcome.Sent { return sent }
	for name, c := range map[string]struct {
		sent []outcome.Sent
		open bool
	}{
		"taken":                          {all(taken), true},
		"perhaps taken":                  {all(takes(outcome.Intended)), true},
		"the taking write was refused":   {all(takes(outcome.Refused)), false},
		"restored":                       {all(taken, given), false},
		"restored by a lost answer":      {all(taken, gives(baseline.UserPool, outcome.Unclear)), true},
		"the restoring write is refused": {all(taken, gives(baseline.UserPool, outcome.Refused)), true},
		"another document was written":   {all(taken, gives(baseline.MfaConfig, outcome.Accepted)), true},
		"written before it was taken":    {all(given, taken), true},
		"taken again":                    {all(taken, given, takes(outcome.Unclear)), true},
	} {
		if open := (outcome.Record{Sent: c.sent}).Restores(); slices.Contains(open, "SmsConfiguration") != c.open {
			t.Errorf("%s: %v", name, open)
		}
	}
}
