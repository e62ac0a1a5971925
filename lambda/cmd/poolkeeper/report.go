package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/page"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) report() *cobra.Command {
	var which selection
	command := &cobra.Command{
		Use:   "report (--pool ID... | --all) --output html",
		Short: "Write an HTML page about pools and their baseline; changes no pool",
		Long: "Reads the pools as plan does and writes one HTML page to standard output: a table of pools and settings\n" +
			"of the baseline, with current and required values and the ends of exemptions. The page needs\n" +
			"no other file, works without scripts, and prints. --output ocsf writes one Compliance Finding of the\n" +
			"Open Cybersecurity Schema Framework for each pool, one per line.",
		Example:     "  poolkeeper report --all --output html > pools.html\n  poolkeeper report --all --output ocsf",
		Annotations: forPages,
		RunE:        func(command *cobra.Command, _ []string) error { return c.runReport(command.Context(), which) },
	}
	c.takesMany(command)
	c.poolFlags(command, &which)
	c.baselineFlag(command)
	return command
}

func (c *cli) runReport(ctx context.Context, which selection) error {
	p, html := page.New(time.Now()), c.flags.output == "html"
	s, err := c.plans(ctx, which, func(one *cli) (*reconcile.Reconciler, error) {
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
	if err != nil {
		return err
	}
	return s.exit()
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
