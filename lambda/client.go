package main

import (
	"cmp"
	"context"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/middleware"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// The SDK clients are built without the SDK's package config. That package would link clients for sign-in, single
// sign-on and instance metadata, which a function cannot use, and would make the start 50 % slower.

// account has what all clients share.
type account struct {
	Config
	transport *cognito.HTTPClient
}

func newAccount(c Config) (account, error) {
	transport, err := cognito.NewHTTPClient(c.CABundle)
	return account{Config: c, transport: transport}, err
}

// Retrieve implements aws.CredentialsProvider.
func (a account) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: a.Env("AWS_ACCESS_KEY_ID"), SecretAccessKey: a.Env("AWS_SECRET_ACCESS_KEY"),
		SessionToken: a.Env("AWS_SESSION_TOKEN"), Source: "environment"}, nil
}

// config is the configuration of the client for a service, as the SDKs name it in AWS_ENDPOINT_URL_…. A service's own
// variable takes precedence over the general one.
func (a account) config(service string) aws.Config {
	c := aws.Config{Region: a.Env("AWS_REGION"), HTTPClient: a.transport, Credentials: a, ConfigSources: []any{a}}
	url := cmp.Or(a.Env("AWS_ENDPOINT_URL_"+service), a.Env("AWS_ENDPOINT_URL"))
	if url != "" && !a.is("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
		c.BaseEndpoint = aws.String(url)
	}
	return c
}

func (a account) is(name string) bool { return strings.EqualFold(a.Env(name), "true") }

// GetUseFIPSEndpoint tells the SDK which endpoints to use. Its interface has an error.
func (a account) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) { //nolint:unparam
	return aws.FIPSEndpointStateEnabled, a.is("AWS_USE_FIPS_ENDPOINT"), nil
}

// GetUseDualStackEndpoint tells the SDK which endpoints to use. Its interface has an error.
func (a account) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) { //nolint:unparam
	return aws.DualStackEndpointStateEnabled, a.is("AWS_USE_DUALSTACK_ENDPOINT"), nil
}

func newClient(a account, calls *calls) *idp.Client {
	c := a.config("COGNITO_IDENTITY_PROVIDER")
	c.APIOptions = []func(*middleware.Stack) error{calls.count}
	return idp.NewFromConfig(c)
}

// newHub builds the channel to Security Hub. It is nil in a build without Security Hub, which is smaller and starts
// faster; then ReadConfig rejects a configuration with Security Hub.
var newHub func(account) notify.Channel

func newChannels(a account) []notify.Channel {
	var channels []notify.Channel
	if a.TopicARN != "" {
		channels = append(channels, notify.Topic(sns.NewFromConfig(a.config("SNS")), a.TopicARN))
	}
	if a.EventBus != "" {
		channels = append(channels, notify.Bus(eventbridge.NewFromConfig(a.config("EVENTBRIDGE")), a.EventBus))
	}
	if a.SecurityHub {
		channels = append(channels, newHub(a))
	}
	return channels
}

func newLedger(a account) reconcile.Ledger {
	if a.LedgerTable == "" {
		return ledger.NewMemory()
	}
	return ledger.Table{Client: dynamodb.NewFromConfig(a.config("DYNAMODB")), Name: a.LedgerTable}
}

// calls counts the attempted and the throttled calls to Cognito.
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
	}), middleware.Before) // before the middleware that decodes errors
}

// take returns the counts since the last take.
func (c *calls) take() report.Counts {
	return report.Counts{Calls: int(c.made.Swap(0)), Throttled: int(c.throttled.Swap(0))}
}
