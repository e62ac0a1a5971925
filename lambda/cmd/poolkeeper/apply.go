package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) apply() *cobra.Command {
	var which selection
	a := applying{c: c}
	command := &cobra.Command{
		Use:   "apply (PLANFILE | --pool ID... | --all) [--yes]",
		Short: "Show the plan, ask, write, and verify",
		Long: "Shows the plan, asks, and then writes each pool, reads it again and verifies it, as the function does. The\n" +
			"state of each pool is saved to a file before the pool is written, for restore. A saved plan is rejected\n" +
			"if a pool has changed since. Ctrl-C stops between two pools.",
		Example:     "  poolkeeper apply --pool eu-west-1_AbCdEf123\n  poolkeeper apply tonight.plan --yes",
		Annotations: forPools,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 1 && (which.all || len(which.ids) > 0 || c.named("baseline") || len(c.places()) > 1) {
				return errors.New("a saved plan already contains its pools and baseline, of one account and Region: leave out " +
					"--pool, --all and --baseline")
			}
			if err := a.begin(command); err != nil {
				return err
			}
			if len(args) == 1 {
				return a.saved(command.Context(), args[0])
			}
			return a.run(command.Context(), which, func(one *cli) (*reconcile.Reconciler, error) {
				required, _, err := one.required(command.Context(), true)
				if err != nil {
					return nil, err
				}
				return one.recording(command.Context(), required)
			})
		},
	}
	c.takesMany(command)
	c.poolFlags(command, &which)
	c.baselineFlag(command)
	a.flags(command)
	return command
}

// applying is one run of apply, restore or undo.
type applying struct {
	c        *cli
	cause    string // reason of the writes, for records
	yes      bool
	silent   bool   // the plan was shown when it was saved
	backups  string // folder for backups; "" saves none
	noBackup bool
	plan     *savedPlan      // if it is not nil, nothing else is written
	target   *userpool.State // the state that restore and undo return to
	lost     []string        // settings that no call can restore
}

// flags adds the flags of all commands that write.
func (a *applying) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&a.yes, "yes", false, "write without asking")
	flags.StringVar(&a.backups, "backups", "poolkeeper-backups", "folder for backups of the pools before they are written")
	flags.BoolVar(&a.noBackup, "no-backup", false, "save no backups")
	a.c.ledgerFlag(command)
}

// begin checks the flags.
func (a *applying) begin(command *cobra.Command) error {
	a.cause = command.Name()
	if a.noBackup {
		a.backups = ""
	} else if a.backups == "" {
		return errors.New("--backups names no folder, so nothing was written: name one, or use --no-backup")
	}
	return nil
}

// saved applies a plan file, either completely or not at all.
func (a *applying) saved(ctx context.Context, path string) error {
	plan, err := a.c.readPlan(ctx, path)
	if err != nil {
		return err
	}
	required, err := baseline.Parse(plan.File, []byte(plan.Baseline))
	if err != nil {
		return err
	}
	which := selection{}
	for _, p := range plan.Pools {
		which.ids = append(which.ids, p.UserPoolID)
	}
	a.plan, a.silent = &plan, a.yes
	return a.run(ctx, which, func(one *cli) (*reconcile.Reconciler, error) { return one.recording(ctx, required) })
}

// run shows what would be written in each account and Region, asks, and writes.
func (a *applying) run(ctx context.Context, which selection, of func(*cli) (*reconcile.Reconciler, error)) error {
	if err := which.named(); err != nil {
		return err
	}
	var s summary
	err := a.c.results(func(to *stream.Stream) error {
		if len(a.lost) > 0 {
			text := "These differ from the backup, and no API call can restore them:\n  " + strings.Join(a.lost, "\n  ")
			if err := to.Write(stream.OfSummary("unwritable", a.lost, text)); err != nil {
				return err
			}
		}
		changes, counts, err := a.preview(ctx, which, of, to)
		s = counts
		if err == nil && len(changes) > 0 && !a.yes {
			question := fmt.Sprintf("Write to %s?", counted(len(changes), "user pool"))
			err = a.c.confirm(ctx, question, "nothing was written")
		}
		if err == nil {
			err = a.writeAll(ctx, changes, to, &s)
		}
		if err != nil {
			return err
		}
		return to.Write(stream.OfSummary("summary", s, s.done(a.target != nil)))
	})
	if err != nil {
		return err
	}
	return s.exit()
}

// preview shows the plan and returns the plans of the pools to write. People see the plan before they are asked. For
// pipelines, pools that are not written are already results.
func (a *applying) preview(ctx context.Context, which selection, of func(*cli) (*reconcile.Reconciler, error),
	to *stream.Stream) (changes []poolPlan, s summary, err error) {
	plan, piped := to, a.c.flags.output != string(stream.Text)
	if a.silent {
		plan = stream.New(stream.Text, io.Discard, false)
	} else if piped {
		plan = stream.New(stream.Text, a.c.notes, false)
	}
	s, err = a.c.plans(ctx, which, of, func(p poolPlan) error {
		if a.plan != nil {
			if err := a.plan.allows(p); err != nil {
				return err
			}
		}
		err := plan.Write(p.entry(which.all, true))
		if p.err == nil && len(p.preview.Writes) > 0 {
			changes = append(changes, p)
			return errors.Join(err, a.warn(plan, p))
		}
		if piped {
			err = errors.Join(err, to.Write(p.entry(which.all, false)))
		}
		return err
	})
	if err == nil {
		err = plan.Write(stream.OfSummary("plan", s, s.plan(a.target == nil)))
	}
	return changes, s, err
}

func (a *applying) writeAll(ctx context.Context, changes []poolPlan, to *stream.Stream, s *summary) error {
	s.Outcomes = map[outcome.Ending]int{}
	for i, next := range changes {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d pools were not changed", len(changes)-i, len(changes))
		}
		if err := a.write(ctx, next, to, s); err != nil {
			return fmt.Errorf("%d of %d pools were not changed: %w", len(changes)-i-1, len(changes), err)
		}
	}
	return nil
}

// write writes to one pool. A failed pool does not stop the others; the returned error is one of the output.
func (a *applying) write(ctx context.Context, next poolPlan, to *stream.Stream, s *summary) error {
	if a.backups != "" {
		if err := a.c.save(a.backups, next.preview.Before, false); err != nil {
			s.fail(next.id, err.Error())
			return to.Write(stream.OfFailure(next.id, err))
		}
	}
	r := interruptible(ctx, next.r)
	cause := event.Cause{EventName: a.cause}
	out, err := r.ReconcileFrom(context.WithoutCancel(ctx), next.id, next.preview.State, cause)
	if out.Reason == outcome.GoneReason {
		err = errGone // deleted after the plan was shown
	}
	s.did(out, err)
	word := out
	if output := stream.Format(a.c.flags.output); output == stream.Text || output == stream.Markdown {
		word.Outcome = shown(out.Outcome, a.target != nil)
	}
	return a.c.conclude(ctx, r, word, to, false)
}

// conclude shows an outcome, and then closes the records of its run. An error of the ledger does not change the
// outcome, but the history is incomplete. The id of a record that exists only in this process is hidden.
func (c *cli) conclude(ctx context.Context, r *reconcile.Reconciler, out outcome.Outcome, to *stream.Stream,
	brief bool) error {
	failed := out.Details.LedgerError
	if failed != "" {
		fmt.Fprintf(c.err, "the ledger failed: %s\n", failed)
	}
	if _, memory := r.Ledger.(*ledger.Memory); memory {
		out.Record = ""
	}
	if err := to.Write(stream.OfOutcome(out, brief)); err != nil {
		return err
	}
	if err := r.Close(ctx, out); err != nil && failed == "" {
		fmt.Fprintf(c.err, "the ledger failed: closing the record: %v\n", err)
	}
	return nil
}
