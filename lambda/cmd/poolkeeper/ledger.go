package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

func (c *cli) ledgerFlag(command *cobra.Command, table *string) {
	command.Flags().StringVar(table, "ledger", c.getenv("LEDGER_TABLE"), "DynamoDB table of the deployment's ledger (default $LEDGER_TABLE); without it nothing is recorded")
}

// ledger returns the ledger in the table, or one that lasts as long as the process where none is named.
func (c *cli) ledger(ctx context.Context, table string) (reconcile.Ledger, error) {
	if table == "" {
		return memory{ledger.NewMemory()}, nil
	}
	return c.table(ctx, table)
}

// A memory is a ledger that ends with the process, so nobody can look up its records: they are for the process alone, and their ids are not told.
type memory struct{ *ledger.Memory }

// Put implements reconcile.Ledger. Of a record that is finished it keeps what the next event may need, so that 10,000 pools that are written to take 15 MB, and not 350.
func (m memory) Put(ctx context.Context, r reconcile.Record) error {
	if r.Outcome != "" && r.Outcome != reconcile.Deferred {
		r.Before, r.Sent = nil, slices.Clone(r.Sent)
		for i := range r.Sent {
			r.Sent[i].Body = nil
		}
	}
	return m.Memory.Put(ctx, r)
}

// aRecord is how reasons name one.
var aRecord = regexp.MustCompile(`record [\w-]+_[0-9A-Za-z]+\.\d{8}T\d{6}\.\d{6}Z`)

// told says what the ledger failed at, which changes no outcome but is missing from the history, and returns the outcome as it is shown.
func (c *cli) told(by reconcile.Ledger, out reconcile.Outcome) reconcile.Outcome {
	for _, fault := range out.LedgerFaults {
		fmt.Fprintf(c.err, "the ledger failed: %s\n", fault)
	}
	if _, passing := by.(memory); passing {
		const unnamed = "record of this run"
		out.Record, out.Reason, out.Drifts = "", aRecord.ReplaceAllString(out.Reason, unnamed), slices.Clone(out.Drifts)
		for i := range out.Drifts {
			out.Drifts[i].Reason = aRecord.ReplaceAllString(out.Drifts[i].Reason, unnamed)
		}
	}
	return out
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
