package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) plan() *cobra.Command {
	var which selection
	var out string
	command := &cobra.Command{
		Use:   "plan (--pool ID... | --all) [--out FILE]",
		Short: "Show what would be written to bring pools to the baseline; writes nothing",
		Long: "Reads the pools, compares them with the baseline and shows each drift, what would be written, and why\n" +
			"a drift cannot be fixed.",
		Example: "  poolkeeper plan --all\n  poolkeeper plan --all --profile dev,prod --all-regions\n" +
			"  poolkeeper plan --pool eu-west-1_AbCdEf123 --out tonight.plan",
		Args: arguments("", 0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			if out != "" && len(c.places()) > 1 {
				return errors.New("--out saves the plan of one account and Region: name only one profile and Region")
			}
			saved := savedPlan{Format: planFormat, Version: planVersion}
			s, err := c.runPlan(command.Context(), which, &saved)
			if err != nil {
				return err
			}
			if out != "" {
				if err := saved.write(out); err != nil {
					return err
				}
				fmt.Fprintf(c.notes, "saved to %s: poolkeeper apply %s%s makes these changes, unless a pool changes first\n",
					out, out, c.same("region"))
			}
			return s.exit()
		},
	}
	c.takesMany(command)
	c.poolFlags(command, &which)
	c.baselineFlag(command)
	command.Flags().StringVar(&out, "out", "", "save the plan to this file, for apply")
	return has(command, all...)
}

func (c *cli) baselineFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.flags.baseline, "baseline", c.getenv("BASELINE_FILE"),
		"baseline file (default $BASELINE_FILE, or that of the stack, or the one that ships)")
}

// reconciler returns what the function would run, with a ledger in memory, and the text of its baseline, for a plan
// that is saved.
func (c *cli) reconciler(ctx context.Context, writes bool) (*reconcile.Reconciler, string, error) {
	pools, err := c.connect(ctx)
	if err != nil {
		return nil, "", err
	}
	required, text, err := c.required(ctx, writes)
	if err != nil {
		return nil, "", err
	}
	return c.newReconciler(pools, required, ledger.NewMemory()), text, nil
}

// runPlan shows the plan of the pools as results, and adds it to the one that is saved.
func (c *cli) runPlan(ctx context.Context, which selection, saved *savedPlan) (summary, error) {
	var s summary
	to := c.results()
	err := c.everywhere(ctx, &s, failuresTo(to), func(one *cli) error {
		r, text, err := one.reconciler(ctx, false)
		if err != nil {
			return err
		}
		saved.File, saved.Baseline = r.Baseline.File, text
		return one.showPlans(ctx, r, which, &s, to, saved.add)
	})
	if err == nil {
		err = to.Write(stream.OfSummary("summary", s, s.plan(true)))
	}
	return s, errors.Join(err, to.Close(err == nil))
}

// showPlans shows the plans of the pools as results.
func (c *cli) showPlans(ctx context.Context, r *reconcile.Reconciler, which selection, s *summary, to stream.Stream,
	each func(outcome.Preview)) error {
	return c.show(ctx, r, which, s, func(p poolPlan) error {
		if p.err == nil {
			each(p.preview)
		}
		return to.Write(p.entry(which.all, c.output == string(stream.Text)))
	})
}

// A poolPlan is the plan of one pool, or why there is none.
type poolPlan struct {
	id       string
	preview  outcome.Preview
	required *baseline.Baseline
	err      error
}

// failure is why the pool could not be read, or nil.
func (p poolPlan) failure() error {
	if out := p.preview.Outcome; p.err == nil && out.Outcome == outcome.Unfixable && len(out.Drifts) == 0 {
		return errors.New(out.Reason)
	}
	return p.err
}

// failuresTo shows what failed as results.
func failuresTo(to stream.Stream) func(poolPlan) error {
	return func(p poolPlan) error { return to.Write(stream.OfFailure(p.id, p.err)) }
}

// entry is the plan as it is shown. If brief, people do not see a pool in sync. If values, the value that would be
// written is shown beside a requirement that is an operator; a program reads the requirement alone.
func (p poolPlan) entry(brief, values bool) stream.Entry {
	if p.err != nil {
		return stream.OfFailure(p.id, p.err)
	}
	if values {
		return stream.OfPreview(p.withValues(), brief)
	}
	return stream.OfPreview(p.preview, brief)
}

// withValues returns the preview with "12 (requires >= 12)" for a requirement ">= 12".
func (p poolPlan) withValues() outcome.Preview {
	shown, before := p.preview, p.preview.Before
	if p.required == nil || !drifts(shown.Outcome, outcome.StatePlanned) {
		return shown
	}
	policy := p.required.Policy(before.Identity(), shown.Details.Times.Seen)
	operator := map[string]bool{}
	for _, o := range policy.Requirements {
		operator[o.Setting] = o.Op != baseline.Equal
	}
	written := map[string]any{}
	for _, d := range baseline.Compare(policy, before.Own()).Drifts {
		member, _ := baseline.Lookup(d.Setting)
		if operator[d.Setting] && d.Action == baseline.Write {
			written[d.Setting] = baseline.Mask(member, d.Value)
		} else if operator[d.Setting] && d.Action == baseline.LeaveOut {
			written[d.Setting] = nil
		}
	}
	shown.Drifts = slices.Clone(shown.Drifts)
	for i, d := range shown.Drifts {
		if value, ok := written[d.Setting]; ok && d.State == outcome.StatePlanned && d.Want != nil {
			shown.Drifts[i].Want = fmt.Sprintf("%s (requires %s)", report.Value(value), report.Value(d.Want))
		}
	}
	return shown
}

// show plans the pools, counts them and hands on each plan as it comes. A pool that cannot be read stops no other.
func (c *cli) show(ctx context.Context, r *reconcile.Reconciler, which selection, s *summary, each func(poolPlan) error,
) error {
	work := func(ctx context.Context, id string) poolPlan { return c.planOf(ctx, r, which, id) }
	err := inOrder(ctx, which.each(ctx, r.Pools), work, func(p poolPlan) error {
		if p.err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		s.read(p)
		return each(p)
	})
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted after %s; nothing was written", counted(s.Pools, "user pool"))
	}
	if err == nil && which.all && s.Pools == 0 {
		c.noPools()
	}
	return err
}

func (c *cli) planOf(ctx context.Context, r *reconcile.Reconciler, which selection, id string) poolPlan {
	p, err := r.Plan(ctx, id)
	var later *outcome.DeferredError
	if errors.As(err, &later) {
		err = errors.New(later.Reason)
	}
	if err == nil && !which.all && p.Reason == outcome.GoneReason {
		err = c.gone(ctx, r.Pools, id)
	}
	return poolPlan{id: id, preview: p, required: r.Baseline, err: err}
}
