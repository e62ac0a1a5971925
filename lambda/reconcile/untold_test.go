package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/userpool"
)

// TestOwedOutlivesWhoeverTells kills the process between two writes, and lets the write be refused that would give back what the first one took. Whoever comes next finds out what the first process has
// put right, tells of it once, and the debt still stands for those after it.
func TestOwedOutlivesWhoeverTells(t *testing.T) {
	t.Parallel()
	w, lost, required, _ := killedInDebt(t)
	w.pass(2 * time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
	told := 0
	for _, id := range []string{"two", "three"} {
		out := w.answer(t, required, call(id, "Other", w.time()))
		if out.Outcome != reconcile.Unconverged || !lost() {
			t.Fatalf("%s (%s)", out.Outcome, out.Reason)
		}
		told += len(out.Earlier)
		w.pass(2 * time.Minute)
	}
	if told != 1 {
		t.Errorf("what the killed process put right was told %d times", told)
	}
	w.fake.ClearFaults()
	if out := w.answer(t, required, call("four", "Other", w.time())); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestNotMadeIsNotTold kills a process before its write is made. Whoever makes it instead tells of it as its own, and nobody says that the killed one did.
func TestNotMadeIsNotTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		next string
		want reconcile.Word
	}{
		"put right by the next": {deletionProtection, reconcile.Remediated},
		"not required any more": {"MfaConfiguration: {oneOf: [ON, OPTIONAL]}", reconcile.Unchanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required, request := weakened(t)
			w.kill(t, w.keeper(required), request, 0)
			w.pass(2 * time.Minute)
			out := w.answer(t, require(t, c.next), request)
			if out.Outcome != c.want || len(out.Earlier) != 0 {
				t.Errorf("%s (%s), and earlier %+v", out.Outcome, out.Reason, out.Earlier)
			}
			records, err := w.ledger.Records(t.Context(), poolID, time.Time{})
			if err != nil || records[0].Outcome != reconcile.Unfixable || records[0].Drifts[0].State != reconcile.NotFixable {
				t.Errorf("%v: the record of the killed process: %+v", err, records)
			}
		})
	}
}

// TestEarlierJudgesNoMoreThanItWrote kills a process after its write to a pool of which something else is left: what is told of it later is that it was put right, and not that the pool is as required.
func TestEarlierJudgesNoMoreThanItWrote(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}, {name: audited, mode: audit, require: {UserPoolTier: LITE}}]")
	w.fake.Edit(poolID, unprotected)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	killed := w.keeper(required)
	killed.Pools = &mortalReader{Pools: killed.Pools, lives: 1}
	func() {
		defer func() { _, _ = recover().(death) }()
		_, _ = killed.Answer(t.Context(), request)
	}()
	w.pass(2 * time.Minute)
	var told []string
	r := w.keeper(required)
	r.Tell = func(_ context.Context, out reconcile.Outcome) bool {
		finding, tells := report.FindingOf(report.New(out, ""), w.time())
		told = append(told, fmt.Sprint(out.Outcome, ": ", tells && !finding.Failed, " ", finding.Failed))
		return true
	}
	if _, err := r.Answer(t.Context(), request); err != nil || !slices.Equal(told, []string{"remediated: false false", "drifted: false true"}) {
		t.Errorf("%v: of each, whether a finding passes, and fails: %q", err, told)
	}
}

// TestGraveIsToldAsItWas kills a process while it tells that something moved. Whoever tells it instead does not call it put right.
func TestGraveIsToldAsItWas(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Times: 1, Then: func(s *cognitotest.Server) {
		s.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["team"] = "moved" })
	}})
	killed := w.keeper(required)
	killed.Tell = func(_ context.Context, out reconcile.Outcome) bool {
		if out.Outcome != reconcile.Unconverged {
			t.Fatalf("%s (%s)", out.Outcome, out.Reason)
		}
		panic(death{})
	}
	func() {
		defer func() { _, _ = recover().(death) }()
		_, _ = killed.Answer(t.Context(), request)
	}()
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if len(out.Earlier) != 1 || out.Earlier[0].Outcome != reconcile.Unconverged || !strings.Contains(out.Earlier[0].Reason, "UserPoolTags") {
		t.Errorf("%s (%s), and earlier %+v", out.Outcome, out.Reason, out.Earlier)
	}
}

// TestRepeatedHidesNoNews: that somebody keeps writing a setting is told once an hour, and what else is found meanwhile, at once.
func TestRepeatedHidesNoNews(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, `version: 1
flapBudget: {times: 1, minutes: 60}
rules: [{name: all, watch: [triggers], require: {DeletionProtection: ACTIVE, UserPoolTier: PLUS}}]
`)
	w.fake.Edit(poolID, func(pool, _ map[string]any) {
		pool["LambdaConfig"], pool["UserPoolTier"] = map[string]any{}, "PLUS"
	})
	answer := func(id string, edit func(pool, mfa map[string]any)) reconcile.Outcome {
		w.fake.Edit(poolID, edit)
		request := call(id, "Admin", w.time())
		w.pass(time.Minute)
		return w.answer(t, required, request)
	}
	answer("one", unprotected)
	for i, want := range []bool{false, true} {
		if out := answer([]string{"two", "three"}[i], unprotected); out.Outcome != reconcile.Unconverged || out.Repeated != want {
			t.Fatalf("%s (%s), repeated %v, want %v", out.Outcome, out.Reason, out.Repeated, want)
		}
	}
	out := answer("four", func(pool, _ map[string]any) {
		pool["LambdaConfig"] = map[string]any{"PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:stranger"}
	})
	if out.Outcome != reconcile.Unconverged || states(out)["LambdaConfig.PreSignUp"] != reconcile.Reported || out.Repeated {
		t.Errorf("a stranger's trigger: %s (%s) %v, repeated %v", out.Outcome, out.Reason, states(out), out.Repeated)
	}
}

// TestAuditGivesNothingBack: where the baseline only audits by now, nothing is written, whatever a killed process owes.
func TestAuditGivesNothingBack(t *testing.T) {
	t.Parallel()
	w, lost, required, request := killedInDebt(t)
	w.pass(2 * time.Minute)
	w.fake.ResetCalls()
	audit := required.InMode(baseline.Audit)
	out := w.answer(t, audit, request)
	if !slices.ContainsFunc(out.Drifts, func(d reconcile.Drift) bool { return d.Left == reconcile.LeftTaken }) {
		t.Errorf("%+v", out.Drifts)
	}
	if len(w.writes()) != 0 || !lost() || out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, "SmsConfiguration") {
		t.Errorf("%s (%s), written %v", out.Outcome, out.Reason, w.writes())
	}
	w.pass(2 * time.Minute)
	if out := w.answer(t, required, call("two", "Other", w.time())); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestLostToTheKilledIsFoundLater: whoever finishes the record of a killed process does not hide that its write may have undone a call whose event comes only later.
func TestLostToTheKilledIsFoundLater(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	killed := w.keeper(required)
	killed.Pools = &mortalReader{Pools: killed.Pools, lives: 1}
	func() {
		defer func() { _, _ = recover().(death) }()
		_, _ = killed.Answer(t.Context(), request)
	}()
	w.pass(10 * time.Second)
	theirs := call("theirs", "Other", w.time(), "userPoolTags")
	w.pass(2 * time.Minute)
	if out := w.answer(t, required, call("before", "Other", clock)); len(out.Earlier) != 1 {
		t.Fatalf("%s (%s)", out.Outcome, out.Reason)
	}
	w.pass(time.Minute)
	if out := w.answer(t, required, theirs); !slices.Contains(out.Overwritten, "UserPoolTags") {
		t.Errorf("%s (%s), overwritten %v", out.Outcome, out.Reason, out.Overwritten)
	}
}

// TestUnselectedMeanwhile kills a process after its write, and takes the pool from under the baseline: what was written is told all the same, once, and nobody claims that it holds.
func TestUnselectedMeanwhile(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, "version: 1\nrules: [{name: customers, pools: {names: [customers]}, require: {DeletionProtection: ACTIVE}}]")
	w.fake.Edit(poolID, unprotected)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	killed := w.keeper(required)
	killed.Pools = &mortalReader{Pools: killed.Pools, lives: 1}
	func() {
		defer func() { _, _ = recover().(death) }()
		_, _ = killed.Answer(t.Context(), request)
	}()
	w.fake.Edit(poolID, func(pool, _ map[string]any) { pool["Name"] = "elsewhere" })
	told := 0
	for _, id := range []string{"one", "two", "three"} {
		w.pass(2 * time.Minute)
		out := w.answer(t, required, call(id, "Admin", w.time().Add(-time.Minute)))
		if out.Outcome != reconcile.Ignored || len(out.Drifts) != 0 {
			t.Errorf("%s (%s)", out.Outcome, out.Reason)
		}
		for _, earlier := range out.Earlier {
			told++
			if earlier.Outcome != reconcile.Drifted || states(earlier)["DeletionProtection"] != reconcile.Reported || !strings.Contains(earlier.Drifts[0].Reason, "no rule requires it any more") {
				t.Errorf("%+v", earlier)
			}
			if rec, err := w.ledger.Record(t.Context(), earlier.Record); err != nil || !slices.Equal(rec.Changed(), []string{"DeletionProtection"}) {
				t.Errorf("%v: undo puts back %v", err, rec.Changed())
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// TestDeletedOwingPool deletes a pool to which something is owed: that is told, and the event does not wait for the pool to come back.
func TestDeletedOwingPool(t *testing.T) {
	t.Parallel()
	w, _ := indebted(t)
	required := parse(t, "version: 1\nrules: [{name: named, pools: {ids: ["+poolID+"]}, require: {"+noTextFactor+"}}]")
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, w.keeper(required), request, 1)
	w.pass(2 * time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException", Message: "no"})
	deletion := call("two", "Mallory", w.time())
	deletion.Call, deletion.Cause.EventName = event.Name{Name: event.DeleteUserPool, Selection: true}, event.DeleteUserPool
	w.pass(time.Minute)
	out, err := w.keeper(required).Answer(t.Context(), deletion)
	if err != nil || !out.Critical || out.Reason != "the user pool was deleted" {
		t.Errorf("%v: %s (%s)", err, out.Outcome, out.Reason)
	}
	if len(out.Earlier) != 1 || !slices.Contains(out.Earlier[0].Writes, "SetUserPoolMfaConfig") || !strings.Contains(out.Earlier[0].Drifts[0].Reason, "the pool is gone") {
		t.Errorf("what was written before: %+v", out.Earlier)
	}
}

// TestHostileRecords leaves records open that nobody has written like that. Nothing comes of them but that the pool is put right, and they are open no more.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	const other = "eu-west-1_Another01"
	sent := []reconcile.Sent{{Call: "UpdateUserPool", Document: "UserPool"}}
	odd := func(documents map[baseline.DocumentName]map[string]any) *userpool.Backup {
		return &userpool.Backup{UserPoolID: other, Documents: documents}
	}
	for name, rec := range map[string]reconcile.Record{
		"nothing":            {},
		"only writes":        {Sent: sent},
		"another's id":       {ID: reconcile.NewRecordID(other, clock), UserPoolID: other, Sent: sent, Drifts: []reconcile.Drift{{Setting: "DeletionProtection", State: reconcile.Planned}}},
		"unknown words":      {Sent: sent, Outcome: "restored", Drifts: []reconcile.Drift{{Setting: "", State: "done"}, {Setting: "Clients[", State: reconcile.Planned, Want: []any{map[string]any{}}}}},
		"no document before": {Sent: sent, Owes: []string{"SmsConfiguration", "", "Clients[x].y"}, Before: odd(nil)},
		"odd before": {Sent: sent, Owes: []string{"SmsConfiguration.SnsCallerArn", "Policies"}, Drifts: []reconcile.Drift{{Setting: "Policies.PasswordPolicy.MinimumLength", State: reconcile.Planned}},
			Before: odd(map[baseline.DocumentName]map[string]any{"UserPool": {"Policies": 5, "Name": list(1), "SmsConfiguration": "x", "LambdaConfig": list()}, "MfaConfig": nil, "Nonsense": {}})},
		"many writes": {Sent: slices.Repeat(sent, 5000), Drifts: slices.Repeat([]reconcile.Drift{{Setting: "DeletionProtection", State: reconcile.Planned}}, 5000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			kept := weigh(w.ledger)
			w.ledger = kept
			w.fake.Edit(poolID, unprotected)
			request := call("one", "Admin", w.time())
			w.pass(time.Minute)
			id := reconcile.NewRecordID(poolID, clock)
			if rec.ID == "" {
				rec.ID = id
			}
			w.ledger = planted{kept, id, rec}
			key := reconcile.Key{Kind: reconcile.PoolKey, ID: poolID}
			if _, _, err := w.ledger.Take(t.Context(), key, "x", clock, clock); err != nil {
				t.Fatal(err)
			}
			note := fmt.Sprintf(`{"open":["","x",%q,%q],"owing":[%q]}`, id, reconcile.NewRecordID(other, clock), id)
			if _, err := w.ledger.Keep(t.Context(), key, "x", []byte(note), time.Time{}); err != nil {
				t.Fatal(err)
			}
			out, err := w.keeper(required).Answer(t.Context(), request)
			if pool, _, _ := w.fake.Pool(poolID); err != nil || pool["DeletionProtection"] != "ACTIVE" {
				t.Errorf("%v: %s (%s)", err, out.Outcome, out.Reason)
			}
			if strings.Contains(*kept.last, id) || strings.Contains(*kept.last, other) {
				t.Errorf("%s (%s): still open: %s", out.Outcome, out.Reason, *kept.last)
			}
		})
	}
}

// planted is a ledger with a record that says of itself what it likes.
type planted struct {
	reconcile.Ledger
	id  string
	rec reconcile.Record
}

func (p planted) Record(ctx context.Context, id string) (reconcile.Record, error) {
	if id == p.id {
		return p.rec, nil
	}
	return p.Ledger.Record(ctx, id)
}

// TestDebtIsNoStorm lets it stay impossible to give back what a killed process took, while events about the pool keep coming: those of one moment share a look, and people are told once an hour.
func TestDebtIsNoStorm(t *testing.T) {
	t.Parallel()
	w, lost, required, _ := killedInDebt(t)
	w.pass(5 * time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
	told := 0
	answer := func(id string, at time.Time) {
		out := w.answer(t, required, call(id, "Other", at))
		if out.Outcome == reconcile.Unconverged && !out.Repeated {
			told++
		} else if out.Outcome != reconcile.Unconverged && out.Outcome != reconcile.Ignored {
			t.Errorf("%s (%s)", out.Outcome, out.Reason)
		}
	}
	for i := range 10 {
		w.fake.ResetCalls()
		at := w.time().Add(-time.Minute)
		for j := range 5 {
			answer(fmt.Sprint("event", i, j), at)
		}
		if len(w.writes()) != 1 {
			t.Errorf("%v", w.writes())
		}
		w.pass(5 * time.Minute)
	}
	if told != 1 || !lost() {
		t.Errorf("told %d times", told)
	}
	w.pass(time.Hour)
	answer("later", w.time())
	if told != 2 {
		t.Errorf("told %d times", told)
	}
}

// TestStaleAfterDeferral lets a run be deferred right after its write, and the next one come at once, when a read may still show the pool as it was before: it is not judged by that.
func TestStaleAfterDeferral(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		required     string
		fault        cognitotest.Fault
		before       func(pool map[string]any) any
		setting      string
		writes, told int
	}{
		"what was put right": {deletionProtection, cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Error: "TooManyRequestsException"},
			func(map[string]any) any { return "INACTIVE" }, "DeletionProtection", 0, 1},
		"what was taken": {noTextFactor, cognitotest.Fault{Operation: "UpdateUserPool", Error: "TooManyRequestsException"},
			func(pool map[string]any) any { return pool["SmsConfiguration"] }, "SmsConfiguration", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := indebted(t)
			required := require(t, c.required)
			w.fake.Edit(poolID, unprotected)
			pool, _, _ := w.fake.Pool(poolID)
			old := c.before(pool)
			request := call("one", "Admin", w.time())
			w.pass(time.Minute)
			w.fake.Inject(c.fault)
			first := w.keeper(required)
			first.Sleep = func(_ context.Context, d time.Duration) error {
				if d >= 500*time.Millisecond { // there is no time for another try
					return context.DeadlineExceeded
				}
				return nil
			}
			if out, err := first.Answer(t.Context(), request); err == nil {
				t.Fatalf("%s (%s)", out.Outcome, out.Reason)
			}
			w.fake.ClearFaults()
			var is any
			w.fake.Edit(poolID, func(pool, _ map[string]any) { is, pool[c.setting] = pool[c.setting], old })
			next := w.keeper(required)
			waited := time.Duration(0)
			next.Sleep = func(ctx context.Context, d time.Duration) error {
				w.pass(max(d, 0))
				if waited += d; waited >= 2*time.Second && waited-d < 2*time.Second {
					w.fake.Edit(poolID, func(pool, _ map[string]any) { pool[c.setting] = is })
				}
				return ctx.Err()
			}
			w.fake.ResetCalls()
			out, err := next.Answer(t.Context(), call("two", "Other", clock))
			if pool, _, _ = w.fake.Pool(poolID); err != nil || len(w.writes()) != c.writes || len(out.Earlier) != c.told || pool["SmsConfiguration"] == nil {
				t.Errorf("%v: %s (%s), writes %v, earlier %+v, texts are sent by %v", err, out.Outcome, out.Reason, w.writes(), out.Earlier, pool["SmsConfiguration"])
			}
		})
	}
}

// TestGivenBackIsSaid gives back what a killed process took: that is a write, and said to be one. A service that accepts it and does not do it is not believed, and the debt stands.
func TestGivenBackIsSaid(t *testing.T) {
	t.Parallel()
	w, lost, required, _ := killedInDebt(t)
	w.pass(2 * time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Body: []byte(`{}`), Times: 1})
	if out := w.answer(t, required, call("two", "Other", w.time())); out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, "SmsConfiguration") || !lost() {
		t.Errorf("accepted, and not done: %s (%s)", out.Outcome, out.Reason)
	}
	w.pass(2 * time.Minute)
	out := w.answer(t, required, call("three", "Other", w.time()))
	if out.Outcome != reconcile.Remediated || out.Reason != "what a write of ours had taken from the pool was given back: SmsConfiguration" || len(out.Writes) != 1 || lost() {
		t.Errorf("%s (%s), writes %v", out.Outcome, out.Reason, out.Writes)
	}
	w.pass(2 * time.Minute)
	if out := w.answer(t, required, call("four", "Other", w.time())); out.Outcome != reconcile.Unchanged {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}
