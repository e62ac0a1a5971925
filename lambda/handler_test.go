package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
)

// canned answers each operation as the fake did the first time, without a network and without work of its own, one
// after the other. The ledger is empty.
type canned struct {
	fake    http.Handler
	mutex   sync.Mutex
	answers map[string][]byte
}

func (c *canned) Do(r *http.Request) (*http.Response, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	target := r.Header.Get("X-Amz-Target")
	answer, ok := c.answers[target]
	if !ok {
		recorded := httptest.NewRecorder()
		c.fake.ServeHTTP(recorded, r)
		answer = recorded.Body.Bytes()
		c.answers[target] = answer
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(answer)),
		Request: r}, nil
}

// compliantEvent returns a handler whose pool is compliant and whose network is canned, and the event of an update of
// the pool.
func compliantEvent(t testing.TB) func() {
	t.Helper()
	required := must(baseline.Parse(baseline.DefaultFile, baseline.Default()))(t)
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	fake.Put(poolID, pool, mfa)
	counted := &calls{}
	network := &canned{fake: fake, answers: map[string][]byte{"DynamoDB_20120810.Query": []byte(`{"Items": []}`)}}
	a := account{Config{Env: environment(nil), LedgerTable: "ledger"}, &cognito.HTTPClient{Next: network}}
	client := cognito.New(newClient(a, counted))
	client.Share = 1e6
	h := handler{config: &a.Config, log: slog.New(slog.NewJSONHandler(io.Discard, nil)), metrics: io.Discard,
		calls: counted, reconciler: reconcile.New(client, required, newLedger(a))}
	// Without a time, no earlier read of the process covers the event.
	event := bytes.Replace(payload(t, "update-user-pool"), []byte(`"eventTime"`), []byte(`"someTime"`), 1)
	return func() {
		if answer, err := h.Invoke(t.Context(), event); err != nil || !bytes.Contains(answer, []byte(`"unchanged"`)) {
			t.Fatalf("%s %v", answer, err)
		}
	}
}

// TestCompliantEventAllocates: the usual event, of which nothing comes, stays cheap, from its bytes to the lines of
// the log.
func TestCompliantEventAllocates(t *testing.T) {
	const most = 2700 // as the table in README.md says
	allocations := testing.AllocsPerRun(15, compliantEvent(t))
	t.Logf("a compliant event allocates %.0f times", allocations)
	if allocations > most {
		t.Errorf("more than %d", most)
	}
}

type onePool struct{}

func (onePool) List(context.Context, string) ([]string, string, error) {
	return []string{poolID}, "", nil
}

// TestScanWithLittleTime: without a queue, a scan begins no pool for which little time is left. It is deferred.
func TestScanWithLittleTime(t *testing.T) {
	t.Parallel()
	required, _ := baseline.Parse(baseline.DefaultFile, baseline.Default())
	h := handler{log: slog.New(slog.DiscardHandler),
		scanner: queue.Scanner{Pools: onePool{}, Baseline: required, Ledger: ledger.NewMemory(), Now: time.Now}}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if answer, err := h.Invoke(ctx, payload(t, "scan")); err == nil || !strings.Contains(err.Error(), "time is used up") {
		t.Errorf("%s %v", answer, err)
	}
}

// TestSelf: the function is in the account and Region of its ARN, unless that is an emulator's.
func TestSelf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper":            "aws 111122223333 eu-west-1",
		"arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper:live":       "aws 111122223333 eu-west-1",
		"arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:poolkeeper": "aws-us-gov 111122223333 us-gov-west-1",
		"arn:aws:lambda:us-east-1:012345678912:function:poolkeeper (emulated)": "  ",
		"arn:aws:sns:eu-west-1:111122223333:function:topic (another resource)": "  ",
		"poolkeeper (something else)":                                          "  ",
	} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: text})
		if a := self(ctx); a.Partition+" "+a.AccountID+" "+a.Region != want {
			t.Errorf("%s: %+v, want %q", text, a, want)
		}
	}
	if a := self(t.Context()); a.Partition != "" {
		t.Errorf("without an invocation: %+v", a)
	}
}
