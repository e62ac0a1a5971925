package reconcile_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/reconcile"
)

const (
	loadPools      = 1000
	loadEvents     = 10000
	loadDuplicates = loadEvents / 20
	loadTime       = 500 * time.Second // in which the calls are made: 19 a second, half of them of UpdateUserPool
	loadHead       = 30 * time.Second  // the first calls are made so long before the first event is delivered: there is a backlog
)

var (
	administrator = cognitotest.Actor{Kind: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/Admin/someone", IssuerARN: "arn:aws:iam::111122223333:role/Admin"}
	keeperActor   = cognitotest.Actor{Kind: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/Keeper/keeper", IssuerARN: ownRole}
)

const loadBaseline = `
Policies: {PasswordPolicy: {MinimumLength: 14}}
SoftwareTokenMfaConfiguration: {Enabled: true}
`

// loadCalls are what is done to pools, in turn: a third of the calls damage what the baseline requires, each with a change of its own to something that is nobody's.
var loadCalls = []struct {
	operation string
	damage    func(pool, mfa map[string]any, n int) // of what is required, or nil
	edit      func(pool, mfa map[string]any, n int) // of all else
}{
	{"UpdateUserPool", weaken, tag("weakened")},
	{"UpdateUserPool", nil, tag("updated")},
	{"UpdateUserPool", nil, func(_, _ map[string]any, _ int) {}},
	{"SetUserPoolMfaConfig", disable, func(_, mfa map[string]any, n int) {
		object(mfa, "WebAuthnConfiguration")["RelyingPartyId"] = fmt.Sprintf("login-%d.example.com", n)
	}},
	{"TagResource", nil, tag("tagged")},
	{"SetUserPoolMfaConfig", nil, func(_, _ map[string]any, _ int) {}},
}

func weaken(pool, _ map[string]any, n int) {
	object(pool, "Policies", "PasswordPolicy")["MinimumLength"] = json.Number(fmt.Sprint(6 + n%8))
}

func disable(_, mfa map[string]any, _ int) {
	object(mfa, "SoftwareTokenMfaConfiguration")["Enabled"] = false
}

func tag(name string) func(pool, mfa map[string]any, n int) {
	return func(pool, _ map[string]any, n int) { object(pool, "UserPoolTags")[name] = fmt.Sprint(n) }
}

func loadPool(i int) string { return fmt.Sprintf("eu-west-1_Load%05d", i) }

// A load is what was done to the pools, as the test itself keeps it.
type load struct {
	*region
	t        *testing.T
	rng      *rand.Rand
	wanted   map[string][2]map[string]any // by pool: as it would be if nobody had damaged what is required
	damaged  map[string]int               // by pool and operation: damage that no write has answered yet
	damages  int
	doubled  []string     // writes of ours that no damage asked for
	happened []occurrence // first deliveries of the events of others
}

// TestLoad delivers 10,000 events about 1,000 pools, shuffled, a third of them of damage, some twice, and on top of them the events of the keeper's own writes.
func TestLoad(t *testing.T) {
	t.Parallel()
	required := require(t, loadBaseline)
	for name, concurrency := range map[string]int{"100 at once": 100, "1,000 at once": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { deliverLoad(t, required, concurrency) })
		})
	}
}

func deliverLoad(t *testing.T, required *baseline.Baseline, concurrency int) {
	l := &load{region: newRegion(required, concurrency), t: t, rng: rand.New(rand.NewPCG(7, 4)), wanted: map[string][2]map[string]any{}, damaged: map[string]int{}}
	l.wrote = l.answered
	for i := range loadPools {
		pool, mfa := cognitotest.Rich()
		delete(pool, "Arn")
		l.fake.Put(loadPool(i), pool, mfa)
		pool, mfa, _ = l.fake.Pool(loadPool(i))
		l.wanted[loadPool(i)] = [2]map[string]any{pool, mfa}
	}
	opening := time.Now().Add(loadHead)
	l.administrate(opening)
	l.queued.Wait()
	l.judge(opening)
}

// administrate makes the calls, and has their events delivered from the opening on, each some seconds after its call, and some of them again within two minutes.
func (l *load) administrate(opening time.Time) {
	order := l.rng.Perm(loadEvents - loadDuplicates)
	gap := loadTime / time.Duration(len(order))
	for i, n := range order {
		kind := loadCalls[n%len(loadCalls)]
		id := loadPool(n / len(loadCalls) % loadPools)
		if kind.damage == nil {
			id = loadPool(l.rng.IntN(loadPools))
		}
		delays := []time.Duration{4*time.Second + l.upTo(25*time.Second)}
		if i%(len(order)/loadDuplicates) == 0 {
			delays = append(delays, delays[0]+l.upTo(2*time.Minute))
		}
		l.queued.Go(func() {
			time.Sleep(time.Duration(i) * gap)
			payload := l.call(id, n)
			called := time.Now()
			for _, delay := range delays {
				l.deliver(l.t.Context(), payload, max(delay, opening.Sub(called)))
			}
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.happened = append(l.happened, occurrence{id, kind.operation, kind.damage != nil, called, called.Add(max(delays[0], opening.Sub(called)))})
		})
	}
}

func (l *load) upTo(d time.Duration) time.Duration { return time.Duration(l.rng.Int64N(int64(d))) }

// call makes one call and returns its event. It is made while no invocation is at work on the pool: what becomes of a change between a read and a write of ours is shown elsewhere.
func (l *load) call(id string, n int) []byte {
	kind := loadCalls[n%len(loadCalls)]
	body := fmt.Sprintf(`{"UserPoolId":%q}`, id)
	if kind.operation == "TagResource" {
		body = fmt.Sprintf(`{"ResourceArn":"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/%s","Tags":{}}`, id)
	}
	l.idle(id, func() {
		l.fake.Edit(id, func(pool, mfa map[string]any) {
			kind.edit(pool, mfa, n)
			if kind.damage != nil {
				kind.damage(pool, mfa, n)
			}
		})
		wanted := l.wanted[id]
		kind.edit(wanted[0], wanted[1], n)
		if kind.damage != nil {
			l.damaged[id+" "+kind.operation]++
			l.damages++
		}
	})
	return l.fake.Event(cognitotest.Call{Operation: kind.operation, PoolID: id, Body: []byte(body), RequestID: fmt.Sprintf("call-%d", n)}, administrator, time.Now())
}

// answered takes a write of the keeper: it has to answer damage, and has an event of its own, half of a minute later at most.
func (l *load) answered(call cognitotest.Call) {
	var request struct{ UserPoolID string }
	if err := json.Unmarshal(call.Body, &request); err != nil {
		l.t.Error(err)
	}
	call.PoolID = request.UserPoolID
	l.mutex.Lock()
	key := call.PoolID + " " + call.Operation
	if l.damaged[key] == 0 {
		l.doubled = append(l.doubled, key)
	}
	l.damaged[key] = 0
	delay := 4*time.Second + l.upTo(25*time.Second)
	l.mutex.Unlock()
	call.Body = fmt.Appendf(nil, `{"UserPoolId":%q}`, call.PoolID)
	l.deliver(l.t.Context(), l.fake.Event(call, keeperActor, time.Now()), delay)
}

// judge looks at what became of all.
func (l *load) judge(opening time.Time) {
	t := l.t
	for id, reason := range l.lost {
		if len(l.ended[id]) == 0 { // or else it was a second delivery, given up while the first one waited for its turn
			t.Errorf("lost: %s: %s", id, reason)
		}
	}
	for _, doubled := range l.doubled {
		t.Error("written without need:", doubled)
	}
	l.judgePools()
	needed, ends := l.judgeEvents()
	took := l.last.Sub(opening).Seconds()
	allowed := float64(needed) / readRate
	t.Logf("%d calls of damage; events: %v; deferred: %v", l.damages, ends, l.deferred)
	t.Logf("calls: %s; throttled: %d, %.4f %%", l.made(), l.throttled, 100*l.share())
	t.Logf("%d reads needed: the limits allow them in %.1f s, and they took %.1f s: %.3f of what the limits allow", needed, allowed, took, allowed/took)
	reads, most := l.calls["DescribeUserPool"], mostReads(l.happened)
	t.Logf("%d reads; what happened is worth %d at most", reads, most)
	if reads > most {
		t.Errorf("%d reads, and what happened is worth %d at most", reads, most)
	}
	if allowed/took < 0.95 {
		t.Errorf("%.3f of what the limits allow", allowed/took)
	}
	if l.share() >= 0.001 {
		t.Errorf("%.4f %% of the calls were throttled", 100*l.share())
	}
}

// judgePools compares every pool with what it has to be: what is required holds, and all else is as it was last set.
func (l *load) judgePools() {
	for id, wanted := range l.wanted {
		pool, mfa, _ := l.fake.Pool(id)
		was, is := map[string]string{}, map[string]string{}
		flatten("", wanted[0], was)
		flatten("mfa:", wanted[1], was)
		flatten("", pool, is)
		flatten("mfa:", mfa, is)
		for _, path := range difference(was, is) {
			if path != "LastModifiedDate" {
				l.t.Errorf("%s: %s is not as it has to be", id, path)
			}
		}
	}
}

// sameSecond says whether all that was told is what the call may have lost to a write of ours that was planned or made in the second of the call, which is as much as its event gives.
func (l *load) sameSecond(out reconcile.Outcome) bool {
	records, err := l.ledger.Records(l.t.Context(), out.UserPoolID, time.Time{})
	return err == nil && len(out.Drifts) == len(out.Overwritten) && slices.ContainsFunc(records, func(rec reconcile.Record) bool {
		return slices.ContainsFunc(rec.Sent, func(s reconcile.Sent) bool {
			return out.Cause.Time.Equal(s.Read.Truncate(time.Second)) || out.Cause.Time.Equal(s.At.Truncate(time.Second))
		})
	})
}

// judgeEvents demands that every event was handled once, and returns how many ended how, and how many reads were needed. What the limits allow is the time of the calls of the scarcest category,
// UserPoolRead, at its documented rate of 15 a second, and of no more calls than are needed: one for an event that no later look covers and that turns out to be of no damage, two for one that is
// answered with a write, to plan and to verify it, and none for all others: what else is read is waste. The time runs from the first delivery to the last answer.
func (l *load) judgeEvents() (needed int, ends map[string]int) {
	t := l.t
	ends = map[string]int{}
	for id, outs := range l.ended {
		handled := 0
		for _, out := range outs {
			own, word := out.Cause.Issuer == ownRole, string(out.Outcome)
			handled++
			switch {
			case out.Outcome == reconcile.Remediated && !own:
				needed += 2
			case out.Outcome == reconcile.Unchanged && !own:
				needed++
			case out.Outcome == reconcile.Drifted && !own && l.sameSecond(out):
				needed++
				word += ", in the second of a write"
			case out.Outcome == reconcile.Ignored && strings.HasPrefix(out.Reason, "the event was handled before"):
				word += ", handled before"
				handled--
			case out.Outcome == reconcile.Ignored && strings.HasPrefix(out.Reason, "the pool was looked at after this call"):
				word += ", covered"
			case out.Outcome == reconcile.Ignored && own && out.Reason == "the event is of our own write, which was verified":
				word += ", our own"
			default:
				t.Errorf("%s: %s: %s", id, out.Outcome, out.Reason)
			}
			ends[word]++
		}
		if handled != 1 {
			t.Errorf("%s was handled %d times", id, handled)
		}
	}
	records := 0
	for id := range l.wanted {
		of, err := l.ledger.Records(t.Context(), id, time.Time{})
		if err != nil {
			t.Error(err)
		}
		records += len(of)
	}
	if records != ends[string(reconcile.Remediated)] {
		t.Errorf("%d records of %d remediations", records, ends[string(reconcile.Remediated)])
	}
	if writes := l.calls["UpdateUserPool"] + l.calls["SetUserPoolMfaConfig"]; len(l.ended) != loadEvents-loadDuplicates+writes {
		t.Errorf("%d events were handled, of %d of others and %d of our own", len(l.ended), loadEvents-loadDuplicates, writes)
	}
	return needed, ends
}
