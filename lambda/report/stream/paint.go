package stream

import (
	"cmp"
	"fmt"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

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

// colors are those of the words that are not bad.
var colors = map[string]Color{
	string(outcome.Remediated): Good, string(outcome.Unchanged): Good, string(outcome.Scanned): Good,
	string(Restored): Good, string(outcome.Ignored): Aside, string(outcome.Exempted): Aside,
	string(outcome.Drifted): Warn, string(outcome.StateFixed): Good, string(outcome.StatePlanned): Good,
	string(outcome.StateReported): Warn, warning: Warn,
}

// Word paints an ending.
func (p Paint) Word(word string) string { return p.Of(cmp.Or(colors[word], Bad), word) }

// State paints what is shown before a finding: its state, or in a plan the mark of that.
func (p Paint) State(state outcome.State, plan bool) string {
	text := fmt.Sprintf("%-9s", baseline.Legible(string(state)))
	if plan {
		text = marks[state]
	}
	return p.Of(cmp.Or(colors[string(state)], Bad), text)
}

var marks = map[outcome.State]string{outcome.StatePlanned: "~", outcome.StateReported: "!",
	outcome.StateUnfixable: "x", outcome.StateExempted: "="}
