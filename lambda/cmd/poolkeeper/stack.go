package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/spf13/cobra"

	"poolkeeper/baseline"
)

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
	required, text, err := readBaseline(file)
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
