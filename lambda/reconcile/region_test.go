package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// A region is one Region of an account in simulated time: the fake with the documented rates, the ledger, and Lambda's asynchronous queue in front of the keeper. Every invocation is a process of its own,
// with its own client of the SDK and the SDK's own retries, which shares nothing with the others but the ledger. It lives in a bubble of synctest, where there are no sockets: calls go to the fake directly.
type region struct {
	fake     *cognitotest.Server
	ledger   reconcile.Ledger
	required *baseline.Baseline
	free     chan struct{} // one for each invocation that may run at once
	queued   sync.WaitGroup
	wrote    func(call cognitotest.Call) // is told of every write that was accepted

	mutex     sync.Mutex
	calls     map[string]int // by operation, the throttled ones too
	looked    []time.Time    // when DescribeUserPool was called
	throttled int
	last      time.Time                      // when the latest call was answered
	atWork    map[string]int                 // invocations that have begun to read a pool, and have not ended
	ended     map[string][]reconcile.Outcome // by event id
	deferred  map[string]int                 // invocations that Lambda had to try again, by reason
	delivered int
	lost      map[string]string // why, by the id of an event of which no try was left
}

const (
	cognitoLatency = 20 * time.Millisecond
	ledgerLatency  = 5 * time.Millisecond
	lambdaTimeout  = 15 * time.Minute
)

// retryAfter are Lambda's waits before it tries an asynchronous event again; after the last try the event is lost.
var retryAfter = []time.Duration{time.Minute, 2 * time.Minute}

// newRegion makes a region of which the function may run so often at once.
func newRegion(required *baseline.Baseline, concurrency int) *region {
	return &region{
		fake:     cognitotest.New(cognitotest.Contract, cognitotest.WithRateLimits(), cognitotest.WithLatency(cognitoLatency)),
		ledger:   distant{ledger.NewMemory()},
		required: required, free: make(chan struct{}, concurrency), wrote: func(cognitotest.Call) {},
		calls: map[string]int{}, atWork: map[string]int{}, ended: map[string][]reconcile.Outcome{}, lost: map[string]string{}, deferred: map[string]int{},
	}
}

// Do answers a call of the SDK.
func (r *region) Do(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	began := time.Now()
	answer := httptest.NewRecorder()
	r.fake.ServeHTTP(answer, request)
	r.mutex.Lock()
	r.calls[operation]++
	r.last = time.Now()
	if operation == "DescribeUserPool" {
		r.looked = append(r.looked, began)
	}
	if answer.Header().Get("X-Amzn-Errortype") == "TooManyRequestsException:" {
		r.throttled++
	}
	r.mutex.Unlock()
	if answer.Code == http.StatusOK && !strings.HasPrefix(operation, "Describe") && !strings.HasPrefix(operation, "Get") {
		r.wrote(cognitotest.Call{Operation: operation, Body: body, RequestID: answer.Header().Get("X-Amzn-Requestid")})
	}
	return answer.Result(), nil
}

// deliver hands an event to Lambda's queue after a delay, and has it tried again as Lambda does.
func (r *region) deliver(ctx context.Context, payload []byte, delay time.Duration) {
	r.mutex.Lock()
	r.delivered++
	r.mutex.Unlock()
	r.queued.Go(func() {
		time.Sleep(delay)
		for try := 0; ; try++ {
			r.free <- struct{}{}
			out, err := r.invoke(ctx, payload)
			<-r.free
			id := out.Cause.EventID
			r.mutex.Lock()
			switch {
			case err == nil:
				r.ended[id] = append(r.ended[id], out)
			case try == len(retryAfter):
				r.lost[id] = out.Reason
			default:
				r.deferred[reasonOf(err)]++
			}
			r.mutex.Unlock()
			if err == nil || try == len(retryAfter) {
				return
			}
			time.Sleep(retryAfter[try])
		}
	})
}

func reasonOf(err error) string {
	var deferred *reconcile.DeferredError
	if errors.As(err, &deferred) {
		return deferred.Reason
	}
	return err.Error()
}

// invoke runs the function once.
func (r *region) invoke(ctx context.Context, payload []byte) (out reconcile.Outcome, err error) {
	ctx, stop := context.WithTimeout(ctx, lambdaTimeout)
	defer stop()
	client := userpool.New(cognito.New(cognito.Options{
		Region: "eu-west-1", HTTPClient: r,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		}),
	}))
	pools := &visit{Pools: client, region: r}
	defer pools.leave()
	keeper := reconcile.New(pools, r.required, ownRole)
	keeper.Ledger, keeper.Patience = r.ledger, reconcile.Unattended
	_, err = keeper.Handle(ctx, payload, event.Home{}, func(o reconcile.Outcome) { out = o })
	return out, err
}

// A visit is what one invocation does to its pool: it says when somebody is at work there.
type visit struct {
	reconcile.Pools
	region *region
	id     string
}

func (v *visit) Read(ctx context.Context, id string, want userpool.Want) (userpool.State, error) {
	v.region.mutex.Lock()
	if v.id == "" {
		v.id = id
		v.region.atWork[id]++
	}
	v.region.mutex.Unlock()
	return v.Pools.Read(ctx, id, want)
}

func (v *visit) leave() {
	v.region.mutex.Lock()
	defer v.region.mutex.Unlock()
	if v.id != "" {
		v.region.atWork[v.id]--
	}
}

// idle waits until nobody is at work on a pool, and then runs do while nobody can begin.
func (r *region) idle(id string, do func()) {
	for {
		r.mutex.Lock()
		if r.atWork[id] == 0 {
			do()
			r.mutex.Unlock()
			return
		}
		r.mutex.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
}

// share is the part of all calls that were throttled.
func (r *region) share() float64 {
	all := 0
	for n := range maps.Values(r.calls) {
		all += n
	}
	return float64(r.throttled) / float64(all)
}

// made lists the calls.
func (r *region) made() string {
	var parts []string
	for _, operation := range slices.Sorted(maps.Keys(r.calls)) {
		parts = append(parts, fmt.Sprintf("%d %s", r.calls[operation], operation))
	}
	return strings.Join(parts, ", ")
}

// distant is a ledger that takes a moment to answer.
type distant struct{ reconcile.Ledger }

func (d distant) Take(ctx context.Context, key reconcile.Key, owner string, now, until time.Time) ([]byte, bool, error) {
	time.Sleep(ledgerLatency)
	return d.Ledger.Take(ctx, key, owner, now, until)
}

func (d distant) Keep(ctx context.Context, key reconcile.Key, owner string, note []byte, until time.Time) (bool, error) {
	time.Sleep(ledgerLatency)
	return d.Ledger.Keep(ctx, key, owner, note, until)
}

func (d distant) Reserve(ctx context.Context, lane string, now time.Time, takes time.Duration, last time.Time) (time.Time, bool, error) {
	time.Sleep(ledgerLatency)
	return d.Ledger.Reserve(ctx, lane, now, takes, last)
}

func (d distant) Put(ctx context.Context, r reconcile.Record) error {
	time.Sleep(ledgerLatency)
	return d.Ledger.Put(ctx, r)
}

func (d distant) Records(ctx context.Context, pool string, from time.Time) ([]reconcile.Record, error) {
	time.Sleep(ledgerLatency)
	return d.Ledger.Records(ctx, pool, from)
}
