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
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// A ledgered bench has a ledger and a clock that moves when somebody sleeps.
type ledgered struct {
	bench
	ledger reconcile.Ledger
	mutex  *sync.Mutex
	now    *time.Time
}

func withLedger(t testing.TB) ledgered {
	t.Helper()
	now := clock
	w := ledgered{bench: serve(t, cognitotest.Measured), ledger: ledger.NewMemory(), mutex: &sync.Mutex{}, now: &now}
	w.rich(nil)
	return w
}

// weakened is a pool whose deletion protection somebody took, which is required, and the event of that, a minute later.
func weakened(t testing.TB) (w ledgered, required *baseline.Baseline, request event.Request) {
	t.Helper()
	w, required = withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	request = call("one", "Admin", w.time())
	w.pass(time.Minute)
	return w, required, request
}

func (w ledgered) pass(d time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	*w.now = w.now.Add(d)
}

func (w ledgered) time() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return *w.now
}

// keeper is a process of its own, which remembers nothing but what is in the ledger.
func (w ledgered) keeper(required *baseline.Baseline) *reconcile.Reconciler {
	r := w.reconciler(required)
	r.Ledger, r.OwnRole, r.Now = w.ledger, ownRole, w.time
	r.Sleep = func(ctx context.Context, d time.Duration) error { w.pass(max(d, 0)); return ctx.Err() }
	return r
}

const ownRole = "arn:aws:iam::111122223333:role/Keeper"

// call is the request of an event about an UpdateUserPool by a role, made at a time.
func call(id, role string, at time.Time, named ...string) event.Request {
	return event.Request{Kind: event.One, UserPoolID: poolID, Named: named,
		Call:  tabled("UpdateUserPool"),
		Cause: event.Cause{EventID: id, EventName: "UpdateUserPool", Actor: "arn:aws:sts::111122223333:assumed-role/" + role + "/x", Issuer: "arn:aws:iam::111122223333:role/" + role, Time: at, RequestID: "request-" + id}}
}

// tabled is a call of the table.
func tabled(name string) event.Name {
	table := event.Table()
	return table[slices.IndexFunc(table, func(n event.Name) bool { return n.Name == name })]
}

func (w ledgered) answer(t testing.TB, required *baseline.Baseline, request event.Request) reconcile.Outcome {
	t.Helper()
	out, err := w.keeper(required).Answer(t.Context(), request)
	if err != nil {
		t.Fatalf("answering %s: %v", request.Cause.EventID, err)
	}
	return out
}

// killing are pools whose keeper dies at a write, before it is sent.
type killing struct {
	reconcile.Pools
	passed int // writes that are made before
}

type death struct{}

func (k *killing) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	if k.passed == 0 {
		panic(death{})
	}
	k.passed--
	return k.Pools.Write(ctx, id, request)
}

// kill lets the keeper answer, and kills it before one of its writes.
func (w ledgered) kill(t testing.TB, r *reconcile.Reconciler, request event.Request, passed int) {
	t.Helper()
	r.Pools = &killing{r.Pools, passed}
	defer func() {
		if _, died := recover().(death); !died {
			t.Fatal("it was not killed")
		}
	}()
	_, _ = r.Answer(t.Context(), request)
}

// TestDuplicateEvent delivers an event twice: the second time, Cognito is not called.
func TestDuplicateEvent(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated || out.Record == "" {
		t.Fatalf("%+v", out)
	}
	w.fake.ResetCalls()
	w.fake.Edit(poolID, unprotected) // and yet there is drift: it has an event of its own
	w.pass(time.Minute)
	for range 3 {
		calls := &counting{Ledger: w.ledger}
		keeper := w.keeper(required)
		keeper.Ledger = calls
		out, err := keeper.Answer(t.Context(), request)
		if err != nil || out.Outcome != reconcile.Ignored || !strings.HasPrefix(out.Reason, "the event was handled before") || len(w.fake.Calls()) != 0 || calls.takes != 1 {
			t.Errorf("%v: %+v, after %d calls to Cognito and %d to the ledger", err, out, len(w.fake.Calls()), calls.takes)
		}
	}
}

// TestDeferredEventComesAgain delivers an event again that was deferred: it is no duplicate.
func TestDeferredEventComesAgain(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "UserImportInProgressException"})
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	if _, err := w.keeper(required).Answer(t.Context(), request); err == nil {
		t.Fatal("not deferred")
	}
	w.fake.ClearFaults()
	if out := w.answer(t, required, request); out.Outcome != reconcile.Remediated {
		t.Errorf("%+v", out)
	}
}

// TestOneWriter runs many deliveries about one pool side by side, of different events or of one: no two are at work on it at once, and one write puts it right.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]func(i int) string{"different events": func(i int) string { return fmt.Sprint("event", i) }, "one event": func(int) string { return "event" }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			w.fake.Edit(poolID, unprotected)
			at := w.time()
			w.pass(time.Minute)
			var working sync.WaitGroup
			outcomes := make([]reconcile.Outcome, 20)
			for i := range outcomes {
				working.Go(func() {
					keeper := w.keeper(required)
					keeper.Sleep = func(ctx context.Context, _ time.Duration) error { time.Sleep(10 * time.Millisecond); return ctx.Err() }
					outcomes[i], _ = keeper.Answer(t.Context(), call(id(i), "Admin", at))
				})
			}
			working.Wait()
			if writes := w.writes(); !slices.Equal(writes, []string{"UpdateUserPool"}) {
				t.Errorf("writes: %v", writes)
			}
			remediated := 0
			for _, out := range outcomes {
				switch {
				case out.Outcome == reconcile.Remediated:
					remediated++
				case out.Outcome == reconcile.Ignored && (strings.HasPrefix(out.Reason, "the pool was looked at after this call") || strings.HasPrefix(out.Reason, "the event was handled before")):
				case out.Outcome == reconcile.Deferred && (strings.Contains(out.Reason, "another invocation is at work on the pool") || strings.Contains(out.Reason, "another invocation is handling the same event")):
				default:
					t.Errorf("%s: %s", out.Outcome, out.Reason)
				}
			}
			if remediated != 1 {
				t.Errorf("%d remediations", remediated)
			}
		})
	}
}

// TestHeldPool shows whom a pool is held for: not for whoever else comes while the hold counts, and for them once it has run out.
func TestHeldPool(t *testing.T) {
	t.Parallel()
	w, required, request := weakened(t)
	killed := w.keeper(required)
	w.kill(t, killed, request, 0)
	other := w.keeper(required)
	if out, err := other.Answer(t.Context(), call("two", "Admin", clock.Add(time.Second))); err == nil || !strings.Contains(out.Reason, "another invocation is at work on the pool") {
		t.Errorf("%s: %s", out.Outcome, out.Reason)
	}
	again := w.keeper(required)
	w.pass(time.Minute)
	if out, err := again.Answer(t.Context(), request); err != nil || out.Outcome != reconcile.Remediated {
		t.Errorf("%v: %+v", err, out)
	}
	if out, err := other.Answer(t.Context(), call("two", "Admin", clock.Add(time.Second))); err != nil || out.Outcome != reconcile.Ignored || !strings.HasPrefix(out.Reason, "the pool was looked at after this call") {
		t.Errorf("%v: %+v", err, out)
	}
}

// TestLeftToItsOwnEvent lets a run find damage that it leaves: that of somebody who came while it was at work, or any where it looks because of our own write. The event of the damage puts it right all the same.
func TestLeftToItsOwnEvent(t *testing.T) {
	t.Parallel()
	const required = "DeletionProtection: ACTIVE\nPolicies: {PasswordPolicy: {MinimumLength: 14}}"
	damage := func(pool, _ map[string]any) { object(pool, "Policies", "PasswordPolicy")["MinimumLength"] = 6 }
	for name, c := range map[string]struct {
		role  string
		after func(pool, mfa map[string]any) // our write, before it is verified
		want  reconcile.Word
	}{
		"another setting":  {"Admin", damage, reconcile.Unconverged},
		"the same setting": {"Admin", unprotected, reconcile.Unconverged},
		"our own write":    {"Keeper", nil, reconcile.Drifted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, required)
			w.fake.Edit(poolID, unprotected)
			first := call("first", c.role, w.time())
			w.pass(time.Minute)
			second := call("second", "Admin", w.time())
			if c.after != nil {
				w.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Skip: 1, Times: 1, Then: func(s *cognitotest.Server) {
					w.pass(5 * time.Second)
					second = call("second", "Admin", w.time())
					s.Edit(poolID, c.after)
					w.pass(5 * time.Second)
				}})
			} else {
				w.pass(10 * time.Second)
			}
			if out := w.answer(t, required, first); out.Outcome != c.want {
				t.Fatalf("%s: %s", out.Outcome, out.Reason)
			}
			w.pass(10 * time.Second)
			if out := w.answer(t, required, second); out.Outcome != reconcile.Remediated {
				t.Errorf("%s: %s", out.Outcome, out.Reason)
			}
		})
	}
}

// TestOwnVerifiedWrite delivers the event of a write of ours that was verified: it costs no call. That of a write in our name that we know nothing of does.
func TestOwnVerifiedWrite(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	cause := call("cause", "Admin", w.time())
	w.pass(time.Minute)
	ours := w.answer(t, required, cause)
	own, stranger := call("own", "Keeper", w.time()), call("stranger", "Keeper", w.time())
	own.Cause.RequestID = ours.RequestIDs[0]
	w.pass(time.Minute)
	w.fake.ResetCalls()
	if out := w.answer(t, required, own); out.Outcome != reconcile.Ignored || out.Reason != "the event is of our own write, which was verified" || len(w.fake.Calls()) != 0 {
		t.Errorf("%s: %s, after %d calls", out.Outcome, out.Reason, len(w.fake.Calls()))
	}
	if out := w.answer(t, required, stranger); out.Outcome != reconcile.Unchanged || len(w.fake.Calls()) == 0 {
		t.Errorf("%s: %s, after %d calls", out.Outcome, out.Reason, len(w.fake.Calls()))
	}
}

// TestFlapBudget lets another automation set a setting back each time: the budget is spent, and then the setting is left and both are named, once.
func TestFlapBudget(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nflapBudget: {times: 3, minutes: 30}\nrules: [{name: all, require: {DeletionProtection: ACTIVE, MfaConfiguration: {oneOf: [ON, OPTIONAL]}}}]")
	var words []reconcile.Word
	var last reconcile.Outcome
	for i := range 5 {
		w.fake.Edit(poolID, unprotected)
		request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
		w.pass(time.Minute)
		last = w.answer(t, required, request)
		words = append(words, last.Outcome)
		if i == 3 && last.Repeated {
			t.Error("the first time, people have to be told")
		}
	}
	if want := []reconcile.Word{reconcile.Remediated, reconcile.Remediated, reconcile.Remediated, reconcile.Unconverged, reconcile.Unconverged}; !slices.Equal(words, want) {
		t.Fatalf("%v, want %v", words, want)
	}
	if want := "it was written 3 times within 30 minutes, and role terraform-ci set it 4 times after us"; !last.Repeated && !strings.Contains(last.Reason, want) {
		t.Errorf("repeated %v: %s", last.Repeated, last.Reason)
	}
	if len(last.Drifts) != 1 || last.Drifts[0].Left != reconcile.LeftFlapping {
		t.Errorf("%+v", last.Drifts)
	}
	if len(w.writes()) != 3 {
		t.Errorf("writes: %v", w.writes())
	}
	// Once the remediations are long past, it is put right again.
	w.pass(30 * time.Minute)
	if out := w.answer(t, required, call("later", "terraform-ci", w.time())); out.Outcome != reconcile.Remediated {
		t.Errorf("%s: %s", out.Outcome, out.Reason)
	}
}

// TestFlapBudgetOfTheFast lets another automation set a setting back before the write of it is read back: such writes count too, and the budget ends them.
func TestFlapBudgetOfTheFast(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), parse(t, "version: 1\nflapBudget: {times: 3, minutes: 30}\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]")
	w.fake.Edit(poolID, unprotected)
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Change: unprotected})
	told := 0
	for i := range 10 {
		request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
		w.pass(time.Minute)
		out := w.answer(t, required, request)
		if out.Outcome != reconcile.Unconverged || i >= 3 && !strings.Contains(out.Reason, "it was written 3 times within 30 minutes, and 3 times it did not hold, while role terraform-ci called 3 times: another automation") && !out.Repeated {
			t.Errorf("event %d: %s (%s)", i, out.Outcome, out.Reason)
		}
		if !out.Repeated {
			told++
		}
	}
	if len(w.writes()) != 3 || told != 4 {
		t.Errorf("%d writes, told %d times", len(w.writes()), told)
	}
}

// TestLostUpdate tells of a change that was made between our read and our write, and of which Cognito took both.
func TestLostUpdate(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, deletionProtection)
	w.fake.Edit(poolID, unprotected)
	cause := call("cause", "Mallory", w.time())
	w.pass(time.Minute)
	var theirs event.Request
	w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(s *cognitotest.Server) {
		// Their change is there a moment before ours is, which was planned without it.
		w.pass(time.Second)
		theirs = call("theirs", "Admin", w.time(), "userPoolId", "userPoolTags", "policies")
		s.Edit(poolID, func(pool, _ map[string]any) { object(pool, "UserPoolTags")["team"] = "new" })
		w.pass(time.Second)
	}})
	ours := w.answer(t, required, cause)
	w.pass(time.Minute)
	out := w.answer(t, required, theirs)
	lost := map[string]reconcile.Drift{}
	for _, d := range out.Drifts {
		lost[d.Setting] = d
	}
	d := lost["UserPoolTags"]
	if out.Outcome != reconcile.Drifted || len(lost) != 2 || d.State != reconcile.Reported || d.Want != "what role Admin set" || d.Rule != "every-pool" ||
		!strings.Contains(d.Reason, "between our read and our UpdateUserPool") || !strings.Contains(d.Reason, ours.Record) {
		t.Errorf("%s: %+v", out.Outcome, out.Drifts)
	}
	// A call that was made before we read, one after we wrote, and our own are no lost updates.
	for name, request := range map[string]event.Request{"before": call("before", "Admin", clock.Add(30*time.Second), "policies"), "after": call("after", "Admin", clock.Add(63*time.Second), "policies"),
		"our own": func() event.Request {
			r := call("own", "Operator", clock.Add(61*time.Second), "policies")
			r.Cause.RequestID = ours.RequestIDs[0]
			return r
		}()} {
		w.pass(time.Minute)
		if out := w.answer(t, required, request); len(out.Drifts) != 0 {
			t.Errorf("%s: %s: %+v", name, out.Outcome, out.Drifts)
		}
	}
}

// TestLostUpdateOfWhatIsRequired: a call of the second of our write that came after it, and weakened what we had put right, has lost nothing of that: it is put right once more, and said so.
func TestLostUpdateOfWhatIsRequired(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused bool
		want    reconcile.Word
		state   reconcile.DriftState
	}{"put right": {false, reconcile.Remediated, reconcile.Fixed}, "refused": {true, reconcile.Unfixable, reconcile.NotFixable}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			w.fake.Edit(poolID, unprotected)
			theirs := call("theirs", "Mallory", w.time(), "userPoolId", "deletionProtection", "policies")
			w.answer(t, required, call("cause", "Mallory", w.time()))
			w.fake.Edit(poolID, unprotected)
			w.pass(time.Minute)
			if c.refused {
				w.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Error: "AccessDeniedException", Message: "no"})
			}
			out := w.answer(t, required, theirs)
			if out.Outcome != c.want || !slices.Equal(out.Overwritten, []string{"Policies"}) {
				t.Errorf("%s (%s), overwritten %v", out.Outcome, out.Reason, out.Overwritten)
			}
			var states []reconcile.DriftState
			for _, d := range out.Drifts {
				if d.Setting == "DeletionProtection" {
					states = append(states, d.State)
				}
			}
			if !slices.Equal(states, []reconcile.DriftState{c.state}) {
				t.Errorf("DeletionProtection is told as %v", states)
			}
		})
	}
}

// counting counts what is taken of a ledger that takes no other call.
type counting struct {
	reconcile.Ledger
	takes int
}

func (c *counting) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	c.takes++
	return c.Ledger.Take(ctx, key, owner, now, until)
}

func (c *counting) Keep(context.Context, reconcile.Key, string, []byte, time.Time) (bool, error) {
	c.takes += 100
	return true, nil
}

// broken is a ledger that fails at some of its calls.
type broken struct {
	reconcile.Ledger
	fails string
}

var errLedger = errors.New("the ledger is out of order")

func (b broken) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	if b.fails == "take "+string(key.Kind) {
		return nil, false, errLedger
	}
	return b.Ledger.Take(ctx, key, owner, now, until)
}

func (b broken) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	if b.fails == "keep "+string(key.Kind) {
		return false, errLedger
	}
	return b.Ledger.Keep(ctx, key, owner, note, until)
}

func (b broken) Put(ctx context.Context, r reconcile.Record) error {
	if b.fails == "put" {
		return errLedger
	}
	return b.Ledger.Put(ctx, r)
}

func (b broken) Records(ctx context.Context, pool string, from time.Time) ([]reconcile.Record, error) {
	if b.fails == "records" {
		return nil, errLedger
	}
	return b.Ledger.Records(ctx, pool, from)
}

// TestBrokenLedger breaks each call to the ledger: the pool is put right all the same, and the fault is told.
func TestBrokenLedger(t *testing.T) {
	t.Parallel()
	for _, fails := range []string{"take event", "take pool", "keep pool", "keep event", "put", "records"} {
		t.Run(fails, func(t *testing.T) {
			t.Parallel()
			w, required := withLedger(t), require(t, deletionProtection)
			w.ledger = broken{w.ledger, fails}
			w.fake.Edit(poolID, unprotected)
			request := call("one", "Admin", w.time())
			w.pass(time.Minute)
			out := w.answer(t, required, request)
			if out.Outcome != reconcile.Remediated || len(out.LedgerFaults) == 0 || !strings.Contains(out.LedgerFaults[0], errLedger.Error()) {
				t.Errorf("%s, faults %q", out.Outcome, out.LedgerFaults)
			}
			// It is an event of its own that the pool is judged by next.
			w.pass(2 * time.Minute)
			if out := w.answer(t, required, call("two", "Admin", w.time())); out.Outcome != reconcile.Unchanged {
				t.Errorf("%s: %s", out.Outcome, out.Reason)
			}
		})
	}
}

// TestKilledBetweenTwoWrites kills the process after SetUserPoolMfaConfig, which took the pool's sender of text messages with it, and before UpdateUserPool, which would have given it back. The
// event, delivered again, gives it back.
func TestKilledBetweenTwoWrites(t *testing.T) {
	t.Parallel()
	w, required := withLedger(t), require(t, "SmsMfaConfiguration: {absent: true}")
	w.fake.Edit(poolID, func(pool, _ map[string]any) {
		pool["AutoVerifiedAttributes"], pool["UserAttributeUpdateSettings"] = list("email"), map[string]any{"AttributesRequireVerificationBeforeUpdate": list("email")}
		object(pool, "Policies", "SignInPolicy")["AllowedFirstAuthFactors"] = list("PASSWORD")
	})
	before := w.snapshot(t)
	request := call("one", "Admin", w.time())
	w.pass(time.Minute)
	w.kill(t, w.keeper(required), request, 1)
	if pool, _, _ := w.fake.Pool(poolID); pool["SmsConfiguration"] != nil {
		t.Fatal("the write took nothing: the test shows nothing")
	}
	w.pass(2 * time.Minute)
	out := w.answer(t, required, request)
	moved := difference(before, w.snapshot(t))
	for _, path := range moved {
		if !strings.HasPrefix(path, "mfa:SmsMfaConfiguration") {
			t.Errorf("%s moved from %s, after %s (%s)", path, before[path], out.Outcome, out.Reason)
		}
	}
	if len(moved) == 0 {
		t.Error("nothing was put right")
	}
}
