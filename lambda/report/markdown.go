package report

import (
	"fmt"
	"strings"
	"unicode"
)

// Markdown is the report for a ticket.
func Markdown(r Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s: %s\n\n", r.Outcome, code(r.UserPool.title()))
	if r.called() {
		fmt.Fprintf(&b, "%s called %s%s from %s%s%s%s.\n\n", code(r.actor()), code(orUnknown(r.Why.EventName)), at(r.When.Event), code(orUnknown(r.Who.SourceIP)), console(r.Who), factor(r.Who), service(r.Who))
	} else {
		fmt.Fprintf(&b, "%s.\n\n", code(found(r)))
	}
	if r.Reason != "" {
		fmt.Fprintf(&b, "%s\n\n", code(r.Reason))
	}
	if len(r.Drifts) > 0 {
		b.WriteString("| | setting | was | required | rule |\n|---|---|---|---|---|\n")
		for _, d := range r.Drifts {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", d.State, code(d.Setting), code(shown(d.Have)), code(shown(d.Want)), code(d.Rule))
		}
		b.WriteString("\n")
	}
	if _, says := r.safe(); says != "" {
		fmt.Fprintf(&b, "%s.\n\n", code(says))
	}
	for i, step := range r.Next {
		fmt.Fprintf(&b, "%d. %s\n", i+1, code(step))
	}
	return b.String()
}

// code returns a text as a code span, in which nothing of it can be taken for Markdown.
func code(text string) string {
	text = strings.Map(func(c rune) rune {
		if c == '`' {
			return '\u02cb'
		}
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, text)
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}
