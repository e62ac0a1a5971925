// Package stream writes the results of a command for people and pipelines in the requested format, one pool or file at
// a time. SARIF and JUnit are written at the end. The function does not use this package.
package stream

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// A Format is an output format.
type Format string

// The formats.
const (
	Text     Format = "text"     // for a terminal
	JSON     Format = "json"     // one object per line, described by schema.json
	Markdown Format = "markdown" // for a comment on a pull request
	SARIF    Format = "sarif"    // version version version 2.1.0, for code scanning
	JUnit    Format = "junit"    // one suite per pool, for the test report of a pipeline
)

// Formats returns all formats.
func Formats() []Format { return []Format{Text, JSON, Markdown, SARIF, JUnit} }

// A Stream writes entries in one format: immediately, or at the end if the format is a single document.
type Stream struct {
	format  Format
	w       io.Writer
	paint   report.Paint
	entries []Entry // entries to write at the end
}

// New returns a Stream that writes to w in one of Formats.
func New(format Format, w io.Writer, paint report.Paint) *Stream {
	return &Stream{format: format, w: w, paint: paint}
}

// Write adds an entry.
func (s *Stream) Write(e Entry) error {
	var text string
	switch {
	case s.format == JSON:
		return Encode(s.w, e.json)
	case s.format == SARIF || s.format == JUnit:
		s.entries = append(s.entries, e)
	case e.text == nil:
	case s.format == Markdown:
		text = markdown(e)
	default:
		text = e.text(s.paint)
	}
	_, err := io.WriteString(s.w, text)
	return err
}

// Close ends the output. done is whether the command completed.
func (s *Stream) Close(done bool) error {
	switch s.format {
	case SARIF:
		return Encode(s.w, sarif(s.entries, done))
	case JUnit:
		return writeJUnit(s.w, s.entries)
	default:
		return nil
	}
}

// Encode writes a value as a line of printable JSON.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(report.Printable(w))
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// markdown writes a heading and a table.
func markdown(e Entry) string {
	var b strings.Builder
	if e.name != "" {
		fmt.Fprintf(&b, "### %s: %s", e.word, code(e.name))
		if e.title != "" {
			fmt.Fprintf(&b, " %s", code(e.title))
		}
		b.WriteString("\n\n")
	}
	if len(e.findings) > 0 {
		b.WriteString("| | where | what |\n|---|---|---|\n")
		for _, f := range e.findings {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.State, code(f.where()), cell(f))
		}
		b.WriteString("\n")
	}
	for _, note := range e.notes {
		fmt.Fprintf(&b, "%s\n\n", escape(note))
	}
	return b.String()
}

func cell(f finding) string {
	var b strings.Builder
	if f.Setting != "" {
		fmt.Fprintf(&b, "%s → %s", code(report.Value(f.Have)), code(report.Value(f.Want)))
		if f.Rule != "" {
			fmt.Fprintf(&b, ", rule %s", code(f.Rule))
		}
		if place := f.Source.String(); place != "" {
			fmt.Fprintf(&b, ", %s", code(place))
		}
		if f.Reason != "" {
			b.WriteString("<br>")
		}
	}
	b.WriteString(escape(f.Reason))
	return b.String()
}

// code returns a text as a code span in which Markdown and HTML have no effect.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	text = strings.ReplaceAll(text, "|", `\|`)
	if fence != "`" {
		text = " " + text + " "
	}
	return fence + text + fence
}

// escape escapes Markdown and HTML in a text.
var escape = strings.NewReplacer("\\", `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "@", "&#64;", "\n", " ", "\r", " ").Replace

type (
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testCase `xml:"testcase"`
	}
	testCase struct {
		Name    string `xml:"name,attr"`
		Class   string `xml:"classname,attr"`
		Failure *said  `xml:"failure"`
		Error   *said  `xml:"error"`
		Skipped *said  `xml:"skipped"`
	}
	said struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// suiteOf returns the suite for a pool or file: one case for each finding, or a single passing case.
func suiteOf(e Entry) suite {
	s := suite{Name: e.name}
	for _, f := range e.findings {
		c := testCase{Name: f.where(), Class: e.name}
		text := &said{Message: f.says(), Text: f.Source.String()}
		switch {
		case f.State == outcome.StateExempted:
			c.Skipped = text
			s.Skipped++
		case f.level != note:
			c.Failure = text
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	if e.failed != "" {
		s.Cases = append(s.Cases, testCase{Name: e.word, Class: e.name, Error: &said{Message: e.failed}})
		s.Errors++
	}
	if len(s.Cases) == 0 {
		s.Cases = []testCase{{Name: e.word, Class: e.name}}
	}
	s.Tests = len(s.Cases)
	return s
}

// writeJUnit writes the JUnit document, without summaries.
func writeJUnit(w io.Writer, entries []Entry) error {
	document := struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		Suites  []suite  `xml:"testsuite"`
	}{Name: "poolkeeper"}
	for _, e := range entries {
		if e.name != "" {
			document.Suites = append(document.Suites, suiteOf(e))
		}
	}
	raw, err := xml.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, raw)
	return err
}

// An object is a JSON object.
type object = map[string]any

func resultOf(name string, f finding) object {
	text, print, at := f.says(), name+"\x00"+f.id+"\x00\x00"+f.Reason, object{}
	if f.Source.File != "" {
		place := object{"artifactLocation": object{
			"uri": (&url.URL{Path: filepath.ToSlash(f.Source.File)}).EscapedPath()}}
		if f.Source.Line > 0 {
			place["region"] = object{"startLine": f.Source.Line, "startColumn": max(1, f.Source.Column)}
		}
		at["physicalLocation"] = place
	}
	if f.Setting != "" {
		text, print = name+": "+text, name+"\x00"+f.Setting
		at["logicalLocations"] = []object{{"fullyQualifiedName": name + "/" + f.Setting, "kind": "resource"}}
	}
	sum := sha256.Sum256([]byte(print))
	r := object{"ruleId": f.id, "level": f.level, "message": object{"text": text}, "locations": []object{at},
		"partialFingerprints": object{"poolkeeper/v1": fmt.Sprintf("%x", sum[:16])}}
	if f.State == outcome.StateExempted {
		r["suppressions"] = []object{{"kind": "external", "justification": f.Reason}}
	}
	return r
}

// sarif writes the log of one run with a result for each finding. Pools that could not be read have no result; the run
// lists the first hundred of them.
func sarif(entries []Entry, done bool) object {
	used := map[string]bool{}
	rules, results, failures := []object{}, []object{}, []object{}
	for _, e := range entries {
		if e.failed != "" && len(failures) < 100 {
			failures = append(failures, object{"level": failure, "message": object{"text": e.name + ": " + e.failed}})
		}
		for _, f := range e.findings {
			used[f.id] = true
			results = append(results, resultOf(e.name, f))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(used)) {
		rule := object{"id": id}
		if m, ok := baseline.Lookup(id); ok && m.Doc != "" {
			rule["shortDescription"] = object{"text": m.Doc}
		}
		if checks := report.ChecksOf(id); len(checks) > 0 {
			rule["help"] = object{"text": "Checked by " + strings.Join(checks, ", ") + "."}
		}
		rules = append(rules, rule)
	}
	invocation := object{"executionSuccessful": done && len(failures) == 0, "toolExecutionNotifications": failures}
	return object{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0", "runs": []object{{"results": results, "columnKind": "unicodeCodePoints",
			"tool":        object{"driver": object{"name": "poolkeeper", "rules": rules}},
			"invocations": []object{invocation}}}}
}
