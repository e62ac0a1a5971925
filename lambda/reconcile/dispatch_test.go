package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// An account has pools that are listed page by page, and nothing else.
type account struct {
	reconcile.Pools
	ids     []string
	page    int
	expires int // the List call, counted from 1, that refuses its token; 0 is none
	lists   int
}

func (a *account) List(ctx context.Context, token string) ([]string, string, error) {
	time.Sleep(150 * time.Millisecond)
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	if a.lists++; a.lists == a.expires && token != "" {
		return nil, "", &userpool.Error{Call: "ListUserPools", Class: userpool.ClassRefused, Code: "InvalidParameterException", Message: "the token has expired"}
	}
	from, _ := strconv.Atoi(token)
	to := min(from+a.page, len(a.ids))
	next := ""
	if to < len(a.ids) {
		next = strconv.Itoa(to)
	}
	return slices.Clone(a.ids[from:to]), next, nil
}

// A line is a bus that takes some entries and refuses others, and hands on what it took when it is asked.
type line struct {
	refuses  func() bool
	failures int // entries that were refused
	took     []time.Time
	pools    map[string]int
	sweeps   map[time.Time]int
	waiting  [][]byte // events that go on with a sweep
	sees     func(event.Request)
	nobodys  int // entries that do not name the function "keeper"
}

func (l *line) Put(_ context.Context, entries []reconcile.Entry) ([]reconcile.Entry, error) {
	time.Sleep(20 * time.Millisecond)
	var left []reconcile.Entry
	for _, e := range entries {
		if l.refuses != nil && l.refuses() {
			left, l.failures = append(left, e), l.failures+1
			continue
		}
		var to struct{ Function string }
		if json.Unmarshal([]byte(e.Detail), &to) != nil || to.Function != "keeper" {
			l.nobodys++
		}
		payload := delivered(e)
		request := event.Decode(payload, event.Home{})
		if l.sees != nil {
			l.sees(request)
		}
		switch request.Kind {
		case event.One:
			l.took = append(l.took, time.Now())
			l.pools[request.UserPoolID]++
			l.sweeps[request.Sweep.Started]++
		case event.All:
			l.waiting = append(l.waiting, payload)
		default:
			return left, fmt.Errorf("the function would ignore %s", payload)
		}
	}
	if len(left) > 0 {
		return left, errors.New("InternalFailure: the bus took not all")
	}
	return nil, nil
}

// delivered is an entry as EventBridge hands it to a target.
func delivered(e reconcile.Entry) []byte {
	payload, _ := json.Marshal(map[string]any{"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "source": event.Source, "detail-type": e.DetailType, "account": "111122223333",
		"time": "2026-11-01T12:00:00Z", "region": "eu-west-1", "resources": []any{}, "detail": json.RawMessage(e.Detail)})
	return payload
}

// full runs a sweep to its end by the clock of the bubble, as Lambda would: each invocation has so much time, and one that fails comes twice more. It returns the invocations, how many of them failed,
// what they said, and whether an event failed three times and was given up on.
func full(r *reconcile.Reconciler, l *line, first []byte, allowed time.Duration) (invocations, failed int, said []string, givenUp bool) {
	for l.waiting = [][]byte{first}; len(l.waiting) > 0; {
		payload := l.waiting[0]
		l.waiting = l.waiting[1:]
		for tries := 1; ; tries++ {
			ctx, cancel := context.WithTimeout(context.Background(), allowed)
			result, err := r.Handle(ctx, payload, event.Home{}, func(reconcile.Outcome) {})
			cancel()
			invocations++
			said = append(said, result.(reconcile.Sweeping).Reason)
			if err == nil {
				break
			}
			failed++
			if tries == 3 {
				givenUp = true
				break
			}
			time.Sleep(time.Minute)
		}
	}
	return invocations, failed, said, givenUp
}

const anySweep = `{"source": "poolkeeper", "detail-type": "Sweep", "detail": {"reason": "schedule"}}`

func poolIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("eu-west-1_Pool%05d", i)
	}
	return ids
}

// TestDispatchIsExact: whatever the pages, the time of an invocation and what the bus refuses, a sweep sends each pool that may be selected once, and no other. Once an invocation had to come again, or a token was refused,
// each comes once at least. They never come faster than the rates of the API allow, and each names the function that is to answer.
func TestDispatchIsExact(t *testing.T) {
	t.Parallel()
	everyPool := require(t, deletionProtection)
	rapid.Check(t, func(rt *rapid.T) {
		a := &account{ids: poolIDs(rapid.IntRange(0, 700).Draw(rt, "pools")), page: rapid.IntRange(1, 60).Draw(rt, "page"), expires: rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(rt, "expires")}
		allowed := time.Duration(rapid.IntRange(125, 900).Draw(rt, "seconds")) * time.Second
		odds := rapid.SampledFrom([]float64{0, 0, 0.1, 0.4}).Draw(rt, "refused")
		random := rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed")))
		required, wanted := everyPool, a.ids
		if len(a.ids) > 2 && rapid.Bool().Draw(rt, "named") {
			wanted = a.ids[len(a.ids)/3 : len(a.ids)/2+1]
			var err error
			if required, err = baseline.Parse("ids.yaml", []byte("version: 1\nrules: [{name: a, pools: {ids: ["+strings.Join(wanted, ", ")+"]}, require: {DeletionProtection: ACTIVE}}]")); err != nil {
				rt.Fatal(err)
			}
		}
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, refuses: func() bool { return random.Float64() < odds }}
		var failed, invocations int
		var said []string
		var givenUp bool
		synctest.Test(t, func(*testing.T) {
			r := reconcile.New(a, required, "")
			r.Bus, r.Function = l, "keeper"
			invocations, failed, said, givenUp = full(r, l, []byte(anySweep), allowed)
		})
		again := failed > 0 || strings.Contains(strings.Join(said, "\n"), "began again at the first")
		for _, id := range a.ids {
			n, want := l.pools[id], 0
			if slices.Contains(wanted, id) {
				want = 1
			}
			// What is given up on lies in the queue of what failed.
			if n > want && (!again || want == 0) || n < want && !givenUp {
				rt.Fatalf("%s was sent %d times, want %d (%d invocations, %d failed: %q)", id, n, want, invocations, failed, said)
			}
		}
		if l.nobodys > 0 {
			rt.Fatalf("%d events are for whoever hears of them", l.nobodys)
		}
		if len(l.sweeps) > 1 && failed == 0 {
			rt.Fatalf("the pools are of %d sweeps", len(l.sweeps))
		}
		level := 0.0 // of a bucket that holds what five pools a second may take
		for i, at := range l.took {
			if i > 0 {
				level = max(0, level-at.Sub(l.took[i-1]).Seconds()*5)
			}
			if level++; level > 5.001 {
				rt.Fatalf("pool %d was sent too soon after those before it", i)
			}
		}
	})
}

// TestRestartInAnotherInvocation lets the token of a page be refused when there is no time left to begin again: the next invocation does so, and it is the same sweep, which begins again once only.
func TestRestartInAnotherInvocation(t *testing.T) {
	t.Parallel()
	a, l := &account{ids: poolIDs(39), page: 38, expires: 2}, &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
	required := require(t, deletionProtection)
	synctest.Test(t, func(*testing.T) {
		r := reconcile.New(a, required, "")
		r.Bus = l
		if _, failed, said, _ := full(r, l, []byte(anySweep), 128*time.Second); failed != 0 || len(l.sweeps) != 1 || len(l.pools) != 39 || !strings.Contains(said[0], "began again at the first") {
			t.Errorf("%d failed, %d sweeps of %d pools: %q", failed, len(l.sweeps), len(l.pools), said)
		}
	})
}

// TestDispatchTenThousand: there is no number of pools at which a sweep of 15 minutes an invocation ends early.
func TestDispatchTenThousand(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
		r := reconcile.New(&account{ids: poolIDs(10_000), page: 60}, required, "")
		r.Bus = l
		begun := time.Now()
		invocations, failed, said, _ := full(r, l, []byte(anySweep), 15*time.Minute)
		if invocations != 3 || failed != 0 || len(l.pools) != 10_000 || len(l.took) != 10_000 || len(l.sweeps) != 1 {
			t.Errorf("%d invocations, %d failed, %d pools sent %d times in %d sweeps: %q", invocations, failed, len(l.pools), len(l.took), len(l.sweeps), said)
		}
		if !strings.Contains(said[0], "the sweep goes on in another invocation") || said[2] != "" {
			t.Errorf("%q", said)
		}
		if took := time.Since(begun); took < 2000*time.Second || took > 2200*time.Second {
			t.Errorf("at 5 pools a second, 10,000 took %s", took)
		}
	})
}

// TestDispatchGivesUp: what a sweep cannot send is said, with how many, and left to be tried again; nothing goes on without end.
func TestDispatchGivesUp(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	sweep := func(detail string) []byte {
		return []byte(`{"source": "poolkeeper", "detail-type": "Sweep", "detail": ` + detail + `}`)
	}
	never := func() bool { return true }
	for name, c := range map[string]struct {
		payload    []byte
		account    account
		refuses    func() bool
		allowed    time.Duration
		says       string
		dispatched int
		lists      int
	}{
		"a bus that takes nothing": {[]byte(anySweep), account{page: 60}, never, 15 * time.Minute, "60 pools of this page could not be sent", 0, 1},
		"a bus that takes some":    {[]byte(anySweep), account{page: 60}, afterwards(7, never), 15 * time.Minute, "53 pools of this page could not be sent", 7, 1},
		"a bus that takes no more": {[]byte(anySweep), account{page: 60}, afterwards(60, never), 130 * time.Second, "the event that goes on with the sweep could not be sent", 60, 1},
		"no time for a page":       {[]byte(anySweep), account{page: 60}, nil, 100 * time.Second, "there is no time for a single page of pools: the function has to have more than 2m0s", 0, 0},
		"a sweep without an end":   {sweep(`{"token": "60", "started": "1999-12-31T12:00:00Z", "pools": 6000}`), account{page: 60}, nil, 15 * time.Minute, "6000 pools later there is no end to it", 6000, 0},
		"a token refused twice":    {sweep(`{"token": "60", "started": "1999-12-31T23:59:00Z", "pools": 60, "restarted": true}`), account{page: 60, expires: 1}, nil, 15 * time.Minute, "the token has expired", 60, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c.account.ids = poolIDs(200)
				l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, refuses: c.refuses}
				r := reconcile.New(&c.account, required, "")
				r.Bus = l
				ctx, cancel := context.WithTimeout(t.Context(), c.allowed)
				defer cancel()
				result, err := r.Handle(ctx, c.payload, event.Home{}, func(reconcile.Outcome) { t.Error("a pool was looked at") })
				var later *reconcile.DeferredError
				got := result.(reconcile.Sweeping)
				if !errors.As(err, &later) || got.Outcome != reconcile.Deferred || got.Dispatched != c.dispatched || !strings.Contains(err.Error(), c.says) || !strings.Contains(got.Reason, c.says) {
					t.Errorf("%+v: %v", got, err)
				}
				if c.account.lists != c.lists || len(l.waiting) > 0 {
					t.Errorf("%d pages were read, want %d, and %d sweeps go on", c.account.lists, c.lists, len(l.waiting))
				}
			})
		})
	}
}

// TestDispatchTriesAgain: what the bus refuses three times is sent the fourth, each time after a longer wait, and only that.
func TestDispatchTriesAgain(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		// The first two of five pass; the other three are refused three times.
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}, refuses: func() bool { asked++; return asked > 2 && asked <= 11 }}
		r := reconcile.New(&account{ids: poolIDs(5), page: 60}, required, "")
		r.Bus, r.Jitter = l, func(d time.Duration) time.Duration { return d }
		_, failed, _, _ := full(r, l, []byte(anySweep), 15*time.Minute)
		if failed != 0 || len(l.took) != 5 || len(l.pools) != 5 || l.failures != 9 {
			t.Fatalf("%d failed, %d of 5 pools were sent, %d refused", failed, len(l.took), l.failures)
		}
		if waited := l.took[4].Sub(l.took[1]); waited != 3500*time.Millisecond+3*20*time.Millisecond {
			t.Errorf("it waited %s", waited)
		}
	})
}

// afterwards lets n entries pass first.
func afterwards(n int, refuses func() bool) func() bool {
	return func() bool { n--; return n < 0 && refuses() }
}

// TestDispatchBeginsAgain: a token that ran out, as one of a redelivered event may have, begins the sweep anew, says so, and does it once.
func TestDispatchBeginsAgain(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	synctest.Test(t, func(t *testing.T) {
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
		r := reconcile.New(&account{ids: poolIDs(900), page: 60, expires: 1}, required, "")
		r.Bus = l
		first := []byte(`{"source": "poolkeeper", "detail-type": "Sweep", "detail": {"token": "840", "started": "1999-12-31T23:59:00Z", "pools": 840}}`)
		invocations, failed, said, _ := full(r, l, first, 4*time.Minute)
		if failed != 0 || invocations != 2 || len(l.took) != 900 || !strings.Contains(said[0], "began again at the first") {
			t.Errorf("%d invocations, %d failed, %d pools: %q", invocations, failed, len(l.took), said)
		}
		var started []time.Time
		for at := range l.sweeps {
			started = append(started, at.UTC())
		}
		if len(started) != 1 || !started[0].Equal(time.Date(1999, 12, 31, 23, 59, 0, 0, time.UTC)) {
			t.Errorf("the sweep is now of %v", started)
		}
	})
}

// TestSweepOfLeftOutRequest: an event of which CloudTrail left out the pool goes the same way, and says why.
func TestSweepOfLeftOutRequest(t *testing.T) {
	t.Parallel()
	required := require(t, deletionProtection)
	payload, err := os.ReadFile("../event/testdata/request-null.json")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := &line{pools: map[string]int{}, sweeps: map[time.Time]int{}}
		r := reconcile.New(&account{ids: poolIDs(3), page: 60}, required, "")
		r.Bus = l
		result, err := r.Handle(t.Context(), payload, event.Home{}, func(reconcile.Outcome) {})
		if got := result.(reconcile.Sweeping); err != nil || got.Dispatched != 3 || got.Outcome != reconcile.Swept || !strings.Contains(got.Reason, "CloudTrail left out") {
			t.Errorf("%+v: %v", got, err)
		}
	})
}
