package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) apply() *cobra.Command {
	var which selection
	a := applying{c: c}
	command := &cobra.Command{
		Use:   "apply (--pool ID... | --all | PLANFILE) [--yes]",
		Short: "Show the plan, ask, write, and verify",
		Long: "Shows the plan, asks, and then writes each pool, reads it again and verifies, as the function does. The\n" +
			"state of each pool is saved to a file before the pool is written, for restore. A saved plan is refused\n" +
			"if a pool has changed since. Ctrl-C stops between two pools.",
		Example: "  poolkeeper apply --pool eu-west-1_AbCdEf123\n  poolkeeper apply tonight.plan --yes",
		Args:    arguments("PLANFILE", 0, 1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			if len(args) == 1 {
				if which.all || len(which.ids) > 0 || c.named("baseline") {
					return errors.New("a saved plan has its pools and its baseline: leave out --pool, --all and --baseline")
				}
				return a.saved(ctx, command, args[0])
			}
			if err := a.begin(command); err != nil {
				return err
			}
			return a.run(ctx, which, func(one *cli) (*reconcile.Reconciler, error) {
				r, _, err := one.reconciler(ctx, true)
				return r, err
			}, nil)
		},
		ValidArgsFunction: files,
	}
	c.takesMany(command)
	c.poolFlags(command, &which)
	c.baselineFlag(command)
	return has(a.flags(command), all...)
}

// applying is one run of apply, restore or undo.
type applying struct {
	c        *cli
	cause    string // of the writes
	in       io.Reader
	yes      bool
	silent   bool   // the plan was shown when it was saved
	backups  string // "" saves none
	noBackup bool
	records  reconcile.Ledger // nil: that of each account and Region
	target   *userpool.State  // what restore and undo go back to
	lost     []string         // what no call can restore
}

// flags adds the flags that every command has that writes.
func (a *applying) flags(command *cobra.Command) *cobra.Command {
	flags := command.Flags()
	flags.BoolVar(&a.yes, "yes", false, "do not ask")
	flags.StringVar(&a.backups, "backups", "poolkeeper-backups", "folder for the state of each pool before it is written")
	flags.BoolVar(&a.noBackup, "no-backup", false, "save nothing before writing")
	a.c.ledgerFlag(command)
	return command
}

// begin checks the flags.
func (a *applying) begin(command *cobra.Command) error {
	a.cause, a.in = command.Name(), command.InOrStdin()
	switch {
	case a.noBackup:
		a.backups = ""
	case a.backups == "":
		return errors.New("--backups names no folder, so nothing was written: name one, or use --no-backup")
	}
	return nil
}

// saved applies a plan file: all of it, or nothing.
func (a *applying) saved(ctx context.Context, command *cobra.Command, path string) error {
	plan, err := readPlan(path)
	if err != nil {
		return err
	}
	required, err := baseline.Parse(plan.File, []byte(plan.Baseline))
	if err == nil {
		err = a.begin(command)
	}
	if err != nil {
		return err
	}
	which := selection{}
	for _, p := range plan.Pools {
		which.ids = append(which.ids, p.UserPoolID)
	}
	a.silent = a.yes
	return a.run(ctx, which, func(one *cli) (*reconcile.Reconciler, error) {
		pools, err := one.connect(ctx)
		return one.newReconciler(pools, required, ledger.NewMemory()), err
	}, func(p poolPlan) error {
		if err := p.failure(); err != nil {
			return fmt.Errorf("%s: %s: %w", path, p.id, err)
		}
		if !plan.isOf(p.preview) {
			return fmt.Errorf("%s: %s: %s; plan again", path, p.id, outcome.MovedReason)
		}
		return nil
	})
}

// run shows what would be written in each account and Region, asks, and writes. check, if not nil, may refuse a pool,
// and with it everything.
func (a *applying) run(ctx context.Context, which selection, of func(*cli) (*reconcile.Reconciler, error),
	check func(poolPlan) error) error {
	if err := which.named(); err != nil {
		return err
	}
	to := a.c.results()
	if len(a.lost) > 0 {
		text := "These differ from the backup, and no API call can restore them:\n  " + strings.Join(a.lost, "\n  ")
		if err := to.Write(stream.OfSummary("unwritable", a.lost, text)); err != nil {
			return err
		}
	}
	var s summary
	changes, err := a.preview(ctx, which, of, check, to, &s)
	if err == nil && len(changes) > 0 {
		err = a.ask(ctx, len(changes))
	}
	if err == nil {
		err = a.writeAll(ctx, changes, to, &s)
	}
	if err == nil {
		err = to.Write(stream.OfSummary("summary", s, s.done(a.ending)))
	}
	if err = errors.Join(err, to.Close(err == nil)); err != nil {
		return err
	}
	return s.exit()
}

// A change is a pool that is to be written, in the state for which it was planned.
type change struct {
	id, state string
	before    userpool.State
	r         *reconcile.Reconciler
	records   reconcile.Ledger // nil: nothing is recorded
}

func (a *applying) change(p poolPlan, r *reconcile.Reconciler, records reconcile.Ledger) change {
	next := change{id: p.id, state: p.preview.State, r: r, records: records}
	if a.backups != "" {
		next.before = p.preview.Before
	}
	return next
}

// preview shows the plan and returns the pools that it writes to.
func (a *applying) preview(ctx context.Context, which selection, of func(*cli) (*reconcile.Reconciler, error),
	check func(poolPlan) error, to stream.Stream, s *summary) ([]change, error) {
	var changes []change
	var refused []error
	// People see the plan before they are asked. For a pipeline, a pool that is not written is a result already.
	plan, results := to, to
	if a.c.output != string(stream.Text) {
		plan = stream.New(stream.Text, a.c.notes, false)
	} else {
		results = stream.New(stream.Text, io.Discard, false)
	}
	if a.silent {
		plan = stream.New(stream.Text, io.Discard, false)
	}
	err := a.c.everywhere(ctx, s, failuresTo(to), func(one *cli) error {
		r, records, err := a.reconciler(ctx, one, of)
		if err != nil {
			return err
		}
		return one.show(ctx, r, which, s, func(p poolPlan) error {
			if check != nil {
				refused = append(refused, check(p))
			}
			err := plan.Write(p.entry(which.all, true))
			switch {
			case err != nil:
				return err
			case p.err != nil || len(p.preview.Writes) == 0:
				return results.Write(p.entry(which.all, false))
			}
			changes = append(changes, a.change(p, r, records))
			return a.warn(plan, p.preview)
		})
	})
	if err = errors.Join(append(refused, err)...); err == nil {
		err = plan.Write(stream.OfSummary("plan", *s, s.plan(a.target == nil)))
	}
	return changes, err
}

// reconciler returns what writes to the pools of an account and Region, and where that is recorded, or nil.
func (a *applying) reconciler(ctx context.Context, one *cli, of func(*cli) (*reconcile.Reconciler, error),
) (r *reconcile.Reconciler, records reconcile.Ledger, err error) {
	if records = a.records; records == nil {
		records, err = one.openLedger(ctx)
	}
	if err == nil {
		r, err = of(one)
	}
	if err == nil && records != nil {
		r.Actor = one.caller(ctx)
	}
	return r, records, err
}

func (a *applying) writeAll(ctx context.Context, changes []change, to stream.Stream, s *summary) error {
	s.Outcomes = map[outcome.Ending]int{}
	for i, next := range changes {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d pools were not touched", len(changes)-i, len(changes))
		}
		if err := a.write(ctx, next, to, s); err != nil {
			return fmt.Errorf("%d of %d pools were not touched: %w", len(changes)-i-1, len(changes), err)
		}
	}
	return nil
}

// write writes to one pool. A pool that fails stops no other; an error is that of the output.
func (a *applying) write(ctx context.Context, next change, to stream.Stream, s *summary) error {
	if a.backups != "" {
		if err := a.c.save(a.backups, next.before, false); err != nil {
			s.fail(next.id, err.Error())
			return to.Write(stream.OfFailure(next.id, err))
		}
	}
	r := interruptible(ctx, next.r)
	if r.Ledger = next.records; r.Ledger == nil {
		r.Ledger = ledger.NewMemory() // no other pool needs what this one's has
	}
	out, err := r.ReconcileFrom(context.WithoutCancel(ctx), next.id, next.state, event.Cause{EventName: a.cause})
	if out.Reason == outcome.GoneReason {
		err = errGone // since it was shown
	}
	s.did(out, err)
	if err := to.Write(a.c.entry(a.named(out), next.records != nil, false)); err != nil {
		return err
	}
	a.c.close(ctx, r, out)
	return nil
}

// ending is what people read for an ending.
func (a *applying) ending(e outcome.Ending) outcome.Ending {
	if a.target != nil && e == outcome.Remediated {
		return report.Restored
	}
	return e
}

// named returns an outcome with the ending that people read, if the output is for people.
func (a *applying) named(out outcome.Outcome) outcome.Outcome {
	if slices.Contains([]string{string(stream.Text), string(stream.Markdown)}, a.c.output) {
		out.Outcome = a.ending(out.Outcome)
	}
	return out
}
