package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// A sheet is lines for a terminal.
type sheet struct{ strings.Builder }

func (s *sheet) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// row says what there is to say under a name, if anything.
func (s *sheet) row(name, text string) {
	if text != "" {
		s.line("  %-9s %s", name, text)
	}
}

// Text is an outcome for people.
func Text(out outcome.Outcome, paint Paint) string {
	out = Legible(out)
	s := &sheet{}
	critical := ""
	if out.Critical {
		critical = "  " + paint.Bad("CRITICAL")
	}
	s.line("%s  %s%s", paint.ending(out.Outcome), cmp.Or(out.UserPoolID, "(no user pool)"), critical)
	if out.Cause.EventName != "" {
		s.row("cause", out.Cause.EventName+prefixed(" by ", out.Cause.Actor)+prefixed(" from ", out.Cause.SourceIP))
	}
	var reasons []string
	for _, finding := range out.Drifts {
		d := Drift{Finding: finding}
		reasons = append(reasons, d.Reason)
		says := fmt.Sprintf("%s, wanted %s  (%s)", Value(d.Have), Value(d.Want), rule(d))
		if g := d.group(); g != notFixed && g != fixed && g != exempted {
			says = d.says()
		}
		s.line("  %s  %s: %s%s", paint.state(d.State), d.Setting, says, prefixed("\n             ", d.Reason))
	}
	if len(out.Writes) > 0 {
		s.row("written", strings.Join(out.Writes, ", "))
		verified := "nothing"
		if out.Verified != (outcome.Verified{}) {
			verified = VerifiedText(out.Verified)
		}
		s.row("verified", verified)
	}
	s.row("record", out.Record)
	if out.Undetected > 0 {
		s.line("  undetected  no event reported %d of these drifts", out.Undetected)
	}
	s.row("reason", further(out.Reason, reasons))
	return s.String()
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// VerifiedText says what was read again after a write.
func VerifiedText(v outcome.Verified) string {
	return fmt.Sprintf("%d required settings hold, %d unmanaged settings are unchanged", v.Owned, v.UnmanagedUnchanged)
}

// Scan is the result of a scan for people.
func Scan(scan outcome.ScanResult, paint Paint) string {
	s := &sheet{}
	s.line("%s  %d user pools", paint.ending(scan.Outcome), scan.Pools)
	s.row("reason", baseline.Legible(scan.Reason))
	return s.String()
}

// Endings are those of a run, by precedence.
var Endings = []outcome.Ending{outcome.Deferred, outcome.Unconverged, outcome.Partial, outcome.Unfixable,
	outcome.Remediated, outcome.Drifted, outcome.Exempted, outcome.Unchanged, outcome.Ignored}

// Value shows a value of a drift on one line: texts bare, everything else as JSON, and "absent" where there is none. A
// text is quoted if it is empty, or if a terminal could take it for more than text, such as a tag that somebody chose.
func Value(v any) string {
	switch v := v.(type) {
	case nil:
		return "absent"
	case string:
		if v == "" || baseline.Legible(v) != v {
			return strconv.Quote(v)
		}
		return v
	default:
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return fmt.Sprint(v)
		}
		return escaped(strings.TrimSuffix(text.String(), "\n"))
	}
}

// Paint colors words where it is true.
type Paint bool

// The colors, as terminals number them.
const (
	red    = 31
	green  = 32
	yellow = 33
	gray   = 90
)

// color paints the text, or returns it as it is.
func (p Paint) color(code int, text string) string {
	if !p {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}

// Bad paints bad news.
func (p Paint) Bad(text string) string { return p.color(red, text) }

// Good paints good news.
func (p Paint) Good(text string) string { return p.color(green, text) }

// Warn paints a warning.
func (p Paint) Warn(text string) string { return p.color(yellow, text) }

// Dim paints an aside.
func (p Paint) Dim(text string) string { return p.color(gray, text) }

// Restored is what people read in place of remediated where a person had an earlier state brought back.
const Restored outcome.Ending = "restored"

func (p Paint) ending(e outcome.Ending) string {
	switch e {
	case outcome.Remediated, outcome.Unchanged, outcome.Scanned, Restored:
		return p.Good(string(e))
	case outcome.Ignored, outcome.Exempted:
		return p.Dim(string(e))
	case outcome.Drifted:
		return p.Warn(string(e))
	default:
		return p.Bad(string(e))
	}
}

func (p Paint) state(s outcome.State) string {
	text := fmt.Sprintf("%-9s", s)
	switch s {
	case outcome.StateFixed:
		return p.Good(text)
	case outcome.StateExempted:
		return p.Dim(text)
	case outcome.StateReported:
		return p.Warn(text)
	default:
		return p.Bad(text)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
