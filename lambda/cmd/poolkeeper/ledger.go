package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"poolkeeper/baseline"
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

// recording returns what the function would run, with the ledger in the table, if one is named.
func (c *cli) recording(ctx context.Context, required *baseline.Baseline) (*reconcile.Reconciler, error) {
	pools, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	r := c.newReconciler(pools, required)
	return r, c.record(ctx, r)
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

// A deployment has the data from a stack: the baseline of its function, and the table of its ledger.
type deployment struct {
	required *baseline.Baseline // nil if the stack has none
	text     string
	table    string
}

func (c *cli) stackFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.flags.stack, "stack", "poolkeeper",
		"CloudFormation stack that has the baseline, the mode and the ledger; '' is none")
}

// deployed returns the data from the stack. If there is no stack, and none was given by name, the deployment is empty.
func (c *cli) deployed(ctx context.Context) (deployment, error) {
	if c.stack != nil {
		return *c.stack, nil
	}
	c.stack = &deployment{}
	if c.flags.stack == "" {
		return *c.stack, nil
	}
	loaded, err := c.configuration(ctx)
	if err != nil {
		return *c.stack, err
	}
	within, stop := context.WithTimeout(ctx, patience)
	defer stop()
	d, err := readStack(within, cloudformation.NewFromConfig(loaded), c.flags.stack)
	if err == nil {
		c.stack = &d
	} else if c.named("stack") || ctx.Err() != nil {
		return *c.stack, fmt.Errorf("reading the stack %s in %s: %w", c.flags.stack, c.region, err)
	}
	return *c.stack, nil
}

func readStack(ctx context.Context, from *cloudformation.Client, name string) (d deployment, err error) {
	stacks, err := from.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return d, err
	}
	for _, stack := range stacks.Stacks {
		for _, output := range stack.Outputs {
			if aws.ToString(output.OutputKey) == "LedgerTableName" {
				d.table = aws.ToString(output.OutputValue)
			}
		}
	}
	template, err := from.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name})
	if err != nil {
		return d, err
	}
	var published struct {
		Metadata struct {
			Poolkeeper struct{ File, Baseline, Digest, Mode, Build string }
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(template.TemplateBody)), &published); err != nil {
		return d, fmt.Errorf("reading its template: %w", err)
	}
	of := published.Metadata.Poolkeeper
	if of.Baseline == "" {
		return d, nil // a stack a stack of an older version
	}
	if d.text, err = strconv.Unquote(`"` + of.Baseline + `"`); err == nil {
		d.required, err = baseline.Parse(of.File+" of the stack "+name, []byte(d.text))
	}
	switch {
	case err != nil:
		return d, fmt.Errorf("reading its baseline: %w", err)
	case d.required.Digest != of.Digest:
		return d, errors.New("the baseline in its template does not match its digest")
	case of.Mode == string(baseline.Audit):
		d.required = d.required.InMode(baseline.Audit)
	}
	return d, nil
}

// required returns the baseline to use, and its text: from the file, the stack, or the built-in one. To write with a
// file that differs from the function's baseline, people must name the file.
func (c *cli) required(ctx context.Context, writes bool) (*baseline.Baseline, string, error) {
	d, err := c.deployed(ctx)
	if err != nil {
		return nil, "", err
	}
	file := c.flags.baseline
	if file == "" && d.required != nil {
		fmt.Fprintf(c.notes, "using the baseline of the stack %s: %s\n", c.flags.stack, d.required.Digest)
		return d.required, d.text, nil
	}
	required, text, err := readBaseline(ctx, file)
	switch {
	case err != nil:
		return nil, "", err
	case file == "":
		fmt.Fprintf(c.notes, "using the built-in baseline: %s\n", required.Digest)
	case d.required != nil && d.required.Digest != required.Digest:
		differs := fmt.Sprintf("%s differs from the baseline of the stack %s: its digest is %s, deployed is %s", file,
			c.flags.stack, required.Digest, d.required.Digest)
		if writes && !c.named("baseline") {
			return nil, "", errors.New(differs + "; to use it, name it with --baseline")
		}
		fmt.Fprintln(c.notes, differs)
	}
	return required, string(text), nil
}
