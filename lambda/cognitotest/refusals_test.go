package cognitotest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
)

// A row is a pool, a change of the echo of one call, and what the service makes of it: an error, or a value.
type row struct {
	Rule     string // the name of the rule that refuses
	Call     string
	Pool     json.RawMessage // patch of the rich pool
	Request  json.RawMessage // patch of the echo
	Says     string
	Path     string
	Want     json.RawMessage // in Measured
	Contract json.RawMessage // in Contract where that differs
}

// rows are those of a list in testdata/calls.json. The refusals are those that no fact of package conformance has.
func rows(t *testing.T, list string) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/calls.json")
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]row
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&lists); err != nil || len(lists[list]) == 0 {
		t.Fatalf("%d rows of %s, %v", len(lists[list]), list, err)
	}
	return lists[list]
}

// changed is the fake of a row with the request to send.
func (r row) changed(t *testing.T, mode cognitotest.Mode, o ...cognitotest.Option) (fake, map[string]any) {
	t.Helper()
	f := rich(t, mode, string(r.Pool), o...)
	request := f.echo(t, r.Call)
	patch(t, request, string(r.Request))
	return f, request
}

// TestRefusals: each rule refuses in both worlds, changes nothing, and is what refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, r := range rows(t, "refusals") {
		for name, mode := range modes {
			t.Run(r.Rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				r.check(t, mode)
				f, request := r.changed(t, mode, cognitotest.WithoutValidators())
				f.ok(t, r.Call, request)
			})
		}
	}
}

func (r row) check(t *testing.T, mode cognitotest.Mode) {
	t.Helper()
	f, request := r.changed(t, mode)
	before := f.state()
	a := f.send(t, r.Call, request)
	code, text := parameter, r.Says
	if name, rest, ok := strings.Cut(r.Says, "Exception: "); ok {
		code, text = name+"Exception", rest
	}
	if a.status != http.StatusBadRequest || a.code() != code || !strings.Contains(a.says(), text) {
		t.Errorf("answered %d %s, want %q", a.status, a.says(), r.Says)
	}
	if got := a.header.Get("X-Amzn-Errortype"); got != code+":" {
		t.Errorf("the header says %q", got)
	}
	if diff := cmp.Diff(before, f.state()); diff != "" {
		t.Errorf("a refused call changed (-before +after):\n%s", diff)
	}
}

// TestValidation breaks one limit of each kind in an echo.
func TestValidation(t *testing.T) {
	t.Parallel()
	long := fmt.Sprintf(`{"SmsAuthenticationMessage": "{####}%s"}`, strings.Repeat("é", 135))
	key := fmt.Sprintf(`{"UserPoolTags": {"%s": "x"}}`, strings.Repeat("k", 129))
	for i, r := range append(rows(t, "validation"),
		row{Rule: "long text", Call: update, Request: []byte(long), Says: "length less than or equal to 140"},
		row{Rule: "long tag key", Call: update, Request: []byte(key), Says: "128"},
		row{Rule: "too many tags", Call: update, Request: tags(51), Says: "50"},
	) {
		t.Run(fmt.Sprintf("%d %s", i, r.Rule), func(t *testing.T) {
			t.Parallel()
			r.check(t, cognitotest.Contract)
		})
	}
}

// TestTaken are changes that lie close to a refusal and are none.
func TestTaken(t *testing.T) {
	t.Parallel()
	fifty := row{Rule: "fifty tags", Call: update, Pool: []byte(`{"pool": {"UserPoolTags": null}}`), Request: tags(50)}
	for _, r := range append(rows(t, "taken"), fifty) {
		for name, mode := range modes {
			t.Run(r.Rule+"/"+name, func(t *testing.T) {
				t.Parallel()
				f, request := r.changed(t, mode)
				f.ok(t, r.Call, request)
			})
		}
	}
}

func tags(n int) []byte {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"key%d": "value"`, i))
	}
	return []byte(`{"UserPoolTags": {` + strings.Join(all, ", ") + `}}`)
}
