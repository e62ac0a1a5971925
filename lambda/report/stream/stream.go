// Package stream writes the results of a command for people and pipelines in the requested format, one pool or file at
// a time. SARIF and JUnit are written at the end. The function does not use this package.
package stream

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

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
	SARIF    Format = "sarif"    // version 2.1.0, for code scanning
	JUnit    Format = "junit"    // one suite per pool, for the test report of a pipeline
)

// A Stream writes entries in one format: immediately, or at the end if the format is a single document.
type Stream struct {
	format  Format
	w       io.Writer
	paint   Paint
	entries []Entry // entries to write at the end
}

// New returns a Stream that writes to w in one of Formats.
func New(format Format, w io.Writer, paint Paint) *Stream {
	return &Stream{format: format, w: w, paint: paint}
}

// Write adds an entry.
func (s *Stream) Write(e Entry) error {
	switch {
	case s.format == JSON:
		return report.Encode(s.w, e.json)
	case s.format == SARIF || s.format == JUnit:
		s.entries = append(s.entries, e)
		return nil
	case e.kind == "":
		return nil
	case s.format == Markdown:
		return templates.ExecuteTemplate(s.w, "markdown.tmpl", e)
	default:
		return templates.ExecuteTemplate(s.w, e.kind, struct {
			Entry
			Paint Paint
		}{e, s.paint})
	}
}

// Close ends the output. done is whether the command completed.
func (s *Stream) Close(done bool) error {
	switch s.format {
	case SARIF:
		return s.sarif(done)
	case JUnit:
		return templates.ExecuteTemplate(s.w, "junit.tmpl", s.entries)
	default:
		return nil
	}
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

//go:embed *.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"code": code, "escape": escape, "xml": escapeXML,
	"json": encode, "join": strings.Join, "checks": report.ChecksOf, "value": report.Value,
	"brief": report.Brief, "further": report.FurtherReason, "verified": report.VerifiedText,
	"legible": baseline.Legible}).ParseFS(files, "*.tmpl"))

func encode(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw), err
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder returns no error
	return b.String()
}

// A testCase is a case of JUnit: one for each finding, one for a pool or file that fails otherwise, or one that passes.
type testCase struct {
	Name, Kind, Message, Place string // Kind is the element that says why it does not pass, or ""
}

// Cases returns the test cases of a pool or file.
func (e Entry) Cases() []testCase {
	var cases []testCase
	for _, f := range e.Findings {
		kind, ok := map[outcome.State]string{outcome.StateExempted: "skipped", outcome.StateFixed: ""}[f.State]
		if !ok {
			kind = "failure"
		}
		cases = append(cases, testCase{f.Where(), kind, f.Says(), f.Source.String()})
	}
	if e.Failed != "" {
		return append(cases, testCase{e.Word, "error", e.Failed, ""})
	}
	if len(cases) == 0 {
		cases = []testCase{{Name: e.Word}}
	}
	return cases
}

// Count returns the number of test cases of a kind.
func (e Entry) Count(kind string) (n int) {
	for _, c := range e.Cases() {
		if c.Kind == kind {
			n++
		}
	}
	return n
}

type object = map[string]any

// URI returns the name of the finding's file as a URI.
func (f finding) URI() string { return (&url.URL{Path: filepath.ToSlash(f.Source.File)}).EscapedPath() }

// Fingerprint identifies the finding in later runs.
func (f finding) Fingerprint(name string) string {
	print := name + "\x00" + f.Setting
	if f.Setting == "" {
		print = name + "\x00" + f.ID + "\x00\x00" + f.Reason
	}
	sum := sha256.Sum256([]byte(print))
	return fmt.Sprintf("%x", sum[:16])
}

// sarif writes the log of one run with a result for each finding. Pools that could not be read have no result; the run
// lists the first hundred of them.
func (s *Stream) sarif(done bool) error {
	failed := slices.DeleteFunc(slices.Clone(s.entries), func(e Entry) bool { return e.Failed == "" })
	used := map[string]baseline.Member{}
	for _, e := range s.entries {
		for _, f := range e.Findings {
			used[f.ID], _ = baseline.Lookup(f.ID)
		}
	}
	var text bytes.Buffer
	var log any
	err := templates.ExecuteTemplate(&text, "sarif.tmpl", object{"Entries": s.entries, "Rules": used,
		"Failed": failed[:min(len(failed), 100)], "Done": done && len(failed) == 0})
	if err == nil {
		err = json.Unmarshal(text.Bytes(), &log)
	}
	if err != nil {
		return err
	}
	return report.Encode(s.w, log)
}
