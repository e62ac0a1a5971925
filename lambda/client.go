package main

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/middleware"

	"poolkeeper/lambda/eventbus"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/userpool"
)

// Clients of the SDK are built from the environment by hand: package config would link sign-in, single sign-on and metadata clients
// that a function cannot use, and make it start half as slow again.

// account is what every client has in common.
type account struct {
	Config
	transport *userpool.Clock
}

func (a account) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretKey, SessionToken: a.SessionToken, Source: "environment"}, nil
}

// endpoint returns the URL that is configured for a service, or nil.
func (a account) endpoint(service string) *string {
	if url := a.Endpoints[service]; url != "" {
		return aws.String(url)
	}
	return nil
}

func (a account) fips() aws.FIPSEndpointState {
	if a.FIPS {
		return aws.FIPSEndpointStateEnabled
	}
	return aws.FIPSEndpointStateUnset
}

func (a account) dualStack() aws.DualStackEndpointState {
	if a.DualStack {
		return aws.DualStackEndpointStateEnabled
	}
	return aws.DualStackEndpointStateUnset
}

// newClient builds the client of Cognito, which counts its calls.
func newClient(a account, calls *calls) *cognito.Client {
	options := cognito.Options{Region: a.Region, HTTPClient: a.transport, Credentials: a, BaseEndpoint: a.endpoint(cognitoService), APIOptions: []func(*middleware.Stack) error{calls.count}}
	options.EndpointOptions.UseFIPSEndpoint, options.EndpointOptions.UseDualStackEndpoint = a.fips(), a.dualStack()
	return cognito.New(options)
}

// newBus builds the client of EventBridge.
func newBus(a account) *eventbridge.Client {
	options := eventbridge.Options{Region: a.Region, HTTPClient: a.transport, Credentials: a, BaseEndpoint: a.endpoint(busService)}
	options.EndpointOptions.UseFIPSEndpoint, options.EndpointOptions.UseDualStackEndpoint = a.fips(), a.dualStack()
	return eventbridge.New(options)
}

// newChannels builds what is configured, and nothing else.
func newChannels(a account) []notify.Channel {
	var channels []notify.Channel
	if a.TopicARN != "" {
		options := sns.Options{Region: a.Region, HTTPClient: a.transport, Credentials: a, BaseEndpoint: a.endpoint(snsService)}
		options.EndpointOptions.UseFIPSEndpoint, options.EndpointOptions.UseDualStackEndpoint = a.fips(), a.dualStack()
		channels = append(channels, notify.Topic{Client: sns.New(options), ARN: a.TopicARN})
	}
	if a.EventBus != "" {
		channels = append(channels, notify.Bus{Client: newBus(a), Bus: a.EventBus})
	}
	return append(channels, hubChannels(a)...)
}

// newLedger builds the ledger, or nil where there is no table.
func newLedger(a account) reconcile.Ledger {
	if a.LedgerTable == "" {
		return nil
	}
	options := dynamodb.Options{Region: a.Region, HTTPClient: a.transport, Credentials: a, BaseEndpoint: a.endpoint(tableService)}
	options.EndpointOptions.UseFIPSEndpoint, options.EndpointOptions.UseDualStackEndpoint = a.fips(), a.dualStack()
	return ledger.Table{Client: dynamodb.New(options), Name: a.LedgerTable}
}

// newSweepBus builds the bus for the pools of a sweep, or nil where a sweep looks at them by itself.
func newSweepBus(a account) reconcile.Bus {
	if a.SweepBus == "" {
		return nil
	}
	return eventbus.Bus{Client: newBus(a), Name: a.SweepBus}
}

// newAccount makes what every client has in common.
func newAccount(c Config) (account, error) {
	transport, err := userpool.NewHTTPClient(c.CABundle)
	return account{Config: c, transport: userpool.NewClock(transport)}, err
}

// calls counts the attempts of calls to Cognito, and those that were throttled.
type calls struct{ made, throttled atomic.Int64 }

func (c *calls) count(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("CountCalls", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		c.made.Add(1)
		if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary {
			c.throttled.Add(1)
		}
		return out, metadata, err
	}), middleware.Before) // outside of what types an error
}

// take returns the counts since it was last asked.
func (c *calls) take() report.Counts {
	return report.Counts{Calls: int(c.made.Swap(0)), Throttled: int(c.throttled.Swap(0))}
}
