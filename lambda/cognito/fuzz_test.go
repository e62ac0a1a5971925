package cognito

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
)

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
	WithShare(1e6)(client)
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
		failed.Culprits()
	})
}
