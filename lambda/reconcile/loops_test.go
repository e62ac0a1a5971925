package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// raced are the requirements over which somebody races with us: some of every document, and some that depend on
// others.
var raced = []string{
	"DeletionProtection: ACTIVE",
	"UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}",
	"Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}, RequireSymbols: true}}",
	"MfaConfiguration: OPTIONAL",
	mfaIsOff,
	"SoftwareTokenMfaConfiguration: {Enabled: true}",
	"SmsAuthenticationMessage: 'Sign-in code {####} required'",
	"RiskConfiguration: " + highAction,
	"LogConfigurations: {userNotification: {LogLevel: ERROR}}",
	"clients: EnableTokenRevocation: true",
	"clients: PreventUserExistenceErrors: ENABLED",
	"clients: RiskConfiguration: " + highAction,
}

const (
	mfaIsOff   = `MfaConfiguration: "OFF"`
	highAction = "{AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}}"
)

func drawRaced(t *rapid.T, budget string) *baseline.Baseline {
	var pool, clients []string
	off := rapid.Bool().Draw(t, "MFA off")
	for _, r := range raced {
		of, ofClient := strings.CutPrefix(r, "clients: ")
		ofMFA := strings.Contains(r, "Mfa")
		switch {
		case off && ofMFA && r != mfaIsOff, !off && r == mfaIsOff, rapid.Bool().Draw(t, "not "+r):
		case ofClient:
			clients = append(clients, of)
		default:
			pool = append(pool, r)
		}
	}
	if len(pool)+len(clients) == 0 {
		pool = raced[:1]
	}
	text := "version: 1\n" + budget + "rules:\n  - name: all\n"
	if len(pool) > 0 {
		text += "    require: {" + strings.Join(pool, ", ") + "}\n"
	}
	if len(clients) > 0 {
		text += "    clients: [{require: {" + strings.Join(clients, ", ") + "}}]\n"
	}
	required, err := baseline.Parse("raced.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return required
}

// moves are what somebody else does to a pool: to each of its documents, and so that one of them breaks each
// requirement of raced.
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
	"sms": does(func(pool, mfa map[string]any) {
		delete(pool, "SmsConfiguration")
		delete(mfa, "SmsMfaConfiguration")
	}),
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
	"RiskConfiguration": func(fake *cognitotest.Server) { ignoreHighRisk(fake, "") },
	"LogDelivery":       func(fake *cognitotest.Server) { fake.PutLogs(poolID, nil) },
	"AppClient": func(fake *cognitotest.Server) {
		bench{fake: fake}.editClient("mobile", "EnableTokenRevocation", false, "PreventUserExistenceErrors", "LEGACY")
	},
	"ClientRisk": func(fake *cognitotest.Server) { ignoreHighRisk(fake, cognitotest.RichClient) },
	"nothing":    func(*cognitotest.Server) {},
}

func does(edit func(pool, mfa map[string]any)) func(*cognitotest.Server) {
	return func(fake *cognitotest.Server) { fake.Edit(poolID, edit) }
}

func ignoreHighRisk(fake *cognitotest.Server, client string) {
	risk := fake.Risk(poolID, client)
	object(risk, "AccountTakeoverRiskConfiguration", "Actions")["HighAction"] =
		map[string]any{"EventAction": "NO_ACTION", "Notify": false}
	fake.PutRisk(poolID, client, risk)
}

func drawMove() *rapid.Generator[string] { return rapid.SampledFrom(slices.Sorted(maps.Keys(moves))) }

// answers are what may become of a write.
var answers = []string{"accepted", "accepted", "accepted", "refused", "named", "busy", "unclear", "lost", "role", "odd",
	"elsewhere"}

// A racer is a pool over which somebody races with us: whatever write is accepted is followed at once by a move, and
// the answers to our calls are drawn.
type racer struct {
	reconcile.Pools
	t        *rapid.T
	fake     *cognitotest.Server
	required *baseline.Baseline
	answer   map[string]string // to the write of a document, always; what is not in it is drawn each time
	move     map[string]string // after it
	lag      int               // reads that still show a document as it was before a write of it

	// Of one run:
	stale                    map[baseline.DocumentName]stale
	reads                    int
	accepted, refused, other int
	fixed                    map[string]int  // how often the write of a document was accepted for a setting
	given                    map[string]bool // settings that were to be fixed
	last                     *userpool.State // each document as it was shown last
	log                      []string
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

// begin begins the count of another run.
func (a *racer) begin() {
	a.stale, a.reads, a.accepted, a.refused, a.other = map[baseline.DocumentName]stale{}, 0, 0, 0, 0
	a.fixed, a.given, a.last, a.log = map[string]int{}, map[string]bool{}, nil, nil
}

func (a *racer) note(format string, args ...any) { a.log = append(a.log, fmt.Sprintf(format, args...)) }

// shown returns a document as a read shows it, which may be late.
func (a *racer) shown(name baseline.DocumentName, document map[string]any) map[string]any {
	s, late := a.stale[name]
	if !late {
		return document
	}
	if s.left--; s.left > 0 {
		a.stale[name] = s
	} else {
		delete(a.stale, name)
	}
	return s.document
}

func (a *racer) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	a.reads++
	state, err := a.Pools.Read(ctx, id, want)
	if err != nil {
		return state, err
	}
	for name, document := range state.Documents {
		state.Documents[name] = a.shown(name, document)
	}
	if a.last == nil {
		first := state
		first.Documents = map[baseline.DocumentName]map[string]any{}
		a.last = &first
	}
	maps.Copy(a.last.Documents, state.Documents)
	a.note("read, and %v do not hold", a.drift())
	return state, nil
}

func (a *racer) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	a.reads++
	document, err := a.Pools.Document(ctx, id, name)
	if err != nil {
		return document, err
	}
	document = a.shown(name, document)
	a.last.Documents[name] = document
	a.note("read %s, and %v do not hold", name, a.drift())
	return document, nil
}

// drift are the settings that do not hold by the latest reads.
func (a *racer) drift() (drift []string) {
	for _, d := range baseline.Compare(a.required.Policy(a.last.Identity(), clock), a.last.Settings()).Drifts {
		drift = append(drift, d.Setting)
	}
	return drift
}

// failures are the errors of the answers that are errors.
var failures = map[string]cognito.Error{
	"refused":   {Class: cognito.ClassRefused},
	"busy":      {Class: cognito.ClassBusy},
	"lost":      {Class: cognito.ClassUnclear},
	"unclear":   {Class: cognito.ClassUnclear},
	"role":      {Class: cognito.ClassSMSRole, Code: "InvalidSmsRoleTrustRelationshipException"},
	"odd":       {Class: cognito.ClassOdd},
	"elsewhere": {Class: cognito.ClassElsewhere},
}

func (a *racer) Write(ctx context.Context, id string, request userpool.Request) (requestID string, err error) {
	answer, steady := a.answer[string(request.Document.Kind())]
	if !steady {
		answer = rapid.SampledFrom(answers).Draw(a.t, "answer")
	}
	failed, fails := failures[answer]
	failed.Call, failed.Message = request.Call, answer
	if answer == "named" {
		failed, fails = cognito.Error{Call: request.Call, Class: cognito.ClassRefused, Message: "not this: "}, true
		for _, d := range request.Fixes[:min(1, len(request.Fixes))] {
			failed.Message += d.Setting
		}
	}
	if !fails || answer == "unclear" {
		requestID, err = a.accept(ctx, id, request)
		if !fails && err == nil {
			a.count(request)
			return requestID, nil
		}
	}
	if fails {
		err = &failed
	}
	return "", a.fail(request, err)
}

// accept makes a write, and what somebody makes of it at once.
func (a *racer) accept(ctx context.Context, id string, request userpool.Request) (requestID string, err error) {
	was, _ := a.Pools.Document(ctx, id, request.Document)
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
	a.note("%s of %s for %s is followed by %q", request.Call, request.Document, fixes(request), move)
	return requestID, nil
}

func fixes(request userpool.Request) (names []string) {
	for _, d := range request.Fixes {
		names = append(names, d.Setting)
	}
	return names
}

// count counts a write that was accepted.
func (a *racer) count(request userpool.Request) {
	a.accepted++
	for _, setting := range fixes(request) {
		a.given[setting] = true
		a.fixed[string(request.Document)+" "+setting]++
	}
}

func (a *racer) fail(request userpool.Request, err error) error {
	a.note("%s of %s for %s: %v", request.Call, request.Document, fixes(request), err)
	var failed *cognito.Error
	errors.As(err, &failed)
	switch failed.Class {
	case cognito.ClassBusy, cognito.ClassUnclear, cognito.ClassOdd, cognito.ClassElsewhere:
		a.other++
	default: // also what the service says of what somebody has made of the pool meanwhile
		a.refused++
	}
	for _, setting := range fixes(request) {
		a.given[setting] = true
	}
	return err
}

// fatal ends the test with what the run said and did.
func (a *racer) fatal(out outcome.Outcome, format string, args ...any) {
	said := ""
	for _, d := range out.Drifts {
		said += fmt.Sprintf("\n  %s %s: %s", d.Setting, d.State, d.Reason)
	}
	a.t.Fatalf(format+"\n%s (%s)%s\n%s", append(args, out.Outcome, out.Reason, said, strings.Join(a.log, "\n"))...)
}

// bounds checks the bounds of one run: what was accepted for a setting is not written for it again, and the refusals
// and the reads are few.
func (a *racer) bounds(out outcome.Outcome) {
	for setting, times := range a.fixed {
		if times > 1 {
			a.fatal(out, "%s: accepted %d times", setting, times)
		}
	}
	units := 3 + len(a.last.Clients)
	if calls := a.accepted + a.refused + a.other; a.other > 4*units || a.refused > 4*(len(a.given)+1) ||
		a.reads > 1+2*calls+20*units {
		a.fatal(out, "of %d settings: %d writes accepted, %d refused, %d in vain, and %d reads", len(a.given),
			a.accepted, a.refused, a.other, a.reads)
	}
	if out.Outcome == outcome.Ignored && a.accepted > 0 {
		a.fatal(out, "ignored after a write")
	}
}

// truth compares what a run says with what it was shown.
func (a *racer) truth(out outcome.Outcome) {
	if out.Outcome == outcome.Ignored {
		return
	}
	drift := a.drift()
	if len(drift) > 0 && (out.Outcome == outcome.Remediated || out.Outcome == outcome.Unchanged) {
		a.fatal(out, "%v do not hold", drift)
	}
	said := map[string]bool{}
	for _, d := range out.Drifts {
		said[d.Setting] = true
		drifts := slices.Contains(drift, d.Setting)
		switch {
		case d.State == outcome.StateFixed && drifts:
			a.fatal(out, "%s is called fixed", d.Setting)
		case d.Code == outcome.CodeUnheld && !drifts:
			a.fatal(out, "%s is said not to hold", d.Setting)
		case d.State == outcome.StateUnfixable && d.Reason == "":
			a.fatal(out, "%s without a reason", d.Setting)
		}
	}
	for _, setting := range drift {
		if !said[setting] {
			a.fatal(out, "%s does not hold, and nothing is said of it", setting)
		}
	}
}

// race plants a pool of which something is wrong, and somebody who races with us.
func race(t *rapid.T, budget string) (w ledgered, a *racer, stop func()) {
	w, stop = ledgeredOn(t.Fatalf, cognitotest.Measured)
	w.fake.PutRich(poolID)
	for _, move := range rapid.SliceOfN(drawMove(), 1, 5).Draw(t, "what is wrong") {
		moves[move](w.fake)
	}
	a = drawRacer(t)
	a.Pools, a.fake, a.required = w.client, w.fake, drawRaced(t, budget)
	return w, a, stop
}

// TestNoRace has somebody change something whenever a write of ours is accepted, with whatever answers and however
// late it shows, event after event, each delivered again while it is deferred: each run is bounded, says what it was
// shown, and the flap budget bounds what is written of a setting however the runs end.
func TestNoRace(t *testing.T) {
	t.Parallel()
	const within = 30 * time.Minute
	rapid.Check(t, func(t *rapid.T) {
		w, a, stop := race(t, "flapBudget: {times: 2, minutes: 30}\n")
		defer stop()
		wrote := map[string][]time.Time{}
		steady := drawMove().Draw(t, "move of each event")
		for i := range rapid.SampledFrom([]int{1, 1, 1, 1, 5}).Draw(t, "events") {
			if i > 0 {
				moves[steady](w.fake)
			}
			request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
			request.Call.Changes = everyDocument()
			if rapid.IntRange(0, 4).Draw(t, "own") == 0 {
				request.Cause.Issuer = ownRole
			}
			for try := range 3 {
				w.pass(time.Duration(try+2) * time.Minute)
				a.begin()
				r := w.process(a.required)
				r.Pools = a
				out, err := deliver(t.Context(), r, request)
				a.bounds(out)
				if request.Cause.Issuer == ownRole && a.accepted+a.refused+a.other > 0 {
					a.fatal(out, "the event of a write of ours was answered with a write")
				}
				for setting := range a.fixed {
					wrote[setting] = append(wrote[setting], w.time())
					if n := len(wrote[setting]); n > 2 && w.time().Sub(wrote[setting][n-3]) < within-time.Minute {
						a.fatal(out, "%s was written at %v", setting, wrote[setting])
					}
				}
				if err == nil {
					a.truth(out)
					break
				}
			}
		}
	})
}
