package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// raced are the requirements over which somebody races with us: some of every document, and of those some that depend on each other.
var raced = []string{
	"DeletionProtection: ACTIVE",
	"UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}",
	"Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}, RequireSymbols: true}}",
	"MfaConfiguration: OPTIONAL",
	mfaIsOff,
	"SoftwareTokenMfaConfiguration: {Enabled: true}",
	"SmsAuthenticationMessage: 'Sign-in code {####} required'",
	"RiskConfiguration: {AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}}",
	"LogConfigurations: {userNotification: {LogLevel: ERROR}}",
	"clients: EnableTokenRevocation: true",
	"clients: PreventUserExistenceErrors: ENABLED",
	"clients: RiskConfiguration: {AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}}",
}

const mfaIsOff = `MfaConfiguration: "OFF"`

func drawRaced(t *rapid.T, budget string) *baseline.Baseline {
	var pool, clients []string
	off := rapid.Bool().Draw(t, "MFA off")
	for _, r := range raced {
		of, ofClient := strings.CutPrefix(r, "clients: ")
		switch {
		case (r == mfaIsOff) != off && strings.Contains(r, "Mfa") && (off || r == mfaIsOff) || rapid.Bool().Draw(t, "not "+r):
		case ofClient:
			clients = append(clients, of)
		default:
			pool = append(pool, r)
		}
	}
	if len(pool)+len(clients) == 0 {
		pool = raced[:1]
	}
	text := "version: 1\n" + budget + "rules: [{name: all, require: {" + strings.Join(pool, ", ") + "}"
	if len(clients) > 0 {
		text += ", clients: [{require: {" + strings.Join(clients, ", ") + "}}]"
	}
	if len(pool) == 0 {
		text = strings.Replace(text, "require: {}, ", "", 1)
	}
	required, err := baseline.Parse("raced.yaml", []byte(text+"}]\n"))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return required
}

// moves are what somebody else does to a pool, to each of its documents and so that each requirement of raced is broken by one of them.
var moves = map[string]func(fake *cognitotest.Server){
	"UserPool": does(func(pool, _ map[string]any) {
		pool["DeletionProtection"] = "INACTIVE"
		object(pool, "Policies", "PasswordPolicy")["MinimumLength"] = json.Number("8")
		object(pool, "Policies", "PasswordPolicy")["RequireSymbols"] = false
	}),
	"length": does(func(pool, _ map[string]any) {
		object(pool, "Policies", "PasswordPolicy")["MinimumLength"] = json.Number("6")
	}),
	"threat": does(func(pool, _ map[string]any) { object(pool, "UserPoolAddOns")["AdvancedSecurityMode"] = "OFF" }),
	"audit":  does(func(pool, _ map[string]any) { object(pool, "UserPoolAddOns")["AdvancedSecurityMode"] = "AUDIT" }),
	"sms":    does(func(pool, mfa map[string]any) { delete(pool, "SmsConfiguration"); delete(mfa, "SmsMfaConfiguration") }),
	"text": does(func(pool, mfa map[string]any) {
		pool["SmsAuthenticationMessage"] = "another {####} CANARY"
		if mfa["SmsMfaConfiguration"] != nil {
			object(mfa, "SmsMfaConfiguration")["SmsAuthenticationMessage"] = "another {####} CANARY"
		}
	}),
	"tags": does(func(pool, _ map[string]any) { object(pool, "UserPoolTags")["team"] = "another" }),
	"MfaConfig": does(func(pool, mfa map[string]any) {
		pool["MfaConfiguration"], mfa["MfaConfiguration"] = "ON", "ON"
	}),
	"optional": does(func(pool, mfa map[string]any) {
		pool["MfaConfiguration"], mfa["MfaConfiguration"] = "OPTIONAL", "OPTIONAL"
	}),
	"token":             does(func(_, mfa map[string]any) { delete(mfa, "SoftwareTokenMfaConfiguration") }),
	"RiskConfiguration": func(fake *cognitotest.Server) { weakenRisk(fake, "") },
	"LogDelivery":       func(fake *cognitotest.Server) { fake.PutLogs(poolID, nil) },
	"AppClient": func(fake *cognitotest.Server) {
		client := fake.Client(poolID, "mobile")
		client["EnableTokenRevocation"], client["PreventUserExistenceErrors"] = false, "LEGACY"
		fake.PutClient(poolID, "mobile", client)
	},
	"ClientRisk": func(fake *cognitotest.Server) { weakenRisk(fake, cognitotest.RichClient) },
	"nothing":    func(*cognitotest.Server) {},
}

func does(edit func(pool, mfa map[string]any)) func(*cognitotest.Server) {
	return func(fake *cognitotest.Server) { fake.Edit(poolID, edit) }
}

func weakenRisk(fake *cognitotest.Server, client string) {
	risk := fake.Risk(poolID, client)
	object(risk, "AccountTakeoverRiskConfiguration", "Actions")["HighAction"] = map[string]any{"EventAction": "NO_ACTION", "Notify": false}
	fake.PutRisk(poolID, client, risk)
}

func drawMove() *rapid.Generator[string] { return rapid.SampledFrom(slices.Sorted(maps.Keys(moves))) }

// answers are what may become of a write.
var answers = []string{"taken", "taken", "taken", "refused", "named", "busy", "unclear", "lost", "role", "odd", "elsewhere"}

// A racer is a pool over which somebody races with us: whatever write is taken is followed at once by a move, and the answers to our calls are drawn.
type racer struct {
	reconcile.Pools
	t        *rapid.T
	fake     *cognitotest.Server
	required *baseline.Baseline
	answer   map[string]string // to the write of a document, always; what is not in it is drawn each time
	move     map[string]string // after it
	lag      int               // reads that still show a document as it was before a write of it

	// Of one invocation:
	stale                          map[baseline.DocumentName]stale
	reads, accepted, refused, free int             // free are the calls that were accepted and take part in fixing nothing
	vain                           int             // the calls that were neither accepted nor refused
	fixed                          map[string]int  // how often the write of a document was accepted for a setting
	given                          map[string]bool // settings that were to be fixed
	held                           map[string]bool // settings that were seen to hold
	last                           *userpool.State // as it was shown
	log                            []string
}

type stale struct {
	document map[string]any
	left     int
}

func drawRacer(t *rapid.T) *racer {
	a := &racer{t: t, answer: map[string]string{}, move: map[string]string{}, lag: rapid.IntRange(0, 2).Draw(t, "lag")}
	for _, d := range baseline.Documents() {
		if rapid.IntRange(0, 3).Draw(t, "steady") > 0 {
			a.answer[string(d.Name)] = rapid.SampledFrom(answers).Draw(t, "answer "+string(d.Name))
			a.move[string(d.Name)] = drawMove().Draw(t, "move after "+string(d.Name))
		}
	}
	a.begin()
	return a
}

// begin begins the count of another invocation.
func (a *racer) begin() {
	a.stale, a.reads, a.accepted, a.refused, a.free, a.vain = map[baseline.DocumentName]stale{}, 0, 0, 0, 0, 0
	a.fixed, a.given, a.held, a.last, a.log = map[string]int{}, map[string]bool{}, map[string]bool{}, nil, nil
}

func (a *racer) note(format string, args ...any) { a.log = append(a.log, fmt.Sprintf(format, args...)) }

func (a *racer) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	a.reads++
	state, err := a.Pools.Read(ctx, id, want)
	for name, s := range a.stale {
		if _, read := state.Documents[name]; read {
			state.Documents[name] = s.document
			if s.left--; s.left > 0 {
				a.stale[name] = s
			} else {
				delete(a.stale, name)
			}
		}
	}
	if err == nil {
		a.last = &state
		a.note("read, and %v do not hold", a.drift())
	}
	return state, err
}

// drift are the settings that do not hold by the latest read.
func (a *racer) drift() (drift []string) {
	found := baseline.Compare(a.required.Policy(a.last.Identity(), clock), a.last.Settings())
	for _, d := range found.Drifts {
		drift = append(drift, d.Setting)
	}
	for _, setting := range found.Owned {
		a.held[setting] = a.held[setting] || !slices.Contains(drift, setting)
	}
	return drift
}

func (a *racer) Write(ctx context.Context, id string, request userpool.Request) (requestID string, err error) {
	answer, steady := a.answer[string(request.Document.Kind())]
	if !steady {
		answer = rapid.SampledFrom(answers).Draw(a.t, "answer")
	}
	failed := &userpool.Error{Call: request.Call, Message: answer}
	switch answer {
	case "refused":
		failed.Class = userpool.ClassRefused
	case "named":
		failed.Class = userpool.ClassRefused
		for _, d := range request.Fixes[:min(1, len(request.Fixes))] {
			failed.Message = "not this: " + d.Setting[strings.LastIndexByte(d.Setting, '.')+1:]
		}
	case "busy":
		failed.Class = userpool.ClassBusy
	case "lost":
		failed.Class = userpool.ClassUnclear
	case "role":
		failed.Class, failed.Code = userpool.ClassSMSRole, "InvalidSmsRoleTrustRelationshipException"
	case "odd":
		failed.Class = userpool.ClassOdd
	case "elsewhere":
		failed.Class = userpool.ClassElsewhere
	case "unclear":
		failed.Class = userpool.ClassUnclear
		_, _ = a.taken(ctx, id, request)
	default:
		if requestID, err = a.taken(ctx, id, request); err == nil {
			return requestID, a.accept(request)
		}
		return requestID, a.fail(request, err)
	}
	return "", a.fail(request, failed)
}

// taken makes a write, and what somebody makes of it at once.
func (a *racer) taken(ctx context.Context, id string, request userpool.Request) (requestID string, err error) {
	was, _ := a.Document(ctx, id, request.Document)
	requestID, err = a.Pools.Write(ctx, id, request)
	if err != nil {
		return requestID, err
	}
	if a.lag > 0 {
		a.stale[request.Document] = stale{was, a.lag}
	}
	move, steady := a.move[string(request.Document.Kind())]
	if !steady {
		move = drawMove().Draw(a.t, "move")
	}
	moves[move](a.fake)
	a.note("%s of %s is followed by %q", request.Call, request.Document, move)
	return requestID, nil
}

func (a *racer) accept(request userpool.Request) error {
	a.accepted++
	if len(request.Fixes) == 0 {
		a.free++
	}
	for _, d := range request.Fixes {
		a.given[d.Setting] = true
		a.fixed[string(request.Document)+" "+d.Setting]++
	}
	return nil
}

func (a *racer) fail(request userpool.Request, err error) error {
	a.note("%s of %s: %v", request.Call, request.Document, err)
	var failed *userpool.Error
	errors.As(err, &failed)
	switch failed.Class {
	case userpool.ClassBusy, userpool.ClassUnclear, userpool.ClassOdd, userpool.ClassElsewhere:
		a.vain++
	default: // also what the service says of what somebody has made of the pool meanwhile
		a.refused++
	}
	for _, d := range request.Fixes {
		a.given[d.Setting] = true
	}
	return err
}

// law holds one invocation to its bounds, and what it says to what was seen.
func (a *racer) law(out reconcile.Outcome, err error) {
	fatal := func(format string, args ...any) {
		said := ""
		for _, d := range out.Drifts {
			said += fmt.Sprintf("\n  %s %s: %s", d.Setting, d.State, d.Reason)
		}
		a.t.Fatalf(format+"\n%s (%s) %v%s\n%s", append(args, out.Outcome, out.Reason, err, said, strings.Join(a.log, "\n"))...)
	}
	// What was accepted for a setting is not written for it again, each refusal gives up a setting, but for that of a role that may only be too new, and what is neither is tried four times.
	for setting, times := range a.fixed {
		if times > 1 {
			fatal("%s: accepted %d times", setting, times)
		}
	}
	if a.free > len(a.fixed) || a.refused > len(a.given)+1 || a.vain > 4 {
		fatal("of %d settings: %d writes accepted, %d of them for none, %d refused, %d in vain", len(a.given), a.accepted, a.free, a.refused, a.vain)
	}
	// Each write leads to no more than one look, and four more wait for what was accepted to show, and four for the verification.
	if calls := a.accepted + a.refused + a.vain; a.reads > 1+calls+4+4 {
		fatal("%d reads for %d writes", a.reads, calls)
	}
	if out.Outcome == reconcile.Ignored && a.accepted > 0 {
		fatal("ignored after a write")
	}
	if err != nil || a.last == nil || out.Outcome == reconcile.Ignored {
		return
	}
	drift := a.drift()
	inherits := func(setting string) bool {
		client, _, _ := baseline.ClientOf(setting)
		return client != "" && a.last.Inherits(client)
	}
	if out.Outcome == reconcile.Remediated || out.Outcome == reconcile.Unchanged {
		for _, setting := range drift {
			fatal("%s does not hold", setting)
		}
	}
	said := map[string]bool{}
	for _, d := range out.Drifts {
		said[d.Setting] = true
		at := slices.Contains(drift, d.Setting)
		switch {
		case d.State == reconcile.Fixed && at:
			fatal("%s is called fixed", d.Setting)
		case d.Left == reconcile.LeftUnheld && !at:
			fatal("%s is said not to hold", d.Setting)
		case strings.Contains(d.Reason, "held before") && !a.held[d.Setting] && !inherits(d.Setting):
			fatal("%s is said to have held", d.Setting)
		case d.State == reconcile.NotFixable && d.Reason == "":
			fatal("%s without a reason", d.Setting)
		}
	}
	for _, setting := range drift {
		if !said[setting] {
			fatal("%s does not hold, and nothing is said of it", setting)
		}
	}
}

// race plants a pool of which something is wrong, and somebody who races with us.
func race(t *rapid.T, budget string) (w ledgered, a *racer, stop func()) {
	now := clock
	b, stop := start(t.Fatalf, cognitotest.Measured)
	w = ledgered{bench: b, ledger: ledger.NewMemory(), mutex: &sync.Mutex{}, now: &now}
	w.fake.PutRich(poolID)
	for _, move := range rapid.SliceOfN(drawMove(), 1, 5).Draw(t, "what is wrong") {
		moves[move](w.fake)
	}
	a = drawRacer(t)
	a.Pools, a.fake, a.required = w.client, w.fake, drawRaced(t, budget)
	return w, a, stop
}

// TestNoRace lets somebody change something whenever a write of ours is taken, with whatever answers and however late it shows, event after event, each tried again while it is deferred: each invocation is
// bounded, the flap budget bounds what is written of a setting however the runs end, and people are told of the same once in its time.
func TestNoRace(t *testing.T) {
	t.Parallel()
	const within = 30 * time.Minute
	rapid.Check(t, func(t *rapid.T) {
		w, a, stop := race(t, "flapBudget: {times: 2, minutes: 30}\n")
		defer stop()
		wrote, records := map[string][]time.Time{}, map[string]bool{}
		last, told := "", time.Time{}
		tell := func(out reconcile.Outcome) {
			for _, earlier := range out.Earlier {
				if records[earlier.Record] {
					t.Fatalf("%s is told again", earlier.Record)
				}
				records[earlier.Record] = true
			}
			if out.Outcome == reconcile.Deferred {
				return
			}
			said := string(out.Outcome)
			for _, d := range out.Drifts {
				said += fmt.Sprintf("\n  %s %s %s %v %s", d.Setting, d.State, d.Left, d.Have, d.Reason)
			}
			silent := out.Outcome == reconcile.Unchanged || out.Outcome == reconcile.Ignored || out.Cause.Issuer == ownRole || len(out.Writes) > 0 || len(out.Overwritten) > 0
			if !silent && !out.Repeated && said == last && w.time().Sub(told) < within {
				t.Fatalf("told again after %s: %s\n%s", w.time().Sub(told), said, out.Reason)
			}
			if last = said; !silent && !out.Repeated {
				told = w.time()
			}
		}
		steady := drawMove().Draw(t, "move of each event")
		for i := range rapid.SampledFrom([]int{1, 1, 1, 1, 5}).Draw(t, "events") {
			if i > 0 {
				moves[steady](w.fake)
			}
			request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
			request.Call.Changes = changes()
			if rapid.IntRange(0, 4).Draw(t, "own") == 0 {
				request.Cause.Issuer = ownRole
			}
			w.pass(4 * time.Minute)
			_, _ = w.tries(func() *reconcile.Reconciler {
				a.begin()
				keeper := w.keeper(a.required)
				keeper.Pools = a
				return keeper
			}, request, func(out reconcile.Outcome, err error) {
				a.law(out, err)
				if request.Cause.Issuer == ownRole && a.accepted+a.refused+a.vain > 0 {
					t.Fatal("the event of a write of ours was answered with a write")
				}
				for setting := range a.fixed {
					wrote[setting] = append(wrote[setting], w.time())
					if n := len(wrote[setting]); n > 2 && w.time().Sub(wrote[setting][n-3]) < within-time.Minute {
						t.Fatalf("%s was written at %v", setting, wrote[setting])
					}
				}
				tell(out)
			})
		}
	})
}
