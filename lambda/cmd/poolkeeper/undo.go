package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
)

func (c *cli) undo() *cobra.Command {
	a := applying{c: c}
	command := &cobra.Command{
		Use:   "undo RECORD [--yes] --ledger TABLE",
		Short: "Restore what a remediation changed",
		Long: "Takes the settings that a record of the ledger changed, and brings them back to what they were\n" +
			"before, as apply does: shows what would be written, asks, writes, verifies. It names each setting that\n" +
			"gets weaker. Everything else stays as it is now. Unless the settings are exempted or the baseline\n" +
			"changes, the function fixes them at the next event or scan.",
		Example: "  poolkeeper undo " + exampleRecord + " --ledger poolkeeper-ledger",
		Args:    arguments("RECORD", 1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if pool, _, ok := outcome.SplitRecordID(args[0]); !ok || !poolID.MatchString(pool) {
				return fmt.Errorf("%q is not the id of a record, such as %s; poolkeeper history lists them", args[0],
					exampleRecord)
			}
			if err := a.begin(command); err != nil {
				return err
			}
			a.cause += " " + args[0]
			records, err := c.table(command.Context())
			if err != nil {
				return err
			}
			return a.undo(command.Context(), records, args[0])
		},
	}
	c.stackFlag(command)
	return has(a.flags(command), all...)
}

const exampleRecord = "eu-west-1_AbCdEf123.20261001T091540.000000Z"

func (a *applying) undo(ctx context.Context, records reconcile.Ledger, id string) error {
	record, err := records.Record(ctx, id)
	switch {
	case err != nil:
		return a.c.noTable(err)
	case record.Before == nil:
		return fmt.Errorf("record %s: the state before it was too large to be kept, so it cannot be undone; a backup "+
			"file may have it (poolkeeper restore)", id)
	}
	paths := record.Changed()
	if len(paths) == 0 {
		return fmt.Errorf("record %s changed nothing: there is nothing to undo", id)
	}
	then := record.Before.State()
	required, kept := baseline.OfPaths(id, record.Baseline, record.UserPoolID, then.Own(), paths)
	for _, path := range kept {
		fmt.Fprintf(a.c.err, "cannot be undone: %s was not set, and the API has no way to clear it\n", path)
	}
	client, err := a.c.connect(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.c.notes, "unless the settings are exempted or the baseline changes, the function fixes them at the "+
		"next event or scan")
	a.target = &then
	r := a.c.newReconciler(client, required)
	r.Ledger, r.Actor = records, a.c.caller(ctx)
	which := selection{ids: []string{record.UserPoolID}}
	err = a.run(ctx, which, func(*cli) (*reconcile.Reconciler, error) { return r, nil }, nil)
	if err == nil && len(kept) > 0 {
		return exit(exitDrifted)
	}
	return err
}
