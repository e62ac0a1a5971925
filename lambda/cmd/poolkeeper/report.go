package main

import (
	"context"
	"fmt"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/page"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) report(ctx context.Context, _ []string) error {
	p, html := page.New(time.Now()), c.output == "html"
	return c.show(func(to *results) error {
		err := c.plans(ctx, to, c.which(), func(one *cli) (*reconcile.Reconciler, error) {
			r, _, err := one.planner(ctx)
			if err == nil {
				p.Require(r.Baseline)
			}
			return r, err
		}, func(l poolPlan) error {
			if !html {
				return c.finding(l)
			}
			p.Add(l.id, l.withValues(), l.failure())
			return nil
		})
		if err == nil && html {
			err = p.Write(c.out)
		}
		return err
	})
}

// finding writes the finding for a pool. A pool that could not be read or that no rule selects has none.
func (c *cli) finding(p poolPlan) error {
	if why := p.failure(); why != nil {
		_, err := fmt.Fprintf(c.err, "poolkeeper: %s: %s\n", p.id, baseline.Legible(why.Error()))
		return err
	}
	whole := report.New(p.preview.Outcome, "", "")
	whole.Whole = true
	f, ok := report.FindingOf(whole, time.Now())
	if !ok {
		return nil
	}
	return stream.Encode(c.out, report.OCSF(f))
}
