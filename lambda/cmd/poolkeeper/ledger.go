package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) ledgerFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.flags.ledger, "ledger", c.getenv("LEDGER_TABLE"),
		"DynamoDB table of the ledger (default $LEDGER_TABLE, or the stack's); without it nothing is recorded")
}

// tableName returns the name of the ledger's table, or "".
func (c *cli) tableName(ctx context.Context) (string, error) {
	if c.flags.ledger != "" || c.named("ledger") {
		return c.flags.ledger, nil
	}
	d, err := c.deployed(ctx)
	return d.table, err
}

// record makes the reconciler record its writes and their author in the table, if one is named. It tests the table
// before anything is written. The function continues without a ledger that fails, but here a person can decide.
func (c *cli) record(ctx context.Context, r *reconcile.Reconciler) error {
	kept, err := c.table(ctx)
	if errors.Is(err, errNoLedger) {
		return nil
	} else if err != nil {
		return err
	}
	// No pool has this id, so this cannot disturb another run.
	if _, err := kept.Acquire(ctx, "no pool", "the command line", time.Now(), time.Time{}); err != nil {
		return fmt.Errorf("nothing was written, because the ledger does not work (apply and replay can run without "+
			"one with --ledger ''): %w", c.noTable(err))
	}
	r.Ledger, r.Actor = kept, c.caller(ctx)
	return nil
}

// entry returns the entry for an outcome. It first prints an error of the ledger: the error does not change the
// outcome, but the history is incomplete. It hides the id of a record that exists only in this process.
func (c *cli) entry(out outcome.Outcome, r *reconcile.Reconciler, brief bool) stream.Entry {
	if out.Details.LedgerError != "" {
		fmt.Fprintf(c.err, "the ledger failed: %s\n", out.Details.LedgerError)
	}
	if _, memory := r.Ledger.(*ledger.Memory); memory {
		out.Record = ""
	}
	return stream.OfOutcome(out, brief)
}

// close closes the records of a run after it was shown.
func (c *cli) close(ctx context.Context, r *reconcile.Reconciler, out outcome.Outcome) {
	if err := r.Close(ctx, out); err != nil && out.Details.LedgerError == "" {
		fmt.Fprintf(c.err, "the ledger failed: closing the record: %v\n", err)
	}
}

// noTable adds to an error for a missing table where it was searched and where to find its name.
func (c *cli) noTable(err error) error {
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return err
	}
	return fmt.Errorf("there is no such table in this account and %s (--profile, --region; the stack's output "+
		"LedgerTableName has the name): %w", c.region, err)
}

var errNoLedger = errors.New("no ledger: use --stack NAME or --ledger TABLE, or set LEDGER_TABLE; the stack's output " +
	"LedgerTableName has the name")

// ledgerPatience is the timeout for a call to the ledger.
const ledgerPatience = 30 * time.Second

// table returns the ledger in the table, whose name must be given.
func (c *cli) table(ctx context.Context) (ledger.Table, error) {
	name, err := c.tableName(ctx)
	if err == nil && name == "" {
		err = errNoLedger
	}
	if err != nil {
		return ledger.Table{}, err
	}
	loaded, err := c.configuration(ctx)
	if err != nil {
		return ledger.Table{}, err
	}
	return ledger.Table{Client: dynamodb.NewFromConfig(loaded), Name: name, Patience: ledgerPatience}, nil
}
