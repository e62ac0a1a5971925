package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
)

// Text writes an outcome for people.
func Text(w io.Writer, out reconcile.Outcome, paint Paint) error {
	out = Legible(out)
	var b strings.Builder
	pool := out.UserPoolID
	if pool == "" {
		pool = "(no user pool)"
	}
	critical := ""
	if out.Critical {
		critical = "  " + paint.Bad("CRITICAL")
	}
	fmt.Fprintf(&b, "%s  %s%s\n", paint.word(out.Outcome), pool, critical)
	if out.Cause.EventName != "" {
		fmt.Fprintf(&b, "  cause     %s", out.Cause.EventName)
		if out.Cause.Actor != "" {
			fmt.Fprintf(&b, " by %s", out.Cause.Actor)
		}
		if out.Cause.SourceIP != "" {
			fmt.Fprintf(&b, " from %s", out.Cause.SourceIP)
		}
		b.WriteString("\n")
	}
	for _, d := range out.Drifts {
		fmt.Fprintf(&b, "  %s  %s: %s, wanted %s  (%s)\n", paint.state(d.State), d.Setting, Value(d.Have), Value(d.Want), rule(Drift{Drift: d}))
		if d.Reason != "" {
			fmt.Fprintf(&b, "             %s\n", d.Reason)
		}
	}
	if len(out.Writes) > 0 {
		fmt.Fprintf(&b, "  written   %s\n", strings.Join(out.Writes, ", "))
		if out.Verified == (reconcile.Verified{}) {
			b.WriteString("  verified  nothing: the pool could not be read and judged after that\n")
		} else {
			fmt.Fprintf(&b, "  verified  %d owned settings hold, %d unmanaged settings unchanged\n", out.Verified.Owned, out.Verified.UnmanagedUnchanged)
		}
	}
	if out.Record != "" {
		fmt.Fprintf(&b, "  record    %s\n", out.Record)
	}
	if out.Missed != nil {
		fmt.Fprintf(&b, "  missed    no event told of %s since %s\n", few(out.Missed.Settings), out.Missed.Since.UTC().Format(time.RFC3339))
	}
	if len(out.Overwritten) > 0 {
		fmt.Fprintf(&b, "  lost      what the call set of %s may be: have it set again\n", strings.Join(out.Overwritten, ", "))
	}
	if out.Reason != "" {
		fmt.Fprintf(&b, "  reason    %s\n", out.Reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Sweep writes the result of a sweep for people.
func Sweep(w io.Writer, sweep reconcile.Sweeping, paint Paint) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %d user pools\n", paint.word(sweep.Outcome), sweep.Pools)
	for _, word := range words {
		if n := sweep.Outcomes[word]; n > 0 {
			fmt.Fprintf(&b, "  %-12s %d\n", word, n)
		}
	}
	for _, f := range sweep.Failed {
		fmt.Fprintf(&b, "  %s  %s: %s\n", paint.word(f.Outcome), f.UserPoolID, baseline.Legible(f.Reason))
	}
	if sweep.Reason != "" {
		fmt.Fprintf(&b, "  reason    %s\n", baseline.Legible(sweep.Reason))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var words = []reconcile.Word{reconcile.Deferred, reconcile.Unconverged, reconcile.Partial, reconcile.Unfixable, reconcile.Remediated,
	reconcile.Drifted, reconcile.Unchanged, reconcile.Ignored}

// Value shows a value of a drift in one line: texts bare, everything else as JSON, absent as such. A text that is empty, or that a terminal could
// take for more than text, such as a tag somebody chose, is quoted.
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

// Paint colours words where it is true.
type Paint bool

// The colours, as terminals number them.
const (
	red    = 31
	green  = 32
	yellow = 33
	grey   = 90
)

// Colour paints the text, or leaves it.
func (p Paint) colour(code int, text string) string {
	if !p {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}

// Bad paints bad news.
func (p Paint) Bad(text string) string { return p.colour(red, text) }

// Good paints good news.
func (p Paint) Good(text string) string { return p.colour(green, text) }

// Warn paints a warning.
func (p Paint) Warn(text string) string { return p.colour(yellow, text) }

// Dim paints an aside.
func (p Paint) Dim(text string) string { return p.colour(grey, text) }

func (p Paint) word(w reconcile.Word) string {
	switch w {
	case reconcile.Remediated, reconcile.Unchanged, reconcile.Swept:
		return p.Good(string(w))
	case reconcile.Ignored:
		return p.Dim(string(w))
	case reconcile.Drifted:
		return p.Warn(string(w))
	default:
		return p.Bad(string(w))
	}
}

func (p Paint) state(s reconcile.DriftState) string {
	text := fmt.Sprintf("%-9s", s)
	switch s {
	case reconcile.Fixed:
		return p.Good(text)
	case reconcile.Exempted:
		return p.Dim(text)
	case reconcile.Reported:
		return p.Warn(text)
	default:
		return p.Bad(text)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
