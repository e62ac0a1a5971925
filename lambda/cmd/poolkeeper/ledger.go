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

	"poolkeeper/baseline"
	"poolkeeper/lambda/ledger"
)

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

// table returns the ledger in the table of the flag or of the stack, or errNoLedger.
func (c *cli) table(ctx context.Context) (ledger.Table, error) {
	name := c.text("ledger")
	if name == "" && !c.flags.Changed("ledger") {
		d, err := c.deployed(ctx)
		if err != nil {
			return ledger.Table{}, err
		}
		name = d.table
	}
	if name == "" {
		return ledger.Table{}, errNoLedger
	}
	loaded, err := c.configuration(ctx)
	return ledger.Table{Client: dynamodb.NewFromConfig(loaded), Name: name, Patience: ledgerPatience}, err
}

// A deployment has the data from a stack: the baseline of its function, and the table of its ledger.
type deployment struct {
	required *baseline.Baseline // nil if the stack has none
	text     string
	table    string
}

// deployed returns the data from the stack. If there is no stack, and none was given by name, the deployment is empty.
func (c *cli) deployed(ctx context.Context) (d deployment, err error) {
	if c.stack != nil {
		return *c.stack, nil
	}
	if c.text("stack") != "" {
		loaded, err := c.configuration(ctx)
		if err != nil {
			return d, err
		}
		within, stop := context.WithTimeout(ctx, patience)
		defer stop()
		d, err = readStack(within, cloudformation.NewFromConfig(loaded), c.text("stack"))
		if err != nil && (c.flags.Changed("stack") || ctx.Err() != nil) {
			return d, fmt.Errorf("reading the stack %s in %s: %w", c.text("stack"), c.region, err)
		} else if err != nil {
			d = deployment{}
		}
	}
	c.stack = &d
	return d, nil
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
			Poolkeeper struct{ File, Baseline, Digest, Mode string }
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(template.TemplateBody)), &published); err != nil {
		return d, fmt.Errorf("reading its template: %w", err)
	}
	of := published.Metadata.Poolkeeper
	if of.Baseline == "" {
		return d, nil // a stack of an older version
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
