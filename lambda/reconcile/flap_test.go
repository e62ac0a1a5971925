package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// tries delivers an event as Lambda does, again after a minute and after two more while it is deferred.
func (w ledgered) tries(r func() *reconcile.Reconciler, request event.Request, each func(reconcile.Outcome, error)) (out reconcile.Outcome, err error) {
	for try := range 3 {
		w.pass(time.Duration(try) * time.Minute)
		out, err = r().Answer(context.Background(), request)
		each(out, err)
		if err == nil {
			break
		}
	}
	return out, err
}

// TestFlapBudgetOfTheDeferred lets somebody set a setting back at once, and another write fail so that no run comes to its end: what was accepted counts all the same, once a write, and each event of somebody
// else's counts once, however often it is tried.
func TestFlapBudgetOfTheDeferred(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nflapBudget: {times: 3, minutes: 60}\nrules: [{name: all, require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}}]")
	w.fake.Edit(poolID, func(pool, mfa map[string]any) {
		unprotected(pool, mfa)
		delete(mfa, "SoftwareTokenMfaConfiguration")
	})
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected})
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException"})
	for i := range 8 {
		request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
		w.pass(3 * time.Minute)
		_, _ = w.tries(func() *reconcile.Reconciler { return w.keeper(required) }, request, func(reconcile.Outcome, error) {})
	}
	wrote := 0
	for _, call := range w.writes() {
		if call == "UpdateUserPool" {
			wrote++
		}
	}
	if wrote != 3 {
		t.Errorf("UpdateUserPool was called %d times", wrote)
	}
	w.fake.ClearFaults()
	request := call("last", "terraform-ci", w.time())
	w.pass(time.Minute)
	out := w.answer(t, required, request)
	if want := "it was written 3 times within 60 minutes, and 3 times it did not hold, while role terraform-ci called 2 times:"; out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, want) {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}

// TestFlapBudgetOfWhatComesLater finds a setting set back only by a later look of a run: its budget counts there too.
func TestFlapBudgetOfWhatComesLater(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nflapBudget: {times: 1, minutes: 60}\nrules: [{name: all, require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}}]")
	answer := func(id string) reconcile.Outcome {
		request := call(id, "terraform-ci", w.time())
		w.pass(time.Minute)
		return w.answer(t, required, request)
	}
	w.fake.Edit(poolID, unprotected)
	answer("one")
	w.fake.Edit(poolID, func(_, mfa map[string]any) { delete(mfa, "SoftwareTokenMfaConfiguration") })
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException", Times: 1, Then: func(s *cognitotest.Server) { s.Edit(poolID, unprotected) }})
	if out := answer("two"); out.Outcome != reconcile.Unconverged || states(out)["DeletionProtection"] != reconcile.NotFixable || states(out)["SoftwareTokenMfaConfiguration.Enabled"] != reconcile.Fixed {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, states(out))
	}
}

// TestFlapBudgetOfWhatIsOwed lets somebody take the text messages from a pool whenever a write of ours has given them back, which that write's predecessor took: this ends too.
func TestFlapBudgetOfWhatIsOwed(t *testing.T) {
	t.Parallel()
	w, _, required, request := killedInDebt(t)
	w.pass(2 * time.Minute)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }})
	w.fake.ResetCalls()
	told := 0
	for i := range 12 {
		if i > 0 {
			request = call(fmt.Sprint("event", i), "terraform-ci", w.time())
			w.pass(time.Minute)
		}
		out := w.answer(t, required, request)
		if out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, "SmsConfiguration") {
			t.Errorf("%d: %s (%s)", i, out.Outcome, out.Reason)
		}
		if !out.Repeated {
			told++
		}
	}
	if len(w.writes()) != 5 || told > 6 {
		t.Errorf("written %v, told %d times", w.writes(), told)
	}
	w.fake.ClearFaults()
	w.pass(time.Hour)
	request = call("last", "terraform-ci", w.time())
	w.pass(time.Minute)
	w.answer(t, required, request)
	if pool, _, _ := w.fake.Pool(poolID); pool["SmsConfiguration"] == nil {
		t.Error("it was not given back once that was over")
	}
}

// TestOwnWriteGivesNothingBack: the event of a write of ours is not answered with a write, whatever is owed, for that one's event would come next.
func TestOwnWriteGivesNothingBack(t *testing.T) {
	t.Parallel()
	w, lost, required, request := killedInDebt(t)
	w.pass(2 * time.Minute)
	w.fake.ResetCalls()
	own := call("own", "Keeper", w.time())
	w.pass(time.Minute)
	out := w.answer(t, required, own)
	if len(w.writes()) > 0 {
		t.Errorf("%s (%s), %v", out.Outcome, out.Reason, w.writes())
	}
	w.pass(time.Minute)
	if out := w.answer(t, required, request); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestKilledAtTheSecondPlan kills a process that had one write accepted and another refused, when it makes the writes of its next plan: whoever comes next tells of the first one too.
func TestKilledAtTheSecondPlan(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}}]")
	w.fake.Edit(poolID, func(pool, mfa map[string]any) {
		unprotected(pool, mfa)
		delete(mfa, "SoftwareTokenMfaConfiguration")
	})
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException", Times: 1})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, w.keeper(required), request, 2)
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if len(out.Earlier) != 1 || states(out.Earlier[0])["DeletionProtection"] != reconcile.Fixed {
		t.Errorf("%s (%s), earlier %+v", out.Outcome, out.Reason, out.Earlier)
	}
}

// TestDeselectedMeanwhile lets somebody rename a pool away from its rule as soon as it is written, while another write has to be made again: what was written is told.
func TestDeselectedMeanwhile(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nrules: [{name: all, pools: {names: [cust*]}, require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}}]")
	w.fake.Edit(poolID, func(pool, mfa map[string]any) {
		unprotected(pool, mfa)
		delete(mfa, "SoftwareTokenMfaConfiguration")
	})
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: func(pool, _ map[string]any) { pool["Name"] = "renamed" }})
	w.fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "TooManyRequestsException", Times: 1})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	out := w.answer(t, required, request)
	if out.Outcome != reconcile.Drifted || states(out)["DeletionProtection"] != reconcile.Reported || len(out.Drifts) != 1 {
		t.Errorf("%s (%s) %v %v", out.Outcome, out.Reason, out.Writes, states(out))
	}
}

// TestDeselectedInDebt lets that happen while something is owed to the pool: this is told.
func TestDeselectedInDebt(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required := parse(t, "version: 1\nrules: [{name: all, pools: {names: [cust*]}, require: {"+noTextFactor+"}}]")
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "TooManyRequestsException", Times: 1, Then: func(s *cognitotest.Server) {
		s.Edit(poolID, func(pool, _ map[string]any) { pool["Name"] = "renamed" })
	}})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	if out := w.answer(t, required, request); out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, "SmsConfiguration") || !lost() {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}

// TestKilledWithAWholeObject: of what a killed process wrote, an object that is required as a whole is seen to hold too.
func TestKilledWithAWholeObject(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nrules: [{name: all, require: {LambdaConfig: {exactly: {PreSignUp: \"arn:aws:lambda:eu-west-1:111122223333:function:ours\"}}, SoftwareTokenMfaConfiguration: {Enabled: true}}}]")
	w.fake.Edit(poolID, func(_, mfa map[string]any) { delete(mfa, "SoftwareTokenMfaConfiguration") })
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, w.keeper(required), request, 1)
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	if len(out.Earlier) != 1 || states(out.Earlier[0])["LambdaConfig"] != reconcile.Fixed {
		t.Errorf("%s (%s), earlier %+v", out.Outcome, out.Reason, out.Earlier)
	}
}

// TestRefusedOfEachClient refuses what is required of every one of many clients: it is found out about all of them in one go, and not at the cost of another look for each.
func TestRefusedOfEachClient(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}, clients: [{require: {EnableTokenRevocation: true}}]}]")
	w.fake.Edit(poolID, unprotected)
	for i := range 100 {
		w.fake.PutClient(poolID, fmt.Sprintf("1example23456789client%04d", i), map[string]any{"ClientName": fmt.Sprint("client-", i)})
	}
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPoolClient", Error: "AccessDeniedException", Message: "no"})
	out, err := w.keeper(required).Reconcile(t.Context(), poolID, event.Cause{EventID: "one", Time: w.time().Add(-time.Minute)})
	reads := 0
	for _, c := range w.fake.Calls() {
		if c.Operation == "DescribeUserPool" {
			reads++
		}
	}
	if err != nil || out.Outcome != reconcile.Partial || reads > 3 || len(w.writes()) != 101 {
		t.Errorf("%s (%.100s) %v, %d reads, %d writes", out.Outcome, out.Reason, err, reads, len(w.writes()))
	}
}

// TestGivenBackInVain lets a pool lose what was given back to it, while a write to a client is refused, so that the pool is planned again: what is owed is still owed, and given back when the next event comes.
func TestGivenBackInVain(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	w.fake.PutClient(poolID, "web", map[string]any{"ClientName": "web"})
	required := parse(t, "version: 1\nrules: [{name: all, require: {"+noTextFactor+"}, clients: [{require: {EnableTokenRevocation: true}}]}]")
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: func(pool, _ map[string]any) { delete(pool, "SmsConfiguration") }})
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPoolClient", Error: "AccessDeniedException", Message: "no"})
	request := call("one", "Admin", w.time())
	request.Call.Changes = changes()
	w.pass(time.Minute)
	if out := w.answer(t, required, request); out.Outcome != reconcile.Unconverged || !strings.Contains(out.Reason, "SmsConfiguration") || !lost() {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
	w.fake.ClearFaults()
	request = call("two", "Admin", w.time())
	w.pass(time.Minute)
	if out := w.answer(t, required, request); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestElsewhereMeanwhile lets a pool become a replica between two writes: what was begun is not left at that.
func TestElsewhereMeanwhile(t *testing.T) {
	t.Parallel()
	w, lost := indebted(t)
	required := require(t, noTextFactor)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "OperationNotEnabledException", Message: "no"})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	if out, err := w.keeper(required).Answer(t.Context(), request); err == nil {
		t.Errorf("%s (%s), %v", out.Outcome, out.Reason, out.Writes)
	}
	w.fake.ClearFaults()
	w.pass(time.Minute)
	if out := w.answer(t, required, request); lost() {
		t.Errorf("not given back: %s (%s)", out.Outcome, out.Reason)
	}
}

// TestFlapWordsOfOne spends a budget of one write, which held or did not, and reads the sentence.
func TestFlapWordsOfOne(t *testing.T) {
	t.Parallel()
	for want, fast := range map[string]bool{
		"it was written once within 60 minutes, and role terraform-ci set it once after us: ":                    false,
		"it was written once within 60 minutes, and once it did not hold, while role terraform-ci called once: ": true,
	} {
		w, required := withLedger(t), parse(t, "version: 1\nflapBudget: {times: 1, minutes: 60}\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]")
		if fast {
			w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected})
		}
		var out reconcile.Outcome
		for _, id := range []string{"one", "two"} {
			w.fake.Edit(poolID, unprotected)
			request := call(id, "terraform-ci", w.time())
			w.pass(time.Minute)
			out = w.answer(t, required, request)
		}
		if !strings.HasPrefix(out.Reason, want) {
			t.Errorf("%s (%s)", out.Outcome, out.Reason)
		}
	}
}
