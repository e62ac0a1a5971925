package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

const (
	// share is the fraction of the documented rates that the command line uses. It is high because a person waits, but
	// below 1 because requests arrive less evenly than they are sent.
	share = 0.96
	// patience is the timeout for optional calls, without whose result the command can continue.
	patience = 10 * time.Second
	// leaseWait is how long a command waits for another run that has the lease of a pool.
	leaseWait = 2 * time.Minute
	// ledgerPatience is the timeout for a call to the ledger.
	ledgerPatience = 30 * time.Second
)

func (c *cli) connect(ctx context.Context) (*cognito.Client, error) {
	loaded, err := c.configuration(ctx)
	client := cognito.New(idp.NewFromConfig(loaded))
	client.Sleep, client.Share = c.sleep, share
	return client, err
}

// configuration loads the SDK's default chain of credentials and settings.
func (c *cli) configuration(ctx context.Context) (aws.Config, error) {
	if c.clock == nil {
		var pem []byte
		var err error
		if path := os.Getenv("AWS_CA_BUNDLE"); path != "" {
			pem, err = os.ReadFile(path) //nolint:gosec // who runs the command names the file
		}
		http, invalid := cognito.NewHTTPClient(pem)
		if err = errors.Join(err, invalid); err != nil {
			return aws.Config{}, fmt.Errorf("reading AWS_CA_BUNDLE: %w", err)
		}
		c.clock = http
	}
	// If the profile or the Region is empty, the SDK chooses it.
	loaded, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(c.profile), config.WithRegion(c.region))
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return aws.Config{}, errors.New("no Region: use --region, or set AWS_REGION, or region in the profile")
	}
	// Check the credentials here, so that missing ones are reported once and not for each call.
	if _, err := loaded.Credentials.Retrieve(ctx); err != nil && ctx.Err() == nil {
		return aws.Config{}, fmt.Errorf("no AWS credentials: use --profile, sign in (aws sso login), or set "+
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", err)
	}
	c.region, loaded.HTTPClient = loaded.Region, c.clock
	return loaded, nil
}

// prepare returns a Reconciler with the baseline from the file, the stack, or the built-in one. If the command writes,
// it records the writes, and to use a file that differs from the function's baseline, people must name the file.
func (c *cli) prepare(ctx context.Context) (*reconcile.Reconciler, error) {
	d, err := c.deployed(ctx)
	if err != nil {
		return nil, err
	}
	file, deployed := c.text("baseline"), d.required
	writes := c.flags.Lookup("yes") != nil // only a command that writes has it
	if file != "" || deployed == nil {
		if d.required, d.text, err = c.readBaseline(ctx, file); err != nil {
			return nil, err
		}
	}
	switch {
	case file == "" && deployed != nil:
		fmt.Fprintf(c.notes, "using the baseline of the stack %s: %s\n", c.text("stack"), deployed.Digest)
	case file == "":
		fmt.Fprintf(c.notes, "using the built-in baseline: %s\n", d.required.Digest)
	case deployed != nil && deployed.Digest != d.required.Digest:
		differs := fmt.Sprintf("%s differs from the baseline of the stack %s: its digest is %s, deployed is %s", file,
			c.text("stack"), d.required.Digest, deployed.Digest)
		if writes && !c.flags.Changed("baseline") {
			return nil, errors.New(differs + "; to use it, name it with --baseline")
		}
		fmt.Fprintln(c.notes, differs)
	}
	prepared := c.reconciler
	if writes {
		prepared = c.recording
	}
	r, err := prepared(ctx, d.required)
	if err == nil {
		c.to.used = append(c.to.used, d)
	}
	return r, err
}

// reconciler returns a Reconciler like the function's, with a ledger in memory. It uses the time in AWS's responses,
// because the local clock may be wrong.
func (c *cli) reconciler(ctx context.Context, required *baseline.Baseline) (*reconcile.Reconciler, error) {
	pools, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	r := reconcile.New(pools, required, ledger.NewMemory())
	r.LeaseWait, r.Now = leaseWait, c.clock.Now
	return r, nil
}

// recording returns a Reconciler that records its writes and their author in the ledger's table, if one is named. First
// it tests the table: the function continues without a ledger that fails, but here a person can decide.
func (c *cli) recording(ctx context.Context, required *baseline.Baseline) (*reconcile.Reconciler, error) {
	r, err := c.reconciler(ctx, required)
	if err != nil {
		return nil, err
	}
	table, err := c.table(ctx)
	if errors.Is(err, errNoLedger) {
		return r, nil
	} else if err != nil {
		return nil, err
	}
	// No pool has this id, so this cannot disturb another run.
	if _, err := table.Acquire(ctx, "no pool", "the command line", time.Now(), time.Time{}); err != nil {
		return nil, fmt.Errorf("nothing was written, because the ledger does not work (apply and replay can run without "+
			"one with --ledger ''): %w", c.noTable(err))
	}
	r.Ledger, r.Actor = table, c.caller(ctx)
	return r, nil
}

// caller returns who runs the command, for the records: the AWS identity.
func (c *cli) caller(ctx context.Context) string {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if loaded, err := c.configuration(ctx); err == nil {
		if who, err := sts.NewFromConfig(loaded).GetCallerIdentity(ctx, nil); err == nil {
			return aws.ToString(who.Arn)
		}
	}
	return "the command line"
}

// noTable adds to an error for a missing table where it was searched and where to find its name.
func (c *cli) noTable(err error) error {
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); !missing {
		return err
	}
	return fmt.Errorf("there is no such table in this account and %s (--profile, --region; the stack's output "+
		"LedgerTableName has the name): %w", c.region, err)
}

var errNoLedger = errors.New("no ledger: use --stack NAME or --ledger TABLE, or set LEDGER_TABLE; the stack's output " +
	"LedgerTableName has the name")

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

// A deployment is what a stack has, or what a command uses instead: a baseline, and the table of the ledger.
type deployment struct {
	required *baseline.Baseline // nil if the stack has none
	text     []byte
	table    string
}

// deployed returns the data from the stack. If there is no stack, and none was given by name, the deployment is empty.
func (c *cli) deployed(ctx context.Context) (deployment, error) {
	name := c.text("stack")
	if c.stack != nil || name == "" {
		return *cmp.Or(c.stack, &deployment{}), nil
	}
	loaded, err := c.configuration(ctx)
	if err != nil {
		return deployment{}, err
	}
	within, stop := context.WithTimeout(ctx, patience)
	defer stop()
	d, err := readStack(within, cloudformation.NewFromConfig(loaded), name)
	if err != nil && (c.flags.Changed("stack") || ctx.Err() != nil) {
		return deployment{}, fmt.Errorf("reading the stack %s in %s: %w", name, c.region, err)
	}
	c.stack = cmp.Or(d, &deployment{})
	return *c.stack, nil
}

// readStack returns nil with an error.
func readStack(ctx context.Context, from *cloudformation.Client, name string) (*deployment, error) {
	stacks, err := from.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, err
	}
	d := &deployment{}
	for _, stack := range stacks.Stacks {
		for _, output := range stack.Outputs {
			if aws.ToString(output.OutputKey) == "LedgerTableName" {
				d.table = aws.ToString(output.OutputValue)
			}
		}
	}
	template, err := from.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name})
	if err != nil {
		return nil, err
	}
	var published struct {
		Metadata struct {
			Poolkeeper struct{ File, Baseline, Digest, Mode string }
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(template.TemplateBody)), &published); err != nil {
		return nil, fmt.Errorf("reading its template: %w", err)
	}
	of := published.Metadata.Poolkeeper
	if of.Baseline == "" {
		return d, nil // a stack of an older version
	}
	text, err := strconv.Unquote(`"` + of.Baseline + `"`)
	if err == nil {
		d.text = []byte(text)
		d.required, err = baseline.Parse(of.File+" of the stack "+name, d.text)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading its baseline: %w", err)
	case d.required.Digest != of.Digest:
		return nil, errors.New("the baseline in its template does not match its digest")
	case of.Mode == string(baseline.Audit):
		d.required = d.required.InMode(baseline.Audit)
	}
	return d, nil
}
