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

// A Stream writes entries as they come. Close ends the document; done reports whether the command came to its end.
type Stream interface {
	Write(Entry) error
	Close(done bool) error
}

// New returns a stream of the format, which is one of Formats, that writes to w.
func New(format Format, w io.Writer, paint report.Paint) Stream {
	switch format {
	case JSON:
		return lines{json: encoder(w)}
	case Markdown:
		return markdown{w: w}
	case SARIF:
		return &sarif{w: w, rules: map[string]bool{}}
	case JUnit:
		return &junit{w: w}
	default:
		return terminal{w: w, paint: paint}
	}
}

func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(report.Printable(w))
	e.SetEscapeHTML(false)
	return e
}

// An open stream has no end to write.
type open struct{}

func (open) Close(bool) error { return nil }

type terminal struct {
	open
	w     io.Writer
	paint report.Paint
}

func (t terminal) Write(e Entry) error {
	if e.text == nil {
		return nil
	}
	return e.text(t.w, t.paint)
}

type lines struct {
	open
	json *json.Encoder
}

func (l lines) Write(e Entry) error { return l.json.Encode(e.json) }

// markdown writes a heading and a table for each entry that has something to say.
type markdown struct {
	open
	w io.Writer
}

func (m markdown) Write(e Entry) error {
	if e.text == nil {
		return nil
	}
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
	_, err := io.WriteString(m.w, b.String())
	return err
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
