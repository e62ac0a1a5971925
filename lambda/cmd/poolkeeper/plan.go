package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) plan() *cobra.Command {
	var which selection
	var file, out string
	command := &cobra.Command{
		Use:     "plan (--pool ID... | --all) [--out FILE]",
		Short:   "Show what would be written to bring pools to the baseline; writes nothing",
		Long:    "Reads the pools, compares them with the baseline and shows each drift, what would be written, and why what cannot be written cannot.\nExit status: 0 in sync, 1 error, 2 drift found.",
		Example: "  poolkeeper plan --all\n  poolkeeper plan --pool eu-west-1_AbCdEf123 --out tonight.plan",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := which.check(); err != nil {
				return err
			}
			r, text, err := c.reconciler(command.Context(), file)
			if err != nil {
				return err
			}
			saved := savedPlan{Format: planFormat, Version: planVersion, File: r.Baseline.File, Baseline: string(text)}
			// Only a plan that is saved holds on to its pools.
			keep := func(reconcile.Preview) {}
			if out != "" {
				keep = saved.add
			}
			s, err := c.planned(command.Context(), r, which, keep)
			if err != nil {
				return err
			}
			if out != "" {
				if err := saved.write(out); err != nil {
					return err
				}
				fmt.Fprintf(c.notes, "saved to %s: poolkeeper apply %s makes these changes, if the pools are still as they are now\n", out, out)
			}
			return s.exit()
		},
	}
	which.flags(command)
	c.baselineFlag(command, &file)
	command.Flags().StringVar(&out, "out", "", "save the plan to this file, for apply")
	return has(command, all...)
}

func (c *cli) baselineFlag(command *cobra.Command, file *string) {
	command.Flags().StringVar(file, "baseline", c.getenv("BASELINE_FILE"), "baseline file (default $BASELINE_FILE, or else the one that ships)")
}

// reconciler returns what the function would run, on paced calls, and the text of its baseline, for a plan that is to be applied later.
func (c *cli) reconciler(ctx context.Context, file string) (*reconcile.Reconciler, []byte, error) {
	required, text, err := readBaseline(file)
	if err != nil {
		return nil, nil, err
	}
	pools, err := c.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c.keeper(pools, required, ""), text, nil
}

// planned shows the plan of the pools as results.
func (c *cli) planned(ctx context.Context, r *reconcile.Reconciler, which selection, each func(reconcile.Preview)) (summary, error) {
	to := c.results()
	s, err := c.show(ctx, r, which, func(p looked) error {
		if p.err == nil {
			each(p.preview)
		}
		return to.Write(p.entry(which.all))
	})
	if err == nil {
		err = to.Write(stream.OfSummary("summary", s, s.plan()))
	}
	return s, errors.Join(err, to.Close(err == nil))
}

// A looked is what looking at one pool came to.
type looked struct {
	id      string
	preview reconcile.Preview
	err     error
}

// failure is why the pool could not be looked at, or nil.
func (p looked) failure() error {
	if out := p.preview.Outcome; p.err == nil && out.Outcome == reconcile.Unfixable && len(out.Drifts) == 0 {
		return errors.New(out.Reason)
	}
	return p.err
}

func (p looked) entry(brief bool) stream.Entry {
	if p.err != nil {
		return stream.OfFailure(p.id, p.err)
	}
	return stream.OfPreview(p.preview, brief)
}

// show plans the pools and hands on what it finds as it comes. A pool that cannot be looked at stops no other.
func (c *cli) show(ctx context.Context, r *reconcile.Reconciler, which selection, each func(looked) error) (summary, error) {
	var s summary
	work := func(ctx context.Context, id string) looked {
		p, err := r.Plan(ctx, id)
		var later *reconcile.DeferredError
		if errors.As(err, &later) {
			err = errors.New(later.Reason)
		}
		if err == nil && !which.all && p.Reason == reconcile.GoneReason {
			err = c.gone(id)
		}
		return looked{id, p, err}
	}
	progress, err := c.progress(ctx, r.Pools, which)
	if err == nil {
		err = inOrder(ctx, which.each(ctx, r.Pools), work, func(p looked) error {
			s.look(p)
			progress.clear()
			err := each(p)
			progress.say(s.Pools)
			return err
		})
		progress.clear()
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted after %s; nothing was written", counted(s.Pools, "user pool"))
	}
	if err == nil && which.all && s.Pools == 0 {
		c.none()
	}
	return s, err
}
