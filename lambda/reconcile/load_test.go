package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
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
	dead      []string        // messages that were received too often
	slowest   time.Duration   // from the first delivery of a changes message until it was done
	seen      map[string]bool // pools whose own run ended
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

func newRegion(t *testing.T, required *baseline.Baseline) *region {
	t.Helper()
	r := &region{required: required, ledger: ledger.NewMemory(), changes: make(chan message, 1<<16),
		scans: make(chan message, 1<<16), calls: map[string]int{}, ended: map[outcome.Ending]int{},
		seen: map[string]bool{}}
	r.fake = cognitotest.New(cognitotest.Measured, cognitotest.WithRateLimits(time.Now))
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
	out, err := reconciler.Reconcile(ctx, m.request)
	if closed := reconciler.Close(ctx, out); err == nil {
		err = closed
	}
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

// part is the part of the load that is tried without POOLKEEPER_CAMPAIGN=full.
func part() int {
	if os.Getenv("POOLKEEPER_CAMPAIGN") == "full" {
		return 1
	}
	return 10
}

func loadPool(i int) string { return fmt.Sprintf("eu-west-1_Load%05d", i) }

// poolUpdated is the event of an UpdateUserPool.
func poolUpdated(pool string, n int) event.Request {
	i := slices.IndexFunc(event.Table(), func(name event.Name) bool { return name.Name == "UpdateUserPool" })
	return event.Request{Kind: event.One, UserPoolID: pool, Call: event.Table()[i], Named: []string{"userPoolId"},
		Cause: event.Cause{EventID: fmt.Sprint("event-", n), EventName: "UpdateUserPool", Time: time.Now(),
			Actor: "arn:aws:iam::111122223333:user/someone"}}
}

// TestLoad has 10,000 messages about 1,000 pools handled by two workers, or a tenth of them. A third of the calls
// damage a pool.
func TestLoad(t *testing.T) {
	t.Parallel()
	pools, messages := 1000/part(), 10000/part()
	required := require(t, "DeletionProtection: ACTIVE")
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, required)
		for i := range pools {
			r.fake.PutRich(loadPool(i))
		}
		damages := 0
		began := time.Now()
		for n := range messages {
			pool := loadPool(n * 7 % pools)
			if n%3 == 0 {
				r.fake.Edit(pool, func(pool, _ map[string]any) {
					if pool["DeletionProtection"] == "ACTIVE" {
						damages++
					}
					pool["DeletionProtection"] = "INACTIVE"
				})
			}
			r.send(r.changes, poolUpdated(pool, n))
			time.Sleep(50 * time.Millisecond) // 20 calls a second
		}
		r.working.Wait()
		took := time.Since(began)
		for i := range pools {
			if pool, _, _ := r.fake.Pool(loadPool(i)); pool["DeletionProtection"] != "ACTIVE" {
				t.Errorf("%s is not protected", loadPool(i))
			}
		}
		all := 0
		for _, n := range r.calls {
			all += n
		}
		reads := float64(r.calls["DescribeUserPool"]) / took.Seconds()
		t.Logf("%v in %s: %d damages, %d writes, %.1f reads a second, %d of %d calls throttled, %d deferred, %d dead",
			r.ended, took, damages, r.calls["UpdateUserPool"], reads, r.throttled, all, r.deferred, len(r.dead))
		if len(r.dead) > 0 || r.calls["UpdateUserPool"] != damages || float64(r.throttled) > 0.001*float64(all) {
			t.Errorf("%d dead, %d writes for %d damages, %d throttled", len(r.dead), r.calls["UpdateUserPool"], damages,
				r.throttled)
		}
	})
}

// TestStorm has 10,000 events about one pool that lie in the queue handled: they cost a handful of reads.
func TestStorm(t *testing.T) {
	t.Parallel()
	required := require(t, "DeletionProtection: ACTIVE")
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, required)
		r.fake.PutRich(loadPool(1))
		var requests []event.Request
		for n := range 10000 {
			requests = append(requests, poolUpdated(loadPool(1), n))
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
	for name, c := range map[string]struct {
		pools, clients int
		required       string
	}{
		"1,000 pools with 20 clients": {1000, 20, "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}, " +
			"clients: [{require: {EnableTokenRevocation: true}}]}]"},
		"10,000 pools": {10000, 0, "version: 1\nrules: [{name: a, require: {DeletionProtection: ACTIVE}}]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			required := parse(t, c.required)
			synctest.Test(t, func(t *testing.T) { scanWithEvents(t, required, c.pools/part(), c.clients) })
		})
	}
}

func scanWithEvents(t *testing.T, required *baseline.Baseline, pools, clients int) {
	t.Helper()
	r := newRegion(t, required)
	for i := range pools {
		r.fake.PutRich(loadPool(i))
		for n := range clients {
			id := fmt.Sprintf("client%02d", n)
			r.fake.PutClient(loadPool(i), id, map[string]any{"ClientName": id, "RefreshTokenValidity": json.Number("30"),
				"EnableTokenRevocation": true})
		}
	}
	began := time.Now()
	for i := range pools {
		r.send(r.scans, event.Request{Kind: event.One, UserPoolID: loadPool(i), Scan: event.Scan{Started: began}})
	}
	for n := range 50 {
		time.Sleep(3 * time.Second)
		r.fake.Edit(loadPool(n), func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
		request := poolUpdated(loadPool(n), n)
		request.Call.Changes = []string{"UserPool"}
		r.send(r.changes, request)
	}
	r.working.Wait()
	t.Logf("%s: %v, the slowest event took %s, %d throttled, %d deferred", time.Since(began), r.ended, r.slowest,
		r.throttled, r.deferred)
	if len(r.dead) > 0 || r.slowest > 5*time.Second {
		t.Errorf("the slowest event took %s, %d dead", r.slowest, len(r.dead))
	}
}

// TestHeldForAnHour: a message about a pool whose lease is held for an hour ends in no dead-letter queue.
func TestHeldForAnHour(t *testing.T) {
	t.Parallel()
	required := require(t, "DeletionProtection: ACTIVE")
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, required)
		r.fake.PutRich(loadPool(1))
		r.fake.Edit(loadPool(1), func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
		now := time.Now()
		if ok, err := r.ledger.Acquire(t.Context(), loadPool(1), "somebody", now, now.Add(time.Hour)); err != nil || !ok {
			t.Fatal(err)
		}
		r.send(r.changes, poolUpdated(loadPool(1), 1))
		r.working.Wait()
		if r.ended[outcome.Remediated] != 1 || len(r.dead) > 0 || r.deferred == 0 {
			t.Errorf("%v, %d deferred, dead: %v", r.ended, r.deferred, r.dead)
		}
	})
}

// TestThousandClients: a pool of 1,000 selected clients is finished, in runs of 100 clients.
func TestThousandClients(t *testing.T) {
	t.Parallel()
	required := parse(t, "version: 1\nrules: [{name: a, clients: [{require: {EnableTokenRevocation: true}}]}]")
	synctest.Test(t, func(t *testing.T) {
		r := newRegion(t, required)
		r.fake.PutRich(loadPool(1))
		for n := range 1000 {
			id := fmt.Sprintf("client%04d", n)
			r.fake.PutClient(loadPool(1), id, map[string]any{"ClientName": id, "RefreshTokenValidity": json.Number("30"),
				"EnableTokenRevocation": false})
		}
		began := time.Now()
		r.send(r.scans, event.Request{Kind: event.One, UserPoolID: loadPool(1), Scan: event.Scan{Started: began}})
		r.working.Wait()
		for n := range 1000 {
			if r.fake.Client(loadPool(1), fmt.Sprintf("client%04d", n))["EnableTokenRevocation"] != true {
				t.Errorf("client %d is not fixed", n)
			}
		}
		t.Logf("%s: %v, %d deferred, %d throttled, %v", time.Since(began), r.ended, r.deferred, r.throttled, r.dead)
		if len(r.dead) > 0 {
			t.Error(r.dead)
		}
	})
}
