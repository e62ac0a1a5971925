package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// Brief describes a finding in a line: the live value, the requirement and its rule, or what else it says.
func Brief(f outcome.Finding) string {
	d := Drift{Finding: f, Source: f.Source.String()}
	if g := d.group(); g != notFixed && g != fixed && g != exempted {
		return d.says()
	}
	return fmt.Sprintf("%s -> %s  (%s)", Value(d.Have), Value(d.Want), rule(d))
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

// Value returns a value of a drift as one line: texts without quotes, everything else as JSON, and "absent" for nil. A
// text is quoted if it is empty or has control characters, as tags from users may.
func Value(v any) string {
	text, ok := v.(string)
	switch {
	case v == nil:
		return "absent"
	case !ok:
		return encode(v)
	case text == "" || baseline.Legible(text) != text:
		return strconv.Quote(text)
	default:
		return text
	}
}

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
		d.Setting, d.Rule, d.Reason = baseline.Legible(d.Setting), baseline.Legible(d.Rule), baseline.Legible(d.Reason)
	}
	return out
}

// Printable returns a writer of JSON that escapes unprintable characters, so that the raw JSON is safe to show. The
// JSON keeps its meaning. Each Write must be a complete JSON text.
func Printable(w io.Writer) io.Writer { return printable{w} }

type printable struct{ w io.Writer }

func (p printable) Write(text []byte) (int, error) {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range string(text) {
		if r < ' ' || unicode.IsPrint(r) { // outside texts, line breaks are the only control characters
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	_, err := io.WriteString(p.w, b.String())
	return len(text), err
}
