package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"poolkeeper/lambda/outcome"
)

const testBuild = "v1.2.3, go1.26"

// shown are all the forms in which an outcome is shown, of a run that read all of the pool.
func shown(out outcome.Outcome) map[string]string {
	r := New(out, testBuild, "")
	r.Whole = true
	var log, metrics bytes.Buffer
	Log(context.Background(), slog.New(slog.NewJSONHandler(Printable(&log), &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})), out)
	_ = Metrics(&metrics, "keeper", noon, out, Counts{Calls: 4, Throttled: 1}) // a buffer takes everything
	all := map[string]string{"subject": Subject(r), "mail.txt": "Subject: " + Subject(r) + "\n\n" + Mail(r),
		"chat.json": Chat(r), "report.json": JSON(r), "log.json": log.String(), "metrics.json": metrics.String(),
		"notifies.txt": fmt.Sprintf("after an event: %v, in a scan: %v\n", Notifies(out, false), Notifies(out, true))}
	if f, ok := FindingOf(r, noon); ok {
		all["ocsf.json"] = encode(OCSF(f))
	}
	return all
}

// TestTexts has every text of every outcome, one golden for each outcome. What machines read is as its schema says.
func TestTexts(t *testing.T) {
	t.Parallel()
	left, schemas := slices.Clone(Endings), map[string]*jsonschema.Schema{}
	for kind, file := range map[string]string{"report.json": "schema.json", "ocsf.json": "testdata/ocsf.schema.json",
		"metrics.json": "testdata/emf.schema.json"} {
		schemas[kind] = compiled(t, file)
	}
	for name, out := range outcomes() {
		before, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		content, _, _ := strings.Cut(string(before), "-- mail.txt --")
		texts := shown(out)
		for _, kind := range []string{"mail.txt", "chat.json", "report.json", "ocsf.json", "log.json", "metrics.json",
			"notifies.txt"} {
			text, ok := texts[kind]
			if !ok {
				continue
			}
			valid(t, name, schemas[kind], text)
			var b bytes.Buffer
			oneLine := strings.HasSuffix(kind, ".json") && !strings.Contains(text, "\n")
			if oneLine && json.Indent(&b, []byte(text), "", "  ") == nil {
				text = b.String() + "\n"
			}
			content += fmt.Sprintf("-- %s --\n%s", kind, text)
		}
		golden(t, name+".txtar", []byte(content))
		left = slices.DeleteFunc(left, func(e outcome.Ending) bool { return e == out.Outcome })
	}
	if len(left) > 0 {
		t.Errorf("outcomes without a golden: %v", left)
	}
}

func compiled(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// valid checks each JSON value of a text, if there is a schema.
func valid(t interface{ Errorf(string, ...any) }, name string, schema *jsonschema.Schema, text string) {
	for d := json.NewDecoder(strings.NewReader(text)); schema != nil && d.More(); {
		var raw json.RawMessage
		err := d.Decode(&raw)
		value, also := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err = errors.Join(err, also); err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// drawn is an outcome with any number of drifts and calls, in which every text is of any length.
func drawn(t *rapid.T) outcome.Outcome {
	nasty := rapid.SampledFrom([]string{"x", "\"", "\\", "<&>", "\u00e9", "\U0001f512", "\u2028", "\x01", "\xff",
		"\n"}).Draw(t, "text")
	drifts := rapid.SampledFrom([]int{0, 1, 2, 50, 50, 50, 50, 50, 3000}).Draw(t, "drifts")
	characters := rapid.SampledFrom([]int{0, 10, 300, 5000}).Draw(t, "characters")
	if drifts*characters > 500000 {
		characters = 300
	}
	text := strings.Repeat(nasty, characters)
	out := ended(outcome.Partial, text)
	for i := range drifts {
		d := found("remediated")
		d.Setting = fmt.Sprintf("UserPoolTags.%d%s", i, strings.Repeat(nasty, min(characters, 128)))
		d.Reason, d.Have, d.Want = text, text, strings.Repeat("x", characters)
		out.Drifts = append(out.Drifts, d)
	}
	out.Drifts = append(out.Drifts, found("unfixable"))
	for i := range rapid.SampledFrom([]int{1, 3000}).Draw(t, "calls") {
		out.Writes = append(out.Writes, "UpdateUserPoolClient")
		out.Details.RequestIDs = append(out.Details.RequestIDs, fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", i))
	}
	out.Details.PoolName = strings.Repeat(nasty, 128)
	out.Cause.Actor, out.Cause.UserAgent = strings.Repeat(nasty, 512), strings.Repeat(nasty, 512)
	return out
}

// TestMessagesFit: whatever the outcome, a message stays within what SNS takes, and each of its texts can be read and
// names what could not be fixed.
func TestMessagesFit(t *testing.T) {
	t.Parallel()
	schema := compiled(t, "schema.json")
	rapid.Check(t, func(t *rapid.T) {
		out := drawn(t)
		r := New(out, testBuild, "")
		message := Message(r)
		if len(message) > 240*1024 {
			t.Fatalf("%d bytes", len(message))
		}
		if subject := Subject(r); len(subject) >= 100 {
			t.Fatalf("a subject of %d: %q", len(subject), subject)
		}
		var texts map[string]string
		if err := json.Unmarshal([]byte(message), &texts); err != nil || len(texts) != 3 {
			t.Fatalf("%v: %d texts", err, len(texts))
		}
		valid(t, "default", schema, texts["default"])
		if !json.Valid([]byte(texts["https"])) {
			t.Fatalf("no JSON: %s", texts["https"])
		}
		for protocol, text := range texts {
			if !strings.Contains(text, "UserPoolAddOns.AdvancedSecurityMode") {
				t.Fatalf("%s: what could not be fixed is missing", protocol)
			}
		}
		if len(out.Drifts) > 3000 && !strings.Contains(texts["email"], "more, left out to keep this message short") {
			t.Fatal("nothing says that something is missing")
		}
		short := utf8.RuneCountInString(out.Reason) <= 300 && len(out.Drifts) > 1
		if len(texts["https"]) > 8000 && short {
			t.Fatalf("a chat message of %d bytes", len(texts["https"]))
		}
	})
}

// TestMetricsOfAnyRule: whatever a rule is called, its drift is counted under a name that CloudWatch takes for a
// dimension: printable ASCII, not blank, of no more than 1,024 characters.
func TestMetricsOfAnyRule(t *testing.T) {
	t.Parallel()
	names := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", "größe", "größe", "\u2028",
		strings.Repeat("long ", 300)}))
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "rule")
		drift := outcome.Finding{Setting: "DeletionProtection", Rule: name, State: outcome.StateReported}
		lines := strings.SplitAfter(shown(ended(outcome.Drifted, "", drift))["metrics.json"], "\n")
		var record struct{ Rule string } // there is no line for a rule without a name
		if err := json.Unmarshal([]byte(cmp.Or(lines[1], "{}")), &record); err != nil {
			t.Fatal(err)
		}
		missing := strings.TrimSpace(record.Rule) == "" && strings.TrimSpace(name) != ""
		odd := func(r rune) bool { return r < ' ' || r > '~' }
		if missing || len(record.Rule) > 1024 || strings.ContainsFunc(record.Rule, odd) {
			t.Fatalf("the dimension of %q is %q", name, record.Rule)
		}
	})
}

// TestReadmeMessages: the e-mail that the README shows is a real one, up to what to do.
func TestReadmeMessages(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(shown(outcomes()["partial"])["mail.txt"], "WHAT TO DO")
	if !strings.Contains(string(readme), "\n"+text+"```") {
		t.Error("the README does not show the mail of partial.txtar")
	}
}
