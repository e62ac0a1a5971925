package event

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden anew")

var ours = Home{Account: "111122223333", Region: "eu-west-1"}

const thePool = "eu-west-1_AbCdEf123"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// fixtures are the names of all fixtures.
func fixtures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d fixtures: %v", len(files), err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// told describes a request in lines.
func told(t *testing.T, r Request) string {
	t.Helper()
	text := fmt.Sprintln(r.Kind, r.UserPoolID)
	if r.Reason != "" || r.Detail != "" {
		text += fmt.Sprintf("  %s: %s\n", r.Reason, r.Detail)
	}
	if r.Call.Name != "" {
		text += fmt.Sprintf("  %s of client %q, %s[%s] %s\n  parameters %s\n", r.Call.Name, r.ClientID, r.Call.Watched,
			r.Subject, r.Call.Happened, strings.Join(r.Named, ", "))
	}
	if r.Scan != (Scan{}) || r.Clients != nil {
		text += fmt.Sprintf("  scan %+v, clients %s\n", r.Scan, r.Clients)
	}
	cause, err := json.Marshal(r.Cause)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(text, " \n", "\n") + fmt.Sprintf("  cause %s\n", cause)
}

// TestDecodeFixtures decodes every fixture and every payload of payloads.txt, with our account and Region and without,
// as in a local invocation.
func TestDecodeFixtures(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile("testdata/payloads.txt")
	if err != nil {
		t.Fatal(err)
	}
	payloads := strings.Split(strings.TrimSpace(string(lines)), "\n")
	for _, name := range fixtures(t) {
		payloads = append(payloads, name+": "+string(fixture(t, name)))
	}
	got := ""
	for _, named := range payloads {
		name, payload, _ := strings.Cut(named, ": ")
		here, anywhere := told(t, Decode([]byte(payload), ours)), told(t, Decode([]byte(payload), Home{}))
		got += name + ": " + here
		if anywhere != here {
			got += "  anywhere: " + anywhere
		}
	}
	golden(t, "decoded.txt", got)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.Join("testdata", name))
	if diff := cmp.Diff(string(want), got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestLenient replaces each member of a good event, at every depth, by every other shape. The pool is found all the
// same, unless the member is the id or one that is checked: a null, a number, a hidden text, an array, an object, true.
func TestLenient(t *testing.T) {
	t.Parallel()
	var good map[string]any
	if err := json.Unmarshal(fixture(t, "update-user-pool"), &good); err != nil {
		t.Fatal(err)
	}
	all := paths(good, "")
	slices.Sort(all)
	got := ""
	for _, path := range all {
		var kinds []string
		for _, shape := range []any{nil, 7, "HIDDEN_DUE_TO_SECURITY_REASONS", []any{}, map[string]any{"a": 1}, true} {
			request := Decode(encode(replaced(good, strings.Split(path, "."), shape)), ours)
			kinds = append(kinds, string(request.Kind))
			if request.Kind == One && request.UserPoolID != thePool {
				t.Errorf("%s as %v: %s", path, shape, request.UserPoolID)
			}
		}
		got += path + ": " + strings.Join(kinds, " ") + "\n"
	}
	golden(t, "shapes.txt", got)
}

func paths(object map[string]any, prefix string) []string {
	var all []string
	for name, v := range object {
		all = append(all, prefix+name)
		if inner, ok := v.(map[string]any); ok {
			all = append(all, paths(inner, prefix+name+".")...)
		}
	}
	return all
}

func replaced(object map[string]any, path []string, v any) map[string]any {
	c := maps.Clone(object)
	if len(path) == 1 {
		c[path[0]] = v
	} else {
		c[path[0]] = replaced(c[path[0]].(map[string]any), path[1:], v)
	}
	return c
}

func TestClean(t *testing.T) {
	t.Parallel()
	for why, c := range map[string][2]string{
		"a plain text stays":           {"aws-cli/2.31.0 (Linux) é 日本", "aws-cli/2.31.0 (Linux) é 日本"},
		"no second line in a log":      {"a\nb\r\tc", "a\uFFFDb\uFFFD\uFFFDc"},
		"no colors on a terminal":      {"\x1b[31m\x00\x7f\u0085", "\uFFFD[31m\uFFFD\uFFFD\uFFFD"},
		"no text that reads backwards": {"a\u202eb\u2028c\u200bd", "a\uFFFDb\uFFFDc\uFFFDd"},
		"bytes that are no UTF-8 go":   {"a\xff\xfeb\xc3", "ab"},
		"the limit itself is not cut":  {strings.Repeat("x", maxText), strings.Repeat("x", maxText)},
		"one more is cut and says so":  {strings.Repeat("x", maxText+1), strings.Repeat("x", maxText) + "…"},
		"no half of a character stays": {strings.Repeat("x", maxText-1) + "日本", strings.Repeat("x", maxText-1) + "…"},
	} {
		if got := clean(c[0]); got != c[1] {
			t.Errorf("%s: %q, want %q", why, got, c[1])
		}
	}
}

// TestCauseIsFitForALog: every text of the cause goes through clean, of an event by CloudTrail and of our own.
func TestCauseIsFitForALog(t *testing.T) {
	t.Parallel()
	nasty := "x\n\x00\x1b[31m\u202e" + strings.Repeat("y", 2*maxText)
	w := clean(nasty)
	var event map[string]any
	if err := json.Unmarshal(fixture(t, "cloudformation"), &event); err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields("eventID userIdentity.arn userIdentity.sessionContext.sessionIssuer.arn " +
		"userIdentity.invokedBy sourceIPAddress userAgent requestID eventName eventTime") {
		event = replaced(event, strings.Split("detail."+path, "."), nasty)
	}
	raw := strings.Replace(string(fixture(t, "update-user-pool")), "198.51.100.23", "198\xff\xc3", 1)
	got := []any{Decode(encode(event), ours).Cause, Decode([]byte(raw), ours).Cause.SourceIP,
		Decode(encode(map[string]any{"source": "poolkeeper", "detail-type": "Scan", "id": nasty}), ours).Cause}
	want := []any{Cause{EventID: w, EventName: w, Actor: w, Issuer: w, SourceIP: w, UserAgent: w, InvokedBy: w,
		RequestID: w, MFA: "false"}, "198\uFFFD\uFFFD", Cause{EventID: w, EventName: "Scan"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNames: the calls are sorted by name, none occurs twice, and each changes something, or is watched, or ends the
// pool.
func TestNames(t *testing.T) {
	t.Parallel()
	last := ""
	for _, n := range Table() {
		hasUse := len(n.Changes) > 0 || n.Happened != "" || n.Name == DeleteUserPool
		if n.Name <= last || !hasUse || (n.Happened == "") != (n.Subject == "") || n.Happened != "" && n.Watched == "" {
			t.Errorf("%+v after %s", n, last)
		}
		last = n.Name
	}
}

func TestDeepAndBroken(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{strings.Repeat("[", 100000), strings.Repeat(`{"a":`, 20000), "\xff\xfe"} {
		if got := Decode([]byte(payload), ours); got.Kind != Ignored || got.Reason == "" {
			t.Errorf("%.40q: %v", payload, got)
		}
	}
}

func sqsEvent(bodies ...string) []byte {
	var records []any
	for _, body := range bodies {
		records = append(records, map[string]any{"messageId": "m", "receiptHandle": "h", "body": body,
			"attributes":  map[string]any{"ApproximateReceiveCount": "3"},
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:Changes"})
	}
	return encode(map[string]any{"Records": records})
}

// TestRecords: an SQS event has its messages, and one with one message is the event in it.
func TestRecords(t *testing.T) {
	t.Parallel()
	got, ok := Records(sqsEvent("a", "b"))
	want := []Record{
		{"m", "h", 3, "arn:aws:sqs:eu-west-1:111122223333:Changes", []byte("a")},
		{"m", "h", 3, "arn:aws:sqs:eu-west-1:111122223333:Changes", []byte("b")},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, payload := range []string{``, `[]`, `{}`, `{"Records": []}`, `{"Records": [{"eventSource": "aws:sns"}]}`,
		`{"Records": [7]}`} {
		if got, ok := Records([]byte(payload)); ok {
			t.Errorf("%s: %v", payload, got)
		}
	}
	raw := fixture(t, "update-user-pool")
	if diff := cmp.Diff(Decode(raw, ours), Decode(sqsEvent(string(raw)), ours)); diff != "" {
		t.Errorf("-bare +wrapped:\n%s", diff)
	}
	if got := Decode(sqsEvent("no JSON"), ours); got.Kind != Ignored || got.Reason != Malformed {
		t.Errorf("%+v", got)
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	raw := fixture(t, "update-user-pool")
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(raw, &envelope); err != nil {
		t.Fatal(err)
	}
	record := string(envelope["detail"])
	want := Decode(raw, Home{})
	for name, payload := range map[string]string{
		"an event":                   string(raw),
		"a record of CloudTrail":     record,
		"a file of CloudTrail":       `{"Records": [` + record + `]}`,
		"an SQS event":               string(sqsEvent(string(raw))),
		"a record in an SQS event":   string(sqsEvent(record)),
		"a byte order mark":          "\ufeff" + string(raw),
		"an answer of lookup-events": `{"Events": [{"EventId": "e", "CloudTrailEvent": ` + string(encode(record)) + `}]}`,
	} {
		events, err := Unpack([]byte(payload))
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
			continue
		}
		if diff := cmp.Diff(want, Decode(events[0], Home{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, payload := range []string{`what happened?`, `[]`, `{}`, `{"Records": [{}]}`, `{"Events": []}`, `{"source": 7}`,
		string(sqsEvent("no JSON")), string(sqsEvent(string(raw), `{"Message": "x"}`)),
		`{"source": "aws.cognito-idp", "detail-type": "AWS API Call via CloudTrail", "detail": "{}"}`} {
		if _, err := Unpack([]byte(payload)); err == nil || !strings.Contains(err.Error(), "lookup-events") {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

// TestMessages: what a message says of a scan and of a pool is what is decoded.
func TestMessages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		started := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "started"), 0).UTC()
		scheduled := rapid.Bool().Draw(t, "scheduled")
		want := Scan{Started: started, Token: rapid.StringMatching(`[!-~]{1,200}`).Draw(t, "token"),
			Pages: rapid.IntRange(0, 1e6).Draw(t, "pages"), Scheduled: scheduled}
		got := Decode([]byte(Message(ScanPools, want)), ours)
		if diff := cmp.Diff(Request{Kind: All, Cause: Cause{EventName: "Scan"}, Scan: want}, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		clients := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9]{1,30}`), 1, 100).Draw(t, "clients")
		member := Request{Kind: One, UserPoolID: thePool, Cause: Cause{EventName: "Scan"}, Clients: clients,
			Scan: Scan{Started: started, Scheduled: scheduled}}
		message := Message(ReconcilePool, Member{UserPoolID: thePool, Scan: started, Clients: clients, Scheduled: scheduled})
		if diff := cmp.Diff(member, Decode([]byte(message), ours)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// TestForgedScan: a list of clients that we cannot have sent stands for the whole pool. The golden has details that
// none of our scans sent: they begin a scan.
func TestForgedScan(t *testing.T) {
	t.Parallel()
	many := strings.Split(strings.Repeat("client ", MaxClients)+"client", " ")
	if got := Decode([]byte(Message(ReconcilePool, Member{UserPoolID: thePool, Clients: many})), ours); got.Kind != One ||
		got.Clients != nil {
		t.Errorf("%+v", got)
	}
}
