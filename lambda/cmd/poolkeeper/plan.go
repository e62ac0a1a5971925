package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	out := c.text("out")
	if out != "" && len(c.places()) > 1 {
		return errors.New("--out saves the plan of one account and Region: use only one profile and Region")
	}
	saved := savedPlan{Format: planFormat}
	err := c.plans(ctx, c.texts("pool"), (*cli).prepare, func(p poolPlan) error {
		if p.writes() {
			saved.Pools = append(saved.Pools, p.saved())
		}
		return c.to.Write(p.entry(c.on("all"), c.output == stream.Text))
	})
	if err == nil {
		err = c.to.Write(stream.OfSummary("summary", c.to, c.to.plan(true)))
	}
	if err != nil || out == "" {
		return err
	}
	saved.File, saved.Baseline = c.to.used[0].required.File, string(c.to.used[0].text)
	if err := writeJSON(out, saved); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	fmt.Fprintf(c.notes, "saved to %s: poolkeeper apply %s%s makes these changes, unless a pool changes first\n",
		out, out, c.same("region"))
	return nil
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

func (p poolPlan) writes() bool { return p.err == nil && len(p.preview.Writes) > 0 }

func (p poolPlan) toWrite() (settings []string) {
	for _, d := range p.preview.Drifts {
		if d.State == outcome.StatePlanned {
			settings = append(settings, d.Setting)
		}
	}
	return settings
}

// entry returns the entry for the plan. If brief, people do not see pools in sync. If values, they see values to write.
func (p poolPlan) entry(brief, values bool) stream.Entry {
	if p.err != nil {
		return stream.OfFailure(p.id, p.err)
	}
	if values {
		p.preview = p.withValues()
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
type source func(*cli, context.Context) (*reconcile.Reconciler, error)

func always(r *reconcile.Reconciler) source {
	return func(*cli, context.Context) (*reconcile.Reconciler, error) { return r, nil }
}

// plans plans the given or all pools of each account and Region, counts them, and passes each plan or its error on.
func (c *cli) plans(ctx context.Context, ids []string, of source, emit func(poolPlan) error) error {
	return c.everywhere(ctx, emit, func(one *cli) error {
		r, err := of(one, ctx)
		if err != nil {
			return err
		}
		err = one.each(ctx, r.Pools, ids, func(id string) func() error {
			p := one.planOf(ctx, r, id)
			return func() error {
				c.to.read(p)
				return emit(p)
			}
		})
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted after %s; nothing was written", counted(c.to.Pools, "user pool"))
		}
		return err
	})
}

// planOf plans a pool without the records of earlier runs, so that people see fixes that those would prevent.
func (c *cli) planOf(ctx context.Context, r *reconcile.Reconciler, id string) poolPlan {
	alone := *r
	alone.Ledger = ledger.NewMemory()
	p, err := alone.Plan(ctx, id)
	if later, ok := errors.AsType[*outcome.DeferredError](err); ok {
		err = errors.New(later.Reason)
	}
	if err == nil && !c.on("all") && p.Reason == outcome.GoneReason {
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

// allows returns why a pool cannot be written according to the saved plan, if there is one.
func (s *savedPlan) allows(p poolPlan) error {
	err := p.failure()
	if s == nil || err == nil && slices.Contains(s.Pools, p.saved()) {
		return nil
	} else if err == nil {
		err = errors.New("the pool or the plan changed after the plan was made; plan again")
	}
	return fmt.Errorf("%s: %s: %w", s.path, p.id, err)
}

func (c *cli) report(ctx context.Context, _ []string) error {
	html, emit := page.New(time.Now()), c.finding
	if c.output == "html" {
		emit = func(p poolPlan) error {
			html.Add(p.id, p.withValues(), p.failure())
			return nil
		}
	}
	if err := c.plans(ctx, c.texts("pool"), (*cli).prepare, emit); err != nil || c.output != "html" {
		return err
	}
	for _, used := range c.to.used {
		html.Require(used.required)
	}
	return html.Write(c.out)
}

// finding writes the finding for a pool. A pool that could not be read or that no rule selects has none.
func (c *cli) finding(p poolPlan) error {
	if why := p.failure(); why != nil {
		_, err := fmt.Fprintf(c.err, "poolkeeper: %s: %s\n", p.id, baseline.Legible(why.Error()))
		return err
	}
	whole := report.New(p.preview.Outcome, "", "")
	whole.Whole = true
	if f, ok := report.FindingOf(whole, time.Now()); ok {
		return report.Encode(c.out, report.OCSF(f))
	}
	return nil
}

// results are what a command prints and counts, for all accounts and Regions.
type results struct {
	*stream.Stream `json:"-"`

	Pools    int                    `json:"pools"`
	ToChange int                    `json:"toChange"`              // pools to write
	Skipped  int                    `json:"skipped"`               // pools with drift that would be skipped
	InSync   int                    `json:"inSync"`                // compliant
	Exempted int                    `json:"exempted"`              // pools whose drift is all exempted
	Ignored  int                    `json:"ignored"`               // pools that no rule selects
	Failed   int                    `json:"failed"`                // pools that could not be read or written
	Names    []string               `json:"failedPools,omitempty"` // the failed pools, with the reasons
	Outcomes map[outcome.Ending]int `json:"outcomes,omitempty"`    // by ending, for pools that were written

	remains bool         // drift remains in a written pool
	notes   []string     // checks, warnings and costs of the settings to write
	used    []deployment // the baseline for each account and Region
}

func (s *results) fail(id, reason string) {
	s.Failed++
	s.Names = append(s.Names, id+": "+reason)
}

// read counts a pool that was read.
func (s *results) read(p poolPlan) {
	s.Pools++
	if err := p.failure(); err != nil {
		s.fail(p.id, err.Error())
		return
	}
	out := p.preview.Outcome
	skipped := skips(out)
	switch {
	case out.Outcome == outcome.Ignored:
		s.Ignored++
	case len(p.toWrite()) > 0:
		s.ToChange++
	case out.Outcome == outcome.Exempted:
		s.Exempted++
	case !skipped:
		s.InSync++
	}
	if skipped {
		s.Skipped++
	}
	for _, d := range out.Drifts {
		for _, text := range report.Meaning(d) {
			note := baseline.AnyClient(d.Setting) + ": " + text
			if d.State == outcome.StatePlanned && !slices.Contains(s.notes, note) {
				s.notes = append(s.notes, note)
			}
		}
	}
}

// did counts the outcome of a pool that poolkeeper wrote to.
func (s *results) did(out outcome.Outcome, err error) {
	s.Outcomes[out.Outcome]++
	s.remains = s.remains || skips(out)
	if later, ok := errors.AsType[*outcome.DeferredError](err); ok {
		out.Reason = later.Reason // without the id, which is shown before it
	}
	if err != nil || out.Reason == outcome.MovedReason {
		s.fail(out.UserPoolID, out.Reason)
	}
}

// skips reports whether drift of a pool is not written.
func skips(out outcome.Outcome) bool {
	return slices.ContainsFunc(out.Drifts, func(d outcome.Finding) bool {
		return d.State == outcome.StateReported || d.State == outcome.StateUnfixable
	})
}

// plan returns the summary of a plan. If noted, it begins with the notes on the settings to write.
func (s *results) plan(noted bool) string {
	notes := ""
	if noted && len(s.notes) > 0 {
		notes = "Before you apply:\n  " + strings.Join(s.notes, "\n  ") + "\n"
	}
	return notes + fmt.Sprintf("Plan: %d of %d pools to change, %d with drift that is skipped, %d in sync, %d exempted, "+
		"%d ignored, %d failed.", s.ToChange, s.Pools, s.Skipped, s.InSync, s.Exempted, s.Ignored, s.Failed) + s.names()
}

// done returns the summary of the writes. If restored, that is the word for remediated.
func (s *results) done(restored bool) string {
	var words []string
	for _, ending := range report.Endings {
		if n := s.Outcomes[ending]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, shown(ending, restored)))
		}
	}
	switch {
	case len(words) == 0 && s.Failed == 0:
		return "Done: nothing to write."
	case len(words) == 0:
		words = []string{"nothing was written"}
	}
	return "Done: " + strings.Join(words, ", ") + "." + s.names()
}

// shown returns the word that people see for an ending.
func shown(e outcome.Ending, restored bool) outcome.Ending {
	if restored && e == outcome.Remediated {
		return stream.Restored
	}
	return e
}

func (s *results) names() string {
	if s.Failed == 0 {
		return ""
	}
	return "\nFailed:\n  " + strings.Join(s.Names, "\n  ")
}

// counted returns "1 pool" or "2 pools".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
