package userpool

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
)

// from returns a client whose every call is answered by the handler.
func from(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	transport, err := NewHTTPClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	return New(cognito.New(cognito.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), HTTPClient: transport,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		}),
	}))
}

// TestEndlessAnswers: an answer without an end, good or bad, is given up after its bound, without trying again, in every call; and it is no pool.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"good": http.StatusOK, "refused": http.StatusBadRequest, "odd": http.StatusTeapot} {
		var mutex sync.Mutex
		asked := map[string]int{}
		client := from(t, func(w http.ResponseWriter, r *http.Request) {
			mutex.Lock()
			asked[r.Header.Get("X-Amz-Target")]++
			mutex.Unlock()
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"__type":"InvalidParameterException","message":"`)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, strings.Repeat("x", 64<<10))
			}
		})
		_, read := client.read(t.Context(), pool, baseline.MfaConfig)
		_, _, listed := client.List(t.Context(), "")
		_, written := client.Write(t.Context(), pool, Request{Call: "UpdateUserPool", Body: []byte(`{}`), Document: baseline.UserPool})
		for call, err := range map[string]error{"read": read, "list": listed, "write": written} {
			var failed *Error
			if !errors.As(err, &failed) || failed.Class != ClassUnclear || failed.Message != errTooLarge.Error() {
				t.Errorf("%s, %s: %.200v", name, call, err)
			}
		}
		mutex.Lock()
		defer mutex.Unlock()
		for target, times := range asked {
			if times > 1 {
				t.Errorf("%s: %s was asked %d times", name, target, times)
			}
		}
	}
}

// TestCompressedAnswers: none is asked for, and one that comes all the same is not unfolded: it is no pool.
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
	_, err := client.read(t.Context(), pool, baseline.MfaConfig)
	var failed *Error
	if !errors.As(err, &failed) || failed.Class != ClassOdd {
		t.Errorf("%.200v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return `{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}` }
	for name, c := range map[string]struct{ raw, want string }{
		"a member twice":           {`{"Id":"a","Id":"b"}`, "a member is there twice"},
		"a member twice below":     {`{"a":[{"b":{"c":1,"c":1}}]}`, "a member is there twice"},
		"twice by an escape":       {`{"Id":"a","\u0049d":"b"}`, "a member is there twice"},
		"twice, the first is deep": {`{"a":{"b":1},"a":null}`, "a member is there twice"},
		"colons in texts":          {`{"a:\":":"b:\\","c":":"}`, ""},
		"bytes that are no UTF-8":  {"{\"a\":\"\xff\"}", "a text is not Unicode"},
		"half a character":         {`{"a":"\ud83d"}`, "a text is not Unicode"},
		"the other half":           {`{"a":"\ude00x"}`, "a text is not Unicode"},
		"half, then an escape":     {`{"a":"\ud83d\n"}`, "a text is not Unicode"},
		"half, then another":       {`{"a":"\uD83D\u0041"}`, "a text is not Unicode"},
		"half, in a name":          {`{"\udfff":1}`, "a text is not Unicode"},
		"a whole character":        {`{"a":"\ud83d\uDE00"}`, ""},
		"no escape":                {`{"a":"\\ud83d"}`, ""},
		"the mark of what is lost": {`{"a":"\ufffd"}`, ""},
		"deep":                     {deep(maxNesting - 1), ""},
		"too deep":                 {deep(maxNesting), "nested deeper than 100 levels"},
		"deeper than it is read":   {deep(20000), "exceeded max depth"},
		"brackets in texts":        {`{"a":"` + strings.Repeat("[", 1000) + `"}`, ""},
		"text behind":              {`{} {}`, "text after the JSON object"},
		"a list":                   {`[]`, "cannot unmarshal array"},
		"nothing":                  {`null`, "no JSON object"},
	} {
		_, err := decode([]byte(c.raw))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// repeats says whether some object of a valid JSON text has a member twice, by way of its tokens.
func repeats(raw string) bool {
	decoder := json.NewDecoder(strings.NewReader(raw))
	var walk func() bool
	walk = func() bool {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		delim, ok := token.(json.Delim)
		if !ok {
			return false
		}
		twice, seen := false, map[string]bool{}
		for decoder.More() {
			if delim == '{' {
				key, _ := decoder.Token()
				name, _ := key.(string)
				twice = twice || seen[name]
				seen[name] = true
			}
			twice = walk() || twice
		}
		_, _ = decoder.Token()
		return twice
	}
	return walk()
}

// TestRepeatsLaw: whatever an answer is made of, it is refused exactly where a member stands twice.
func TestRepeatsLaw(t *testing.T) {
	t.Parallel()
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		leaf := rapid.SampledFrom([]string{`1`, `"a:b"`, `"\":"`, `null`, `"\\"`, `"{\"a\":1}"`})
		if depth == 0 {
			return leaf
		}
		inner := value(depth - 1)
		return rapid.OneOf(leaf,
			rapid.Custom(func(t *rapid.T) string {
				return "[" + strings.Join(rapid.SliceOfN(inner, 0, 3).Draw(t, "list"), ",") + "]"
			}),
			rapid.Custom(func(t *rapid.T) string {
				var all []string
				for _, v := range rapid.SliceOfN(inner, 0, 3).Draw(t, "values") {
					all = append(all, rapid.SampledFrom([]string{`"a"`, `"b"`, `"\u0061"`, `"a:"`}).Draw(t, "name")+" : "+v)
				}
				return "{" + strings.Join(all, ",") + "}"
			}))
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := `{"x":` + value(3).Draw(t, "value") + `}`
		if _, err := decode([]byte(raw)); (err != nil) != repeats(raw) {
			t.Fatalf("%s: %v", raw, err)
		}
	})
}

// TestHostileTrees: a pool that is nested without reason, or holds numbers without measure, is compared and planned for without harm, and what it holds goes back as it came.
func TestHostileTrees(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", 100000)
	for name, member := range map[string]string{
		"deep objects": strings.Repeat(`{"a":`, 90) + `1` + strings.Repeat(`}`, 90), "deep lists": strings.Repeat(`[`, 90) + strings.Repeat(`]`, 90),
		"a long number": digits, "a huge exponent": "1e2147483647", "an exponent without measure": "1e" + digits, "a small one": "-1e-" + digits,
	} {
		// A known member of another shape stops the write, so what is nested stands in one that nobody knows.
		length, times := member, 2
		if strings.ContainsAny(member, "{[") {
			length, times = "12", 1
		}
		client, sent := answering(t, map[string][]byte{
			"DescribeUserPool":     []byte(`{"UserPool":{"Id":"` + pool + `","Policies":{"PasswordPolicy":{"MinimumLength":` + length + `}},"Future":` + member + `}}`),
			"GetUserPoolMfaConfig": []byte(`{"MfaConfiguration":"OFF"}`), "UpdateUserPool": []byte(`{}`),
		})
		state, err := client.Read(t.Context(), pool, wanted)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		state.Digest()
		state.Leaves()
		rules, err := baseline.Parse("b.yaml", []byte("version: 1\nrules: [{name: a, require: {Policies: {PasswordPolicy: {MinimumLength: {atLeast: 12}}}, DeletionProtection: ACTIVE}}]"))
		if err != nil {
			t.Fatal(err)
		}
		found := baseline.Compare(rules.Policy(state.Identity(), time.Time{}), state.Settings())
		drifts := []baseline.Drift{}
		for _, d := range found.Drifts {
			if d.Setting == "DeletionProtection" {
				drifts = append(drifts, d)
			}
		}
		plan, err := NewPlan(state, drifts, Options{Unknown: map[string]baseline.Unknown{"*": baseline.EchoUnknown}})
		if err != nil || len(plan.Writes) != 1 {
			t.Errorf("%s: %d writes, %v", name, len(plan.Writes), err)
			continue
		}
		if _, err := client.Write(t.Context(), pool, plan.Writes[0]); err != nil || strings.Count(string(sent("UpdateUserPool")), member) != times {
			t.Errorf("%s: it did not go back as it came (%v)", name, err)
		}
	}
}
