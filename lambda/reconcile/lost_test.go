package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
)

// TestLostUpdate reports a call that was made between our read and our write, and that Cognito accepted too.
func TestLostUpdate(t *testing.T) {
	t.Parallel()
	w, required, cause := weakened(t)
	var theirs event.Request
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(s *cognitotest.Server) {
		// Their change is there a moment before ours is, which was decided without it.
		w.pass(time.Second)
		theirs = call("theirs", "Admin", w.time(), "userPoolId", "userPoolTags", "policies")
		s.Edit(poolID, sets("UserPoolTags.team", "new"))
		w.pass(time.Second)
	}})
	our := w.answer(t, required, cause)
	w.pass(time.Minute)
	out := w.answer(t, required, theirs)
	if out.Outcome != outcome.Drifted || len(out.Drifts) != 1 || out.Drifts[0].Code != outcome.CodeLostUpdate {
		t.Fatalf("%s (%s): %+v", out.Outcome, out.Reason, out.Drifts)
	}
	for _, part := range []string{"UpdateUserPool was called by arn:aws:sts::111122223333:assumed-role/Admin/x at ",
		"between poolkeeper's read and its UpdateUserPool", "userPoolTags, policies", our.Record} {
		if !strings.Contains(out.Drifts[0].Reason, part) {
			t.Errorf("%q does not say %q", out.Drifts[0].Reason, part)
		}
	}
}

// TestLostUpdateOfWhatIsRequired: a call of the second of our write that came after it, and weakened what we had put
// right, is put right once more, whether or not it lost something else.
func TestLostUpdateOfWhatIsRequired(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	theirs := call("theirs", "Mallory", w.time(), "userPoolId", "deletionProtection", "policies")
	w.answer(t, required, call("cause", "Mallory", w.time()))
	w.fake.Edit(poolID, unprotected)
	w.pass(time.Minute)
	out := w.answer(t, required, theirs)
	if out.Outcome != outcome.Remediated || !hasCode(out, outcome.CodeLostUpdate) ||
		states(out)["DeletionProtection"] != outcome.StateFixed {
		t.Errorf("%s (%s), %+v", out.Outcome, out.Reason, out.Drifts)
	}
}

// TestLostToTheKilled reports a change that was made while a process was at a write of which nobody knows whether it
// was made.
func TestLostToTheKilled(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	w.kill(t, required, request, 0)
	w.pass(10 * time.Second)
	theirs := call("theirs", "Other", w.time(), "userPoolTags")
	w.pass(2 * time.Minute)
	out := w.answer(t, required, theirs)
	says := "between poolkeeper's read and its UpdateUserPool at an unknown time"
	if !hasCode(out, outcome.CodeLostUpdate) || !strings.Contains(out.Reason, says) {
		t.Errorf("%s (%s)", out.Outcome, out.Reason)
	}
}

// A lostCase is an event and a write of ours, and whether the write may have undone the event's call.
type lostCase struct {
	change   func(r *event.Request)
	document baseline.DocumentName
	status   outcome.WriteStatus
	want     bool
}

// TestLostUpdates decides by the times of the call and of our write, by the documents, and by who made the call.
func TestLostUpdates(t *testing.T) {
	t.Parallel()
	at := func(s float64) func(*event.Request) {
		return func(r *event.Request) { r.Cause.Time = clock.Add(time.Duration(s * float64(time.Second))) }
	}
	ofClient := func(id string) func(*event.Request) {
		return func(r *event.Request) { r.Call, r.ClientID = tabled("UpdateUserPoolClient"), id }
	}
	ours := baseline.AppClient.Of(web)
	sets := func(names ...string) func(*event.Request) {
		return func(r *event.Request) { r.Named = append([]string{"userPoolId"}, names...) }
	}
	tagged := func(r *event.Request) { r.Call, r.Named = tabled("TagResource"), []string{"resourceArn", "tags"} }
	logs := func(r *event.Request) { r.Call = tabled("SetLogDeliveryConfiguration") }
	pool, accepted := baseline.UserPool, outcome.Accepted
	for name, c := range map[string]lostCase{
		"between the read and the write":       {at(12), pool, accepted, true},
		"in the second of the read":            {at(10), pool, accepted, true},
		"before the read":                      {at(9), pool, accepted, false},
		"when the write was answered":          {at(15), pool, accepted, true},
		"after the write":                      {at(16), pool, accepted, false},
		"the write was refused":                {at(12), pool, outcome.Refused, false},
		"the response was lost":                {at(12), pool, outcome.Unclear, true},
		"no answer yet":                        {at(12), pool, outcome.Intended, true},
		"of another document":                  {logs, pool, accepted, false},
		"of that document":                     {logs, baseline.LogDelivery, accepted, true},
		"a document that holds the same fact":  {sets("mfaConfiguration"), baseline.MfaConfig, accepted, true},
		"a document that holds none of it":     {at(12), baseline.MfaConfig, accepted, false},
		"a side effect of the call":            {at(12), baseline.RiskConfiguration, accepted, false},
		"tags":                                 {tagged, pool, accepted, true},
		"of the same client":                   {ofClient(web), ours, accepted, true},
		"of another client":                    {ofClient("mobile"), ours, accepted, false},
		"of a client that CloudTrail left out": {ofClient(""), ours, accepted, true},
		"the call made a new pool": {func(r *event.Request) { r.Call = tabled("CreateUserPool") }, pool,
			accepted, false},
		"the call changes no document": {func(r *event.Request) { r.Call = tabled("CreateGroup") }, pool,
			accepted, false},
		"the write answers this very call": {func(r *event.Request) { r.Cause.EventID = "cause" }, pool,
			accepted, false},
		"the event is of the write": {func(r *event.Request) { r.Cause.RequestID = "ours" }, pool, accepted, false},
		"an event without a time":   {func(r *event.Request) { r.Cause.Time = time.Time{} }, pool, accepted, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := call("theirs", "Admin", clock.Add(12*time.Second), "policies")
			c.change(&request)
			sent := outcome.Sent{Call: "Update", Document: c.document, Status: c.status, RequestID: "ours",
				Read: clock.Add(10500 * time.Millisecond), At: clock.Add(15 * time.Second)}
			found := outcome.LostUpdates(request, []outcome.Record{{ID: "r", Cause: event.Cause{EventID: "cause"},
				Sent: []outcome.Sent{sent}}})
			if (len(found) == 1) != c.want || len(found) > 1 {
				t.Errorf("%+v", found)
			}
		})
	}
}

// TestCovered: an event whose call was made well before the last read of this process asks nothing of Cognito, if that
// read covered what the call can change and left no drift.
func TestCovered(t *testing.T) {
	t.Parallel()
	watch := "version: 1\nrules: [{name: all, watch: [groups], require: {DeletionProtection: ACTIVE}}]"
	type how struct {
		before  func(w bench)          // the first run
		change  func(r *event.Request) // of the second request
		covered bool
	}
	for name, c := range map[string]how{
		"made before the read":    {covered: true},
		"made a second before it": {change: func(r *event.Request) { r.Cause.Time = clock.Add(59 * time.Second) }},
		"made after the read":     {change: func(r *event.Request) { r.Cause.Time = clock.Add(2 * time.Minute) }},
		"of our own role":         {change: func(r *event.Request) { r.Cause.Issuer = ownRole }},
		"without a time":          {change: func(r *event.Request) { r.Cause.Time = time.Time{} }},
		"of something watched": {change: func(r *event.Request) {
			r.Call, r.Subject = event.Name{Name: "CreateGroup", Watched: "groups", Happened: "created"}, "admins"
		}},
		"of a deletion":               {change: func(r *event.Request) { r.Call.Name = event.DeleteUserPool }},
		"after a read that put right": {covered: true, before: func(w bench) { w.fake.Edit(poolID, unprotected) }},
		"after a read that left drift": {before: func(w bench) {
			w.fake.Edit(poolID, unprotected)
			w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withLedger(t)
			w.pass(time.Minute)
			if c.before != nil {
				c.before(w)
			}
			r := w.reconciler(parse(t, watch))
			if _, err := deliver(t.Context(), r, onPool(event.Cause{EventID: "scan"})); err != nil {
				t.Fatal(err)
			}
			w.fake.ClearFaults()
			w.fake.ResetCalls()
			w.pass(5 * time.Minute)
			request := call("late", "Admin", clock)
			if c.change != nil {
				c.change(&request)
			}
			out, err := deliver(t.Context(), r, request)
			if err != nil || (len(w.fake.Calls()) == 0) != c.covered {
				t.Errorf("%s (%s) after %d calls: %v", out.Outcome, out.Reason, len(w.fake.Calls()), err)
			}
			if c.covered && (out.Outcome != outcome.Unchanged || !strings.Contains(out.Reason, "showed no drift")) {
				t.Errorf("%s (%s)", out.Outcome, out.Reason)
			}
		})
	}
}
