package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
)

func (c *cli) undo() *cobra.Command {
	a := applying{cli: c}
	command := &cobra.Command{
		Use:   "undo RECORD [--yes] --ledger TABLE",
		Short: "Put back what a remediation changed",
		Long: "Takes the settings that a record of the ledger changed, and puts them back to what they were before, by the way of apply: shows what would be written, asks, writes,\n" +
			"verifies. Everything else stays as it is now. Unless the settings are exempted, or the baseline is changed, the function puts them right again at the next event or sweep.\n" +
			"Exit status: 0 done or in sync, 1 error, 2 something is left.",
		Example: "  poolkeeper undo eu-west-1_AbCdEf123.20261001T091540.000000Z --ledger poolkeeper-ledger",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if a.table == "" {
				return errNoLedger
			}
			if err := a.begin(command); err != nil {
				return err
			}
			a.verb += " " + args[0]
			return a.undo(command.Context(), args[0])
		},
	}
	return has(a.flags(command), all...)
}

func (a applying) undo(ctx context.Context, id string) error {
	r, err := a.remember.Record(ctx, id)
	switch {
	case err != nil:
		return a.noTable(err)
	case r.Before == nil:
		return fmt.Errorf("record %s: the state before it was too large to be kept, so it cannot be taken back from here; a backup file may have it (poolkeeper restore)", id)
	}
	paths := r.Changed()
	if len(paths) == 0 {
		return errors.New("record " + id + " changed nothing: there is nothing to take back")
	}
	required, kept := baseline.OfPaths(id, r.Baseline, r.UserPoolID, r.Before.State().Own(), paths)
	for _, path := range kept {
		fmt.Fprintf(a.err, "cannot be taken back: %s was not set, and the API has no way to clear it\n", path)
	}
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.notes, "unless the settings are exempted or the baseline is changed, the function puts them right again at the next event or sweep")
	err = a.run(ctx, a.keeper(client, required, ""), selection{ids: []string{r.UserPoolID}}, nil)
	if err == nil && len(kept) > 0 {
		return exit(exitDrifted)
	}
	return err
}
