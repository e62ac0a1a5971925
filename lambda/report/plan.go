package report

import (
	"fmt"
	"strings"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

// marks stand before the drifts of a plan.
var marks = map[outcome.State]string{outcome.StatePlanned: "~", outcome.StateReported: "!",
	outcome.StateUnfixable: "x", outcome.StateExempted: "="}

// Plan is a preview for people: each drift with its live value and its requirement, the rule and its place in the
// baseline, why it is skipped where it is, and the calls that would be made.
func Plan(p outcome.Preview, paint Paint) string {
	p.Outcome = Legible(p.Outcome)
	s, pool := &sheet{}, PoolOf(p.Outcome)
	name, account := "", ""
	if pool.Name != "" {
		name = "  " + Value(pool.Name)
	}
	if pool.Account != "" {
		account = "  (account " + pool.Account + ")"
	}
	s.line("%s  %s%s%s", paint.ending(p.Outcome.Outcome), p.UserPoolID, name, account)
	for _, d := range p.Drifts {
		line := fmt.Sprintf("  %s %s: %s -> %s  (%s)", marks[d.State], d.Setting, Value(d.Have), Value(d.Want),
			rule(Drift{Finding: d, Source: d.Source.String()}))
		reason := prefixed("\n      "+string(d.State)+": ", d.Reason)
		switch d.State {
		case outcome.StatePlanned:
			line = paint.Good(line)
		case outcome.StateExempted:
			line, reason = paint.Dim(line), paint.Dim(reason)
		case outcome.StateReported:
			line = paint.Warn(line)
		default:
			line = paint.Bad(line)
		}
		s.line("%s%s", line, reason)
	}
	s.row("calls", strings.Join(p.Writes, ", "))
	s.row("reason", p.Reason)
	return s.String()
}

// Meaning says in a few lines why a drift matters: who checks the setting, what to know before it is changed, and what
// the change may cost.
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
