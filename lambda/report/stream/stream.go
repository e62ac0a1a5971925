// Package stream writes the results of a command for people and for pipelines, one pool or file at a time, in the
// requested format. SARIF and JUnit are written at the end. The function does not use it.
package stream

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"poolkeeper/lambda/report"
)

// A Format is a way to write results.
type Format string

// The formats.
const (
	Text     Format = "text"     // for a terminal
	JSON     Format = "json"     // one object a line, as schema.json describes
	Markdown Format = "markdown" // for a comment on a change
	SARIF    Format = "sarif"    // 2.1.0, for code scanning
	JUnit    Format = "junit"    // a suite for each pool, for the test report of a pipeline
)

// Formats returns all of them.
func Formats() []Format { return []Format{Text, JSON, Markdown, SARIF, JUnit} }

// A Stream writes entries in one format: as they come, or all at the end where the format is one document.
type Stream struct {
	format  Format
	w       io.Writer
	paint   report.Paint
	entries []Entry // of a document
}

// New returns a stream of the format, which is one of Formats, that writes to w.
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

// Close ends the document. done says whether the command came to its end.
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

// Encode writes a value as a line of JSON that can be printed.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(report.Printable(w))
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// markdown is a heading and a table.
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

// code returns a text as a code span, in which nothing of it can be taken for Markdown or HTML.
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

// escape takes from a text what Markdown and HTML would make of it.
var escape = strings.NewReplacer("\\", `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "@", "&#64;", "\n", " ", "\r", " ").Replace
