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

// A deployment is what a stack says of itself: the baseline that its function goes by, and the table of its ledger.
type deployment struct {
	required *baseline.Baseline // nil: the stack tells of none
	text     string
	table    string
}

func (c *cli) stackFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.flags.stack, "stack", "poolkeeper",
		"CloudFormation stack that has the baseline, the mode and the ledger; '' is none")
}

// deployed returns what the stack says. Without one, unless it was asked for by name, the deployment says nothing.
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
		return d, nil // of an older version
	}
	if d.text, err = strconv.Unquote(`"` + of.Baseline + `"`); err == nil {
		d.required, err = baseline.Parse(of.File+" of the stack "+name, []byte(d.text))
	}
	switch {
	case err != nil:
		return d, fmt.Errorf("reading its baseline: %w", err)
	case d.required.Digest != of.Digest:
		return d, errors.New("the baseline in its template does not have the digest that is given there")
	case of.Mode == string(baseline.Audit):
		d.required = d.required.InMode(baseline.Audit)
	}
	return d, nil
}

// required returns the baseline to go by, and its text: that of the file, of the stack, or the one that ships. Who
// writes by a file that the function does not go by has to name it.
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
			return nil, "", errors.New(differs + "; name it with --baseline to go by it")
		}
		fmt.Fprintln(c.notes, differs)
	}
	return required, string(text), nil
}
