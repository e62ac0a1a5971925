// Package oracle runs random baselines on random pools and checks the results with an independent oracle. The oracle
// implements operators, twins and conflicts as the baseline reference describes them, and shares no code with the
// comparison.
package oracle

import (
	"context"
	goflag "flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

var (
	pairs = goflag.Int("pairs", 200, "how many pairs of a baseline and a pool are tried")
	seed  = goflag.Uint64("seed", 1, "of the first pair")
)

const poolID = "eu-west-1_AbCdEf123"

// A trial is a pair of a baseline and a pool, with three events: the pool as it was drawn, the pool after somebody
// changed it, and the same event again.
type trial struct {
	document document
	states   [2]state
	ownWrite bool // the second event is of our own role
}

var impossible = regexp.MustCompile(
	"cannot be (combined with|on while)|must be in AutoVerified|need (UserPoolTier PLUS|a factor)")

func drawTrial(r *rand.Rand) trial {
	t := trial{document: drawDocument(r), ownWrite: r.IntN(10) == 0}
	for {
		// What nothing can meet is refused, and is no baseline.
		_, err := baseline.Parse("drawn.yaml", t.document.yaml())
		if err == nil || !impossible.MatchString(err.Error()) {
			break
		}
		t.document = drawDocument(r)
	}
	t.states[0] = drawState(r, firstState(), r.IntN(2*len(facts)))
	t.states[1] = drawState(r, t.states[0], 1+r.IntN(6))
	return t
}

// direct hands requests to a fake without a network.
type direct struct{ http.Handler }

func (d direct) Do(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, r)
	response := answer.Result()
	response.Body = io.NopCloser(answer.Body)
	return response, nil
}

const ownRole = "arn:aws:iam::111122223333:role/poolkeeper"

// run returns what differs from the verdicts of the oracle, or "", and counts the outcomes.
func (t trial) run(ctx context.Context, kind cognitotest.Mode, counts map[outcome.Ending]int) (problem string) {
	required, err := baseline.Parse("drawn.yaml", t.document.yaml())
	if err != nil {
		return "the baseline is refused: " + err.Error()
	}
	fake := cognitotest.New(kind)
	fake.PutRich(poolID)
	client := cognito.New(idp.New(idp.Options{Region: "eu-west-1", HTTPClient: direct{fake},
		Credentials: aws.AnonymousCredentials{}, BaseEndpoint: aws.String("http://fake")}))
	client.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	r := reconcile.New(client, required, ledger.NewMemory())
	r.OwnRole, r.Sleep = ownRole, client.Sleep
	r.Now = func() time.Time { return now }
	for n := range 3 {
		now = now.Add(time.Minute)
		if n < 2 {
			t.states[n].plant(fake)
		}
		before, rest := read(fake)
		cause := event.Cause{EventID: fmt.Sprint(n), EventName: "UpdateUserPool", Time: now.Add(-time.Second)}
		if t.ownWrite && n > 0 {
			cause.Issuer = ownRole
		}
		out, err := r.Reconcile(ctx, event.Request{Kind: event.One, UserPoolID: poolID, Cause: cause})
		if err == nil {
			err = r.Close(ctx, out)
		}
		after, restAfter := read(fake)
		counts[out.Outcome]++
		want := verdictOf(t.document, before, cause.Issuer != "")
		switch {
		case err != nil:
			problem = err.Error()
		case !maps.Equal(rest, restAfter):
			maps.DeleteFunc(rest, func(path, v string) bool { return restAfter[path] == v })
			problem = fmt.Sprint("what nobody required moved, among it ", rest)
		case out.Outcome != want.outcome:
			problem = fmt.Sprintf("the outcome is %s (%s), want %s", out.Outcome, out.Reason, want.outcome)
		case !slices.ContainsFunc(want.states, after.same):
			problem = fmt.Sprintf("the pool differs: %v", after.difference(want.states[0]))
		}
		if problem != "" {
			for _, d := range out.Drifts {
				problem += fmt.Sprintf("\n\t%s: want %s, have %s: %s %s", d.Setting, d.Want, d.Have, d.State, d.Reason)
			}
			return fmt.Sprintf("event %d: %s\nbefore %v\nafter  %v", n+1, problem, before.unusual(), after.unusual())
		}
	}
	return ""
}

func (s state) same(other state) bool { return len(s.difference(other)) == 0 }

// difference names the facts that differ.
func (s state) difference(other state) []string {
	var all []string
	for _, f := range facts {
		if name := f.Names[0]; !s.equal(name, other[name]) {
			all = append(all, fmt.Sprintf("%s is %s, want %s", name, canonical(name, s[name]), canonical(name, other[name])))
		}
	}
	return all
}

// unusual names the facts that are not those of the first state.
func (s state) unusual() []string {
	var all []string
	for _, f := range facts {
		if name := f.Names[0]; !s.equal(name, firstState()[name]) {
			all = append(all, name+"="+canonical(name, s[name]))
		}
	}
	return all
}

// TestOracle: random baselines and pools come to what the oracle says, in both modes of the fake. The flag -pairs says
// how many of them; -seed=N -pairs=1 repeats one.
func TestOracle(t *testing.T) {
	t.Parallel()
	for name, kind := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			different, counts := 0, map[outcome.Ending]int{}
			for n := range uint64(*pairs) {
				one := drawTrial(rand.New(rand.NewPCG(*seed+n, 17)))
				if problem := one.run(t.Context(), kind, counts); problem != "" {
					if different++; different <= 3 {
						t.Errorf("pair %d:\n%s\n%s", *seed+n, one.document.yaml(), problem)
					}
				}
			}
			t.Logf("%d pairs, three events each: %d differences; outcomes: %v", *pairs, different, counts)
		})
	}
}

var modes = map[string]cognitotest.Mode{"contract": cognitotest.Contract, "measured": cognitotest.Measured}

// TestFound holds the smallest pairs on which a search found a difference.
func TestFound(t *testing.T) {
	t.Parallel()
	absent := func(name string) requirement { return requirement{name: name, op: "absent", want: true} }
	one := func(name string, v any) requirement { return requirement{name: name, op: "value", want: v} }
	enforced := func(require ...requirement) rule { return rule{selects: true, require: require} }
	audited := func(require ...requirement) rule { return rule{selects: true, audits: true, require: require} }
	for name, c := range map[string]struct {
		pool  state
		rules []rule
	}{
		"a twin that is absent in an object that has exactly others": {state{trigger: arn("three"), version: "V1_0"},
			[]rule{enforced(requirement{name: lambdas, op: "exactly",
				want: map[string]any{"LambdaConfig.UserMigration": arn("one")}}), enforced(absent(trigger))}},
		"a part that is only audited, of an object that is absent": {state{"UserPoolTags.env": "one"},
			[]rule{enforced(absent(tags)), audited(absent("UserPoolTags.env"))}},
		"an empty part of an object that is absent": {state{devices: true, devices + ".ChallengeRequiredOnNewDevice": false},
			[]rule{enforced(absent(devices)), enforced(one(devices+".ChallengeRequiredOnNewDevice", false))}},
		"a part that goes with the object around it": {state{devices: true, devices + ".ChallengeRequiredOnNewDevice": true},
			[]rule{enforced(absent(devices)), enforced(one(devices+".ChallengeRequiredOnNewDevice", false))}},
		"a text that is written, beside a factor that cannot go": {state{mode: "OPTIONAL", sms: true},
			[]rule{enforced(absent(sms), one("SmsAuthenticationMessage", "one {####}"))}},
		"a part that an audit would write": {state{devices: true}, []rule{enforced(absent(devices)),
			audited(one(devices+".ChallengeRequiredOnNewDevice", true))}},
		"factors that cannot be on take no text along": {state{}, []rule{enforced(one(totp, true),
			one(email+".Message", "one {####}"), one("SmsAuthenticationMessage", "one {####}"))}},
		"a trigger under its newer name alone": {state{},
			[]rule{enforced(one("LambdaConfig.PreTokenGenerationConfig.LambdaArn", arn("one")))}},
		"a sender that is required, beside a factor that is absent": {state{}, []rule{
			enforced(one("SmsConfiguration.ExternalId", "two")), enforced(absent(sms))}},
		"first factors that every pool has": {state{first: nil},
			[]rule{enforced(requirement{name: first, op: "present", want: true})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := firstState()
			maps.Copy(s, c.pool)
			for mode, kind := range modes {
				pair := trial{document: document{rules: c.rules}, states: [2]state{s, s}}
				if problem := pair.run(t.Context(), kind, map[outcome.Ending]int{}); problem != "" {
					t.Errorf("%s: %s", mode, problem)
				}
			}
		})
	}
}
