package main

import (
	"cmp"
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
		Example: "  poolkeeper report --all --output html > pools.html\n  poolkeeper report --all --output ocsf",
		Args:    arguments("", 0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			s, err := c.runReport(command.Context(), which)
			return cmp.Or(err, s.exit())
		},
	}
	c.takesMany(command)
	c.poolFlags(command, &which)
	c.baselineFlag(command)
	return has(command, "html", "ocsf")
}

func (c *cli) runReport(ctx context.Context, which selection) (s summary, err error) {
	p := page.New(time.Now())
	of := func(one *cli) (*reconcile.Reconciler, error) {
		r, _, err := one.reconciler(ctx, false)
		if err == nil {
			p.Require(r.Baseline)
		}
		return r, err
	}
	s, err = c.plans(ctx, which, of, func(l poolPlan) error {
		if c.output != "html" {
			return c.finding(l)
		}
		p.Add(l.id, l.withValues(), l.failure())
		return nil
	})
	if err == nil && c.output == "html" {
		err = p.Write(c.out)
	}
	return s, err
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
