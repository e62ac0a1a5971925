package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// connect builds the client of Cognito.
func (c *cli) connect(ctx context.Context) (*userpool.Client, error) {
	loaded, err := c.configuration(ctx)
	if err != nil {
		return nil, err
	}
	return userpool.New(cognito.NewFromConfig(loaded, func(o *cognito.Options) { o.APIOptions = append(o.APIOptions, pace(1)) })), nil
}

// configuration is the SDK's own chain of credentials and settings.
func (c *cli) configuration(ctx context.Context) (aws.Config, error) {
	var pem []byte
	if path := c.getenv("AWS_CA_BUNDLE"); path != "" {
		var err error
		if pem, err = os.ReadFile(path); err != nil {
			return aws.Config{}, fmt.Errorf("reading AWS_CA_BUNDLE: %w", err)
		}
	}
	if c.clock == nil {
		http, err := userpool.NewHTTPClient(pem)
		if err != nil {
			return aws.Config{}, err
		}
		c.clock = userpool.NewClock(http)
	}
	// An empty profile or Region is none: the chain goes on.
	loaded, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(c.profile), config.WithRegion(c.region))
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return aws.Config{}, errors.New("no Region: say --region, or set AWS_REGION, or region in the profile")
	}
	// Asked for here, what is missing is said once and not for each call.
	if _, err := loaded.Credentials.Retrieve(ctx); err != nil && ctx.Err() == nil {
		return aws.Config{}, fmt.Errorf("no AWS credentials: say --profile, sign in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", err)
	}
	c.connected, loaded.HTTPClient = loaded.Region, c.clock
	return loaded, nil
}

// keeper returns a Reconciler that goes by the clock of AWS's answers, whatever that of this machine says.
func (c *cli) keeper(pools reconcile.Pools, required *baseline.Baseline, ownRole string) *reconcile.Reconciler {
	r := reconcile.New(pools, required, ownRole)
	if c.clock != nil {
		r.Now = c.clock.Now
	}
	return r
}

// none says that there are no pools at all, and where: that may be another Region or account than was meant.
func (c *cli) none() {
	fmt.Fprintf(c.notes, "there is no user pool in this account and %s (--profile, --region)\n", c.connected)
}

// errGone says that a pool that was named is not there.
var errGone = errors.New(reconcile.GoneReason)

// gone says that the named pool is not there, and where it may be: ids begin with the Region that their pool was made in.
func (c *cli) gone(id string) error {
	if made, _, ok := strings.Cut(id, "_"); ok && made != c.connected {
		return fmt.Errorf("%w: its id is one of %s, and this is %s (--region)", errGone, made, c.connected)
	}
	return errGone
}

// read reads what is wanted of a pool that was named.
func (c *cli) read(ctx context.Context, pools reconcile.Pools, id string, want userpool.Want) (userpool.State, error) {
	if err := (selection{ids: []string{id}}).named(); err != nil {
		return userpool.State{}, err
	}
	state, err := pools.Read(ctx, id, want)
	var failed *userpool.Error
	if errors.As(err, &failed) && failed.Class == userpool.ClassGone {
		err = c.gone(id)
	}
	if err != nil {
		return state, fmt.Errorf("reading user pool %s: %w", id, err)
	}
	return state, nil
}
