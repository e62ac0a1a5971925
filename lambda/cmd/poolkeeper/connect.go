package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// share is the fraction of the documented rates that the command line uses. It is high because a person waits, but
// below 1 because requests arrive less evenly than they are sent.
const share = 0.96

// connect creates the Cognito client.
func (c *cli) connect(ctx context.Context) (*cognito.Client, error) {
	loaded, err := c.configuration(ctx)
	if err != nil {
		return nil, err
	}
	client := cognito.New(idp.NewFromConfig(loaded), cognito.WithShare(share))
	if c.sleep != nil {
		client.Sleep = c.sleep
	}
	return client, nil
}

// configuration loads the SDK's default chain of credentials and settings.
func (c *cli) configuration(ctx context.Context) (aws.Config, error) {
	var pem []byte
	if path := c.getenv("AWS_CA_BUNDLE"); path != "" {
		var err error
		if pem, err = os.ReadFile(path); err != nil {
			return aws.Config{}, fmt.Errorf("reading AWS_CA_BUNDLE: %w", err)
		}
	}
	if c.clock == nil {
		http, err := cognito.NewHTTPClient(pem)
		if err != nil {
			return aws.Config{}, err
		}
		c.clock = cognito.NewClock(http)
	}
	// An empty profile or Region means none.
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

// patience is the timeout for optional calls, without whose result the command can continue.
const patience = 10 * time.Second

// leaseWait is how long a command waits for another run that has the lease of a pool.
const leaseWait = 2 * time.Minute

// newReconciler returns a Reconciler with a ledger in memory. It uses the time in AWS's responses, because the local
// clock may be wrong.
func (c *cli) newReconciler(pools reconcile.Pools, required *baseline.Baseline) *reconcile.Reconciler {
	r := reconcile.New(pools, required, ledger.NewMemory())
	r.LeaseWait = leaseWait
	if c.clock != nil {
		r.Now = c.clock.Now
	}
	return r
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

// noPools prints that the account and Region have no pools, because another one may have been meant.
func (c *cli) noPools() {
	fmt.Fprintf(c.notes, "this account has no user pool in %s (--profile, --region)\n", c.region)
}

// errGone means that a named pool does not exist.
var errGone = errors.New(outcome.GoneReason)

// gone returns an error for a named pool that does not exist here. If the id begins with another Region, the error
// names it.
func (c *cli) gone(ctx context.Context, pools reconcile.Pools, id string) error {
	if made, _, ok := strings.Cut(id, "_"); ok && made != c.region {
		return fmt.Errorf("%w: its id is from %s, but the command uses %s (--region)", errGone, made, c.region)
	}
	ids, _ := list(ctx, pools)
	return fmt.Errorf("%w%s", errGone, didYouMean("", id, ids))
}

// read reads the requested documents of a named pool.
func (c *cli) read(ctx context.Context, pools reconcile.Pools, id string, want userpool.Want) (userpool.State, error) {
	if err := (selection{ids: []string{id}}).named(); err != nil {
		return userpool.State{}, err
	}
	state, err := pools.Read(ctx, id, want)
	if cognito.ClassOf(err) == cognito.ClassGone {
		err = c.gone(ctx, pools, id)
	}
	if err != nil {
		return state, fmt.Errorf("reading user pool %s: %w", id, err)
	}
	return state, nil
}
