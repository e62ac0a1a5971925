package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestDuplicateOfAnyOutcome delivers events twice that came to each kind of end: a duplicate costs one conditional write, and Cognito is not called. An event that ended without the pool being right is
// tried again if it is delivered again later, and whatever it ended as, if the baseline is another one by then.
func TestDuplicateOfAnyOutcome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		required string
		fault    cognitotest.Fault
		want     reconcile.Word
		again    bool
	}{
		"remediated":  {deletionProtection, cognitotest.Fault{}, reconcile.Remediated, false},
		"drifted":     {"UserPoolTier: {matches: none}", cognitotest.Fault{}, reconcile.Drifted, false},
		"unfixable":   {deletionProtection, cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"}, reconcile.Unfixable, true},
		"unread":      {deletionProtection, cognitotest.Fault{Operation: "DescribeUserPool", Error: "AccessDeniedException", Message: "no"}, reconcile.Unfixable, true},
		"unconverged": {deletionProtection, cognitotest.Fault{Operation: "UpdateUserPool", Body: []byte(`{}`)}, reconcile.Unconverged, true},
		"gone":        {deletionProtection, cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException", Message: "no"}, reconcile.Ignored, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, c.required)
			w.fake.Edit(poolID, unprotected)
			request := call("one", "Admin", w.time())
			w.pass(time.Minute)
			if c.fault.Operation != "" {
				w.fake.Inject(c.fault)
			}
			if out := w.answer(t, required, request); out.Outcome != c.want {
				t.Fatalf("%s (%s), want %s", out.Outcome, out.Reason, c.want)
			}
			w.fake.ClearFaults()
			w.fake.ResetCalls()
			w.pass(30 * time.Second)
			calls := &counting{Ledger: w.ledger}
			keeper := w.keeper(required)
			keeper.Ledger = calls
			out, err := keeper.Answer(t.Context(), request)
			if err != nil || out.Outcome != reconcile.Ignored || !strings.HasPrefix(out.Reason, "the event was handled before") || len(w.fake.Calls()) != 0 || calls.takes != 1 {
				t.Errorf("a duplicate: %s (%s), after %d calls to Cognito and %d to the ledger", out.Outcome, out.Reason, len(w.fake.Calls()), calls.takes)
			}
			w.pass(2 * time.Minute)
			if out = w.answer(t, required, request); (out.Outcome == reconcile.Ignored) == c.again {
				t.Errorf("delivered again: %s (%s)", out.Outcome, out.Reason)
			}
			if out = w.answer(t, require(t, "MfaConfiguration: {oneOf: [ON, OPTIONAL]}"), request); out.Outcome == reconcile.Ignored {
				t.Errorf("with another baseline: %s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}

// watching are pools that look into the ledger when a write is made.
type watching struct {
	reconcile.Pools
	ledger reconcile.Ledger
	lacks  []string
}

func (p *watching) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	records, err := p.ledger.Records(ctx, id, time.Time{})
	var whole reconcile.Record
	if err == nil && len(records) == 1 {
		whole, err = p.ledger.Record(ctx, records[0].ID)
	}
	stands := slices.ContainsFunc(whole.Sent, func(s reconcile.Sent) bool {
		return s.Document == request.Document && s.Call == request.Call && bytes.Equal(s.Body, request.Body) && s.At.IsZero() && s.Unclear
	})
	if err != nil || whole.Before == nil || whole.Outcome != "" || !stands {
		p.lacks = append(p.lacks, fmt.Sprintf("%s of %s: %d records (%v), %+v", request.Call, request.Document, len(records), err, whole.Sent))
	}
	return p.Pools.Write(ctx, id, request)
}

// puts counts how often a record is put.
type puts struct {
	reconcile.Ledger
	n int
}

func (p *puts) Put(ctx context.Context, r reconcile.Record) error {
	p.n++
	return p.Ledger.Put(ctx, r)
}

// TestManyClientsAreRecorded holds that each write to a client stands in the ledger before it is made, and that the record, which grows with the clients, is not put once for each.
func TestManyClientsAreRecorded(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	const clients = 30
	for i := range clients {
		w.fake.PutClient(poolID, fmt.Sprintf("web%02d", i), map[string]any{"ClientName": "web-app", "PreventUserExistenceErrors": "LEGACY", "AuthSessionValidity": json.Number("3"),
			"RefreshTokenValidity": json.Number("30"), "ExplicitAuthFlows": list("ALLOW_USER_SRP_AUTH")})
	}
	w.fake.Edit(poolID, unprotected)
	required := parse(t, "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}, clients: [{names: ['web-*'], require: {PreventUserExistenceErrors: ENABLED}}]}]")
	counted := &puts{Ledger: w.ledger}
	w.ledger = counted
	// One client goes while it is written to: what is left is planned anew.
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPoolClient", Skip: 10, Times: 1, Error: "InvalidParameterException", Message: "no"})
	pools := &watching{Pools: w.client, ledger: w.ledger}
	keeper := w.keeper(required)
	keeper.Pools = pools
	out, err := keeper.Reconcile(t.Context(), poolID, call("one", "Admin", w.time()).Cause)
	if err != nil || out.Outcome != reconcile.Partial || len(out.Writes) != clients {
		t.Fatalf("%v: %s (%s), %d writes", err, out.Outcome, out.Reason, len(out.Writes))
	}
	if len(pools.lacks) > 0 || counted.n > 5 {
		t.Errorf("%d puts; %s", counted.n, pools.lacks)
	}
	rec, err := w.ledger.Record(t.Context(), out.Record)
	if err != nil || len(rec.Sent) != clients || slices.ContainsFunc(rec.Sent, func(s reconcile.Sent) bool { return s.At.IsZero() || s.Unclear || s.RequestID == "" }) {
		t.Errorf("%v: %d writes in the record", err, len(rec.Sent))
	}
}

// TestRecordedBeforeItIsWritten holds that each write stands in the ledger with its body before it is made, and says that it was answered only afterwards.
func TestRecordedBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required := require(t, noTextFactor)
	pools := &watching{Pools: w.client, ledger: w.ledger}
	keeper := w.keeper(required)
	keeper.Pools = pools
	out, err := keeper.Answer(t.Context(), call("one", "Admin", w.time()))
	if err != nil || out.Outcome != reconcile.Remediated || lost() || len(out.Writes) != 2 {
		t.Fatalf("%v: %s (%s) by %v", err, out.Outcome, out.Reason, out.Writes)
	}
	if len(pools.lacks) > 0 {
		t.Errorf("%s", pools.lacks)
	}
	rec, err := w.ledger.Record(t.Context(), out.Record)
	if err != nil || len(rec.Sent) != 2 || rec.Sent[0].At.IsZero() || rec.Sent[0].Unclear || rec.Sent[1].RequestID == "" || rec.Outcome != reconcile.Remediated {
		t.Errorf("%v: %+v", err, rec)
	}
}

// TestRefusedWriteIsNotRecorded leaves no write in the record that was refused, and names no record that holds none.
func TestRefusedWriteIsNotRecorded(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	out := w.answer(t, required, request)
	records, err := w.ledger.Records(t.Context(), poolID, time.Time{})
	if out.Record != "" || err != nil || len(records) != 1 || len(records[0].Sent) != 0 || records[0].Outcome != reconcile.Unfixable {
		t.Errorf("record %q: %v, %+v", out.Record, err, records)
	}
}

// TestToldByTheNext kills a process after its write, or while it tells people: the next one that takes the pool tells them, once, and finishes the record.
func TestToldByTheNext(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]func(w ledgered, keeper *reconcile.Reconciler){
		"before it verifies": func(_ ledgered, keeper *reconcile.Reconciler) {
			keeper.Pools = &mortalReader{Pools: keeper.Pools, lives: 1}
		},
		"while it tells": func(_ ledgered, keeper *reconcile.Reconciler) {
			keeper.Tell = func(context.Context, reconcile.Outcome) bool { panic(death{}) }
		},
		"its verification is deferred": func(w ledgered, _ *reconcile.Reconciler) {
			w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Error: "TooManyRequestsException"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required, request := weakened(t)
			first := w.keeper(required)
			dies(w, first)
			func() {
				defer func() { _, _ = recover().(death) }()
				_, _ = first.Answer(t.Context(), request)
			}()
			w.fake.ClearFaults()
			w.pass(2 * time.Minute)
			// It is the event of somebody else that comes first.
			var told []reconcile.Outcome
			next := w.keeper(required)
			next.Tell = func(_ context.Context, out reconcile.Outcome) bool { told = append(told, out); return true }
			w.fake.ResetCalls()
			out, err := next.Answer(t.Context(), call("two", "Other", clock))
			if err != nil || out.Outcome != reconcile.Unchanged || len(told) != 2 || told[0].Outcome != reconcile.Remediated || told[1].Outcome != reconcile.Unchanged || len(w.writes()) != 0 {
				t.Fatalf("%v: %s (%s), told %+v, writes %v", err, out.Outcome, out.Reason, told, w.writes())
			}
			late := told[0]
			if !slices.Equal(late.Writes, []string{"UpdateUserPool"}) || late.Verified.Owned == 0 || late.Verified.UnmanagedUnchanged == 0 || late.Cause.EventID != "one" || states(late)["DeletionProtection"] != reconcile.Fixed ||
				late.Reason != "the invocation that wrote this ended before it could say so, and another has looked since: record "+late.Record {
				t.Errorf("%+v", late)
			}
			rec, err := w.ledger.Record(t.Context(), late.Record)
			if err != nil || rec.Outcome != reconcile.Remediated || rec.Cause.EventID != "one" || rec.Drifts[0].State != reconcile.Fixed {
				t.Errorf("%v: %+v", err, rec)
			}
			told = nil
			w.pass(2 * time.Minute)
			if out, err := next.Answer(t.Context(), request); err != nil || len(told) > 0 && told[0].Outcome != reconcile.Unchanged && told[0].Outcome != reconcile.Ignored {
				t.Errorf("told again: %v, %s (%s)", err, out.Outcome, out.Reason)
			}
		})
	}
}

// TestToldAsideIsToldAgain kills a process after its write, and lets another look first of whom those hear nothing whom the first was to tell: they are told by whoever comes after that, as it was found then.
func TestToldAsideIsToldAgain(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	first := w.keeper(required)
	first.Pools = &mortalReader{Pools: first.Pools, lives: 1}
	func() {
		defer func() { _, _ = recover().(death) }()
		_, _ = first.Answer(t.Context(), request)
	}()
	w.pass(2 * time.Minute)
	aside := w.keeper(required)
	aside.Aside = true
	shown, err := aside.Reconcile(t.Context(), poolID, event.Cause{EventName: "apply"})
	if err != nil || len(shown.Earlier) != 1 || shown.Earlier[0].Outcome != reconcile.Remediated {
		t.Fatalf("%v: %+v", err, shown)
	}
	w.fake.Edit(poolID, unprotected) // which is not what the first process found
	w.pass(time.Minute)
	for i, want := range []int{1, 0} {
		w.pass(2 * time.Minute)
		out := w.answer(t, required, call(fmt.Sprint("later ", i), "Other", w.time().Add(-time.Minute)))
		if len(out.Earlier) != want || want == 1 && (out.Earlier[0].Outcome != reconcile.Remediated || out.Earlier[0].Cause.EventID != request.Cause.EventID) {
			t.Errorf("event %d: %s (%s), and earlier %+v", i, out.Outcome, out.Reason, out.Earlier)
		}
	}
}

// mortalReader are pools whose keeper dies at a read, after some.
type mortalReader struct {
	reconcile.Pools
	lives int
}

func (m *mortalReader) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	if m.lives == 0 {
		panic(death{})
	}
	m.lives--
	return m.Pools.Read(ctx, id, want)
}

// TestUnclearWriteIsNamed lets the answer to a write be lost: the write is named, with what is verified of it, and nobody says that nothing was written.
func TestUnclearWriteIsNamed(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Drop: true, Apply: true, Times: 1})
	out := w.answer(t, required, call("one", "Admin", w.time()))
	if out.Outcome != reconcile.Remediated || !slices.Equal(out.Writes, []string{"UpdateUserPool"}) || out.Times.Verified.IsZero() || out.Verified.UnmanagedUnchanged == 0 {
		t.Errorf("%s (%s): writes %v, %+v", out.Outcome, out.Reason, out.Writes, out.Verified)
	}
}

// TestLostToTheKilled tells of a change that was made while a process was at a write of which nobody knows whether it was made.
func TestLostToTheKilled(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.kill(t, w.keeper(required), request, 0)
	w.pass(10 * time.Second)
	theirs := call("theirs", "Other", w.time(), "userPoolTags")
	w.pass(2 * time.Minute)
	out := w.answer(t, required, theirs)
	if !slices.Contains(out.Overwritten, "UserPoolTags") {
		t.Errorf("%s (%s), overwritten %v", out.Outcome, out.Reason, out.Overwritten)
	}
	for _, d := range out.Drifts {
		if d.Setting == "UserPoolTags" && !strings.Contains(d.Reason, "between our read and our UpdateUserPool (when it was made is not known, nor whether it was), which sent it as it was before") {
			t.Errorf("%s", d.Reason)
		}
	}
}
