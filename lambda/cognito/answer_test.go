package cognito

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
)

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
	statuses := map[string]int{"good": http.StatusOK, "refused": http.StatusBadRequest, "odd": http.StatusTeapot}
	for name, status := range statuses {
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
		_, read := client.Document(t.Context(), pool, baseline.MfaConfig)
		_, _, listed := client.List(t.Context(), "")
		_, written := client.Write(t.Context(), pool, update)
		for call, err := range map[string]error{"read": read, "list": listed, "write": written} {
			var failed *Error
			if !errors.As(err, &failed) || failed.Class != ClassUnclear || !strings.Contains(failed.Message, "larger than") {
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
	_, err := client.Document(t.Context(), pool, baseline.MfaConfig)
	var failed *Error
	if !errors.As(err, &failed) || failed.Class != ClassOdd {
		t.Errorf("%.200v", err)
	}
}
