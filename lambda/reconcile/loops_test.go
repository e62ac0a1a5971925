package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

const highAction = "{AccountTakeoverRiskConfiguration: {Actions: {HighAction: {EventAction: BLOCK, Notify: true}}}}"

// The requirements over which somebody races with us: some of every document, and some that depend on others.
var (
	racedPool = all("DeletionProtection: ACTIVE", "UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}",
		"Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}, RequireSymbols: true}}",
		"SmsAuthenticationMessage: 'Sign-in code {####} required'", "RiskConfiguration: "+highAction,
		"LogConfigurations: {userNotification: {LogLevel: ERROR}}")
	racedMFA     = all("MfaConfiguration: OPTIONAL", "SoftwareTokenMfaConfiguration: {Enabled: true}")
	racedClients = all("EnableTokenRevocation: true", "PreventUserExistenceErrors: ENABLED",
		"RiskConfiguration: "+highAction)
)

func drawRaced(t *rapid.T) *baseline.Baseline {
	mfa := racedMFA
	if rapid.Bool().Draw(t, "MFA off") {
		mfa = all(`MfaConfiguration: "OFF"`)
	}
	some := func(of ...string) string {
		return strings.Join(slices.DeleteFunc(of, func(r string) bool { return rapid.Bool().Draw(t, "not "+r) }), ", ")
	}
	pool, clients := some(slices.Concat(racedPool, mfa)...), some(slices.Clone(racedClients)...)
	if pool+clients == "" {
		pool = racedPool[0]
	}
	text := "require: {" + pool + "}"
	if pool == "" {
		text = onClients("", clients)
	} else if clients != "" {
		text += ", " + onClients("", clients)
	}
	return parse(t, oneRule(text)+"flapBudget: {times: 2, minutes: 30}\n")
}

// moves are what somebody else does to a pool: to each of its documents, and so that one of them breaks each
// requirement of raced.
var moves = map[string]func(fake *cognitotest.Server){
	"UserPool": does(alsoUnprotected(policy+"MinimumLength", json.Number("8"), policy+"RequireSymbols", false)),
	"length":   does(sets(policy+"MinimumLength", json.Number("6"))),
	"threat":   does(sets(threat, "OFF")),
	"audit":    does(sets(threat, "AUDIT")),
	"sms":      does(sets("SmsConfiguration", nil, "mfa:SmsMfaConfiguration", nil)),
	"text": does(func(pool, mfa map[string]any) {
		pool["SmsAuthenticationMessage"] = "another {####} CANARY"
		if mfa["SmsMfaConfiguration"] != nil {
			object(mfa, "SmsMfaConfiguration")["SmsAuthenticationMessage"] = "another {####} CANARY"
		}
	}),
	"tags":              does(sets("UserPoolTags.team", "another")),
	"MfaConfig":         does(sets("MfaConfiguration", "ON", "mfa:MfaConfiguration", "ON")),
	"optional":          does(sets("MfaConfiguration", "OPTIONAL", "mfa:MfaConfiguration", "OPTIONAL")),
	"token":             does(sets("mfa:SoftwareTokenMfaConfiguration", nil)),
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
	bench{fake: fake}.editRisk(client, "AccountTakeoverRiskConfiguration.Actions.HighAction",
		map[string]any{"EventAction": "NO_ACTION", "Notify": false})
}

func drawMove() *rapid.Generator[string] { return rapid.SampledFrom(slices.Sorted(maps.Keys(moves))) }

// failures are what may become of a write that is not simply accepted.
var failures = []cognitotest.Fault{
	refusedWrite("InvalidParameterException", "no"),
	refusedWrite("InvalidParameterException", "Value 'x' at 'deletionProtection' failed to satisfy constraint: a"),
	refusedWrite("InvalidSmsRoleTrustRelationshipException", "no"), refusedWrite("OperationNotEnabledException", "no"),
	refusedWrite("BrandNewException", "no"), refusedWrite("TooManyRequestsException", "no"), lostWrite(0, false),
	lostWrite(0, true),
}

// drawFaults has some writes fail: the first few of a call, or all of them.
func drawFaults(t *rapid.T, fake *cognitotest.Server) {
	for operation := range writesOf() {
		for range rapid.IntRange(0, 3).Draw(t, "failures of "+operation) {
			f := rapid.SampledFrom(failures).Draw(t, "failure")
			f.Operation, f.Times = operation, rapid.SampledFrom([]int{1, 1, 2, 0}).Draw(t, "times")
			fake.Inject(f)
		}
	}
}

// A watcher keeps the pool as a run is shown it, and has somebody make a move after each write that is accepted.
type watcher struct {
	reconcile.Pools
	fake     *cognitotest.Server
	required *baseline.Baseline
	moves    map[string]string // by the call
	last     userpool.State
}

func (w *watcher) Write(ctx context.Context, id string, r userpool.Request) (request string, err error) {
	request, err = w.Pools.Write(ctx, id, r)
	if err == nil {
		moves[w.moves[r.Call]](w.fake)
	}
	return request, err
}

func (w *watcher) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	state, err := w.Pools.Read(ctx, id, want)
	if err != nil {
		return state, err
	}
	documents := w.last.Documents
	if documents == nil {
		w.last, documents = state, map[baseline.DocumentName]map[string]any{}
	}
	maps.Copy(documents, state.Documents)
	w.last.Documents = documents
	return state, nil
}

func (w *watcher) Document(ctx context.Context, id string, name baseline.DocumentName) (map[string]any, error) {
	document, err := w.Pools.Document(ctx, id, name)
	if err == nil {
		w.last.Documents[name] = document
	}
	return document, err
}

// drift are the settings that do not hold by the latest reads.
func (w *watcher) drift() map[string]bool {
	drift := map[string]bool{}
	for _, d := range baseline.Compare(w.required.Policy(w.last.Identity(), clock), w.last.Settings()).Drifts {
		drift[d.Setting] = true
	}
	return drift
}

// lie compares what a run says with what it was shown.
func (w *watcher) lie(out outcome.Outcome) string {
	drift, said := w.drift(), states(out)
	if len(drift) > 0 && (out.Outcome == outcome.Remediated || out.Outcome == outcome.Unchanged) {
		return fmt.Sprint("these do not hold: ", drift)
	}
	for _, d := range out.Drifts {
		switch {
		case d.State == outcome.StateFixed && drift[d.Setting]:
			return d.Setting + " is called fixed"
		case d.Code == outcome.CodeUnheld && !drift[d.Setting]:
			return d.Setting + " is said not to hold"
		case d.State == outcome.StateUnfixable && d.Reason == "":
			return d.Setting + " without a reason"
		}
	}
	for setting := range drift {
		if said[setting] == "" {
			return setting + " does not hold, and nothing is said of it"
		}
	}
	return ""
}

// bounded checks that no run wrote a setting twice once that was accepted, and that the flap budget bounds what all
// runs together write.
func (w bench) bounded(t *rapid.T, within time.Duration) {
	history, err := w.ledger.History(t.Context(), poolID, time.Time{}, true)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string][]time.Time{} // by document and setting, one run after the other
	slices.SortFunc(history.Records, func(a, b outcome.Record) int { return a.Began.Compare(b.Began) })
	for _, r := range history.Records {
		for _, s := range r.Sent {
			for _, setting := range s.Fixes {
				key := string(s.Document) + " " + setting
				if at := written[key]; s.Status == outcome.Accepted {
					written[key] = append(at, r.Began)
					if n := len(at); n > 0 && at[n-1].Equal(r.Began) || n > 1 && r.Began.Sub(at[n-2]) < within {
						t.Fatalf("%s was written at %v", setting, written[key])
					}
				}
			}
		}
	}
}

// TestNoRace has somebody change something whenever a write of ours is accepted, and other writes fail, event after
// event, each delivered again while it is deferred: each run is bounded, says what it was shown, and the flap budget
// bounds what is written of a setting however the runs end.
func TestNoRace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := serve(t, cognitotest.Measured)
		w.fake.PutRich(poolID)
		for _, move := range rapid.SliceOfN(drawMove(), 1, 5).Draw(t, "what is wrong") {
			moves[move](w.fake)
		}
		required := drawRaced(t)
		drawFaults(t, w.fake)
		after := map[string]string{}
		for operation := range writesOf() {
			after[operation] = drawMove().Draw(t, "move after "+operation)
		}
		steady := drawMove().Draw(t, "move of each event")
		for i := range rapid.SampledFrom([]int{1, 1, 1, 1, 5}).Draw(t, "events") {
			if i > 0 {
				moves[steady](w.fake)
			}
			request := call(fmt.Sprint("event", i), "terraform-ci", w.time())
			request.Call.Changes = everyDocument()
			own := rapid.IntRange(0, 4).Draw(t, "own") == 0
			if own {
				request.Cause.Issuer = ownRole
			}
			for try := range 3 {
				w.pass(time.Duration(try+2) * time.Minute)
				w.fake.ResetCalls()
				r, seen := w.reconciler(required), &watcher{w.client, w.fake, required, after, userpool.State{}}
				r.Pools = seen
				out, err := deliver(t.Context(), r, request)
				w.bounded(t, 29*time.Minute)
				writes, reads := len(w.writes()), len(w.fake.Calls())-len(w.writes())
				if writes > 60 || reads > 20*(writes+10) {
					t.Fatalf("%d writes and %d reads: %s (%s)", writes, reads, out.Outcome, out.Reason)
				}
				if own && writes > 0 {
					t.Fatalf("the event of a write of ours was answered with %v", w.writes())
				}
				if err != nil {
					continue
				}
				if lie := seen.lie(out); lie != "" && out.Outcome != outcome.Ignored {
					t.Fatalf("%s: %s (%s)", lie, out.Outcome, out.Reason)
				}
				break
			}
		}
	})
}
