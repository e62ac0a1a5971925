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
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) ledgerFlag(command *cobra.Command, table *string) {
	command.Flags().StringVar(table, "ledger", c.getenv("LEDGER_TABLE"), "DynamoDB table of the deployment's ledger (default $LEDGER_TABLE); without it nothing is recorded")
}

// ledger returns the ledger in the table, or, passing, one that lasts as long as the process where none is named. The table is asked before anything is written: the function goes on without a ledger
// that fails, but whoever names one here can still be told.
func (c *cli) ledger(ctx context.Context, table string) (kept reconcile.Ledger, passing bool, err error) {
	if table == "" {
		return ledger.NewMemory(), true, nil
	}
	of, err := c.table(ctx, table)
	if err != nil {
		return nil, false, err
	}
	asked := reconcile.Key{Kind: reconcile.PoolKey, ID: "none"} // which nobody else has a use for
	if _, _, err := of.Take(ctx, asked, "the command line", time.Now(), time.Now()); err != nil {
		return nil, false, fmt.Errorf("nothing was written, for the ledger cannot be asked (apply and replay go without one with --ledger ''): %w", c.noTable(err))
	}
	return of, false, nil
}

// remember gives the keeper the ledger. What is shown here is told to none of those whom the deployment tells.
func remember(r *reconcile.Reconciler, kept reconcile.Ledger, passing bool) {
	r.Ledger, r.Passing, r.Aside = kept, passing, !passing
}

// entry is an outcome as it is shown. What the ledger failed at is said first: it changes no outcome, but is missing from the history.
func (c *cli) entry(out reconcile.Outcome, brief bool) stream.Entry {
	for _, fault := range out.LedgerFaults {
		fmt.Fprintf(c.err, "the ledger failed: %s\n", fault)
	}
	return stream.OfOutcome(out, brief)
}

// noTable says of a call to the ledger that failed for want of the table where it is looked for, and where its name stands.
func (c *cli) noTable(err error) error {
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return err
	}
	return fmt.Errorf("there is no such table in this account and %s (--profile, --region; the stack's output LedgerTableName has the name): %w", c.connected, err)
}

var errNoLedger = errors.New("no ledger: say --ledger TABLE, or set LEDGER_TABLE; the stack's output LedgerTableName has the name")

// ledgerPatience is how long a person waits for a call to the ledger.
const ledgerPatience = 30 * time.Second

// table returns the ledger in the table, which has to be named.
func (c *cli) table(ctx context.Context, table string) (ledger.Table, error) {
	if table == "" {
		return ledger.Table{}, errNoLedger
	}
	loaded, err := c.configuration(ctx)
	if err != nil {
		return ledger.Table{}, err
	}
	return ledger.Table{Client: dynamodb.NewFromConfig(loaded), Name: table, Patience: ledgerPatience}, nil
}
