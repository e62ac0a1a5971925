package report

import (
	"fmt"
	"io"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
)

// marks stand before the drifts of a plan.
var marks = map[reconcile.DriftState]string{reconcile.Planned: "~", reconcile.Reported: "!", reconcile.NotFixable: "x", reconcile.Exempted: "-"}

// Plan writes a preview for people: each drift with what is there and what is wanted, the rule and its place in the baseline, why it is left where it is, and the
// calls that would be made.
func Plan(w io.Writer, p reconcile.Preview, paint Paint) error {
	p.Outcome = Legible(p.Outcome)
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", paint.word(p.Outcome.Outcome), p.UserPoolID)
	if p.PoolName != "" {
		fmt.Fprintf(&b, "  %s", Value(p.PoolName))
	}
	b.WriteString("\n")
	for _, d := range p.Drifts {
		line := fmt.Sprintf("  %s %s: %s -> %s  (rule %s, %s)", marks[d.State], d.Setting, Value(d.Have), Value(d.Want), d.Rule, d.Source)
		switch d.State {
		case reconcile.Planned:
			line = paint.Good(line)
		case reconcile.Exempted:
			line = paint.Dim(line)
		case reconcile.Reported:
			line = paint.Warn(line)
		default:
			line = paint.Bad(line)
		}
		b.WriteString(line + "\n")
		if d.Reason != "" {
			fmt.Fprintf(&b, "      %s: %s\n", d.State, d.Reason)
		}
		if text := meaning(d.Setting); text != "" {
			b.WriteString(paint.Dim(text))
		}
	}
	if len(p.Writes) > 0 {
		fmt.Fprintf(&b, "  calls     %s\n", strings.Join(p.Writes, ", "))
	}
	if p.Reason != "" {
		fmt.Fprintf(&b, "  reason    %s\n", p.Reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// meaning says in a few lines what a setting matters for: who checks it, and what to know before it is changed.
func meaning(setting string) string {
	var b strings.Builder
	for _, control := range baseline.ControlsOf(setting) {
		if checks := control.Checks(); len(checks) > 0 {
			fmt.Fprintf(&b, "      checked by %s\n", strings.Join(checks, ", "))
		}
		if control.Hazard != "" {
			fmt.Fprintf(&b, "      beware: %s\n", control.Hazard)
		}
		if control.Cost != "" {
			fmt.Fprintf(&b, "      cost: %s\n", control.Cost)
		}
	}
	return b.String()
}
