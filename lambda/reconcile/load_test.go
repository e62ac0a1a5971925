package reconcile_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// A region is one Region of an account in simulated time: the fake with the documented rates, a ledger, and the two
// queues with their workers, each a process of its own that shares nothing with the others but the ledger. It lives in
// a bubble of synctest, where there are no sockets: calls go to the fake directly.
type region struct {
	fake     *cognitotest.Server
	ledger   reconcile.Ledger
	required *baseline.Baseline
	changes  chan message
	scans    chan message
	working  sync.WaitGroup // messages that are not done yet

	mutex     sync.Mutex
	calls     map[string]int // by operation, the throttled ones too
	throttled int
	ended     map[outcome.Ending]int
	deferred  int
	dead      []string      // messages that were received too often
	slowest   time.Duration // from the first delivery of a changes message until it was done
}

// A message is a request in a queue.
type message struct {
	request  event.Request
	sent     time.Time
	receives int
}

const (
	workers     = 2 // of each queue, as the event source mappings allow
	maxReceives = 20
	latency     = 20 * time.Millisecond
	timeout     = 2 * time.Minute // of the function
)

// newRegion has so many pools with so many clients, and a baseline of one rule.
func newRegion(t *testing.T, rule string, pools, clients int, client map[string]any) *region {
	t.Helper()
	r := &region{required: parse(t, oneRule(rule)), ledger: ledger.NewMemory(), changes: make(chan message, 1<<16),
		scans: make(chan message, 1<<16), calls: map[string]int{}, ended: map[outcome.Ending]int{}}
	r.fake = cognitotest.New(cognitotest.Measured, cognitotest.WithRateLimits(time.Now))
	for i := range pools {
		r.fake.PutRich(loadPool(i))
		for n := range clients {
			r.fake.PutClient(loadPool(i), loadClient(n), maps.Clone(client))
		}
	}
	for range workers {
		go r.work(r.changes)
		go r.work(r.scans)
	}
	t.Cleanup(func() { close(r.changes); close(r.scans) })
	return r
}

// Do answers a call of the SDK.
func (r *region) Do(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	answer := httptest.NewRecorder()
	time.Sleep(latency)
	r.fake.ServeHTTP(answer, request)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.calls[operation]++
	if strings.HasPrefix(answer.Header().Get("X-Amzn-Errortype"), "TooManyRequestsException") {
		r.throttled++
	}
	return answer.Result(), nil
}

// send puts a message into a queue.
func (r *region) send(to chan message, request event.Request) {
	r.working.Add(1)
	to <- message{request: request, sent: time.Now()}
}

// work is one process, which handles one message after the other.
func (r *region) work(from chan message) {
	client := cognito.New(idp.New(idp.Options{Region: "eu-west-1", HTTPClient: r,
		Credentials: aws.AnonymousCredentials{}}))
	reconciler := reconcile.New(client, r.required, r.ledger)
	reconciler.OwnRole, reconciler.MostClients = ownRole, 100
	for m := range from {
		r.handle(reconciler, from, m)
	}
}

// handle handles a message as the function and SQS do.
func (r *region) handle(reconciler *reconcile.Reconciler, from chan message, m message) {
	ctx, stop := context.WithTimeout(context.Background(), timeout)
	defer stop()
	m.receives++
	out, err := deliver(ctx, reconciler, m.request)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err != nil && m.receives < maxReceives {
		r.deferred++
		go func() {
			time.Sleep(queue.Delay(m.receives))
			from <- m
		}()
		return
	}
	if err != nil {
		r.dead = append(r.dead, err.Error())
	}
	for some := range slices.Chunk(out.Details.Clients, 100) {
		rest := m.request
		rest.Call, rest.Clients = event.Name{}, some
		r.send(r.scans, rest)
	}
	r.ended[out.Outcome]++
	if from == r.changes {
		r.slowest = max(r.slowest, time.Since(m.sent))
	}
	r.working.Done()
}

// full has the tests of the load, of the processes and of the campaign try all there is, which takes minutes.
var full = os.Getenv("POOLKEEPER_CAMPAIGN") == "full"

// part is the part of the load that is tried without POOLKEEPER_CAMPAIGN=full.
func part() int {
	if full {
		return 1
	}
	return 10
}

func loadPool(i int) string   { return fmt.Sprintf("eu-west-1_Load%05d", i) }
func loadClient(n int) string { return fmt.Sprintf("client%04d", n) }

func aClient(revokes bool) map[string]any {
	return map[string]any{"ClientName": "client", "RefreshTokenValidity": json.Number("30"),
		"EnableTokenRevocation": revokes}
}

// updated is the event of an UpdateUserPool.
func (r *region) updated(pool, n int) event.Request {
	request := call(fmt.Sprint("event-", n), "Admin", time.Now(), "userPoolId")
	request.UserPoolID = loadPool(pool)
	return request
}

// scanned is a request of a scan.
func (r *region) scanned(pool int) event.Request {
	return event.Request{Kind: event.One, UserPoolID: loadPool(pool), Scan: event.Scan{Started: time.Now()}}
}

// end waits until all messages are done, and logs what became of them.
func (r *region) end(t *testing.T, began time.Time) {
	t.Helper()
	r.working.Wait()
	t.Logf("%v in %s, the slowest event took %s: %v, %d throttled, %d deferred", r.ended, time.Since(began), r.slowest,
		r.calls, r.throttled, r.deferred)
	if len(r.dead) > 0 {
		t.Errorf("%d dead: %v", len(r.dead), r.dead)
	}
}

// TestLoad has 10,000 messages about 1,000 pools handled by two workers, or a tenth of them. A third of the calls
// damage a pool. None is lost, no damage is written twice, and most of the rate is used.
func TestLoad(t *testing.T) {
	t.Parallel()
	pools, messages := 1000/part(), 10000/part()
	synctest.Test(t, func(t *testing.T) {
		r, damages, began := newRegion(t, protects, pools, 0, nil), 0, time.Now()
		for n := range messages {
			i := n * 7 % pools
			if pool, _, _ := r.fake.Pool(loadPool(i)); n%3 == 0 && pool["DeletionProtection"] == "ACTIVE" {
				damages++
				r.fake.Edit(loadPool(i), unprotected)
			}
			r.send(r.changes, r.updated(i, n))
			time.Sleep(50 * time.Millisecond) // 20 calls a second
		}
		r.end(t, began)
		const allowed = workers * 0.2 * 15 // reads a second
		if reads := float64(r.calls["DescribeUserPool"]) / time.Since(began).Seconds(); reads < 0.6*allowed {
			t.Errorf("%.1f reads a second, of %.1f that are allowed", reads, allowed)
		}
		for i := range pools {
			if pool, _, _ := r.fake.Pool(loadPool(i)); pool["DeletionProtection"] != "ACTIVE" {
				t.Errorf("%s is not protected", loadPool(i))
			}
		}
		every := 0
		for _, n := range r.calls {
			every += n
		}
		if r.calls["UpdateUserPool"] != damages || float64(r.throttled) > 0.001*float64(every) {
			t.Errorf("%d writes for %d damages, %d of %d calls throttled", r.calls["UpdateUserPool"], damages, r.throttled,
				every)
		}
	})
}

// TestStorm has 10,000 events about one pool that lie in the queue handled: they cost a handful of reads.
func TestStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, protects, 1, 0, nil)
		var requests []event.Request
		for n := range 10000 {
			requests = append(requests, r.updated(0, n))
		}
		time.Sleep(10 * time.Second) // the events take their time to come
		for _, request := range requests {
			r.send(r.changes, request)
		}
		r.working.Wait()
		if reads := r.calls["DescribeUserPool"]; reads > 2*workers || r.ended[outcome.Unchanged] != 10000 {
			t.Errorf("%d reads: %v", reads, r.ended)
		}
	})
}

// TestScansLeaveRoom: during a scan of many pools with clients, live events wait for less than five seconds.
func TestScansLeaveRoom(t *testing.T) {
	t.Parallel()
	type scanCase struct {
		pools, clients int
		rule           string
	}
	each(t, map[string]scanCase{
		"1,000 pools with 20 clients": {1000, 20, protects + ", " + onClients("", "EnableTokenRevocation: true")},
		"10,000 pools":                {10000, 0, protects},
	}, func(c scanCase, t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, began := newRegion(t, c.rule, c.pools/part(), c.clients, aClient(true)), time.Now()
			for i := range c.pools / part() {
				r.send(r.scans, r.scanned(i))
			}
			for n := range 50 {
				time.Sleep(3 * time.Second)
				r.fake.Edit(loadPool(n), unprotected)
				request := r.updated(n, n)
				request.Call.Changes = []baseline.DocumentName{baseline.UserPool}
				r.send(r.changes, request)
			}
			if r.end(t, began); r.slowest > 5*time.Second {
				t.Errorf("the slowest event took %s", r.slowest)
			}
		})
	})
}

// TestHeldForAnHour: a message about a pool whose lease is held for an hour ends in no dead-letter queue.
func TestHeldForAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, began := newRegion(t, protects, 1, 0, nil), time.Now()
		r.fake.Edit(loadPool(0), unprotected)
		if ok, err := r.ledger.Acquire(t.Context(), loadPool(0), "x", began, began.Add(time.Hour)); err != nil || !ok {
			t.Fatal(err)
		}
		r.send(r.changes, r.updated(0, 1))
		if r.end(t, began); r.ended[outcome.Remediated] != 1 || r.deferred == 0 {
			t.Errorf("%v, %d deferred", r.ended, r.deferred)
		}
	})
}

// TestThousandClients: a pool of 1,000 selected clients is finished, in runs of 100 clients.
func TestThousandClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, began := newRegion(t, onClients("", "EnableTokenRevocation: true"), 1, 1000, aClient(false)), time.Now()
		r.send(r.scans, r.scanned(0))
		r.end(t, began)
		for n := range 1000 {
			if r.fake.Client(loadPool(0), loadClient(n))["EnableTokenRevocation"] != true {
				t.Errorf("client %d is not fixed", n)
			}
		}
	})
}

// runs is how often each of two processes handles an event in a round.
const runs = 4

// duel has two processes remediate one pool at the same time, while somebody turns MFA off again after each of them,
// and reports whether both wrote. SetUserPoolMfaConfig drops the SMS sender each time; it is never lost. Each call is
// delayed by up to a few milliseconds, so that the two meet in every order.
func duel(t *testing.T, books reconcile.Ledger, want outcome.Ending) (bothWrote bool) {
	t.Helper()
	b := serve(t, cognitotest.Measured)
	defer b.fake.Close()
	b.whole(mfaOff)
	before := b.snapshot(t)
	b.fake.Inject(takesSMS)
	required := parse(t, "version: 1\nflapBudget: {times: 1000, minutes: 60}\nrules: [{name: all, require: {"+
		strings.ReplaceAll(totpOptional, "\n", ", ")+"}}]")
	var two [2]process
	var both sync.WaitGroup
	for i := range two {
		two[i].Pools, two[i].strike = b.client, func(string, int) wrong {
			time.Sleep(rand.N(3 * time.Millisecond))
			return wrong{}
		}
		r := b.reconciler(required)
		r.Pools, r.Ledger, r.LeaseWait, r.Now = &two[i], books, time.Hour, time.Now
		r.Sleep = func(context.Context, time.Duration) error { time.Sleep(time.Millisecond); return nil }
		both.Go(func() {
			for n := range runs {
				cause := event.Cause{EventID: fmt.Sprint(i, " ", n), EventName: "SetUserPoolMfaConfig"}
				out, err := r.Reconcile(t.Context(), onPool(cause))
				if want == outcome.Deferred {
					if out.Outcome != want || err == nil {
						t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
					}
				} else if err = cmp.Or(err, r.Close(t.Context(), out)); err != nil {
					t.Errorf("%s (%s): %v", out.Outcome, out.Reason, err)
				}
				b.fake.Edit(poolID, mfaOff)
			}
		})
	}
	both.Wait()
	if moved := difference(before, b.snapshot(t)); len(moved) > 0 {
		t.Errorf("with MFA off again, these differ: %q", moved)
	}
	return two[0].met["Write"] > 0 && two[1].met["Write"] > 0
}

// TestTwoProcesses: two processes at once on one pool with MFA and SMS never lose the SMS sender, and both get to write
// in most rounds. Without the ledger, none of them writes. Each round has a ledger of its own: a run reads all records
// of its pool, of which there would be thousands.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	rounds := 10
	if full {
		rounds = 200
	}
	type fresh = func(round int) reconcile.Ledger
	type ledgers struct {
		open func(t *testing.T) fresh
		want outcome.Ending
	}
	memory := func(int) reconcile.Ledger { return ledger.NewMemory() }
	down := func(int) reconcile.Ledger { return unreachable(nil) }
	moto := func(t *testing.T) fresh { return tables(t, mototest.OneAtATime(t, mototest.Start(t))) }
	each(t, map[string]ledgers{
		"memory":    {func(*testing.T) fresh { return memory }, outcome.Remediated},
		"ministack": {func(t *testing.T) fresh { return tables(t, mototest.Ministack(t)) }, outcome.Remediated},
		"moto":      {moto, outcome.Remediated},
		"no ledger": {func(*testing.T) fresh { return down }, outcome.Deferred},
	}, func(of ledgers, t *testing.T) {
		fresh, bothWrote := of.open(t), 0
		for round := range rounds {
			if duel(t, fresh(round), of.want) {
				bothWrote++
			}
		}
		t.Logf("%d rounds, both processes wrote in %d", rounds, bothWrote)
		if of.want == outcome.Deferred && bothWrote > 0 || of.want != outcome.Deferred && bothWrote*2 < rounds {
			t.Errorf("both processes wrote in %d of %d rounds", bothWrote, rounds)
		}
	})
}

// tables makes a table for each round.
func tables(t *testing.T, url string) func(round int) reconcile.Ledger {
	return func(round int) reconcile.Ledger {
		name := fmt.Sprint("ledger", round)
		return ledger.Table{Client: mototest.Table(t, url, name), Name: name}
	}
}

// A motoBench is moto with one pool, and the client of the SDK that makes and damages it.
type motoBench struct {
	bench
	sdk *idp.Client
	id  string
}

func onMoto(t *testing.T, url string) motoBench {
	t.Helper()
	client := sdk(t, url)
	m := motoBench{bench: newBench(nil, cognito.New(client)), sdk: client}
	out := must(client.CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("customers"),
		DeletionProtection: types.DeletionProtectionTypeActive}))(t)
	m.id = aws.ToString(out.UserPool.Id)
	return m
}

func (m motoBench) reconcile(t *testing.T, required *baseline.Baseline) outcome.Outcome {
	t.Helper()
	return m.answer(t, required, event.Request{Kind: event.One, UserPoolID: m.id})
}

// fullUpdate is an update of everything, as the console sends it.
const fullUpdate = `{"PoolName": "customers", "DeletionProtection": "ACTIVE", "UserPoolTier": "PLUS",
	"Policies": {"PasswordPolicy": {"MinimumLength": 10, "RequireLowercase": true, "TemporaryPasswordValidityDays": 3}},
	"LambdaConfig": {"PreSignUp": "` + trigger + `", "PostConfirmation": "` + postConfirmation + `"},
	"AutoVerifiedAttributes": ["email"], "UserPoolTags": {"env": "prod", "empty": ""},
	"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}, "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true},
	"AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}}`

// motoCases are incidents, by real calls. pool edits the bodies of the calls; without a member of MFA there is no such
// call.
var motoCases = map[string]scenario{
	"deletion protection and a password length": {pool: unprotected, fixed: all(protected, policy+"MinimumLength"),
		rule:  "DeletionProtection: ACTIVE\nPolicies: {PasswordPolicy: {MinimumLength: {atLeast: 14}}}",
		moves: all(protected+"=ACTIVE", policy+"MinimumLength=14")},
	"a trigger and threat protection": {pool: sets("LambdaConfig.PreSignUp", nil, "UserPoolAddOns", nil),
		rule:  "UserPoolTier: PLUS\n" + enforced + "\nLambdaConfig: {PreSignUp: '" + trigger + "'}",
		fixed: all("LambdaConfig.PreSignUp", threat), moves: all("LambdaConfig.PreSignUp="+trigger, threat+"=ENFORCED",
			"LambdaConfig.PostConfirmation="+postConfirmation)},
	"MFA turned off": {pool: sets("mfa:MfaConfiguration", "OFF"), rule: totpOptional, writes: setMFA,
		fixed: all("MfaConfiguration", totp), moves: all("mfa:MfaConfiguration=OPTIONAL", "mfa:"+totp+"=true")},
	"compliant": {pool: sets(), rule: "Policies: {PasswordPolicy: {MinimumLength: {atLeast: 8}}}"},
}

// TestAgainstMoto runs the main job against moto: real calls make and damage the pools, and a run puts them right.
func TestAgainstMoto(t *testing.T) {
	t.Parallel()
	url := mototest.Start(t)
	each(t, motoCases, func(c scenario, t *testing.T) {
		m := onMoto(t, url)
		update, mfa := tree(t, fullUpdate), map[string]any{}
		c.pool(update, mfa)
		m.send(t, "UpdateUserPool", update)
		if len(mfa) > 0 {
			m.send(t, "SetUserPoolMfaConfig", mfa)
		}
		before := m.leaves(t)
		out := m.reconcile(t, require(t, c.rule))
		ending, of := c.wants()
		if out.Outcome != ending || !maps.Equal(of, states(out)) || !slices.Equal(out.Writes, c.calls()) {
			t.Errorf("%s with %v (%s), want %s with %v", out.Outcome, out.Writes, out.Reason, ending, c.calls())
		}
		c.compare(t, before, m.leaves(t), c.moves)
	})
}

// send makes a call about the pool.
func (m motoBench) send(t *testing.T, call string, body map[string]any) {
	t.Helper()
	body["UserPoolId"] = m.id
	must(m.client.Write(t.Context(), m.id, userpool.Request{Call: call, Body: marshal(t, body)}))(t)
}

// TestClientsAgainstMoto does the same with an app client: made with a secret, weakened by a call that leaves a member
// out, found by its name and put right.
func TestClientsAgainstMoto(t *testing.T) {
	t.Parallel()
	m := onMoto(t, mototest.Start(t))
	const callback = "https://app.example.com/callback"
	made := must(m.sdk.CreateUserPoolClient(t.Context(), &idp.CreateUserPoolClientInput{UserPoolId: aws.String(m.id),
		ClientName: aws.String("web-app"), GenerateSecret: true, CallbackURLs: []string{callback},
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesEnabled}))(t)
	web, secret := made.UserPoolClient.ClientId, aws.ToString(made.UserPoolClient.ClientSecret)
	must(m.sdk.UpdateUserPoolClient(t.Context(), &idp.UpdateUserPoolClientInput{UserPoolId: aws.String(m.id),
		ClientId: web, ClientName: aws.String("web-app"), CallbackURLs: []string{callback, "https://evil.example"},
		PreventUserExistenceErrors: types.PreventUserExistenceErrorTypesLegacy}))(t)
	out := m.reconcile(t, parse(t, oneRule(webRule(isKnown+", CallbackURLs: {without: ['https://evil.example']}"))))
	if out.Outcome != outcome.Remediated || len(out.Drifts) != 2 || fmt.Sprint(out.Writes) != "[UpdateUserPoolClient]" {
		t.Errorf("%s (%s) %v %v", out.Outcome, out.Reason, out.Writes, out.Drifts)
	}
	c := must(m.sdk.DescribeUserPoolClient(t.Context(),
		&idp.DescribeUserPoolClientInput{UserPoolId: aws.String(m.id), ClientId: web}))(t).UserPoolClient
	same := secret != "" && aws.ToString(c.ClientSecret) == secret
	if c.PreventUserExistenceErrors != types.PreventUserExistenceErrorTypesEnabled || !same ||
		strings.Join(c.CallbackURLs, " ") != callback {
		t.Errorf("the client is %s %v, its secret the same: %v", c.PreventUserExistenceErrors, c.CallbackURLs, same)
	}
}

const postConfirmation = "arn:aws:lambda:eu-west-1:111122223333:function:post-confirmation"

// leaves is the pool as moto shows it. Its DescribeUserPool shows a stale MfaConfiguration; the other call is the
// authority.
func (m motoBench) leaves(t *testing.T) map[string]string {
	t.Helper()
	state := must(m.client.Read(t.Context(), m.id,
		userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig}}))(t)
	leaves := map[string]string{}
	flatten("", state.Documents["UserPool"], leaves)
	flatten("mfa:", state.Documents["MfaConfig"], leaves)
	delete(leaves, "LastModifiedDate")
	delete(leaves, "MfaConfiguration")
	return leaves
}
