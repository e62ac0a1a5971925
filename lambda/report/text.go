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

// marks are shown before the findings of a plan, in the colors of their states.
var marks = map[outcome.State]struct {
	text  string
	color Color
}{
	outcome.StateFixed: {color: Good}, outcome.StatePlanned: {"~", Good}, outcome.StateReported: {"!", Warn},
	outcome.StateUnfixable: {"x", Bad}, outcome.StateExempted: {"=", Aside},
}

// findings returns lines for the findings of an outcome: the live value, the requirement with its rule, and why it is
// not met.
func findings(out outcome.Outcome, paint Paint, plan bool) string {
	var b strings.Builder
	for _, finding := range out.Drifts {
		d := Drift{Finding: finding, Source: finding.Source.String()}
		says := fmt.Sprintf("%s -> %s  (%s)", Value(d.Have), Value(d.Want), rule(d))
		if g := d.group(); g != notFixed && g != fixed && g != exempted {
			says = d.says()
		}
		mark, state := marks[d.State], baseline.Legible(string(d.State))
		text, reason := fmt.Sprintf("%-9s", state), "\n            "
		if plan {
			text, reason = mark.text, "\n      "+state+": "
		}
		fmt.Fprintf(&b, "  %s %s: %s%s\n", paint.Of(cmp.Or(mark.color, Bad), text), d.Setting, says,
			prefixed(reason, d.Reason))
	}
	return b.String()
}

// rows returns lines of a name and a value, without those whose value is empty.
func rows(pairs ...[2]string) string {
	text := ""
	for _, pair := range pairs {
		if pair[1] != "" {
			text += fmt.Sprintf("  %-9s %s\n", pair[0], pair[1])
		}
	}
	return text
}

// Text returns an outcome as text for people.
func Text(out outcome.Outcome, paint Paint) string {
	out = Legible(out)
	heading := paint.ending(out.Outcome) + "  " + cmp.Or(out.UserPoolID, "(no user pool)")
	if out.Critical {
		heading += "  " + paint.Of(Bad, "CRITICAL")
	}
	cause, verified, undetected := out.Cause.EventName, "", ""
	if cause != "" {
		cause += prefixed(" by ", out.Cause.Actor) + prefixed(" from ", out.Cause.SourceIP)
	}
	if len(out.Writes) > 0 {
		verified = VerifiedText(out.Verified, "nothing: the writes may or may not have taken effect")
	}
	if out.Undetected > 0 {
		undetected = fmt.Sprintf("no event reported %d of these drifts", out.Undetected)
	}
	return heading + "\n" + rows([2]string{"cause", cause}) + findings(out, paint, false) +
		rows([2]string{"written", strings.Join(out.Writes, ", ")}, [2]string{"verified", verified},
			[2]string{"record", out.Record}, [2]string{"undetected ", undetected}, [2]string{"reason", furtherReason(out)})
}

// Plan is a preview for people, with the calls that would be made.
func Plan(p outcome.Preview, paint Paint) string {
	out := Legible(p.Outcome)
	pool, heading := PoolOf(out), paint.ending(out.Outcome)+"  "+out.UserPoolID
	if pool.Name != "" {
		heading += "  " + Value(pool.Name)
	}
	if pool.Account != "" {
		heading += "  (account " + pool.Account + ")"
	}
	return heading + "\n" + findings(out, paint, true) +
		rows([2]string{"calls", strings.Join(out.Writes, ", ")}, [2]string{"reason", furtherReason(out)})
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// VerifiedText describes the verification after a write. It returns unverified if nothing was verified.
func VerifiedText(v outcome.Verified, unverified string) string {
	if v == (outcome.Verified{}) {
		return unverified
	}
	return fmt.Sprintf("%d required settings are compliant, %d unmanaged settings are unchanged", v.Owned,
		v.UnmanagedUnchanged)
}

// Scan returns the result of a scan as text for people.
func Scan(scan outcome.ScanResult, paint Paint) string {
	return fmt.Sprintf("%s  %d user pools\n", paint.ending(scan.Outcome), scan.Pools) +
		rows([2]string{"reason", baseline.Legible(scan.Reason)})
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

func (p Paint) ending(e outcome.Ending) string { return p.Of(meaningOf(e).color, string(e)) }

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
