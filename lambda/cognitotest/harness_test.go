package cognitotest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
)

const (
	poolID    = "eu-west-1_AbCdEf123"
	update    = "UpdateUserPool"
	set       = "SetUserPoolMfaConfig"
	setClient = "UpdateUserPoolClient"
	setRisk   = "SetRiskConfiguration"
	setLogs   = "SetLogDeliveryConfiguration"
	get       = "GetUserPoolMfaConfig"
	parameter = "InvalidParameterException"
)

var describe = map[string]any{"UserPoolId": poolID}

var modes = map[string]cognitotest.Mode{"contract": cognitotest.Contract, "measured": cognitotest.Measured}

// A fake is a served fake and its address.
type fake struct {
	*cognitotest.Server
	url string
}

func serve(t testing.TB, mode cognitotest.Mode, options ...cognitotest.Option) fake {
	t.Helper()
	s, url := cognitotest.Serve(t, mode, options...)
	return fake{s, url}
}

// rich serves the pool with everything set, changed by a patch of {"pool": …, "mfa": …}.
func rich(t testing.TB, mode cognitotest.Mode, change string, options ...cognitotest.Option) fake {
	t.Helper()
	f := serve(t, mode, options...)
	f.PutRich(poolID)
	client := f.Client(poolID, cognitotest.RichClient)
	f.Edit(poolID, func(pool, mfa map[string]any) {
		patch(t, map[string]any{"pool": pool, "mfa": mfa, "client": client}, change)
	})
	f.PutClient(poolID, cognitotest.RichClient, client)
	return f
}

// patch merges a JSON text into an object: null takes a member away. An empty text changes nothing.
func patch(t testing.TB, o map[string]any, text string) {
	t.Helper()
	if text == "" {
		return
	}
	given := parse([]byte(text))
	if given == nil {
		t.Fatalf("%s is not a JSON object", text)
	}
	merge(o, given)
}

func merge(o, given map[string]any) {
	for name, v := range given {
		inner, isObject := v.(map[string]any)
		was, wasObject := o[name].(map[string]any)
		switch {
		case v == nil:
			delete(o, name)
		case isObject && wasObject && len(inner) > 0:
			merge(was, inner)
		default:
			o[name] = v
		}
	}
}

// An answer is what came over the wire.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) code() string { s, _ := a.body["__type"].(string); return s }

// says is the error as the SDK shows it.
func (a answer) says() string { s, _ := a.body["message"].(string); return a.code() + ": " + s }

// send makes a raw call. A string goes out as it is, anything else as JSON.
func (f fake) send(t testing.TB, operation string, request any) answer {
	t.Helper()
	a, err := f.try(operation, request)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return a
}

func (f fake) try(operation string, request any) (answer, error) {
	text, ok := request.(string)
	if !ok {
		raw, err := json.Marshal(request)
		if err != nil {
			return answer{}, err
		}
		text = string(raw)
	}
	r, err := http.NewRequest(http.MethodPost, f.url, strings.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{response.StatusCode, response.Header, parse(raw)}, nil
}

// ok makes a call that has to be taken.
func (f fake) ok(t testing.TB, operation string, request any) map[string]any {
	t.Helper()
	a := f.send(t, operation, request)
	if a.status != http.StatusOK {
		t.Fatalf("%s: %s", operation, a.says())
	}
	return a.body
}

// parse reads an object with its numbers as they are written; nil is no object.
func parse(raw []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var object map[string]any
	if decoder.Decode(&object) != nil {
		return nil
	}
	return object
}

// echo is the request of a call as a careful client makes it of what it read.
func (f fake) echo(t testing.TB, call string) map[string]any {
	t.Helper()
	pool, mfa, ok := f.Pool(poolID)
	if !ok {
		t.Fatal("the pool is gone")
	}
	request := map[string]any{}
	switch call {
	case set:
		request = mfa
	case setRisk:
		request = f.Risk(poolID, "")
	case setLogs:
		request["LogConfigurations"] = f.Logs(poolID)
	case setClient:
		request = f.Client(poolID, cognitotest.RichClient)
	case update:
		for _, m := range baseline.Documents()[0].Members {
			if v, there := pool[cmp.Or(m.ReadName, m.Name)]; there && m.Trip != baseline.ReadOnly {
				request[m.Name] = v
			}
		}
		delete(walk(request, "AdminCreateUserConfig").(map[string]any), "UnusedAccountValidityDays")
	}
	for _, gone := range []string{"ClientSecret", "CreationDate", "LastModifiedDate", "ClientType", "ClientSecretArn"} {
		delete(request, gone)
	}
	request["UserPoolId"] = poolID
	return request
}

// walk returns the value at a dotted path, or nil.
func walk(v any, path string) any { return baseline.At(v, strings.Split(path, ".")) }

func client(f fake) *idp.Client {
	return idp.New(idp.Options{Region: "eu-west-1", BaseEndpoint: &f.url, Retryer: aws.NopRetryer{},
		Credentials: aws.AnonymousCredentials{}})
}
