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
		Long: "Shows the plan, asks, and then writes each pool, reads it again and verifies it, as the function does. The\n" +
			"state of each pool is saved to a file before the pool is written, for restore. A saved plan is rejected\n" +
			"if a pool has changed since. Ctrl-C stops between two pools.",
		Example: "  poolkeeper apply --pool eu-west-1_AbCdEf123\n  poolkeeper apply tonight.plan --yes",
		Args:    arguments("PLANFILE", 0, 1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			if len(args) == 1 {
				if which.all || len(which.ids) > 0 || c.named("baseline") {
					return errors.New("a saved plan already contains its pools and baseline: leave out --pool, --all and --baseline")
				}
				return a.saved(ctx, command, args[0])
			}
			if err := a.begin(command); err != nil {
				return err
			}
			return a.run(ctx, which, func(one *cli) (*reconcile.Reconciler, error) {
				r, _, err := one.reconciler(ctx, true)
				if err == nil {
					err = one.record(ctx, r)
				}
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
	cause    string // reason of the writes, for records
	in       io.Reader
	yes      bool
	silent   bool   // the plan was shown when it was saved
	backups  string // folder for backups; "" saves none
	noBackup bool
	target   *userpool.State // the state that restore and undo return to
	lost     []string        // settings that no call can restore
}

// flags adds the flags of all commands that write.
func (a *applying) flags(command *cobra.Command) *cobra.Command {
	flags := command.Flags()
	flags.BoolVar(&a.yes, "yes", false, "write without asking")
	flags.StringVar(&a.backups, "backups", "poolkeeper-backups", "folder for backups of the pools before they are written")
	flags.BoolVar(&a.noBackup, "no-backup", false, "save no backups")
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

// saved applies a plan file, either completely or not at all.
func (a *applying) saved(ctx context.Context, command *cobra.Command, path string) error {
	plan, err := readPlan(ctx, path)
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
		return one.recording(ctx, required)
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

// run shows what would be written in each account and Region, asks, and writes. check, if not nil, may reject a pool;
// then nothing is written.
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
	changes, s, err := a.preview(ctx, which, of, check, to)
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

// preview shows the plan and returns the plans of the pools to write. People see the plan before they are asked. For
// pipelines, pools that are not written are already results.
func (a *applying) preview(ctx context.Context, which selection, of func(*cli) (*reconcile.Reconciler, error),
	check func(poolPlan) error, to *stream.Stream) (changes []poolPlan, s summary, err error) {
	plan, piped := to, a.c.output != string(stream.Text)
	if piped {
		plan = stream.New(stream.Text, a.c.notes, false)
	}
	if a.silent {
		plan = stream.New(stream.Text, io.Discard, false)
	}
	var refused []error
	s, err = a.c.plans(ctx, which, of, func(p poolPlan) error {
		if check != nil {
			refused = append(refused, check(p))
		}
		err := plan.Write(p.entry(which.all, true))
		if p.err == nil && len(p.preview.Writes) > 0 {
			changes = append(changes, p)
			return errors.Join(err, a.warn(plan, p.preview))
		}
		if piped {
			err = errors.Join(err, to.Write(p.entry(which.all, false)))
		}
		return err
	})
	if err = errors.Join(append(refused, err)...); err == nil {
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
	shown := out
	if slices.Contains([]string{string(stream.Text), string(stream.Markdown)}, a.c.output) {
		shown.Outcome = a.ending(out.Outcome)
	}
	if err := to.Write(a.c.entry(shown, r, false)); err != nil {
		return err
	}
	a.c.close(ctx, r, out)
	return nil
}

// ending returns the word shown for an ending.
func (a *applying) ending(e outcome.Ending) outcome.Ending {
	if a.target != nil && e == outcome.Remediated {
		return report.Restored
	}
	return e
}
