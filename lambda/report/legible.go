package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// Legible returns the outcome with each of its texts on one line and without anything that cannot be printed: a reason
// may repeat what the service said about a value that somebody chose, and the key of a tag is part of a setting's path.
// The values of drifts stay as they are; Value shows them.
func Legible(out outcome.Outcome) outcome.Outcome {
	out.Reason = baseline.Legible(out.Reason)
	out.Drifts = slices.Clone(out.Drifts)
	for i := range out.Drifts {
		d := &out.Drifts[i]
		d.Setting, d.Rule = baseline.Legible(d.Setting), baseline.Legible(d.Rule)
		d.Reason = baseline.Legible(d.Reason)
	}
	return out
}

// Printable returns a writer of JSON that escapes what JSON allows in a text and what cannot be printed. It means the
// same, and nobody who reads it raw is fooled. Each Write must be a whole text.
func Printable(w io.Writer) io.Writer { return printable{w} }

type printable struct{ w io.Writer }

func (p printable) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, escaped(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escaped is JSON with the escapes of Printable. The only control characters outside texts are its line breaks.
func escaped(json string) string {
	odd := func(r rune) bool { return r >= ' ' && !unicode.IsPrint(r) }
	if !strings.ContainsFunc(json, odd) {
		return json
	}
	var b strings.Builder
	for _, r := range json {
		if !odd(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
