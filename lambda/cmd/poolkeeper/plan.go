package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
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
				return errors.New("--out saves the plan of one account and Region: use only one profile and Region")
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
		"baseline file (default $BASELINE_FILE, or the stack's, or the built-in one)")
}

// reconciler returns a Reconciler like the function's, with a ledger in memory, and the text of its baseline for a
// saved plan.
func (c *cli) reconciler(ctx context.Context, writes bool) (*reconcile.Reconciler, string, error) {
	pools, err := c.connect(ctx)
	if err != nil {
		return nil, "", err
	}
	required, text, err := c.required(ctx, writes)
	if err != nil {
		return nil, "", err
	}
	return c.newReconciler(pools, required), text, nil
}

// runPlan shows the plan of the pools, and adds it to the saved plan.
func (c *cli) runPlan(ctx context.Context, which selection, saved *savedPlan) (summary, error) {
	to := c.results()
	of := func(one *cli) (*reconcile.Reconciler, error) {
		r, text, err := one.reconciler(ctx, false)
		if err == nil {
			saved.File, saved.Baseline = r.Baseline.File, text
		}
		return r, err
	}
	s, err := c.plans(ctx, which, of, func(p poolPlan) error {
		if p.err == nil {
			saved.add(p.preview)
		}
		return to.Write(p.entry(which.all, c.output == string(stream.Text)))
	})
	if err == nil {
		err = to.Write(stream.OfSummary("summary", s, s.plan(true)))
	}
	return s, errors.Join(err, to.Close(err == nil))
}

// A poolPlan is the plan of one pool, or why there is none.
type poolPlan struct {
	id      string
	preview outcome.Preview
	r       *reconcile.Reconciler // the Reconciler of the plan
	err     error
}

// failure returns why the pool could not be read, or nil.
func (p poolPlan) failure() error {
	if out := p.preview.Outcome; p.err == nil && out.Outcome == outcome.Unfixable && len(out.Drifts) == 0 {
		return errors.New(out.Reason)
	}
	return p.err
}

// entry returns the entry for the plan. If brief, pools in sync are not shown to people. If values, the value to write
// is shown next to a requirement with an operator; programs get only the requirement.
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
	shown := p.preview
	shown.Drifts = slices.Clone(shown.Drifts)
	for i, d := range shown.Drifts {
		member, _ := baseline.Lookup(d.Setting)
		value := report.Value(baseline.Mask(member, baseline.ValueAt(shown.After.Own(), d.Setting)))
		if want := report.Value(d.Want); d.State == outcome.StatePlanned && d.Reason == "" && value != want {
			shown.Drifts[i].Want = fmt.Sprintf("%s (requires %s)", value, want)
		}
	}
	return shown
}

// plans plans the pools of each account and Region, counts them, and passes each plan or its error on. of returns the
// planner for one account and Region.
func (c *cli) plans(ctx context.Context, which selection, of func(*cli) (*reconcile.Reconciler, error),
	each func(poolPlan) error) (s summary, err error) {
	err = c.everywhere(ctx, &s, each, func(one *cli) error {
		r, err := of(one)
		if err != nil {
			return err
		}
		ids, err := which.list(ctx, r.Pools)
		if err != nil && ctx.Err() == nil {
			return err
		}
		work := func(ctx context.Context, id string) poolPlan { return one.planOf(ctx, r, which, id) }
		err = inOrder(ctx, ids, work, func(p poolPlan) error {
			if p.err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			s.read(p)
			return each(p)
		})
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted after %s; nothing was written", counted(s.Pools, "user pool"))
		}
		if err == nil && which.all && len(ids) == 0 {
			one.noPools()
		}
		return err
	})
	return s, err
}

// planOf plans a pool without the records of earlier runs, so that people also see fixes that those records would
// prevent.
func (c *cli) planOf(ctx context.Context, r *reconcile.Reconciler, which selection, id string) poolPlan {
	alone := *r
	alone.Ledger = ledger.NewMemory()
	p, err := alone.Plan(ctx, id)
	var later *outcome.DeferredError
	if errors.As(err, &later) {
		err = errors.New(later.Reason)
	}
	if err == nil && !which.all && p.Reason == outcome.GoneReason {
		err = c.gone(ctx, r.Pools, id)
	}
	return poolPlan{id: id, preview: p, r: r, err: err}
}

// A savedPlan is what plan --out writes and apply reads: the baseline, and for each pool to change a digest of its
// state. It has no values of pools, but the baseline may contain message texts, so only the owner may read the file.
type savedPlan struct {
	Format   string       `json:"format"`
	Version  int          `json:"version"`
	File     string       `json:"baselineFile"`
	Baseline string       `json:"baseline"`
	Pools    []plannedFor `json:"pools"`
	Sum      string       `json:"sum"` // digest of the rest, so that a changed plan is not applied
}

type plannedFor struct {
	UserPoolID string   `json:"userPoolId"`
	State      string   `json:"state"`
	Settings   []string `json:"settings"` // the settings to write
	Writes     []string `json:"writes"`
}

const (
	planFormat  = "poolkeeper plan"
	planVersion = 2

	planRemedy = "a plan is a file that poolkeeper plan --out saved; --pool names a pool, --baseline a baseline"
)

func (s *savedPlan) add(p outcome.Preview) {
	if len(p.Writes) > 0 {
		s.Pools = append(s.Pools, plannedFor{p.UserPoolID, p.State, toWrite(p), p.Writes})
	}
}

// isOf reports whether a preview equals the saved plan of its pool.
func (s *savedPlan) isOf(p outcome.Preview) bool {
	return slices.ContainsFunc(s.Pools, func(f plannedFor) bool {
		return f.UserPoolID == p.UserPoolID && f.State == p.State && slices.Equal(f.Settings, toWrite(p)) &&
			slices.Equal(f.Writes, p.Writes)
	})
}

// toWrite returns the settings that the plan writes.
func toWrite(p outcome.Preview) []string {
	var settings []string
	for _, d := range p.Drifts {
		if d.State == outcome.StatePlanned {
			settings = append(settings, d.Setting)
		}
	}
	return settings
}

// sum returns the digest of a plan without its sum.
func (s savedPlan) sum() (string, error) {
	s.Sum = ""
	raw, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(raw)), nil
}

func (s *savedPlan) write(path string) error {
	var err error
	s.Sum, err = s.sum()
	raw, encoding := json.MarshalIndent(s, "", "  ")
	if err = errors.Join(err, encoding); err == nil {
		err = writeFile(path, append(raw, '\n'), true)
	}
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

func readPlan(ctx context.Context, path string) (savedPlan, error) {
	var s savedPlan
	raw, err := readFile(ctx, path, nil)
	if err != nil {
		return s, fmt.Errorf("reading the plan: %w (%s)", err, planRemedy)
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Format != planFormat {
		return s, fmt.Errorf("%s is not a plan (%s)", path, planRemedy)
	}
	if s.Version != planVersion {
		return s, fmt.Errorf("%s is not a plan of this version: make a new one with poolkeeper plan --out", path)
	}
	if sum, err := s.sum(); err != nil || sum != s.Sum {
		return s, fmt.Errorf("%s was changed after it was saved: make a new one with poolkeeper plan --out", path)
	}
	return s, nil
}
