package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// A sheet builds lines for a terminal.
type sheet struct{ strings.Builder }

func (s *sheet) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// row writes a name and a value, unless the value is empty.
func (s *sheet) row(name, text string) {
	if text != "" {
		s.line("  %-9s %s", name, text)
	}
}

// findings writes the findings of an outcome: the live value, the requirement with its rule, and why it is not met.
// marked returns the texts before each finding and before its reason.
func (s *sheet) findings(out outcome.Outcome, marked func(outcome.State) (mark, reason string)) {
	for _, finding := range out.Drifts {
		d := Drift{Finding: finding, Source: finding.Source.String()}
		says := fmt.Sprintf("%s -> %s  (%s)", Value(d.Have), Value(d.Want), rule(d))
		if g := d.group(); g != notFixed && g != fixed && g != exempted {
			says = d.says()
		}
		mark, reason := marked(d.State)
		s.line("  %s %s: %s%s", mark, d.Setting, says, prefixed("\n      "+reason, d.Reason))
	}
}

// Text returns an outcome as text for people.
func Text(out outcome.Outcome, paint Paint) string {
	out = Legible(out)
	s := &sheet{}
	critical := ""
	if out.Critical {
		critical = "  " + paint.Of(Bad, "CRITICAL")
	}
	s.line("%s  %s%s", paint.ending(out.Outcome), cmp.Or(out.UserPoolID, "(no user pool)"), critical)
	if out.Cause.EventName != "" {
		s.row("cause", out.Cause.EventName+prefixed(" by ", out.Cause.Actor)+prefixed(" from ", out.Cause.SourceIP))
	}
	s.findings(out, func(state outcome.State) (mark, reason string) {
		return paint.state(state, fmt.Sprintf("%-9s", baseline.Legible(string(state)))), "      "
	})
	if len(out.Writes) > 0 {
		s.row("written", strings.Join(out.Writes, ", "))
		verified := "nothing: the writes may or may not have taken effect"
		if out.Verified != (outcome.Verified{}) {
			verified = VerifiedText(out.Verified)
		}
		s.row("verified", verified)
	}
	s.row("record", out.Record)
	if out.Undetected > 0 {
		s.line("  undetected  no event reported %d of these drifts", out.Undetected)
	}
	s.row("reason", New(out, "", "").furtherReason())
	return s.String()
}

// marks are shown before the drifts of a plan.
var marks = map[outcome.State]string{outcome.StatePlanned: "~", outcome.StateReported: "!",
	outcome.StateUnfixable: "x", outcome.StateExempted: "="}

// Plan is a preview for people, with the calls that would be made.
func Plan(p outcome.Preview, paint Paint) string {
	out := Legible(p.Outcome)
	s, pool := &sheet{}, PoolOf(out)
	name, account := "", ""
	if pool.Name != "" {
		name = "  " + Value(pool.Name)
	}
	if pool.Account != "" {
		account = "  (account " + pool.Account + ")"
	}
	s.line("%s  %s%s%s", paint.ending(out.Outcome), out.UserPoolID, name, account)
	s.findings(out, func(state outcome.State) (mark, reason string) {
		return paint.state(state, marks[state]), string(state) + ": "
	})
	s.row("calls", strings.Join(out.Writes, ", "))
	s.row("reason", New(out, "", "").furtherReason())
	return s.String()
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// VerifiedText describes the verification after a write.
func VerifiedText(v outcome.Verified) string {
	return fmt.Sprintf("%d required settings are compliant, %d unmanaged settings are "+
		"unchanged", v.Owned, v.UnmanagedUnchanged)
}

// Scan returns the result of a scan as text for people.
func Scan(scan outcome.ScanResult, paint Paint) string {
	s := &sheet{}
	s.line("%s  %d user pools", paint.ending(scan.Outcome), scan.Pools)
	s.row("reason", baseline.Legible(scan.Reason))
	return s.String()
}

// Endings are the endings of a run, in order of precedence.
var Endings = []outcome.Ending{outcome.Deferred, outcome.Unconverged, outcome.Partial, outcome.Unfixable,
	outcome.Remediated, outcome.Drifted, outcome.Exempted, outcome.Unchanged, outcome.Ignored}

// Value returns a value of a drift as one line: texts without quotes, everything else as JSON, and "absent" for nil. A
// text is quoted if it is empty or has control characters, as tags from users may.
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

// Paint colors words if it is true.
type Paint bool

// A Color is an ANSI color code.
type Color int

// The colors.
const (
	Bad   Color = 31 // red
	Good  Color = 32 // green
	Warn  Color = 33 // yellow
	Aside Color = 90 // gray
)

// Of returns the text in a color if painting is on.
func (p Paint) Of(color Color, text string) string {
	if !p {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", color, text)
}

// Restored is shown instead of remediated if a person restored an earlier state.
const Restored outcome.Ending = "restored"

func (p Paint) ending(e outcome.Ending) string {
	switch e {
	case outcome.Remediated, outcome.Unchanged, outcome.Scanned, Restored:
		return p.Of(Good, string(e))
	case outcome.Ignored, outcome.Exempted:
		return p.Of(Aside, string(e))
	case outcome.Drifted:
		return p.Of(Warn, string(e))
	default:
		return p.Of(Bad, string(e))
	}
}

// state paints the mark of a finding.
func (p Paint) state(s outcome.State, text string) string {
	switch s {
	case outcome.StateFixed, outcome.StatePlanned:
		return p.Of(Good, text)
	case outcome.StateExempted:
		return p.Of(Aside, text)
	case outcome.StateReported:
		return p.Of(Warn, text)
	default:
		return p.Of(Bad, text)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Meaning returns lines about a drift: the checks that cover the setting, warnings before a change, and the possible
// cost.
func Meaning(d outcome.Finding) []string {
	var lines []string
	for _, control := range baseline.ControlsOf(d.Setting) {
		if checks := control.Checks(); len(checks) > 0 {
			lines = append(lines, "checked by "+strings.Join(checks, ", "))
		}
		if control.Hazard != "" {
			lines = append(lines, "beware: "+control.Hazard)
		}
		if control.Cost != "" && d.State != outcome.StateExempted && baseline.Costlier(d.Setting, d.Have, d.Want) {
			lines = append(lines, "cost: "+control.Cost)
		}
	}
	return lines
}

// Legible returns the outcome with each text as one printable line. Untrusted text can be in a reason, which may quote
// the service, and in a setting, which may contain the key of a tag. The values of drifts are unchanged; Value makes
// them safe to show.
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

// Printable returns a writer of JSON that escapes unprintable characters, so that the raw JSON is safe to show. The
// JSON keeps its meaning. Each Write must be a complete JSON text.
func Printable(w io.Writer) io.Writer { return printable{w} }

type printable struct{ w io.Writer }

func (p printable) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, escaped(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escaped returns JSON with the escapes of Printable. Outside texts, line breaks are the only control characters.
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
