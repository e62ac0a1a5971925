package reconcile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

// A night is a pool about which calls go on, a minute apart.
type night struct {
	ledgered
	testing.TB
	required *baseline.Baseline
	calls    *int
}

func nightOf(t testing.TB, rules string) night {
	t.Helper()
	return night{withLedger(t), t, parse(t, "version: 1\n"+rules), new(int)}
}

// of lets a call be made, and its event come a minute later.
func (n night) of(request event.Request) reconcile.Outcome {
	n.Helper()
	*n.calls++
	request.Cause.EventID, request.Cause.RequestID = fmt.Sprint("event", *n.calls), fmt.Sprint("request", *n.calls)
	n.pass(time.Minute)
	return n.answer(n, n.required, request)
}

// call is that of one more call about the pool itself.
func (n night) call() reconcile.Outcome { n.Helper(); return n.of(call("", "Admin", n.time())) }

// tells lets one more call be made, and says whether people are told.
func (n night) tells() bool {
	n.Helper()
	out := n.call()
	return out.Outcome != reconcile.Unchanged && out.Outcome != reconcile.Ignored && !out.Repeated
}

// length sets the shortest password of the pool.
func (n night) length(to int) {
	n.fake.Edit(poolID, func(pool, _ map[string]any) {
		object(object(pool, "Policies"), "PasswordPolicy")["MinimumLength"] = json.Number(fmt.Sprint(to))
	})
}

const auditedLength = "{name: all, mode: audit, require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}}}"

// TestManyLastingAreNoFlood: what lasts is told once an hour, however much it is.
func TestManyLastingAreNoFlood(t *testing.T) {
	t.Parallel()
	for _, many := range []int{150, 300, 900} {
		tags := ""
		for i := range many {
			tags += fmt.Sprintf("tag%d%s: yes, ", i, strings.Repeat("x", 100))
		}
		n := nightOf(t, "rules: [{name: all, mode: audit, require: {UserPoolTags: {"+tags+"}}}]")
		kept := weigh(n.ledger)
		n.ledger = kept
		told := 0
		for range 50 {
			if n.tells() {
				told++
			}
		}
		if told != 1 {
			t.Errorf("of %d: told %d times", many, told)
		}
		n.fake.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["tag149"+strings.Repeat("x", 100)] = "no" })
		if !n.tells() || n.tells() {
			t.Errorf("of %d: one that is otherwise is not told, or not once", many)
		}
		n.pass(time.Hour)
		if !n.tells() || n.tells() {
			t.Errorf("of %d: not told after an hour, or not once", many)
		}
		if *kept.most > 200<<10 { // of the 400 that an item may have
			t.Errorf("of %d: %d bytes are kept of the pool", many, *kept.most)
		}
	}
}

// TestLastValueToldIsKnown: what people know of a setting is what they were last told.
func TestLastValueToldIsKnown(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: ["+auditedLength+"]")
	for _, length := range []int{8, 6, 8, 12, 8} {
		n.length(length)
		if told := n.tells(); told != (length < 12) || n.tells() {
			t.Errorf("%d: told %v, or twice", length, told)
		}
	}
}

// TestOrderOfAListIsNoNews: the API gives lists in an order of its own.
func TestOrderOfAListIsNoNews(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: [{name: all, mode: audit, require: {AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}}}]")
	ways := list(map[string]any{"Name": "verified_email", "Priority": json.Number("1")}, map[string]any{"Name": "verified_phone_number", "Priority": json.Number("2")})
	for i := range 6 {
		n.fake.Edit(poolID, func(pool, _ map[string]any) {
			pool["AccountRecoverySetting"] = map[string]any{"RecoveryMechanisms": list(ways[i%2], ways[1-i%2])}
		})
		if n.tells() != (i == 0) {
			t.Errorf("look %d: told %v", i, i != 0)
		}
	}
}

// TestWrittenTellsWhatLastsToo: a message of what was written shows what lasts as well, which is not told anew by the next event.
func TestWrittenTellsWhatLastsToo(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: ["+auditedLength+", {name: enforced, require: {DeletionProtection: ACTIVE}}]")
	n.length(8)
	n.fake.Edit(poolID, unprotected)
	if out := n.call(); out.Outcome != reconcile.Remediated || len(out.Drifts) != 2 {
		t.Fatalf("%s (%s), %v", out.Outcome, out.Reason, states(out))
	}
	if out := n.call(); !out.Repeated {
		t.Errorf("%s (%s), told again", out.Outcome, out.Reason)
	}
}

// TestWatchedIsNotLeft lets groups be made all day, which are watched: what was left of the pool is not forgotten over them, so that a sweep still finds what no event told of, and what lasts is no news.
func TestWatchedIsNotLeft(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: [{name: watched, watch: [groups]}, "+auditedLength+", {name: enforced, require: {DeletionProtection: ACTIVE}}]")
	n.answer(t, n.required, n.swept("first", event.Purpose{}))
	for i := range 510 {
		made := call("", "Admin", n.time())
		made.Call, made.Subject = inTable(t, "CreateGroup"), fmt.Sprint("group", i)
		if out := n.of(made); out.Outcome != reconcile.Drifted || out.Repeated {
			t.Fatalf("%s (%s), repeated %v", out.Outcome, out.Reason, out.Repeated)
		}
	}
	n.fake.Edit(poolID, unprotected)
	if out := n.answer(t, n.required, n.swept("second", event.Purpose{})); out.Missed == nil {
		t.Errorf("%s (%s): nothing is missed", out.Outcome, out.Reason)
	}
}

// TestLostUpdateIsNotLeft: what a call may have set in vain is as required all the same, so that it is missed if it is not at the next sweep.
func TestLostUpdateIsNotLeft(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: [{name: enforced, require: {AccountRecoverySetting: {RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}}}, {name: all, mode: audit, require: {DeletionProtection: ACTIVE}}]")
	n.call()
	n.answer(t, n.required, n.swept("first", event.Purpose{}))
	n.pass(time.Hour)
	n.fake.Edit(poolID, func(pool, _ map[string]any) { delete(pool, "AccountRecoverySetting") })
	theirs := event.Request{}
	n.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(*cognitotest.Server) {
		n.pass(2 * time.Second)
		theirs = call("", "Other", n.time(), "deletionProtection")
		n.pass(2 * time.Second)
	}})
	n.call()
	if out := n.of(theirs); len(out.Overwritten) == 0 {
		t.Fatalf("%s (%s): nothing is overwritten", out.Outcome, out.Reason)
	}
	n.pass(time.Hour)
	n.fake.Edit(poolID, unprotected)
	if out := n.answer(t, n.required, n.swept("second", event.Purpose{})); out.Missed == nil {
		t.Errorf("%s (%s): nothing is missed", out.Outcome, out.Reason)
	}
}

// TestUnreadableIsToldByWhatIsDenied: that one thing may not be read hides neither that another may not, nor that it may not again, nor another reason.
func TestUnreadableIsToldByWhatIsDenied(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: [{name: all, require: {DeletionProtection: ACTIVE, LogConfigurations: {userNotification: {absent: true}}}}]")
	deny := func(operation, message string) {
		n.fake.ClearFaults()
		n.fake.Inject(cognitotest.Fault{Operation: operation, Error: "AccessDeniedException", Message: message})
	}
	logs := func() bool {
		request := call("", "Admin", n.time())
		request.Call = inTable(t, "SetLogDeliveryConfiguration")
		out := n.of(request)
		return out.Outcome == reconcile.Unfixable && !out.Repeated
	}
	deny("GetLogDeliveryConfiguration", "no policy allows it, says request 4711")
	told := 0
	for range 20 {
		if logs() {
			told++
		}
		if n.tells() {
			t.Error("a look that reads nothing that is denied tells something")
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	deny("GetLogDeliveryConfiguration", "no policy allows it, says request 4712")
	if logs() {
		t.Error("the same reason is told again")
	}
	deny("GetLogDeliveryConfiguration", "a policy denies it, says request 4713")
	if !logs() || logs() {
		t.Error("another reason is not told, or not once")
	}
	deny("DescribeUserPool", "no policy allows it, says request 4714")
	if !n.tells() || n.tells() {
		t.Error("that the pool itself cannot be read is not told, or not once")
	}
	n.fake.ClearFaults()
	n.tells()
	deny("DescribeUserPool", "no policy allows it, says request 4715")
	if !n.tells() || n.tells() {
		t.Error("that it cannot be read again is not told, or not once")
	}
}

// TestRefusedForAnotherReason: a setting that cannot be written is told again when something else stands in the way.
func TestRefusedForAnotherReason(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: [{name: all, require: {DeletionProtection: ACTIVE}}]")
	n.fake.Edit(poolID, unprotected)
	for _, c := range []struct {
		message string
		told    bool
	}{{"no policy allows it (request 1)", true}, {"no policy allows it (request 2)", false}, {"a policy denies it (request 3)", true}, {"a policy denies it (request 4)", false}} {
		n.fake.ClearFaults()
		n.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: c.message})
		if n.tells() != c.told {
			t.Errorf("%s: told %v", c.message, !c.told)
		}
	}
}

// TestFlappingIsToldOnceAnHour: somebody else keeps writing a setting, now as required and now not.
func TestFlappingIsToldOnceAnHour(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "flapBudget: {times: 1, minutes: 60}\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]")
	n.fake.Edit(poolID, unprotected)
	n.call()
	told := 0
	for i := range 50 {
		n.fake.Edit(poolID, func(pool, _ map[string]any) { pool["DeletionProtection"] = []string{"INACTIVE", "ACTIVE"}[i%2] })
		if n.tells() {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// TestClientsAreKnownEach: what is wrong with a client is told by its own event, once, whichever clients there are events of in between, and whatever is looked at besides.
func TestClientsAreKnownEach(t *testing.T) {
	t.Parallel()
	n := nightOf(t, "rules: [{name: all, mode: audit, require: {DeletionProtection: ACTIVE}, clients: [{require: {EnableTokenRevocation: true}}]}]")
	n.fake.Edit(poolID, unprotected)
	revokes := func(client string, is bool) {
		n.fake.PutClient(poolID, client, map[string]any{"ClientId": client, "ClientName": client, "UserPoolId": poolID, "EnableTokenRevocation": is})
	}
	of := func(client string) bool {
		request := call("", "Admin", n.time())
		request.Call, request.ClientID = inTable(t, "UpdateUserPoolClient"), client
		out := n.of(request)
		return out.Outcome == reconcile.Drifted && !out.Repeated
	}
	told := map[string]int{}
	for i := range 40 {
		client := []string{"1example23456789client0001", "1example23456789client0002", ""}[i%3]
		if i < 2 {
			revokes(client, false)
		}
		if i == 20 { // the pool itself is looked at all along
			revokes("1example23456789client0001", true)
		}
		if i == 25 {
			revokes("1example23456789client0001", false)
		}
		if client != "" && of(client) || client == "" && n.tells() {
			told[client]++
		}
	}
	if told[""] != 1 || told["1example23456789client0001"] != 2 || told["1example23456789client0002"] != 1 {
		t.Errorf("%v", told)
	}
}
