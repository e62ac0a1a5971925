package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// weighing is a ledger that remembers the longest note of a pool, and the latest.
type weighing struct {
	reconcile.Ledger
	most *int
	last *string
}

func weigh(l reconcile.Ledger) weighing { return weighing{l, new(int), new(string)} }

func (w weighing) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	if key.Kind == reconcile.PoolKey {
		*w.most, *w.last = max(*w.most, len(note)), string(note)
	}
	return w.Ledger.Keep(ctx, key, owner, note, until)
}

// TestNoteStaysSmall lets the clients of a pool come and go all day: what is kept of the pool does not grow with their number.
func TestNoteStaysSmall(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}, clients: [{require: {EnableTokenRevocation: true}}]}]")
	kept := weigh(w.ledger)
	w.ledger = kept
	for i := range 1000 {
		request := call(fmt.Sprint("event", i), "Admin", w.time())
		request.Call = event.Name{Name: "CreateUserPoolClient", Changes: []string{"AppClient"}}
		request.ClientID = fmt.Sprintf("1example23456789client%04d", i)
		w.pass(time.Minute)
		w.answer(t, required, request)
	}
	if *kept.most > 40<<10 {
		t.Errorf("%d bytes are kept of the pool", *kept.most)
	}
}

// TestOpenRecordsStayFew lets every write time out, event after event, so that each run is deferred: the records that are left open do not pile up.
func TestOpenRecordsStayFew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ apply bool }{"not made": {false}, "made": {true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			kept := weigh(w.ledger)
			w.ledger = kept
			w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Drop: true, Apply: c.apply})
			w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Error: "TooManyRequestsException"})
			for i := range 30 {
				w.fake.Edit(poolID, unprotected)
				w.fake.ClearFaults()
				w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Drop: true, Apply: c.apply})
				w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Error: "TooManyRequestsException"})
				request := call(fmt.Sprint("event", i), "Admin", w.time())
				w.pass(time.Minute)
				if out, err := w.keeper(required).Answer(t.Context(), request); err == nil {
					t.Fatalf("%s (%s)", out.Outcome, out.Reason)
				}
			}
			var note struct{ Open []string }
			if err := json.Unmarshal([]byte(*kept.last), &note); err != nil || len(note.Open) > 2 {
				t.Errorf("%v: %d records are open", err, len(note.Open))
			}
		})
	}
}

// unreadable is a ledger of which one record cannot be read, for ever.
type unreadable struct{ reconcile.Ledger }

func (u unreadable) Record(context.Context, string) (reconcile.Record, error) {
	return reconcile.Record{}, fmt.Errorf("reading a record: %w", errors.Join(reconcile.ErrUnreadable, errors.New("unexpected end of JSON input")))
}

// TestUnreadableRecord leaves a record at that which cannot be read: the ledger still counts what was written, and no later event is kept waiting for it.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.kill(t, w.keeper(required), request, 0)
	w.ledger = unreadable{w.ledger}
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if out.Outcome != reconcile.Remediated || out.Record == "" || len(out.LedgerFaults) != 1 || !strings.Contains(out.LedgerFaults[0], "unexpected end") {
		t.Errorf("%s (%s), record %q, faults %q", out.Outcome, out.Reason, out.Record, out.LedgerFaults)
	}
	w.pass(time.Minute)
	if out := w.answer(t, required, call("two", "Admin", clock)); out.Outcome != reconcile.Ignored || len(out.LedgerFaults) != 0 {
		t.Errorf("%s (%s), faults %q", out.Outcome, out.Reason, out.LedgerFaults)
	}
}

// TestTurnFarAhead: a turn that a clock has noted which was an hour ahead keeps nobody waiting.
func TestTurnFarAhead(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	key := reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}
	note := fmt.Sprintf(`{"due":%q}`, w.time().Add(time.Hour).Format(time.RFC3339))
	if _, _, err := w.ledger.Take(t.Context(), key, "wrong", w.time(), w.time()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Keep(t.Context(), key, "wrong", []byte(note), time.Time{}); err != nil {
		t.Fatal(err)
	}
	before := w.time()
	if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated || w.time().Sub(before) > 10*time.Second {
		t.Errorf("%s (%s) after %s", out.Outcome, out.Reason, w.time().Sub(before))
	}
}

// TestStormAboutUnselected delivers many events about a pool that no rule selects, as its name shows: one look covers those that came before it.
func TestStormAboutUnselected(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, "version: 1\nrules: [{name: others, pools: {names: [others-*]}, require: {DeletionProtection: ACTIVE}}]")
	at := w.time()
	w.pass(time.Minute)
	for i := range 20 {
		if out := w.answer(t, required, call(fmt.Sprint("event", i), "Admin", at)); out.Outcome != reconcile.Ignored {
			t.Fatalf("%s (%s)", out.Outcome, out.Reason)
		}
	}
	reads := 0
	for _, c := range w.fake.Calls() {
		if c.Operation == "DescribeUserPool" {
			reads++
		}
	}
	if reads != 1 {
		t.Errorf("%d reads", reads)
	}
	// A rename brings it under the rule: that is another call, and looked at.
	w.pass(time.Minute)
	w.fake.Edit(poolID, func(pool, _ map[string]any) { pool["Name"], pool["DeletionProtection"] = "others-1", "INACTIVE" })
	request := call("rename", "Admin", w.time())
	w.pass(time.Minute)
	if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}

// TestManyLeftSettings audits a pool with hundreds of clients, none of them as required: what is kept of it stays small, and no sweep says that events were missed when they were not.
func TestManyLeftSettings(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nmode: audit\nrules: [{name: all, require: {DeletionProtection: ACTIVE}, clients: [{require: {EnableTokenRevocation: true, PreventUserExistenceErrors: ENABLED}}]}]")
	kept := weigh(w.ledger)
	w.ledger = kept
	for i := range 600 {
		w.fake.PutClient(poolID, fmt.Sprintf("1example23456789client%04d", i), map[string]any{"ClientName": fmt.Sprint("client-", i)})
	}
	for i := range 2 {
		out := w.answer(t, required, event.Request{Kind: event.One, UserPoolID: poolID, Cause: event.Cause{EventID: fmt.Sprint("sweep", i), EventName: "Reconcile User Pool", Time: w.time()}})
		if out.Outcome != reconcile.Drifted || len(out.Drifts) < 1200 || out.Missed != nil {
			t.Errorf("%s (%s), %d drifts, missed %v", out.Outcome, out.Reason, len(out.Drifts), out.Missed)
		}
		w.pass(time.Hour)
	}
	if *kept.most > 40<<10 {
		t.Errorf("%d bytes are kept of the pool", *kept.most)
	}
}

// TestBrokenNotes plants notes of which only a part can be read: neither the event nor the pool is let alone for it.
func TestBrokenNotes(t *testing.T) {
	t.Parallel()
	at := clock.Format(time.RFC3339)
	for name, note := range map[reconcile.KeyKind]string{
		reconcile.EventKey: fmt.Sprintf(`{"handled":%q,"outcome":"unchanged","again":"x"}`, at),
		reconcile.PoolKey:  fmt.Sprintf(`{"baseline":"B","looks":{"UserPool":%[1]q,"MfaConfig":%[1]q,"RiskConfiguration":%[1]q,"LogDelivery":%[1]q},"own":7}`, clock.Add(time.Minute).Format(time.RFC3339)),
	} {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			w, required, request := weakened(t)
			w.ledger = noted{w.ledger, name, strings.Replace(note, `"B"`, `"`+required.Digest+`"`, 1)}
			if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated || len(out.LedgerFaults) != 1 {
				t.Errorf("%s (%s), faults %q", out.Outcome, out.Reason, out.LedgerFaults)
			}
		})
	}
}

// noted is a ledger that has a note of everything of one kind.
type noted struct {
	reconcile.Ledger
	kind reconcile.KeyKind
	note string
}

func (n noted) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	note, taken, err := n.Ledger.Take(ctx, key, owner, now, until)
	if key.Kind == n.kind {
		note = []byte(n.note)
	}
	return note, taken, err
}
