package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
)

const testBuild = "v1.2.3, go1.26"

// TestMessages has every text for every outcome.
func TestMessages(t *testing.T) {
	t.Parallel()
	for name, out := range outcomes() {
		r := New(out, testBuild)
		golden(t, name+".mail.txt", []byte("Subject: "+Subject(r)+"\n\n"+Mail(r)))
		golden(t, name+".md", []byte(Markdown(r)))
		golden(t, name+".chat.json", indented(t, Chat(r)))
		golden(t, name+".report.json", indented(t, JSON(r)))
		if f, ok := FindingOf(r, cause.Time); ok {
			golden(t, name+".ocsf.json", indented(t, encode(OCSF(f))))
		}
	}
}

func indented(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return append(b.Bytes(), '\n')
}

// TestReportSchema: every report is as schema.json says.
func TestReportSchema(t *testing.T) {
	t.Parallel()
	compiled, err := jsonschema.NewCompiler().Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range outcomes() {
		valid(t, name, compiled, JSON(New(out, testBuild)))
	}
	valid(t, "much", compiled, JSON(New(much(2000, 100), testBuild)))
	valid(t, "nothing", compiled, JSON(New(reconcile.Outcome{Outcome: reconcile.Ignored, Drifts: []reconcile.Drift{}, Writes: []string{}}, testBuild)))
}

func valid(t *testing.T, name string, schema *jsonschema.Schema, text string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// much is an outcome with so many drifts, each with values of so many characters.
func much(drifts, characters int) reconcile.Outcome {
	out := outcome(reconcile.Partial, strings.Repeat("because ", characters))
	for i := range drifts {
		d := fixed
		d.Setting, d.Have, d.Want = fmt.Sprintf("UserPoolTags.%d", i), strings.Repeat("\"<&\u00e9", characters), strings.Repeat("x", characters)
		if i == drifts-1 {
			d = unfixable
		}
		out.Drifts = append(out.Drifts, d)
	}
	return out
}

// TestMessagesFit: whatever the outcome, a message stays within what SNS takes, the gravest drift is in it, and what was left out is said.
func TestMessagesFit(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{0, 0}, {1, 10}, {50, 100}, {2000, 100}, {3, 200000}, {20000, 3}} {
		out := outcome(reconcile.Partial, "")
		if size[0] > 0 {
			out = much(size[0], size[1])
		}
		r := New(out, testBuild)
		message, err := json.Marshal(map[string]string{"default": JSON(r), "email": Mail(r), "https": Chat(r)})
		if err != nil || len(message) > 256*1024 {
			t.Errorf("%v: %d bytes (%v)", size, len(message), err)
		}
		if size[0] > 1 && !strings.Contains(Mail(r), "UserPoolAddOns.AdvancedSecurityMode") {
			t.Errorf("%v: what could not be fixed is missing", size)
		}
		if size[0] >= 2000 && !strings.Contains(Mail(r), "more, left out for want of room") {
			t.Errorf("%v: nothing says that something is missing", size)
		}
		if len(Chat(r)) > 8000 {
			t.Errorf("%v: a chat message of %d bytes", size, len(Chat(r)))
		}
	}
}

// TestStrangersTexts: what a stranger chose, the name of a pool, a tag, a session, cannot break out of a subject or a chat message.
func TestStrangersTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.String().Draw(t, "text") + rapid.SampledFrom([]string{"<!channel>", "@here", "<http://evil|click>", "*bold*", "`code`", "\r\nBcc: x", "\x1b[2J", "é"}).Draw(t, "worse")
		out := outcome(reconcile.Remediated, nasty, reconcile.Drift{Setting: "UserPoolTags." + nasty, Rule: nasty, Want: nasty, Have: nasty, State: reconcile.Fixed, Reason: nasty})
		out.PoolName, out.Cause = nasty, event.Cause{EventName: "UpdateUserPool", Actor: nasty}
		r := New(out, testBuild)
		subject := Subject(r)
		if len(subject) > 100 || strings.ContainsFunc(subject, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsPrint(c) }) || subject[0] != '[' {
			t.Fatalf("%q", subject)
		}
		var chat struct {
			Content struct{ Title, Description string }
		}
		if err := json.Unmarshal([]byte(Chat(r)), &chat); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{chat.Content.Title, chat.Content.Description} {
			for _, bad := range []string{"<!", "<http", "@here"} {
				if strings.Contains(text, bad) {
					t.Fatalf("%q stands in %q", bad, text)
				}
			}
		}
	})
}

// TestFindings: what passes and what fails.
func TestFindings(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"remediated": "passed", "unchanged": "passed", "partial": "failed", "unfixable": "failed", "unconverged": "failed", "drifted": "failed", "ignored": "none",
		"deferred": "none"} {
		f, ok := FindingOf(New(outcomes()[name], testBuild), time.Now())
		got := "none"
		if ok && f.Failed {
			got = "failed"
		} else if ok {
			got = "passed"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// format is the schema of the embedded metric format, as CloudWatch publishes its rules: the metadata, with a time and directives, whose metrics and dimensions are members of the line itself.
const format = `{
  "type": "object", "required": ["_aws"],
  "properties": {"_aws": {"type": "object", "required": ["Timestamp", "CloudWatchMetrics"], "properties": {
    "Timestamp": {"type": "integer"},
    "CloudWatchMetrics": {"type": "array", "items": {"type": "object", "required": ["Namespace", "Dimensions", "Metrics"], "properties": {
      "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
      "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "minItems": 1, "maxItems": 30, "items": {"type": "string", "minLength": 1, "maxLength": 250}}},
      "Metrics": {"type": "array", "maxItems": 100, "items": {"type": "object", "required": ["Name"], "properties": {
        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
        "Unit": {"enum": ["Seconds", "Microseconds", "Milliseconds", "Bytes", "Count", "Count/Second", "None"]}}}}}}}}}}
}`

// TestMetrics: each line is of the format, its metrics and dimensions are there, and the dimensions do not grow with the pools.
func TestMetrics(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(format))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("emf.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("emf.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range outcomes() {
		var b bytes.Buffer
		if err := Metrics(&b, "keeper", cause.Time, out, Counts{Calls: 4, Throttled: 1, Unsent: 0}); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".metrics.json", b.Bytes())
		for line := range strings.Lines(b.String()) {
			valid(t, name, compiled, line)
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			for _, directive := range record["_aws"].(map[string]any)["CloudWatchMetrics"].([]any) {
				d := directive.(map[string]any)
				for _, m := range d["Metrics"].([]any) {
					if _, ok := record[m.(map[string]any)["Name"].(string)].(float64); !ok {
						t.Errorf("%s: %v is no number of the line", name, m)
					}
				}
				for _, set := range d["Dimensions"].([]any) {
					for _, dimension := range set.([]any) {
						if v, ok := record[dimension.(string)].(string); !ok || v == "" || dimension == "userPoolId" {
							t.Errorf("%s: the dimension %v is %q", name, dimension, v)
						}
					}
				}
			}
		}
	}
}

// TestReadmeMessages: the e-mail and the chat message that the README shows are real ones.
func TestReadmeMessages(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"partial.mail.txt", "partial.chat.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "\n"+string(text)+"```") {
			t.Errorf("the README does not show %s", name)
		}
	}
}

// TestDigest: what a sweep finds and leaves is told once, not for every pool; what it put right was told already.
func TestDigest(t *testing.T) {
	t.Parallel()
	sweep := reconcile.Sweeping{Outcome: reconcile.Swept, Pools: 12, Outcomes: map[reconcile.Word]int{reconcile.Unchanged: 8, reconcile.Remediated: 1, reconcile.Drifted: 2, reconcile.Unfixable: 1}}
	d, worth := NewDigest(sweep, "eu-west-1", testBuild)
	if !worth || d.Severity != High {
		t.Errorf("%v %s", worth, d.Severity)
	}
	golden(t, "sweep.mail.txt", []byte("Subject: "+DigestSubject(d)+"\n\n"+DigestMail(d)))
	golden(t, "sweep.chat.json", indented(t, DigestChat(d)))
	golden(t, "sweep.report.json", indented(t, DigestJSON(d)))
	quiet := sweep
	quiet.Outcomes = map[reconcile.Word]int{reconcile.Unchanged: 11, reconcile.Remediated: 1}
	if _, worth := NewDigest(quiet, "eu-west-1", testBuild); worth {
		t.Error("a sweep that left nothing is told")
	}
	quiet.Outcome, quiet.Reason = reconcile.Deferred, "the time is used up"
	quiet.Failed = []reconcile.Failure{{UserPoolID: "eu-west-1_AbCdEf123", Outcome: reconcile.Deferred, Reason: "throttled"}}
	broken, worth := NewDigest(quiet, "eu-west-1", testBuild)
	if !worth || broken.Severity != High || len(DigestSubject(broken)) > 100 {
		t.Errorf("%v %s", worth, DigestSubject(broken))
	}
	golden(t, "sweep-broken.mail.txt", []byte(DigestMail(broken)))
	// A sweep over a bus sees no outcomes: only that it failed is told.
	sent := reconcile.Sweeping{Outcome: reconcile.Swept, Outcomes: map[reconcile.Word]int{}, Failed: []reconcile.Failure{}, Dispatched: 3900, Reason: "3900 pools were sent so far; the sweep goes on in another invocation"}
	if _, worth := NewDigest(sent, "eu-west-1", testBuild); worth {
		t.Error("a sweep that sent its pools is told")
	}
	sent.Outcome, sent.Reason = reconcile.Deferred, "60 pools of this page could not be sent, nor were those of the pages after it: putting 5 events onto the bus default: InternalFailure: not now"
	stuck, worth := NewDigest(sent, "eu-west-1", testBuild)
	if !worth || stuck.Severity != High {
		t.Errorf("%v %s", worth, stuck.Severity)
	}
	golden(t, "sweep-unsent.mail.txt", []byte("Subject: "+DigestSubject(stuck)+"\n\n"+DigestMail(stuck)))
	for name, want := range map[string]bool{"remediated": true, "partial": true, "drifted": false, "unfixable": false, "deleted": true, "unchanged": false} {
		if got := ToldAlone(outcomes()[name]); got != want {
			t.Errorf("in a sweep, %s is told alone: %v", name, got)
		}
	}
}
