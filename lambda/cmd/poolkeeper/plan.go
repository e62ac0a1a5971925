package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

func (c cli) plan() *cobra.Command {
	var which selection
	var file, output, out string
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
			if output != "text" && output != "json" {
				return fmt.Errorf("--output is %q: say text or json", output)
			}
			r, err := c.reconciler(command.Context(), file)
			if err != nil {
				return err
			}
			saved := savedPlan{Format: planFormat, Version: 1, File: r.Baseline.File}
			if saved.Baseline, err = textOfBaseline(file); err != nil {
				return err
			}
			summary, err := c.show(command.Context(), r, which, output, func(p reconcile.Preview) { saved.add(p) })
			if err != nil {
				return err
			}
			if out != "" {
				if err := saved.write(out); err != nil {
					return err
				}
				fmt.Fprintf(c.err, "saved to %s: poolkeeper apply %s makes these changes, if the pools are still as they are now\n", out, out)
			}
			return summary.exit()
		},
	}
	which.flags(command)
	c.baselineFlag(command, &file)
	command.Flags().StringVar(&output, "output", "text", "text or json")
	command.Flags().StringVar(&out, "out", "", "save the plan to this file, for apply")
	return command
}

func (c cli) baselineFlag(command *cobra.Command, file *string) {
	command.Flags().StringVar(file, "baseline", c.getenv("BASELINE_FILE"), "baseline file (default $BASELINE_FILE, or else the one that ships)")
}

// reconciler returns what the function would run, on paced calls.
func (c cli) reconciler(ctx context.Context, file string) (*reconcile.Reconciler, error) {
	required, err := readBaseline(file)
	if err != nil {
		return nil, err
	}
	pools, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	return reconcile.New(pace(pools, 1), required, ""), nil
}

// textOfBaseline returns the bytes of the baseline file, for a plan that is to be applied later.
func textOfBaseline(path string) (string, error) {
	if path == "" {
		return string(baseline.Default()), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the baseline: %w", err)
	}
	return string(data), nil
}

// A planned is what looking at one pool came to.
type planned struct {
	preview reconcile.Preview
	err     error
}

// A summary counts what was shown.
type summary struct {
	Pools     int `json:"pools"`
	ToChange  int `json:"toChange"` // something would be written
	Left      int `json:"left"`     // drift that would be left, with or without something to write beside it
	InSync    int `json:"inSync"`   // compliant, or exempted
	Ignored   int `json:"ignored"`  // no rule selects them
	Failed    int `json:"failed"`   // could not be looked at
	toExplain []string
}

func (s *summary) count(p planned) {
	s.Pools++
	has := func(state reconcile.DriftState) bool {
		return slices.ContainsFunc(p.preview.Drifts, func(d reconcile.Drift) bool { return d.State == state })
	}
	left := has(reconcile.Reported) || has(reconcile.NotFixable)
	switch {
	case p.err != nil:
		s.Failed++
		s.toExplain = append(s.toExplain, p.err.Error())
		return
	case p.preview.Outcome.Outcome == reconcile.Ignored:
		s.Ignored++
		return
	case len(p.preview.Drifts) == 0 && p.preview.Outcome.Outcome == reconcile.Unfixable:
		s.Failed++
		s.toExplain = append(s.toExplain, p.preview.UserPoolID+": "+p.preview.Reason)
		return
	case has(reconcile.Planned):
		s.ToChange++
	case !left:
		s.InSync++
	}
	if left {
		s.Left++
	}
}

func (s *summary) exit() error {
	switch {
	case s.Failed > 0:
		return exit(exitError)
	case s.ToChange+s.Left > 0:
		return exit(exitDrifted)
	default:
		return nil
	}
}

// show plans the pools and prints what it finds as it comes. A pool that cannot be looked at stops no other.
func (c cli) show(ctx context.Context, r *reconcile.Reconciler, which selection, output string, each func(reconcile.Preview)) (summary, error) {
	var s summary
	work := func(ctx context.Context, id string) planned {
		p, err := r.Plan(ctx, id)
		return planned{p, err}
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	progress := c.progress()
	err := inOrder(ctx, which.each(ctx, r.Pools), work, func(p planned) error {
		s.count(p)
		progress.say(s.Pools)
		if p.err == nil {
			each(p.preview)
		}
		if output == "json" {
			return encoder.Encode(planJSON(p))
		}
		if quiet := p.err == nil && len(p.preview.Drifts) == 0 && which.all; quiet {
			return nil
		}
		progress.clear()
		if p.err != nil {
			_, err := fmt.Fprintf(c.out, "%s  %s\n", c.paint().Bad("failed"), p.err)
			return err
		}
		return report.Plan(c.out, p.preview, c.paint())
	})
	progress.clear()
	if err != nil {
		return s, fmt.Errorf("listing the user pools: %w", err)
	}
	if output == "json" {
		return s, encoder.Encode(map[string]any{"summary": s})
	}
	_, err = fmt.Fprintf(c.out, "Plan: %d of %d pools to change, %d with drift that is left, %d in sync, %d ignored, %d failed.\n", s.ToChange, s.Pools, s.Left, s.InSync, s.Ignored, s.Failed)
	return s, err
}

// planJSON is a pool of a plan as one line of JSON.
func planJSON(p planned) map[string]any {
	if p.err != nil {
		return map[string]any{"userPoolId": p.preview.UserPoolID, "error": p.err.Error()}
	}
	drifts := make([]map[string]any, len(p.preview.Drifts))
	for i, d := range p.preview.Drifts {
		drifts[i] = map[string]any{"setting": d.Setting, "rule": d.Rule, "source": d.Source.String(), "want": d.Want, "have": d.Have, "state": d.State, "reason": d.Reason}
	}
	return map[string]any{"userPoolId": p.preview.UserPoolID, "name": p.preview.PoolName, "outcome": p.preview.Outcome.Outcome, "baseline": p.preview.Baseline,
		"state": p.preview.State, "drifts": drifts, "writes": p.preview.Writes, "reason": p.preview.Reason}
}
