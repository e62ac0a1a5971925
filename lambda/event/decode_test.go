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

	gocmp "github.com/google/go-cmp/cmp"
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
	if diff := gocmp.Diff(string(want), got); err != nil || diff != "" {
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
	if diff := gocmp.Diff(want, got); diff != "" {
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
