package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// progress says on a terminal how far a command is, and nowhere else.
type progress struct{ to io.Writer }

func (c cli) progress() progress {
	if file, ok := c.err.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return progress{to: c.err}
	}
	return progress{to: io.Discard}
}

func (p progress) say(pools int) { fmt.Fprintf(p.to, "\r\x1b[K%d user pools", pools) }

// clear makes room for a line of results.
func (p progress) clear() { fmt.Fprint(p.to, "\r\x1b[K") }
