package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/page"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) plan(ctx context.Context, _ []string) error {
	out, which := c.text("out"), c.which()
	if out != "" && len(c.places()) > 1 {
		return errors.New("--out saves the plan of one account and Region: use only one profile and Region")
	}
	saved := savedPlan{Format: planFormat}
	return c.show(func(to *results) error {
		err := c.plans(ctx, to, which, func(one *cli) (r *reconcile.Reconciler, err error) {
			r, saved.Baseline, err = one.planner(ctx)
			if err == nil {
				saved.File = r.Baseline.File
			}
			return r, err
		}, func(p poolPlan) error {
			saved.add(p)
			return to.Write(p.entry(which.all, c.output == stream.Text))
		})
		if err == nil {
			err = to.Write(stream.OfSummary("summary", to.summary, to.plan(true)))
		}
		if err != nil || out == "" {
			return err
		}
		if err := writeJSON(out, saved); err != nil {
			return fmt.Errorf("saving the plan: %w", err)
		}
		fmt.Fprintf(c.notes, "saved to %s: poolkeeper apply %s%s makes these changes, unless a pool changes first\n",
			out, out, c.same("region"))
		return nil
	})
}

// planner returns a Reconciler that records nothing, and the text of its baseline.
func (c *cli) planner(ctx context.Context) (*reconcile.Reconciler, string, error) {
	required, text, err := c.required(ctx, false)
	if err != nil {
		return nil, "", err
	}
	r, err := c.reconciler(ctx, required)
	return r, text, err
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

// toWrite returns the settings that the plan writes.
func (p poolPlan) toWrite() (settings []string) {
	for _, d := range p.preview.Drifts {
		if d.State == outcome.StatePlanned {
			settings = append(settings, d.Setting)
		}
	}
	return settings
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

// A source returns the Reconciler for one account and Region.
type source func(*cli) (*reconcile.Reconciler, error)

// always is the source for one account and Region.
func always(r *reconcile.Reconciler) source {
	return func(*cli) (*reconcile.Reconciler, error) { return r, nil }
}

// plans plans the pools of each account and Region, counts them, and passes each plan or its error on.
func (c *cli) plans(ctx context.Context, to *results, which selection, of source, emit func(poolPlan) error) error {
	return c.everywhere(ctx, to, emit, func(one *cli) error {
		r, err := of(one)
		if err != nil {
			return err
		}
		work := func(ctx context.Context, id string) poolPlan { return one.planOf(ctx, r, which, id) }
		err = each(ctx, one, r.Pools, which, work, func(p poolPlan) error {
			if p.err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			to.read(p)
			return emit(p)
		})
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted after %s; nothing was written", counted(to.Pools, "user pool"))
		}
		return err
	})
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

// A savedPlan is what plan --out writes and apply reads: the baseline, and the pools to change. It has no values of
// pools, but the baseline may contain message texts, so only the owner may read the file.
type savedPlan struct {
	Format   string      `json:"format"`
	File     string      `json:"baselineFile"`
	Baseline string      `json:"baseline"`
	Pools    []savedPool `json:"pools"`

	path string
}

type savedPool struct {
	UserPoolID string `json:"userPoolId"`
	Digest     string `json:"digest"` // of the states before and after the writes, and of the calls
}

const planFormat = "poolkeeper plan 3"

func (p poolPlan) saved() savedPool {
	what := fmt.Appendf(nil, "%q %s %s", p.preview.Writes, p.preview.State, p.preview.After.Digest())
	return savedPool{p.id, fmt.Sprintf("sha256:%x", sha256.Sum256(what))}
}

func (s *savedPlan) add(p poolPlan) {
	if p.err == nil && len(p.preview.Writes) > 0 {
		s.Pools = append(s.Pools, p.saved())
	}
}

// allows returns why a pool cannot be written according to the saved plan, if there is one.
func (s *savedPlan) allows(p poolPlan) error {
	if s == nil {
		return nil
	}
	if err := p.failure(); err != nil {
		return fmt.Errorf("%s: %s: %w", s.path, p.id, err)
	}
	if !slices.Contains(s.Pools, p.saved()) {
		return fmt.Errorf("%s: %s: the pool or the plan changed after the plan was made; plan again", s.path, p.id)
	}
	return nil
}

func (c *cli) readPlan(ctx context.Context, path string) (s savedPlan, err error) {
	const remedy = "a plan is a file that poolkeeper plan --out saved; --pool names a pool, --baseline a baseline"
	raw, err := c.readFile(ctx, "plan", path)
	if err != nil {
		return s, fmt.Errorf("%w (%s)", err, remedy)
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Format != planFormat {
		return s, fmt.Errorf("%s is not a plan of this version (%s)", path, remedy)
	}
	s.path = path
	return s, nil
}

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
