package cognitotest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/cognitotest"
)

const poolID = "eu-west-1_AbCdEf123"

var modes = map[string]cognitotest.Mode{"contract": cognitotest.Contract, "measured": cognitotest.Measured}

// A fake is a served fake and its address.
type fake struct {
	*cognitotest.Server
	url string
}

func serve(t testing.TB, mode cognitotest.Mode, options ...cognitotest.Option) fake {
	t.Helper()
	s := cognitotest.New(mode, options...)
	url, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return fake{s, url}
}

// rich serves the pool with every member set, changed by edit.
func rich(t testing.TB, mode cognitotest.Mode, edit func(pool, mfa map[string]any),
	options ...cognitotest.Option) fake {
	t.Helper()
	f := serve(t, mode, options...)
	pool, mfa := cognitotest.Rich()
	if edit != nil {
		edit(pool, mfa)
	}
	f.Put(poolID, pool, mfa)
	return f
}

// An answer is what came over the wire.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) code() string { s, _ := a.body["__type"].(string); return s }
func (a answer) text() string { s, _ := a.body["message"].(string); return s }

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
		t.Fatalf("%s: %s: %s", operation, a.code(), a.text())
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

// echo is the pool as a careful client writes it back.
func (f fake) echo(t testing.TB) (update, set map[string]any) {
	t.Helper()
	pool, mfa, ok := f.Pool(poolID)
	if !ok {
		t.Fatal("the pool is gone")
	}
	update = map[string]any{}
	for _, m := range baseline.Documents()[0].Members {
		shown := m.Name
		if m.ReadName != "" {
			shown = m.ReadName
		}
		if v, there := pool[shown]; there && m.Trip != baseline.ReadOnly {
			update[m.Name] = v
		}
	}
	if config, ok := update["AdminCreateUserConfig"].(map[string]any); ok {
		delete(config, "UnusedAccountValidityDays")
	}
	update["UserPoolId"], mfa["UserPoolId"] = poolID, poolID
	return update, mfa
}

// echoClient is RichClient as a careful client writes it back.
func (f fake) echoClient() map[string]any {
	request := f.Client(poolID, cognitotest.RichClient)
	for _, gone := range []string{"ClientSecret", "CreationDate", "LastModifiedDate", "ClientType", "ClientSecretArn"} {
		delete(request, gone)
	}
	return request
}

// in returns the object at the path, making it where it is absent.
func in(root map[string]any, path ...string) map[string]any {
	for _, name := range path {
		inner, ok := root[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			root[name] = inner
		}
		root = inner
	}
	return root
}

func list(values ...any) []any { return append([]any{}, values...) }

func client(t testing.TB, f fake) *idp.Client {
	t.Helper()
	transport, err := cognito.NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	return idp.New(idp.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(f.url), HTTPClient: transport, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		}),
	})
}
