package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
)

// Legible returns the outcome with its texts each as one line without anything in it that cannot be printed: a reason may repeat what the service said of a value that
// somebody chose, and the key of a tag is part of a setting's path. The values of drifts stay what they are; Value shows them.
func Legible(out reconcile.Outcome) reconcile.Outcome {
	out.Reason = baseline.Legible(out.Reason)
	out.Drifts = slices.Clone(out.Drifts)
	for i := range out.Drifts {
		d := &out.Drifts[i]
		d.Setting, d.Rule, d.Reason = baseline.Legible(d.Setting), baseline.Legible(d.Rule), baseline.Legible(d.Reason)
	}
	if out.Missed != nil {
		missed := *out.Missed
		missed.Settings, out.Missed = legibleAll(missed.Settings), &missed
	}
	out.Overwritten, out.Elsewhere = legibleAll(out.Overwritten), legibleAll(out.Elsewhere)
	out.Earlier = slices.Clone(out.Earlier)
	for i, earlier := range out.Earlier {
		out.Earlier[i] = Legible(earlier)
	}
	return out
}

func legibleAll(texts []string) []string {
	all := slices.Clone(texts)
	for i := range all {
		all[i] = baseline.Legible(all[i])
	}
	return all
}

// Printable returns a writer of JSON, each Write a whole text, that escapes what JSON allows to stand in a text and cannot be printed: it means the same, and
// nobody who looks at it raw is fooled.
func Printable(w io.Writer) io.Writer { return printable{w} }

type printable struct{ w io.Writer }

func (p printable) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, escaped(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escaped is JSON with the escapes of Printable. Control characters outside of texts are its line breaks.
func escaped(json string) string {
	odd := func(r rune) bool { return r >= ' ' && !unicode.IsPrint(r) }
	if !strings.ContainsFunc(json, odd) {
		return json
	}
	var b strings.Builder
	unit := func(r rune) {
		digits := strconv.FormatInt(int64(r), 16)
		b.WriteString(`\u` + strings.Repeat("0", 4-len(digits)) + digits)
	}
	for _, r := range json {
		switch high, low := utf16.EncodeRune(r); {
		case !odd(r):
			b.WriteRune(r)
		case high != utf8.RuneError:
			unit(high)
			unit(low)
		default:
			unit(r)
		}
	}
	return b.String()
}

// few names the first of some settings, and says how many more there are.
func few(settings []string) string {
	const most = 5
	var named []string
	for _, setting := range settings[:min(len(settings), most)] {
		named = append(named, cut(setting, 200))
	}
	text := strings.Join(named, ", ")
	if more := len(settings) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
