package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

func (c *cli) ledgerFlag(command *cobra.Command, table *string) {
	command.Flags().StringVar(table, "ledger", c.getenv("LEDGER_TABLE"), "DynamoDB table of the deployment's ledger (default $LEDGER_TABLE)")
}

// ledger returns the ledger in the table, or nil where none is named.
func (c *cli) ledger(ctx context.Context, table string) (reconcile.Ledger, error) {
	if table == "" {
		return nil, nil
	}
	return c.table(ctx, table)
}

var errNoLedger = errors.New("no ledger: say --ledger TABLE, or set LEDGER_TABLE; the stack's output LedgerTableName has the name")

// ledgerPatience is how long a person waits for a call to the ledger.
const ledgerPatience = 30 * time.Second

// ledgerFaults says what the ledger failed at: it changes no outcome, but is missing from the history.
func (c *cli) ledgerFaults(out reconcile.Outcome) {
	for _, fault := range out.LedgerFaults {
		fmt.Fprintf(c.err, "the ledger failed: %s\n", fault)
	}
}

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
