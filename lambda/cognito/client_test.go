package cognito

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

const pool = "eu-west-1_AbCdEf123"

// doer is an HTTP client in the process, which works in simulated time.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// answers returns a client whose calls are answered at once.
func answers(answer func(operation, body string) string) *Client {
	return New(idp.New(idp.Options{Region: "eu-west-1", Credentials: aws.AnonymousCredentials{},
		HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
			operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSCognitoIdentityProviderService.")
			sent, err := io.ReadAll(r.Body)
			body := io.NopCloser(strings.NewReader(answer(operation, string(sent))))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"X-Amzn-Requestid": {"request-1"}},
				Body: body}, err
		})}))
}

// answering returns a client whose calls are answered with the text of their operation, and what it was last sent.
func answering(texts map[string]string) (*Client, map[string]string) {
	var mutex sync.Mutex
	sent := map[string]string{}
	return answers(func(operation, body string) string {
		mutex.Lock()
		defer mutex.Unlock()
		sent[operation] = body
		return texts[operation]
	}), sent
}

// update is a write.
var update = userpool.Request{Call: "UpdateUserPool", Document: baseline.UserPool, Body: []byte(`{}`)}

// wanted are the documents of every pool.
var wanted = userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool, baseline.MfaConfig}}

// FuzzCapture answers the reads with arbitrary bytes: the client never panics, and what it returns as a pool is the
// object that the service sent, unknown members and all digits included.
func FuzzCapture(f *testing.F) {
	for _, seed := range []string{
		`{"Id":"eu-west-1_AbCdEf123"}`, `{"Id":7}`, `[]`, `null`, `{`, ``,
		`{"Id":"eu-west-1_AbCdEf123","FutureThing":{"a":[1.50,1e400,-0]},"Name":"\u2028<b>&"}`,
		`{"Id":"eu-west-1_AbCdEf123","UserPoolTags":"hidden","LambdaConfig":[]}`,
		`{"Id":"eu-west-1_AbCdEf123","Id":"twice"}`,
		`{"Id":"eu-west-1_AbCdEf123","LastModifiedDate":"soon"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		client, _ := answering(map[string]string{
			"DescribeUserPool":     `{"UserPool":` + string(raw) + `}`,
			"GetUserPoolMfaConfig": `{"MfaConfiguration":"OFF"}`,
		})
		state, err := client.Read(t.Context(), pool, wanted)
		var want struct{ UserPool map[string]any }
		decoder := json.NewDecoder(strings.NewReader(`{"UserPool":` + string(raw) + `}`))
		decoder.UseNumber()
		wrong := decoder.Decode(&want)
		if err != nil {
			_, refused := userpool.DecodeObject([]byte(`{"UserPool":` + string(raw) + `}`))
			if refused == nil && want.UserPool["Id"] == pool && want.UserPool["MfaConfiguration"] == nil {
				t.Fatalf("a pool was refused: %v", err)
			}
			return
		}
		if wrong != nil || !reflect.DeepEqual(want.UserPool, state.Documents[baseline.UserPool]) {
			t.Fatalf("read %v, want %v (%v)", state.Documents[baseline.UserPool], want.UserPool, wrong)
		}
		// Whatever is in it, comparing it does not panic either.
		state.Settings()
		state.Leaves()
	})
}

// TestAnswerOfNothing: null and {} are no documents, and do not mean that the pool does not offer one: a write of what
// was read would remove what the pool has.
func TestAnswerOfNothing(t *testing.T) {
	t.Parallel()
	for mode, answer := range map[string]string{"": `null`, `,"MfaConfiguration":"OFF"`: `{}`} {
		client, _ := answering(map[string]string{
			"DescribeUserPool":     `{"UserPool":{"Id":"` + pool + `"` + mode + `}}`,
			"GetUserPoolMfaConfig": answer,
		})
		state, err := client.Read(t.Context(), pool, wanted)
		if ClassOf(err) != ClassOdd {
			t.Errorf("%s: read %v, %v", answer, state.Documents, err)
		}
	}
}

// TestNothingOnce: one empty answer does not mean that a pool has no log delivery or no clients.
func TestNothingOnce(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{}
	client := answers(func(operation, _ string) string {
		if !asked[operation] {
			asked[operation] = true
			return `{}`
		}
		return `{"LogDeliveryConfiguration":{"LogConfigurations":[{"EventSource":"a"}]},"UserPoolClients":[{"ClientId":"c"}]}`
	})
	logs, err := client.Document(t.Context(), pool, baseline.LogDelivery)
	clients, failed := client.listClients(t.Context(), pool)
	if len(logs) != 1 || len(clients) != 1 || err != nil || failed != nil {
		t.Errorf("%v, %v; %v, %v", logs, clients, err, failed)
	}
}

// TestRawRoundTrip: a document that was read is sent digit for digit and byte for byte, unknown members included.
func TestRawRoundTrip(t *testing.T) {
	t.Parallel()
	const object = `{"Id":"eu-west-1_AbCdEf123","Name":"n","FutureThing":{"Deep":[1.50,"<&> "]},` +
		`"EmailVerificationMessage":" {####} <b>&</b>  ","Policies":{"PasswordPolicy":{"MinimumLength":12}}}`
	client, sent := answering(map[string]string{
		"DescribeUserPool":     `{"UserPool":` + object + `}`,
		"GetUserPoolMfaConfig": `{"MfaConfiguration":"OFF"}`,
		"UpdateUserPool":       `{}`,
	})
	state, err := client.Read(t.Context(), pool, wanted)
	if err != nil {
		t.Fatal(err)
	}
	request := update
	request.Body = userpool.Encode(state.Documents[baseline.UserPool])
	requestID, err := client.Write(t.Context(), pool, request)
	if err != nil || requestID != "request-1" {
		t.Fatal(requestID, err)
	}
	const want = `{"EmailVerificationMessage":" {####} <b>&</b>  ","FutureThing":{"Deep":[1.50,"<&> "]},` +
		`"Id":"eu-west-1_AbCdEf123","Name":"n","Policies":{"PasswordPolicy":{"MinimumLength":12}}}`
	if diff := cmp.Diff(want, sent["UpdateUserPool"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	client, sent := answering(map[string]string{
		"ListUserPools": `{"UserPools":[{"Id":"eu-west-1_A"},{},{"Id":"eu-west-1_B"}],"NextToken":"more"}`,
	})
	ids, next, err := client.List(t.Context(), "from")
	if diff := cmp.Diff([]string{"eu-west-1_A", "eu-west-1_B"}, ids); diff != "" || next != "more" || err != nil {
		t.Errorf("%v %q %v", ids, next, err)
	}
	if got := sent["ListUserPools"]; got != `{"MaxResults":60,"NextToken":"from"}` {
		t.Errorf("sent %s", got)
	}
}

func TestLargeBodyPassesThrough(t *testing.T) {
	t.Parallel()
	var got int
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = int(r.ContentLength)
	}))
	t.Cleanup(server.Close)
	transport, err := NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 10, maxBuffered + 1} {
		body := strings.NewReader(strings.Repeat("x", size))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.Do(request)
		if err != nil || got != size {
			t.Errorf("%d bytes arrived of %d: %v", got, size, err)
		}
		_ = response.Body.Close()
	}
	if _, err := NewHTTPClient([]byte("no certificate")); err == nil {
		t.Error("a bundle without a certificate was taken")
	}
}

// from returns a client whose every call is answered by the handler.
func from(t testing.TB, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	transport, err := NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	return New(idp.New(idp.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), HTTPClient: transport,
		Credentials: aws.AnonymousCredentials{},
	}))
}

// TestEndlessAnswers: every call stops reading an endless answer at the bound, and does not try again.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusTeapot} {
		var asked atomic.Int32
		client := from(t, func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"__type":"InvalidParameterException","message":"`)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, strings.Repeat("x", 64<<10))
			}
		})
		_, read := client.Document(t.Context(), pool, baseline.MfaConfig)
		_, _, listed := client.List(t.Context(), "")
		_, written := client.Write(t.Context(), pool, update)
		for call, err := range map[string]error{"read": read, "list": listed, "write": written} {
			if ClassOf(err) != ClassUnclear || !strings.Contains(err.Error(), "larger than") {
				t.Errorf("%d, %s: %.200v", status, call, err)
			}
		}
		if asked.Load() != 3 {
			t.Errorf("%d: three calls asked %d times", status, asked.Load())
		}
	}
}

// TestCompressedAnswers: the client asks for no compressed answer, and does not decompress one.
func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	client := from(t, func(w http.ResponseWriter, r *http.Request) {
		if wanted := r.Header.Get("Accept-Encoding"); wanted != "" && wanted != "identity" {
			t.Errorf("asked for %q", wanted)
		}
		w.Header().Set("Content-Encoding", "gzip")
		bomb := gzip.NewWriter(w)
		_, _ = io.WriteString(bomb, `{"MfaConfiguration":"OFF","Padding":"`)
		for range 16 {
			_, _ = bomb.Write(make([]byte, 1<<20))
		}
		_, _ = io.WriteString(bomb, `"}`)
		_ = bomb.Close()
	})
	if _, err := client.Document(t.Context(), pool, baseline.MfaConfig); ClassOf(err) != ClassOdd {
		t.Errorf("%.200v", err)
	}
}

// TestReadGivesUp: after a read has failed, the reads that still wait do not begin.
func TestReadGivesUp(t *testing.T) {
	t.Parallel()
	list := strings.Builder{}
	for i := range 40 {
		fmt.Fprintf(&list, `{"ClientId":"c%d","ClientName":"a"},`, i)
	}
	client, _ := answering(map[string]string{
		"DescribeUserPool":       `{"UserPool":{"Id":"` + pool + `"}}`,
		"ListUserPoolClients":    `{"UserPoolClients":[` + strings.TrimSuffix(list.String(), ",") + `]}`,
		"DescribeUserPoolClient": `{"UserPoolClient":{"ClientId":"other"}}`,
	})
	var waited atomic.Int32
	client.Sleep = func(ctx context.Context, d time.Duration) error {
		if d <= 0 {
			return nil
		}
		waited.Add(1)
		<-ctx.Done() // they would be let through in the end
		return ctx.Err()
	}
	want := userpool.Want{Clients: func(baseline.Identity, baseline.ClientIdentity) []baseline.DocumentName {
		return []baseline.DocumentName{baseline.AppClient}
	}}
	_, err := client.Read(t.Context(), pool, want)
	if err == nil || !strings.Contains(err.Error(), "for another client") || waited.Load() != 40-poolBurst {
		t.Errorf("%v, %d waited", err, waited.Load())
	}
}
