package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
)

// tableErrors are DynamoDB's names of the errors that Cognito names otherwise.
var tableErrors = map[string]string{
	"TooManyRequestsException":        "ProvisionedThroughputExceededException",
	"ConcurrentModificationException": "TransactionConflictException",
	"InternalErrorException":          "InternalServerError",
	"InvalidParameterException":       "ValidationException",
}

// garbled are what becomes of a true answer of DynamoDB, by the fault. cut says that the connection ends before the answer does.
var garbled = map[string]func(whole []byte) (body []byte, cut bool){
	"malformed JSON":  func([]byte) ([]byte, bool) { return []byte(`{"Attributes": <html>`), false },
	"an empty object": func([]byte) ([]byte, bool) { return []byte(`{}`), false },
	"truncated body":  func(whole []byte) ([]byte, bool) { return whole[:len(whole)/2], true },
	"an unknown member comes": func(whole []byte) ([]byte, bool) {
		var body map[string]any
		if err := json.Unmarshal(whole, &body); err != nil {
			panic(err)
		}
		body["FutureThing"] = "CANARY"
		for _, name := range []string{"Attributes", "Item"} {
			if item, ok := body[name].(map[string]any); ok {
				item["future"] = map[string]any{"Z": "CANARY"} // of a type that nobody knows
			}
		}
		return encoded(body).body, false
	},
}

// noAnswer is how long DynamoDB is waited for that does not answer, where the end of the invocation does not end it.
const noAnswer = 100 * time.Millisecond

// A wire is the network between a Table and DynamoDB, whose true answers come from the ledger in memory, and go wrong as the cell says.
type wire struct {
	shaky *shaky
	call  string // which of the calls to the ledger this is
	truth func(r *http.Request) reply
	met   int
}

// A reply is an answer of DynamoDB.
type reply struct {
	status int
	body   []byte
	cut    bool // the connection ends where the body does, and should not
}

// table is a client of DynamoDB that is configured as the function's is, but for the wait before a call is tried again.
func (w *wire) table() ledger.Table {
	wrong := wrongs[w.shaky.arena.cell.wrong]
	patience := time.Minute
	if wrong.lapses {
		patience = noAnswer
	}
	return ledger.Table{Client: tableClient(w), Name: "ledger", Patience: patience}
}

func tableClient(transport http.RoundTripper) *dynamodb.Client {
	atOnce := retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	return dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", HTTPClient: &http.Client{Transport: transport}, Retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = atOnce }),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		}),
	})
}

// RoundTrip answers a request. Every one that is sent for the call goes wrong, or only the first, so that the SDK has its way with the others.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.met++
	a := w.shaky.arena
	if a.cell.times > 0 && w.met > a.cell.times {
		return w.truth(r).response(), nil
	}
	fault, garble := wrongs[a.cell.wrong], garbled[a.cell.wrong]
	if garble != nil {
		fault.Fault = cognitotest.Fault{}
	}
	a.strike(fault, true)
	time.Sleep(fault.Delay)
	fails := fault.Error != "" || fault.Drop
	var said reply
	if !fails || fault.Apply {
		said = w.truth(r)
	}
	w.note("%d %+v", w.met, fault)
	switch {
	case fault.kills:
		panic(death{})
	case fault.lapses:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case fault.Drop:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case fault.Error != "":
		return refusal(fault.Error, fault.Status, nil).response(), nil
	case garble != nil:
		said.body, said.cut = garble(said.body)
		w.note("%s %v", said.body, said.cut)
	}
	return said.response(), nil
}

// note notes what a fault does, by which two cells are told apart.
func (w *wire) note(format string, args ...any) {
	w.shaky.trace = append(w.shaky.trace, w.call+" "+fmt.Sprintf(format, args...))
}

// refusal is an error of DynamoDB: 400 where no status is given.
func refusal(code string, status int, item map[string]any) reply {
	if name, ok := tableErrors[code]; ok {
		code = name
	}
	body := map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": "no"}
	if item != nil {
		body["Item"] = item
	}
	said := encoded(body)
	said.status = max(status, http.StatusBadRequest)
	return said
}

// encoded is a success.
func encoded(body any) reply {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return reply{status: http.StatusOK, body: raw}
}

func (p reply) response() *http.Response {
	body := io.Reader(bytes.NewReader(p.body))
	if p.cut {
		body = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"table"}, "X-Amz-Crc32": {fmt.Sprint(crc32.ChecksumIEEE(p.body))}}
	return &http.Response{StatusCode: p.status, Header: header, Body: io.NopCloser(body), ContentLength: -1}
}

func operationOf(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// A sieve keeps the item that a Table puts, as it stands on the wire.
type sieve struct{ item map[string]any }

func (s *sieve) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent struct{ Item map[string]any }
	decode(r, &sent)
	s.item = sent.Item
	return encoded(map[string]any{}).response(), nil
}
