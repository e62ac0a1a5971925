package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

var errKilled = errors.New("the process was killed")

// A mortal process dies at one of its calls: before the call takes effect, or right after it. From then on none of its
// calls has any effect.
type mortal struct {
	pools  reconcile.Pools
	ledger reconcile.Ledger
	dies   int // the number of the call, from 1
	after  bool
	mutex  sync.Mutex
	calls  int
	dead   bool
}

// do makes a call, unless the process is dead.
func (m *mortal) do(call func() error) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.dead {
		return errKilled
	}
	if m.calls++; m.calls == m.dies {
		m.dead = true
		if m.after {
			_ = call()
		}
		return errKilled
	}
	return call()
}

func (m *mortal) Read(ctx context.Context, id string, want userpool.Want) (s userpool.State, err error) {
	err = m.do(func() error { s, err = m.pools.Read(ctx, id, want); return err })
	return s, err
}

func (m *mortal) Document(ctx context.Context, id string, name baseline.DocumentName) (d map[string]any, err error) {
	err = m.do(func() error { d, err = m.pools.Document(ctx, id, name); return err })
	return d, err
}

func (m *mortal) Write(ctx context.Context, id string, r userpool.Request) (request string, err error) {
	err = m.do(func() error { request, err = m.pools.Write(ctx, id, r); return err })
	return request, err
}

func (m *mortal) List(ctx context.Context, token string) ([]string, string, error) {
	return m.pools.List(ctx, token)
}

func (m *mortal) Acquire(ctx context.Context, pool, owner string, now, until time.Time) (ok bool, err error) {
	err = m.do(func() error { ok, err = m.ledger.Acquire(ctx, pool, owner, now, until); return err })
	return ok, err
}

func (m *mortal) History(ctx context.Context, pool string, since time.Time, consistent bool,
) (h outcome.History, err error) {
	err = m.do(func() error { h, err = m.ledger.History(ctx, pool, since, consistent); return err })
	return h, err
}

func (m *mortal) Record(ctx context.Context, id string) (r outcome.Record, err error) {
	err = m.do(func() error { r, err = m.ledger.Record(ctx, id); return err })
	return r, err
}

func (m *mortal) Put(ctx context.Context, r outcome.Record) error {
	return m.do(func() error { return m.ledger.Put(ctx, r) })
}

func (m *mortal) Note(ctx context.Context, pool string, notes map[string]time.Time) error {
	return m.do(func() error { return m.ledger.Note(ctx, pool, notes) })
}

// takesSMS has SetUserPoolMfaConfig drop the SMS sender, as it may.
var takesSMS = cognitotest.Fault{Operation: "SetUserPoolMfaConfig",
	Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }}

// A killCase is an incident at whose remediation a process is killed.
type killCase struct {
	required string
	tamper   func(b bench)
	faults   []cognitotest.Fault
	next     func(cause event.Cause) event.Request // the request after the kill, nil for the same one again
	fixes    []string                              // what the remediation changes, and nothing else
}

const clientRevokes = "DeletionProtection: ACTIVE"

const mfaAndTOTP = "MfaConfiguration: OPTIONAL\nSoftwareTokenMfaConfiguration: {Enabled: true}"

var killCases = map[string]killCase{
	"one document": {required: deletionProtection,
		tamper: func(b bench) { b.fake.Edit(poolID, unprotected) }, fixes: []string{"DeletionProtection"}},
	"MFA and SMS": {required: mfaAndTOTP, faults: []cognitotest.Fault{takesSMS},
		tamper: func(b bench) { b.fake.Edit(poolID, mfaOff) }, fixes: mfaFixes},
	"MFA and SMS, then an event of a client": {required: mfaAndTOTP, faults: []cognitotest.Fault{takesSMS},
		tamper: func(b bench) { b.fake.Edit(poolID, mfaOff) }, next: ofClient, fixes: mfaFixes},
	"risk": {required: "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}",
		tamper: weakRisk, fixes: []string{riskAction}},
	"a client": {required: clientRevokes, fixes: []string{"Clients[" + web + "].EnableTokenRevocation"},
		tamper: func(b bench) {
			client := b.fake.Client(poolID, web)
			client["EnableTokenRevocation"] = false
			b.fake.PutClient(poolID, web, client)
		}},
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
				for dies := 1; ; dies++ {
					if !c.killed(t, dies, after) {
						break
					}
				}
			}
		})
	}
}

// killed runs one case, and reports whether the process came to the call at which it dies.
func (c killCase) killed(t *testing.T, dies int, after bool) bool {
	t.Helper()
	b, stop := start(t.Fatalf, cognitotest.Measured)
	defer stop()
	b.whole(nil)
	c.tamper(b)
	before := b.snapshot(t)
	for _, fault := range c.faults {
		b.fake.Inject(fault)
	}
	extra := "\n" + "    clients: [{names: [web-*], require: {EnableTokenRevocation: true}}]"
	required := parse(t, "version: 1\nrules:\n  - name: a\n    require:\n"+indent(c.required, "      ")+extra)
	books := ledger.NewMemory()
	process := &mortal{pools: b.client, ledger: books, dies: dies, after: after}
	first := b.reconciler(required)
	first.Pools, first.Ledger = process, process
	cause := event.Cause{EventID: "event-1", EventName: "UpdateUserPool"}
	_, _ = first.Reconcile(t.Context(), onPool(cause)) // and nobody is notified, nor is Close called
	wrote := slices.Contains(b.calledWrites(), true)
	second := b.reconciler(required)
	second.Ledger = books
	second.Now = func() time.Time { return clock.Add(2 * time.Minute) }
	request := onPool(cause)
	if c.next != nil {
		request = c.next(event.Cause{EventID: "event-2", EventName: "UpdateUserPoolClient"})
	}
	out, err := second.Reconcile(t.Context(), request)
	if err == nil {
		err = second.Close(t.Context(), out)
	}
	at := fmt.Sprintf("killed at call %d (after: %v)", dies, after)
	if err != nil {
		t.Errorf("%s: %v", at, err)
	}
	if wrote && (out.Outcome == outcome.Unchanged || out.Outcome == outcome.Ignored) {
		t.Errorf("%s: it wrote, and people are not notified: %s (%s)", at, out.Outcome, out.Reason)
	}
	moved := difference(before, b.snapshot(t))
	for _, path := range moved {
		if !slices.Contains(c.fixes, path) {
			t.Errorf("%s: %s is not what it was", at, path)
		}
	}
	if len(moved) != len(c.fixes) && (c.next == nil || wrote) {
		t.Errorf("%s: %v changed, want %v", at, moved, c.fixes)
	}
	if third, err := second.Reconcile(t.Context(), request); err != nil || c.next == nil &&
		third.Outcome != outcome.Unchanged {
		t.Errorf("%s: the third run: %s (%s): %v", at, third.Outcome, third.Reason, err)
	}
	return process.dead
}

// calledWrites says of each call that the fake took whether it was a write.
func (b bench) calledWrites() []bool {
	var writes []bool
	for _, call := range b.fake.Calls() {
		writes = append(writes, strings.HasPrefix(call.Operation, "Update") || strings.HasPrefix(call.Operation, "Set"))
	}
	return writes
}

// TestKilledAndOutOfReach: an interrupted run is reported, and its record closed, where nothing can be restored any
// more: the pool is gone, no rule selects it, or the rule only audits.
func TestKilledAndOutOfReach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(b bench, required *baseline.Baseline) *baseline.Baseline
		outcome outcome.Ending
		says    string
	}{
		"the pool is gone": {func(b bench, required *baseline.Baseline) *baseline.Baseline {
			b.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException"})
			return required
		}, outcome.Drifted, "no such user pool"},
		"the rule only audits": {func(_ bench, required *baseline.Baseline) *baseline.Baseline {
			return required.InMode(baseline.Audit)
		}, outcome.Unconverged, "could not be restored: the rule only audits"},
		"no rule selects the pool": {func(bench, *baseline.Baseline) *baseline.Baseline {
			return parse(t, "version: 1\nrules: [{name: a, pools: {names: [other]}, require: {DeletionProtection: ACTIVE}}]")
		}, outcome.Unconverged, "no rule selects the pool any longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, cognitotest.Measured)
			b.whole(mfaOff)
			b.fake.Inject(takesSMS)
			required := require(t, mfaAndTOTP)
			books := ledger.NewMemory()
			first := b.reconciler(required)
			// The calls are: history and two documents, the lease, history, two documents, the record, the write.
			process := &mortal{pools: b.client, ledger: books, dies: 8}
			first.Pools, first.Ledger = process, process
			_, _ = first.Reconcile(t.Context(), onPool(event.Cause{EventID: "event-1"}))
			if pool, _, _ := b.fake.Pool(poolID); pool["SmsConfiguration"] != nil {
				t.Fatal("the write did not take the SMS sender")
			}
			b.fake.ClearFaults()
			second := b.reconciler(c.change(b, required))
			second.Ledger = books
			second.Now = func() time.Time { return clock.Add(2 * time.Minute) }
			out, err := second.Reconcile(t.Context(), onPool(event.Cause{EventID: "event-2"}))
			if err != nil || out.Outcome != c.outcome || !strings.Contains(out.Reason, c.says) {
				t.Fatalf("%s (%s): %v", out.Outcome, out.Reason, err)
			}
			if !slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool { return d.Code == outcome.CodeInterrupted }) {
				t.Errorf("the interrupted run is not reported: %v", out.Drifts)
			}
			if err := second.Close(t.Context(), out); err != nil {
				t.Fatal(err)
			}
			again, err := second.Reconcile(t.Context(), onPool(event.Cause{EventID: "event-3"}))
			if err != nil || again.Outcome == c.outcome && c.outcome != outcome.Unconverged {
				t.Errorf("reported again: %s (%s): %v", again.Outcome, again.Reason, err)
			}
		})
	}
}
