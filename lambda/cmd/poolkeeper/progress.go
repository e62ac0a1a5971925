package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"poolkeeper/lambda/reconcile"
)

// progress shows on a terminal how far a command is, and nothing elsewhere.
type progress struct {
	to    io.Writer
	total int
}

// progress counts the pools first if there is a terminal to show a bar on. That costs one call for each 60 of them.
func (c *cli) progress(ctx context.Context, pools reconcile.Pools, which selection) (progress, error) {
	if !c.terminal(c.notes) {
		return progress{to: io.Discard}, nil
	}
	p := progress{to: c.notes}
	fmt.Fprint(p.to, "counting the user pools")
	defer p.clear()
	for _, err := range which.each(ctx, pools) {
		if err != nil {
			return p, err
		}
		p.total++
	}
	return p, nil
}

const barWidth = 30

func (p progress) say(pools int) { fmt.Fprint(p.to, p.bar(pools)) }

func (p progress) bar(pools int) string {
	full := barWidth
	if p.total > pools {
		full = barWidth * pools / p.total
	}
	return fmt.Sprintf("\r\x1b[K[%s%s] %d of %d user pools", strings.Repeat("#", full),
		strings.Repeat(" ", barWidth-full), pools, max(p.total, pools))
}

// clear makes room for a line of results.
func (p progress) clear() { fmt.Fprint(p.to, "\r\x1b[K") }
