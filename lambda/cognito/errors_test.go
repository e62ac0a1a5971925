package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

func answered(code, message string) error {
	return &smithy.OperationError{ServiceID: "Cognito", OperationName: "X",
		Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

// TestClassify: each error has a class.
func TestClassify(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/errors.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var rows map[string]struct {
		Code, Message string
		Class         Class
	}
	if err := decoder.Decode(&rows); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for name, c := range rows {
		got := classify("UpdateUserPool", answered(c.Code, c.Message), nil)
		if planted := classify("X", answered(c.Code, c.Message), []string{c.Code}); planted.Class != c.Class {
			t.Errorf("%s: class %s, where a text of the pool is the code", name, planted.Class)
		}
		if got.Class != c.Class || !strings.HasPrefix(got.Error(), "calling UpdateUserPool: ") {
			t.Errorf("%s: class %s, want %s: %v", name, got.Class, c.Class, got)
		}
	}
	for _, err := range []error{fmt.Errorf("sending: %w", io.ErrUnexpectedEOF),
		&aws.RequestCanceledError{Err: context.DeadlineExceeded}} {
		if got := classify("X", err, nil); got.Class != ClassUnclear || !errors.Is(got, errors.Unwrap(err)) {
			t.Errorf("%v: class %s, or its cause is lost", err, got.Class)
		}
	}
}

// TestClassOfStatus: an answer without a code, as what stands between us and the service gives, is what its status
// says.
func TestClassOfStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]Class{http.StatusTooManyRequests: ClassBusy,
		http.StatusServiceUnavailable: ClassUnclear, http.StatusGatewayTimeout: ClassUnclear, http.StatusTeapot: ClassOdd} {
		client := from(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := client.Write(t.Context(), pool, update); ClassOf(err) != want {
			t.Errorf("%d: %v, want %s", status, err, want)
		}
	}
}

// TestEveryErrorOfTheModelHasAClass: for each error that the SDK's model has for one of our calls it was thought of
// what it means. What has no class defers the event, for days.
func TestEveryErrorOfTheModelHasAClass(t *testing.T) {
	t.Parallel()
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}",
		"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "deserializers.go"))
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`strings\.EqualFold\("(\w+)", errorCode\)`)
	for call := range categoryOf {
		_, body, found := strings.Cut(string(source), "\nfunc awsAwsjson11_deserializeOpError"+call+"(")
		body, _, ended := strings.Cut(body, "\n}\n")
		codes := code.FindAllStringSubmatch(body, -1)
		if !found || !ended || len(codes) == 0 {
			t.Fatalf("%s: no errors in the model", call)
		}
		for _, c := range codes {
			if class := classify(call, answered(c[1], "no"), nil).Class; class == ClassOdd {
				t.Errorf("%s answers with %s, which has no class", call, c[1])
			}
		}
	}
}

// FuzzRefusal answers a write with an error of arbitrary bytes: it gets a class, and its text is one printable line of
// bounded length without the secrets of the call.
func FuzzRefusal(f *testing.F) {
	const secret = "CANARY-text"
	for _, seed := range []string{
		`{"__type":"InvalidParameterException",` +
			`"message":"Value 'x' at 'policies.passwordPolicy.minimumLength' failed to satisfy constraint"}`,
		`{"__type":"TooManyRequestsException"}`, `{`, ``, `[]`, `{"message":"` + secret + `"}`,
		`{"__type":"a#b:c","message":"\u202e\n\u001b[2J"}`, `{"__type":7,"message":{}}`,
		`{"message":"` + strings.Repeat("kms ", 4000) + `"}`,
	} {
		f.Add(400, []byte(seed))
	}
	var status int
	var body []byte
	client := from(f, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
	client.Share = 1e6
	f.Fuzz(func(t *testing.T, code int, raw []byte) {
		if code < 300 || code > 599 {
			return
		}
		status, body = code, raw
		request := update
		request.Body = fmt.Appendf(nil, `{"SmsVerificationMessage":%q}`, secret)
		_, err := client.Write(t.Context(), pool, request)
		var failed *Error
		if !errors.As(err, &failed) || failed.Class == "" {
			t.Fatalf("status %d is taken for %v", code, err)
		}
		said := failed.Error()
		unprintable := strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) })
		if unprintable || len(failed.Message) > 1<<16 || strings.Contains(said, secret) {
			t.Fatalf("it says %d bytes that are not fit to be shown", len(said))
		}
	})
}
