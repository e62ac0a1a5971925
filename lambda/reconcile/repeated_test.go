package reconcile_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// TestLastingIsToldOnceAnHour lets calls go on about a pool of which something is left as it is: people are told of it once an hour, and of whatever is new at once.
func TestLastingIsToldOnceAnHour(t *testing.T) {
	t.Parallel()
	length := func(n string) func(pool, mfa map[string]any) {
		return func(pool, _ map[string]any) {
			pool["Policies"].(map[string]any)["PasswordPolicy"].(map[string]any)["MinimumLength"] = json.Number(n)
		}
	}
	const audits = "{name: all, mode: audit, require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}}}"
	for name, c := range map[string]struct {
		rule        string
		begin       func(w ledgered)
		word        reconcile.Word
		news, moved func(w ledgered) // what is told again at once, because it is something else; and because it was right meanwhile
	}{
		"audited": {audits, func(w ledgered) { w.fake.Edit(poolID, length("8")) }, reconcile.Drifted,
			func(w ledgered) { w.fake.Edit(poolID, length("6")) },
			func(w ledgered) { w.fake.Edit(poolID, length("12")) }},
		"no value": {"{name: all, require: {UserPoolTier: {matches: P*}}}", func(w ledgered) { w.fake.Edit(poolID, tier("ESSENTIALS")) }, reconcile.Drifted,
			func(w ledgered) { w.fake.Edit(poolID, tier("LITE")) },
			func(w ledgered) { w.fake.Edit(poolID, tier("PLUS")) }},
		"a stranger's trigger": {"{name: all, watch: [triggers]}", func(w ledgered) { w.fake.Edit(poolID, attached("stranger")) }, reconcile.Drifted,
			func(w ledgered) { w.fake.Edit(poolID, attached("another")) },
			func(w ledgered) {
				w.fake.Edit(poolID, func(pool, _ map[string]any) { pool["LambdaConfig"] = map[string]any{} })
			}},
		"refused": {"{name: all, require: {DeletionProtection: ACTIVE}}", func(w ledgered) {
			w.fake.Edit(poolID, unprotected)
			w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
		}, reconcile.Unfixable, nil, nil},
		"unreadable": {"{name: all, require: {DeletionProtection: ACTIVE}}", func(w ledgered) {
			w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "AccessDeniedException", Message: "no"})
		}, reconcile.Unfixable, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withLedger(t)
			required := parse(t, "version: 1\nrules: ["+c.rule+"]\n")
			id := 0
			told := func(request event.Request) bool {
				id++
				request.Cause.EventID = fmt.Sprint("event", id)
				w.pass(time.Minute)
				out := w.answer(t, required, request)
				if out.Outcome != c.word && out.Outcome != reconcile.Unchanged {
					t.Errorf("%s (%s)", out.Outcome, out.Reason)
				}
				return out.Outcome == c.word && !out.Repeated
			}
			ofCall := func() bool { return told(call("", "Admin", w.time())) }
			c.begin(w)
			for hour := range 3 {
				n := 0
				for range 60 {
					if ofCall() {
						n++
					}
				}
				if n != 1 {
					t.Errorf("hour %d: told %d times", hour, n)
				}
			}
			if c.news == nil {
				return
			}
			c.news(w)
			if !ofCall() || ofCall() {
				t.Error("what is otherwise wrong now is not told, or not once")
			}
			c.moved(w)
			if ofCall() {
				t.Error("told of a pool that is right")
			}
			c.news(w)
			if !ofCall() {
				t.Error("what is wrong again is not told")
			}
		})
	}
}

func tier(name string) func(pool, mfa map[string]any) {
	return func(pool, _ map[string]any) { pool["UserPoolTier"] = name }
}

func attached(name string) func(pool, mfa map[string]any) {
	return func(pool, _ map[string]any) {
		pool["LambdaConfig"] = map[string]any{"PreSignUp": "arn:aws:lambda:eu-west-1:111122223333:function:" + name}
	}
}

// TestAsideLeavesWhatWasFound: what the command line does with a baseline of its own, an undo say, does not make the function forget what it has told and seen.
func TestAsideLeavesWhatWasFound(t *testing.T) {
	t.Parallel()
	for aside, repeated := range map[bool]bool{true: true, false: false} {
		w := withLedger(t)
		required := parse(t, "version: 1\nrules: [{name: all, mode: audit, require: {DeletionProtection: ACTIVE}}]\n")
		w.fake.Edit(poolID, unprotected)
		answer := func(id string) reconcile.Outcome {
			request := call(id, "Admin", w.time())
			w.pass(time.Minute)
			return w.answer(t, required, request)
		}
		if out := answer("one"); out.Outcome != reconcile.Drifted || out.Repeated {
			t.Fatalf("%s (%s), repeated %t", out.Outcome, out.Reason, out.Repeated)
		}
		other := w.keeper(parse(t, "version: 1\nrules: [{name: other, require: {Policies: {PasswordPolicy: {MinimumLength: 20}}}}]\n"))
		other.Aside = aside
		if out, err := other.Reconcile(t.Context(), poolID, event.Cause{EventName: "undo"}); err != nil || len(out.Writes) != 1 {
			t.Fatalf("%v: %s (%s)", err, out.Outcome, out.Reason)
		}
		if out := answer("two"); out.Outcome != reconcile.Drifted || out.Repeated != repeated {
			t.Errorf("aside %t: %s (%s), repeated %t", aside, out.Outcome, out.Reason, out.Repeated)
		}
	}
}

// TestSweepTellsForNobody: what a sweep finds has no message of its own, so the event that comes after it does.
func TestSweepTellsForNobody(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, "version: 1\nrules: [{name: all, mode: audit, require: {DeletionProtection: ACTIVE}}]\n")
	w.fake.Edit(poolID, unprotected)
	w.answer(t, required, w.swept("sweep", event.Purpose{}))
	w.pass(time.Minute)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	if out := w.answer(t, required, request); out.Outcome != reconcile.Drifted || out.Repeated {
		t.Errorf("%s, repeated %v", out.Outcome, out.Repeated)
	}
}

// TestRequiredTriggerIsNoStranger: a trigger that a rule requires is none that no rule requires, also where the call changed another document and nothing of the pool's own is compared.
func TestRequiredTriggerIsNoStranger(t *testing.T) {
	t.Parallel()
	w := withLedger(t)
	required := parse(t, `version: 1
rules:
  - {name: all, watch: [triggers], require: {LambdaConfig: {PreSignUp: "arn:aws:lambda:eu-west-1:111122223333:function:ours"}, RiskConfiguration: {AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK}}}}}}
`)
	w.fake.Edit(poolID, attached("ours"))
	request := call("one", "Admin", w.time())
	request.Call = tabled("SetRiskConfiguration")
	w.pass(time.Minute)
	if out := w.answer(t, required, request); states(out)["LambdaConfig.PreSignUp"] != "" {
		t.Errorf("%s (%s) %v", out.Outcome, out.Reason, states(out))
	}
}
