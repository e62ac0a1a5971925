package stream

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

var update = flag.Bool("update", false, "write the goldens anew")

var formats = []Format{Text, JSON, Markdown, SARIF, JUnit}

// chosen writes entries of every kind in which every text that somebody outside may have chosen is the given one.
func chosen(t interface{ Fatal(...any) }, format Format, text string) string {
	var b bytes.Buffer
	s := New(format, &b, false)
	out := outcome.Outcome{Outcome: outcome.Partial, UserPoolID: "eu-west-1_AbCdEf123", Reason: text,
		Details: outcome.Details{PoolName: text}}
	for _, state := range []outcome.State{outcome.StateFixed, outcome.StateUnfixable, outcome.StateExempted,
		outcome.StateReported, outcome.StatePlanned} {
		out.Drifts = append(out.Drifts, outcome.Finding{Setting: "UserPoolTags." + text, Rule: text, Reason: text,
			Have: text, Want: []any{text}, State: state, Source: baseline.Position{File: "b.yaml", Line: 1, Column: 1}})
	}
	raw, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	// A file that was made by somebody else: JSON is YAML.
	_, err = baseline.Parse("b.yaml", []byte(`{"version": 1, "mode": `+string(raw)+`, `+string(raw)+`: 1}`))
	var faults baseline.Errors
	errors.As(err, &faults)
	for _, e := range []Entry{OfOutcome(out, false), OfPreview(outcome.Preview{Outcome: out}, false),
		OfFailure("eu-west-1_AbCdEf123", errors.New(text)),
		OfScan(outcome.ScanResult{Outcome: outcome.Scanned, Reason: text}), OfFile("b.yaml", faults[:1], nil, nil)} {
		if err := s.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(true); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestNothingBreaksOut: whatever strangers choose, each format keeps the lines that it has with harmless texts, holds
// nothing that cannot be printed, and can be read.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	for _, format := range formats {
		harmless := chosen(t, format, "xé")
		check := func(t interface {
			Fatal(...any)
			Fatalf(string, ...any)
		}, nasty string) {
			got := chosen(t, format, nasty)
			if strings.Count(got, "\n") != strings.Count(harmless, "\n") || strings.ContainsFunc(got, odd) {
				t.Fatalf("%s of %q:\n%q", format, nasty, got)
			}
			if format == SARIF && !json.Valid([]byte(got)) {
				t.Fatalf("%q is no JSON: %s", nasty, got)
			}
			if format == JUnit {
				if err := elements(got, "testsuites testsuite testcase failure error skipped"); err != nil {
					t.Fatalf("%q: %v in %s", nasty, err, got)
				}
			}
		}
		for _, nasty := range []string{"x\n::error::y", "\r\x1b[2J", "\u202e", "]]><failure/>", `"/><testcase name="`,
			"|a|\n|-|", "</code><script>", "\",\"level\":\"none", "\x00\x08"} {
			check(t, nasty)
		}
		rapid.Check(t, func(t *rapid.T) { check(t, "x"+rapid.String().Draw(t, "text")) })
	}
}

// elements returns an error if the text is no XML, or has an element of another name.
func elements(text, names string) error {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok && !strings.Contains(names, e.Name.Local) {
			return errors.New("the element " + e.Name.Local)
		}
	}
}

// kept returns the outcome in the JSON at the beginning of a file.
func kept(t *testing.T, file string) outcome.Outcome {
	t.Helper()
	content, err := os.ReadFile(file)
	section, _, _ := strings.Cut(strings.TrimPrefix(string(content), "-- outcome.json --\n"), "-- mail.txt --\n")
	var out struct {
		outcome.Outcome
		Details outcome.Details
		Sources map[string]baseline.Position // of the drifts, by setting
	}
	if err := errors.Join(err, json.Unmarshal([]byte(section), &out)); err != nil {
		t.Fatal(err)
	}
	for i := range out.Drifts {
		out.Drifts[i].Source = out.Sources[out.Drifts[i].Setting]
	}
	out.Outcome.Details = out.Details
	return out.Outcome
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile("testdata/"+name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/" + name)
	if diff := cmp.Diff(string(want), got); err != nil || diff != "" {
		t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
	}
}

// TestText has the text of every outcome for a terminal.
func TestText(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, file := range files {
		got += "-- " + strings.TrimSuffix(filepath.Base(file), ".txtar") + " --\n" + TextOf(kept(t, file), false)
	}
	golden(t, "text.txtar", got)
}

// TestPlan: a drift of each kind, as a terminal shows it and as a file does. What is exempted is gray, with its end.
func TestPlan(t *testing.T) {
	t.Parallel()
	preview := outcome.Preview{Outcome: kept(t, "testdata/plan.json")}
	for name, paint := range map[string]Paint{"plan.txt": false, "plan-painted.txt": true} {
		var b strings.Builder
		if err := New(Text, &b, paint).Write(OfPreview(preview, false)); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

// of is an outcome in a format.
func of(t *testing.T, format Format, out outcome.Outcome) string {
	t.Helper()
	var b bytes.Buffer
	s := New(format, &b, false)
	if err := errors.Join(s.Write(OfOutcome(out, false)), s.Close(true)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestUnconverged: no format says that settings hold where nothing was verified, or names a rule where there is none. A
// pool in which a write changed something else passes in no format, though every drift was fixed.
func TestUnconverged(t *testing.T) {
	t.Parallel()
	lost := outcome.Outcome{Outcome: outcome.Unconverged, UserPoolID: "eu-west-1_AbCdEf123",
		Writes: []string{"UpdateUserPool"}, Drifts: []outcome.Finding{{Setting: "SmsConfiguration",
			Want: "the value before the write", State: outcome.StateUnfixable}}}
	moved := lost
	moved.Reason = "settings changed that no write should have changed: MfaConfiguration"
	moved.Drifts = []outcome.Finding{{Setting: "DeletionProtection", Rule: "a", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateFixed}}
	for _, format := range formats {
		if got := of(t, format, lost); strings.Contains(got, "0 required settings") || strings.Contains(got, "(rule )") {
			t.Errorf("%s:\n%s", format, got)
		}
		want := map[Format]string{JUnit: `errors="1" skipped="0"`, SARIF: `"executionSuccessful":false,` +
			`"toolExecutionNotifications":[{"level":"error","message":{"text":"eu-west-1_AbCdEf123: unconverged: settings ` +
			`changed`}[format]
		if got := of(t, format, moved); !strings.Contains(got, want) {
			t.Errorf("%s lacks %s:\n%s", format, want, got)
		}
	}
}
