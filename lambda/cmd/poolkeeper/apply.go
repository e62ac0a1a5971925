package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
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
		Long: "Shows what plan shows, asks, and then does what the function does with each pool: writes, reads back, verifies. What was read of each pool is saved to a file before it\n" +
			"is written, for restore. A saved plan is refused for a pool that is no longer as it was. Ctrl-C stops between two pools.\n" +
			"Exit status: 0 done or in sync, 1 error, 2 drift is left.",
		Example: "  poolkeeper apply --pool eu-west-1_AbCdEf123\n  poolkeeper apply tonight.plan --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(command); err != nil {
				return err
			}
			if len(args) == 1 {
				if which.all || len(which.ids) > 0 || file != c.getenv("BASELINE_FILE") {
					return errors.New("a saved plan has its pools and its baseline: leave out --pool, --all and --baseline")
				}
				return a.saved(command.Context(), args[0])
			}
			if err := which.check(); err != nil {
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
	verb     string // whose cause it is
	in       io.Reader
	yes      bool
	backups  string // "" saves none
	noBackup bool
	table    string
	remember reconcile.Ledger // the deployment's, or, passing, the process's own
	passing  bool
	lost     []string // what no call can write back, of a restore
}

// flags adds the flags that every command has that writes.
func (a *applying) flags(command *cobra.Command) *cobra.Command {
	command.Flags().BoolVar(&a.yes, "yes", false, "do not ask")
	command.Flags().StringVar(&a.backups, "backups", "poolkeeper-backups", "folder for the state of each pool before it is written")
	command.Flags().BoolVar(&a.noBackup, "no-backup", false, "save nothing before writing")
	a.ledgerFlag(command, &a.table)
	return command
}

// begin makes of the flags what they say.
func (a *applying) begin(command *cobra.Command) (err error) {
	a.verb, a.in = command.Name(), command.InOrStdin()
	switch {
	case a.noBackup:
		a.backups = ""
	case a.backups == "":
		return errors.New("--backups names no folder, and nothing was written: name one, or say --no-backup")
	}
	a.remember, a.passing, err = a.ledger(command.Context(), a.table)
	return err
}

// saved applies a plan file: what it says, or nothing.
func (a applying) saved(ctx context.Context, path string) error {
	plan, err := readPlan(path)
	if err != nil {
		return err
	}
	required, err := baseline.Parse(plan.File, []byte(plan.Baseline))
	if err != nil {
		return err
	}
	pools, err := a.connect(ctx)
	if err != nil {
		return err
	}
	which := selection{}
	for _, p := range plan.Pools {
		which.ids = append(which.ids, p.UserPoolID)
	}
	return a.run(ctx, a.keeper(pools, required, ""), which, func(l looked) error {
		if err := l.failure(); err != nil {
			return fmt.Errorf("%s: %s: %w", path, l.id, err)
		}
		p := l.preview
		i := slices.IndexFunc(plan.Pools, func(f plannedFor) bool { return f.UserPoolID == l.id })
		if i < 0 || p.State != plan.Pools[i].State || !slices.Equal(toWrite(p), plan.Pools[i].Settings) || !slices.Equal(p.Writes, plan.Pools[i].Writes) {
			return fmt.Errorf("%s: %s: %s; plan again", path, l.id, reconcile.MovedReason)
		}
		return nil
	})
}

// run shows what would be written, asks, and writes. check, if not nil, may refuse a pool, and with it everything.
func (a applying) run(ctx context.Context, r *reconcile.Reconciler, which selection, check func(looked) error) error {
	if err := which.named(); err != nil {
		return err
	}
	to := a.results()
	if len(a.lost) > 0 {
		text := "Differs from the backup, and no call can write it back:\n  " + strings.Join(a.lost, "\n  ")
		if err := to.Write(stream.OfSummary("unwritable", a.lost, text)); err != nil {
			return err
		}
	}
	s, err := a.carryOut(ctx, r, which, check, to)
	if err == nil {
		err = to.Write(stream.OfSummary("summary", s, s.done()))
	}
	if err = errors.Join(err, to.Close(err == nil)); err != nil {
		return err
	}
	return s.exit()
}

func (a applying) carryOut(ctx context.Context, r *reconcile.Reconciler, which selection, check func(looked) error, to stream.Stream) (summary, error) {
	type change struct{ id, state string }
	var changes []change
	var refused []error
	// People see the plan before they are asked. For a pipeline, a pool that is not written to is a result; one that is will be.
	plan, results := to, to
	if a.output != string(stream.Text) {
		plan = stream.New(stream.Text, a.notes, false)
	} else {
		results = stream.New(stream.Text, io.Discard, false)
	}
	s, err := a.show(ctx, r, which, func(p looked) error {
		if check != nil {
			refused = append(refused, check(p))
		}
		entry := p.entry(which.all)
		if err := plan.Write(entry); err != nil {
			return err
		}
		if p.err == nil && len(p.preview.Writes) > 0 {
			changes = append(changes, change{p.id, p.preview.State})
			return nil
		}
		return results.Write(entry)
	})
	if err == nil {
		err = errors.Join(refused...)
	}
	if err == nil {
		err = plan.Write(stream.OfSummary("plan", s, s.plan()))
	}
	if err == nil && len(changes) > 0 {
		err = a.ask(ctx, len(changes))
	}
	if err != nil {
		return s, err
	}
	if a.backups != "" {
		r.Before = func(state userpool.State) error { return a.save(a.backups, state, false) }
	}
	remember(r, a.remember, a.passing)
	s.Outcomes = map[reconcile.Word]int{}
	for i, next := range changes {
		if ctx.Err() != nil {
			return s, fmt.Errorf("interrupted: %d of %d pools were not touched", len(changes)-i, len(changes))
		}
		// The writes of one pool are never left half done.
		out, err := r.ReconcileFrom(context.WithoutCancel(ctx), next.id, next.state, event.Cause{EventName: a.verb})
		if out.Reason == reconcile.GoneReason {
			err = errGone // since it was shown
		}
		s.did(out, err)
		for _, told := range append(slices.Clone(out.Earlier), out) {
			if err := to.Write(a.entry(told, false)); err != nil {
				return s, fmt.Errorf("%d of %d pools were not touched: %w", len(changes)-i-1, len(changes), err)
			}
		}
	}
	return s, nil
}

// ask asks before anything is written.
func (a applying) ask(ctx context.Context, pools int) error {
	if a.yes {
		return nil
	}
	fmt.Fprintf(a.err, "Write to %s? Only yes is taken as such: ", counted(pools, "user pool"))
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(a.in).ReadString('\n')
		answered <- line{text, err}
	}()
	var answer line
	select {
	case answer = <-answered:
	case <-ctx.Done():
		fmt.Fprintln(a.err)
		return errors.New("interrupted: nothing was written")
	}
	if answer.err != nil && !errors.Is(answer.err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", answer.err)
	}
	if strings.TrimSpace(answer.text) != "yes" {
		return errors.New("nothing was written: the answer was not yes (--yes does not ask)")
	}
	return nil
}

// save writes the state of a pool to a new file of the folder. whole says that everything was read.
func (c *cli) save(dir string, state userpool.State, whole bool) error {
	taken := time.Now()
	backup := userpool.NewBackup(state, taken)
	backup.Whole = whole
	raw, err := backup.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("saving %s: %w", state.ID, err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%s.%s.json", state.ID, taken.UTC().Format("20060102T150405.000000Z")))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("saving %s: %w", state.ID, err)
	}
	_, err = file.Write(raw)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		_ = os.Remove(path) // half a backup restores nothing
		return fmt.Errorf("saving %s: %w", state.ID, err)
	}
	fmt.Fprintf(c.notes, "saved %s to %s\n", state.ID, path)
	return nil
}
