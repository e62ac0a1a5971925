package coldstart

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
)

const poolID = "eu-west-1_AbCdEf123"

// A replay answers the calls of one event as the fake did when the function handled it, again and again, in no time of
// its own: what is measured is the function. Each event has to make the same calls, in whatever order those of one
// trip come.
type replay struct {
	latency time.Duration

	mutex   sync.Mutex
	answers map[string][][]byte // by the target of the call
	bodies  map[string][]byte
	taken   map[string]int
	from    http.Handler // the fake, while it is recorded
}

func (r *replay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body := make([]byte, max(request.ContentLength, 0))
	for n := 0; n < len(body); {
		m, err := request.Body.Read(body[n:])
		if n += m; err != nil && n < len(body) {
			return // the client is gone
		}
	}
	target := request.Header.Get("X-Amz-Target")
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	time.Sleep(r.latency)
	_, _ = w.Write(r.answer(target, body))
}

func (r *replay) answer(target string, body []byte) []byte {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.from != nil {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		request.Header.Set("X-Amz-Target", target)
		recorded := httptest.NewRecorder()
		r.from.ServeHTTP(recorded, request)
		r.answers[target] = append(r.answers[target], recorded.Body.Bytes())
		r.bodies[target] = body
	}
	all := r.answers[target]
	if len(all) == 0 {
		return []byte("{}")
	}
	n := r.taken[target]
	r.taken[target]++
	return all[n%len(all)]
}

// A scene is an event of one kind: the outcome that it has, and the calls that it takes, by trip.
type scene struct {
	outcome string
	trips   [][]string
	tamper  func(pool map[string]any)
}

const prefix = "AWSCognitoIdentityProviderService."

var (
	reads     = []string{"DescribeUserPool", "GetUserPoolMfaConfig"}
	compliant = scene{"unchanged", [][]string{reads}, func(map[string]any) {}}
	drifted   = scene{"remediated", [][]string{reads, {"UpdateUserPool"}, reads},
		func(pool map[string]any) { pool["DeletionProtection"] = "INACTIVE" }}
)

// record has the function handle the event against the fake, and returns its answers for replay and the file of the
// calls for the function raw. It fails if the calls are not those of the scene.
func record(t testing.TB, binary string, s scene) (r *replay, trips string) {
	t.Helper()
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	s.tamper(pool)
	fake.Put(poolID, pool, mfa)
	r = &replay{answers: map[string][][]byte{}, bodies: map[string][]byte{}, taken: map[string]int{}, from: fake}
	server := httptest.NewServer(r)
	p := startProcess(t, []string{binary}, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+server.URL)
	p.invoke(t, update(t), s.outcome)
	p.stop()
	server.Close()
	r.from = nil
	type call struct{ Target, Body string }
	var posts [][]call
	wanted := map[string]int{}
	for _, trip := range s.trips {
		var calls []call
		for _, operation := range trip {
			calls = append(calls, call{prefix + operation, string(r.bodies[prefix+operation])})
			wanted[prefix+operation]++
		}
		posts = append(posts, calls)
	}
	for target, answers := range r.answers {
		if len(answers) != wanted[target] {
			t.Fatalf("the function made %d calls of %s, want %d", len(answers), target, wanted[target])
		}
	}
	content, err := json.Marshal(posts)
	if err != nil {
		t.Fatal(err)
	}
	trips = filepath.Join(t.TempDir(), "trips.json")
	if err := os.WriteFile(trips, content, 0o600); err != nil {
		t.Fatal(err)
	}
	clear(r.taken)
	return r, trips
}

// serve serves the replay with a latency and returns its URL.
func (r *replay) serve(t testing.TB, latency time.Duration) string {
	t.Helper()
	r.latency = latency
	clear(r.taken)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.URL
}
