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
	var file string
	a := applying{cli: c}
	command := &cobra.Command{
		Use:   "apply (--pool ID... | --all | PLANFILE) [--yes]",
		Short: "Show the plan, ask, write, and verify",
		Long: "Shows what plan shows, asks, and then does with each pool what the function does: it writes, reads the\n" +
			"pool again and verifies. The state of each pool is saved to a file before the pool is written, for\n" +
			"restore. A saved plan is refused if a pool has changed since. Ctrl-C stops between two pools.\n" +
			"Exit status: 0 done or in sync, 1 error, 2 drift remains.",
		Example: "  poolkeeper apply --pool eu-west-1_AbCdEf123\n  poolkeeper apply tonight.plan --yes",
		Args:    atMostOne("PLANFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 {
				if which.all || len(which.ids) > 0 || file != c.getenv("BASELINE_FILE") {
					return errors.New("a saved plan has its pools and its baseline: leave out --pool, --all and --baseline")
				}
				return a.saved(command, args[0])
			}
			if err := which.check(); err != nil {
				return err
			}
			if err := a.begin(command); err != nil {
				return err
			}
			r, _, err := c.reconciler(command.Context(), file)
			if err != nil {
				return err
			}
			return a.run(command.Context(), r, which, nil)
		},
	}
	which.flags(command)
	c.baselineFlag(command, &file)
	return has(a.flags(command), all...)
}

// applying is one run of apply, restore or undo.
type applying struct {
	*cli
	command  string // the cause of the writes
	in       io.Reader
	yes      bool
	backups  string // "" saves none
	noBackup bool
	table    string // "" is the memory of the process
	records  reconcile.Ledger
	target   *userpool.State // what restore and undo go back to
	lost     []string        // what no call can restore
}

// flags adds the flags that every command has that writes.
func (a *applying) flags(command *cobra.Command) *cobra.Command {
	flags := command.Flags()
	flags.BoolVar(&a.yes, "yes", false, "do not ask")
	flags.StringVar(&a.backups, "backups", "poolkeeper-backups", "folder for the state of each pool before it is written")
	flags.BoolVar(&a.noBackup, "no-backup", false, "save nothing before writing")
	a.ledgerFlag(command, &a.table)
	return command
}

// begin checks the flags and opens the ledger.
func (a *applying) begin(command *cobra.Command) (err error) {
	a.command, a.in = command.Name(), command.InOrStdin()
	switch {
	case a.noBackup:
		a.backups = ""
	case a.backups == "":
		return errors.New("--backups names no folder, so nothing was written: name one, or use --no-backup")
	}
	a.records, err = a.openLedger(command.Context(), a.table)
	return err
}

// saved applies a plan file: all of it, or nothing.
func (a applying) saved(command *cobra.Command, path string) error {
	plan, err := readPlan(path)
	if err != nil {
		return err
	}
	required, err := baseline.Parse(plan.File, []byte(plan.Baseline))
	if err != nil {
		return err
	}
	if err := a.begin(command); err != nil {
		return err
	}
	pools, err := a.connect(command.Context())
	if err != nil {
		return err
	}
	which := selection{}
	for _, p := range plan.Pools {
		which.ids = append(which.ids, p.UserPoolID)
	}
	return a.run(command.Context(), a.newReconciler(pools, required, ledger.NewMemory()), which, func(p poolPlan) error {
		if err := p.failure(); err != nil {
			return fmt.Errorf("%s: %s: %w", path, p.id, err)
		}
		if !plan.isOf(p.preview) {
			return fmt.Errorf("%s: %s: %s; plan again", path, p.id, outcome.MovedReason)
		}
		return nil
	})
}

// run shows what would be written, asks, and writes. check, if not nil, may refuse a pool, and with it everything.
func (a applying) run(ctx context.Context, r *reconcile.Reconciler, which selection, check func(poolPlan) error) error {
	if err := which.named(); err != nil {
		return err
	}
	to := a.results()
	if len(a.lost) > 0 {
		text := "Differs from the backup, and no call can restore it:\n  " + strings.Join(a.lost, "\n  ")
		if err := to.Write(stream.OfSummary("unwritable", a.lost, text)); err != nil {
			return err
		}
	}
	var s summary
	err := a.carryOut(ctx, r, which, check, to, &s)
	if err == nil {
		err = to.Write(stream.OfSummary("summary", s, s.done(a.ending)))
	}
	if err = errors.Join(err, to.Close(err == nil)); err != nil {
		return err
	}
	return s.exit()
}

func (a applying) carryOut(ctx context.Context, r *reconcile.Reconciler, which selection, check func(poolPlan) error,
	to stream.Stream, s *summary) error {
	changes, err := a.preview(ctx, r, which, check, to, s)
	if err == nil && len(changes) > 0 {
		err = a.ask(ctx, len(changes))
	}
	if err != nil {
		return err
	}
	if a.table != "" {
		r.Ledger = a.records
	}
	s.Outcomes = map[outcome.Ending]int{}
	for i, next := range changes {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d pools were not touched", len(changes)-i, len(changes))
		}
		if err := a.write(ctx, r, next, to, s); err != nil {
			return fmt.Errorf("%d of %d pools were not touched: %w", len(changes)-i-1, len(changes), err)
		}
	}
	return nil
}

// A change is a pool that is to be written, in the state for which it was planned.
type change struct {
	id, state string
	before    userpool.State
}

// preview shows the plan and returns the pools that it writes to.
func (a applying) preview(ctx context.Context, r *reconcile.Reconciler, which selection, check func(poolPlan) error,
	to stream.Stream, s *summary) ([]change, error) {
	var changes []change
	var refused []error
	// People see the plan before they are asked. For a pipeline, a pool that is not written is a result already.
	plan, results := to, to
	if a.output != string(stream.Text) {
		plan = stream.New(stream.Text, a.notes, false)
	} else {
		results = stream.New(stream.Text, io.Discard, false)
	}
	err := a.show(ctx, r, which, s, func(p poolPlan) error {
		if check != nil {
			refused = append(refused, check(p))
		}
		if err := plan.Write(p.entry(which.all, true)); err != nil {
			return err
		}
		if p.err != nil || len(p.preview.Writes) == 0 {
			return results.Write(p.entry(which.all, false))
		}
		next := change{id: p.id, state: p.preview.State}
		if a.backups != "" {
			next.before = p.preview.Before
		}
		changes = append(changes, next)
		if a.target == nil {
			return nil
		}
		return a.warn(plan, p.preview)
	})
	if err == nil {
		err = errors.Join(refused...)
	}
	if err == nil {
		err = plan.Write(stream.OfSummary("plan", *s, s.plan()))
	}
	return changes, err
}

// write writes to one pool. A pool that fails stops no other; an error is that of the output.
func (a applying) write(ctx context.Context, r *reconcile.Reconciler, next change, to stream.Stream, s *summary) error {
	if a.backups != "" {
		if err := a.save(a.backups, next.before, false); err != nil {
			s.fail(next.id, err.Error())
			return to.Write(stream.OfFailure(next.id, err))
		}
	}
	r = interruptible(ctx, r)
	if a.table == "" {
		r.Ledger = ledger.NewMemory() // no other pool needs what this one's has
	}
	out, err := r.ReconcileFrom(context.WithoutCancel(ctx), next.id, next.state, event.Cause{EventName: a.command})
	if out.Reason == outcome.GoneReason {
		err = errGone // since it was shown
	}
	s.did(out, err)
	if err := to.Write(a.entry(a.named(out), a.table, false)); err != nil {
		return err
	}
	a.close(ctx, r, out)
	return nil
}

// ending is what people read for an ending.
func (a applying) ending(e outcome.Ending) outcome.Ending {
	if a.target != nil && e == outcome.Remediated {
		return report.Restored
	}
	return e
}

// named returns an outcome with the ending that people read, if the output is for people.
func (a applying) named(out outcome.Outcome) outcome.Outcome {
	if slices.Contains([]string{string(stream.Text), string(stream.Markdown)}, a.output) {
		out.Outcome = a.ending(out.Outcome)
	}
	return out
}
