package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// knowing is a pool, and what people know of what lasts there.
type knowing struct {
	ledgered
	t         *rapid.T
	baselines [2]*baseline.Baseline
	deployed  int
	calls     int
	denied    string            // the call that may not be made
	fails     func(string) bool // whether something fails for the next event: "ledger", "topic", "process", "read"
	latest    event.Request
	known     map[string]fact // what the ledger knows that people know
	by        int             // the baseline that this is of
	owes      bool            // that something was written, since a process was killed that was to tell it
}

// A fact is what people were told of something, and when.
type fact struct {
	what string
	at   time.Time
}

// exemptedFor is how long the tag may be what it is.
const exemptedFor = 3 * time.Hour

// truth is what is not as required and lasts, as the fake has it, by what it is of; weak says that deletion protection is, which is put right.
func (k *knowing) truth() (lasts map[string]string, weak bool) {
	pool, _, _ := k.fake.Pool(poolID)
	lasts = map[string]string{}
	if length := object(object(pool, "Policies"), "PasswordPolicy")["MinimumLength"].(json.Number); len(length) == 1 {
		lasts["length"] = string(length)
	}
	if tag := object(pool, "UserPoolTags")["env"].(string); tag != "prod" && k.time().Sub(clock) >= exemptedFor {
		lasts["tag"] = tag
	}
	if trigger, _ := object(pool, "LambdaConfig")["PreSignUp"].(string); trigger != "" {
		lasts["trigger"] = trigger
	}
	return lasts, pool["DeletionProtection"] != "ACTIVE"
}

// answer delivers an event, and compares what people are told with what they do not know.
func (k *knowing) answer(request event.Request, again bool) {
	keeper := k.keeper(k.baselines[k.deployed])
	sweeps, ofRisk, own := !request.Sweep.Started.IsZero(), request.Call.Name == "SetRiskConfiguration", request.Cause.Issuer == ownRole
	told, late, heard := false, false, !k.fails("topic")
	dies, deaf, throttled := k.fails("process"), k.fails("ledger"), k.fails("read")
	keeper.Tell = func(_ context.Context, out reconcile.Outcome) bool {
		tells := report.Told(out) && (!sweeps || report.ToldAlone(out))
		if strings.Contains(out.Reason, "and another has looked since") {
			late = true
			return tells && heard
		}
		if dies {
			panic(death{})
		}
		told = tells
		return tells && heard
	}
	if deaf {
		keeper.Ledger = deafLedger{keeper.Ledger}
	}
	if throttled {
		k.fake.ClearFaults()
		k.fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "TooManyRequestsException"})
	}
	lasts, weak := k.truth()
	var out reconcile.Outcome
	var err error
	died := func() (died bool) {
		defer func() { _, died = recover().(death) }()
		out, err = keeper.Answer(k.t.Context(), request)
		return false
	}()
	k.deny(k.denied)
	if again && !died && out.Outcome == reconcile.Ignored { // handled before, or seen by a later look
		if told {
			k.t.Fatal("a duplicate is told")
		}
		return
	}
	known, by := k.known, k.by
	if !deaf && k.by != k.deployed { // whoever has the pool forgets what another baseline found
		k.known, k.by = map[string]fact{}, k.deployed
	}
	if throttled {
		if err == nil || told {
			k.t.Fatalf("told %v: %v", told, err)
		}
		return
	}
	wide := sweeps || k.owes && !deaf
	sees := maps.Clone(lasts)
	if ofRisk && !wide {
		maps.DeleteFunc(sees, func(of, _ string) bool { return of != "trigger" })
		weak = false
	}
	denied := k.denied != ""
	if denied {
		sees, weak = map[string]string{k.denied: k.denied}, false
	}
	if k.owes && !deaf && !denied {
		if !late {
			k.t.Fatalf("nobody tells what the killed process wrote: %s (%s)", out.Outcome, out.Reason)
		}
	}
	news := weak
	for of, what := range sees {
		was := k.known[of]
		news = news || deaf || was.what != what || k.time().Sub(was.at) >= time.Hour
	}
	if sweeps {
		news = weak
	}
	switch {
	case died:
		if writes := weak && !own && !deaf; writes {
			k.owes = true
		} else { // what it remembers it had not kept yet
			k.known, k.by = known, by
		}
		k.pass(3 * time.Minute)
		return
	case err != nil:
		k.t.Fatal(err)
	case told != news:
		k.t.Fatalf("told %v, of %s (%s): %v; known %v at %s", told, out.Outcome, out.Reason, sees, k.known, k.time())
	}
	if deaf {
		return
	}
	if !denied {
		k.owes = false
	}
	for of, was := range k.known { // what is otherwise is known no more
		shown := !denied && (of != "length" && of != "tag" || !ofRisk || wide)
		if what, is := sees[of]; is && what != was.what || !is && shown {
			delete(k.known, of)
		}
	}
	if told && heard {
		for of, what := range sees {
			k.known[of] = fact{what, k.time()}
		}
	}
}

func (k *knowing) deny(operation string) {
	k.fake.ClearFaults()
	if k.denied = operation; operation != "" {
		k.fake.Inject(cognitotest.Fault{Operation: operation, Error: "AccessDeniedException", Message: "no"})
	}
}

// call has somebody make a call, whose event comes a minute later.
func (k *knowing) call(name, role string) {
	k.calls++
	request := call(fmt.Sprint("event", k.calls), role, k.time())
	request.Call = tabled(name)
	k.pass(time.Minute)
	k.latest = request
	k.answer(request, false)
}

// deafLedger is one that cannot be reached.
type deafLedger struct{ reconcile.Ledger }

func (deafLedger) Take(context.Context, reconcile.Key, string, time.Time, time.Time) ([]byte, bool, error) {
	return nil, false, errors.New("no ledger")
}

// TestPeopleKnow lets a night pass, and compares what people are told with what they do not know: whatever is new is told by the first event's look that sees it, what lasts once an hour, and what was
// written always.
func TestPeopleKnow(t *testing.T) {
	t.Parallel()
	rules := `
rules:
  - {name: all, mode: audit, watch: [triggers], require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 10}}}, UserPoolTags: {env: {matches: p*}}}}
  - {name: enforced, require: {DeletionProtection: ACTIVE}}
  - {name: risk, require: {RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}}}
exemptions: [{pools: {ids: [` + poolID + `]}, settings: [UserPoolTags.env], until: ` + clock.Add(exemptedFor).Format(time.RFC3339) + `, reason: x, owner: y}]
flapBudget: {times: 1000}
`
	baselines := [2]*baseline.Baseline{parse(t, "version: 1"+rules), parse(t, "version: 1 # another"+rules)}
	rapid.Check(t, func(t *rapid.T) {
		b, stop := start(t.Fatalf, cognitotest.Measured)
		defer stop()
		now := clock
		k := &knowing{ledgered: ledgered{bench: b, ledger: ledger.NewMemory(), mutex: &sync.Mutex{}, now: &now}, t: t, baselines: baselines, known: map[string]fact{}}
		k.rich(nil)
		failing := ""
		k.fails = func(what string) bool { return failing == what }
		edit := func(setting string, to func(pool map[string]any)) {
			k.fake.Edit(poolID, func(pool, _ map[string]any) { to(pool) })
		}
		edit("LambdaConfig", func(pool map[string]any) {
			pool["LambdaConfig"], object(pool, "UserPoolTags")["env"] = map[string]any{}, "prod"
		})
		k.fake.PutRisk(poolID, "", map[string]any{"CompromisedCredentialsRiskConfiguration": map[string]any{"Actions": map[string]any{"EventAction": "BLOCK"}}})
		k.call("SetRiskConfiguration", "Admin")
		t.Repeat(map[string]func(*rapid.T){
			"length": func(t *rapid.T) {
				length := rapid.SampledFrom([]string{"6", "8", "12", "14"}).Draw(t, "length")
				edit("length", func(pool map[string]any) {
					object(object(pool, "Policies"), "PasswordPolicy")["MinimumLength"] = json.Number(length)
				})
			},
			"tag": func(t *rapid.T) {
				tag := rapid.SampledFrom([]string{"prod", "dev", "lab"}).Draw(t, "tag")
				edit("tag", func(pool map[string]any) { object(pool, "UserPoolTags")["env"] = tag })
			},
			"trigger": func(t *rapid.T) {
				trigger := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "trigger")
				k.fake.Edit(poolID, attached(trigger))
				if trigger == "" {
					edit("trigger", func(pool map[string]any) { pool["LambdaConfig"] = map[string]any{} })
				}
			},
			"weaken": func(*rapid.T) { k.fake.Edit(poolID, unprotected) },
			"call": func(t *rapid.T) {
				failing = rapid.SampledFrom([]string{"", "", "", "", "ledger", "topic", "process", "read"}).Draw(t, "fails")
				k.call(rapid.SampledFrom([]string{"UpdateUserPool", "UpdateUserPool", "SetRiskConfiguration"}).Draw(t, "call"), rapid.SampledFrom([]string{"Admin", "Other", "Keeper"}).Draw(t, "role"))
				failing = ""
			},
			"again": func(*rapid.T) { k.pass(2 * time.Minute); k.answer(k.latest, true) },
			"sweep": func(*rapid.T) { k.calls++; k.answer(k.swept(fmt.Sprint("sweep", k.calls), event.Purpose{}), false) },
			"deny": func(t *rapid.T) {
				k.deny(rapid.SampledFrom([]string{"", "DescribeUserPool", "DescribeRiskConfiguration"}).Draw(t, "denied"))
			},
			"deploy": func(*rapid.T) { k.deployed = 1 - k.deployed },
			"wait":   func(t *rapid.T) { k.pass(time.Duration(rapid.IntRange(1, 70).Draw(t, "minutes")) * time.Minute) },
		})
	})
}
