package cognito

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

// A Client reads and writes user pools. It is safe for concurrent use.
type Client struct {
	// Sleep waits until a call may be made.
	Sleep func(context.Context, time.Duration) error

	sdk     *idp.Client
	limits  *limits
	secrets secrets
}

// An Option changes how a Client works.
type Option func(*Client)

// WithShare sets the fraction of the documented rates that the client uses. The defaults are 0.2, and 0.5 of the rates
// for one pool, because two processes may use the same pool.
func WithShare(share float64) Option {
	return func(c *Client) { c.limits.share, c.limits.poolShare = share, min(1, max(share, defaultPoolShare)) }
}

// New returns a Client that uses the SDK's client.
func New(sdk *idp.Client, options ...Option) *Client {
	c := &Client{Sleep: Sleep, sdk: sdk, limits: newLimits()}
	for _, option := range options {
		option(c)
	}
	return c
}

// Write makes one planned call. The SDK does not retry it, because the body may be out of date by then. Write returns
// the id of the request. Errors are of type *Error.
func (c *Client) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	if err := c.await(ctx, c.limits.reserve(id, request.Call)); err != nil {
		message := "the rate limit leaves no time for this call: " + err.Error()
		return "", &Error{Call: request.Call, Class: ClassBusy, Message: message, cause: err}
	}
	var raw []byte
	var requestID string
	err := c.call(ctx, request.Call, id, request.Document, func(o *idp.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, send(request.Body), capture(&raw, &requestID))
	})
	if err != nil {
		failed := c.failed(request.Call, id, err, request.Document, request.Body)
		return failed.RequestID, failed
	}
	return requestID, nil
}

// poolPage is the largest page size of ListUserPools.
const poolPage = 60

// List returns the ids of one page of the pools of the account and Region, and the token of the next page, "" after the
// last. Errors are of type *Error.
func (c *Client) List(ctx context.Context, token string) (ids []string, next string, err error) {
	const call = "ListUserPools"
	if err := c.await(ctx, c.limits.reserve("", call)); err != nil {
		return nil, "", classify(call, err, nil)
	}
	in := &idp.ListUserPoolsInput{MaxResults: aws.Int32(poolPage)}
	if token != "" {
		in.NextToken = aws.String(token)
	}
	out, err := c.sdk.ListUserPools(ctx, in)
	if err != nil {
		return nil, "", classify(call, err, nil)
	}
	for _, pool := range out.UserPools {
		if id := aws.ToString(pool.Id); id != "" {
			ids = append(ids, id)
		}
	}
	if next = aws.ToString(out.NextToken); next != "" && next == token {
		return nil, "", sameToken(call)
	}
	return ids, next, nil
}

// sameToken is the error for a list that would never end.
func sameToken(call string) *Error {
	return &Error{Call: call, Class: ClassOdd, Message: "the response returns the token of its own page"}
}

// call makes the named call. Its typed input has only the ids. The body of a write replaces it later.
func (c *Client) call(
	ctx context.Context, call, id string, name baseline.DocumentName, options func(*idp.Options),
) error {
	pool := aws.String(id)
	var client *string
	if name.Client() != "" {
		client = aws.String(name.Client())
	}
	switch call {
	case "DescribeUserPool":
		return do(ctx, c.sdk.DescribeUserPool, &idp.DescribeUserPoolInput{UserPoolId: pool}, options)
	case "GetUserPoolMfaConfig":
		return do(ctx, c.sdk.GetUserPoolMfaConfig, &idp.GetUserPoolMfaConfigInput{UserPoolId: pool}, options)
	case "DescribeRiskConfiguration":
		in := &idp.DescribeRiskConfigurationInput{UserPoolId: pool, ClientId: client}
		return do(ctx, c.sdk.DescribeRiskConfiguration, in, options)
	case "GetLogDeliveryConfiguration":
		in := &idp.GetLogDeliveryConfigurationInput{UserPoolId: pool}
		return do(ctx, c.sdk.GetLogDeliveryConfiguration, in, options)
	case "DescribeUserPoolClient":
		in := &idp.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: client}
		return do(ctx, c.sdk.DescribeUserPoolClient, in, options)
	case "UpdateUserPool":
		return do(ctx, c.sdk.UpdateUserPool, &idp.UpdateUserPoolInput{UserPoolId: pool}, options)
	case "SetUserPoolMfaConfig":
		return do(ctx, c.sdk.SetUserPoolMfaConfig, &idp.SetUserPoolMfaConfigInput{UserPoolId: pool}, options)
	case "SetRiskConfiguration":
		in := &idp.SetRiskConfigurationInput{UserPoolId: pool, ClientId: client}
		return do(ctx, c.sdk.SetRiskConfiguration, in, options)
	case "SetLogDeliveryConfiguration":
		// The SDK sends nothing without a list.
		in := &idp.SetLogDeliveryConfigurationInput{UserPoolId: pool, LogConfigurations: []types.LogConfigurationType{}}
		return do(ctx, c.sdk.SetLogDeliveryConfiguration, in, options)
	case "UpdateUserPoolClient":
		in := &idp.UpdateUserPoolClientInput{UserPoolId: pool, ClientId: client}
		return do(ctx, c.sdk.UpdateUserPoolClient, in, options)
	default:
		return fmt.Errorf("no such call: %s", call)
	}
}

// do makes a call and discards its typed output.
func do[In, Out any](
	ctx context.Context, call func(context.Context, *In, ...func(*idp.Options)) (*Out, error), in *In,
	options func(*idp.Options),
) error {
	_, err := call(ctx, in, options)
	return err
}
