package userpool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go/middleware"

	"poolkeeper/baseline"
)

// API is what the client needs of the SDK's client.
type API interface {
	DescribeUserPool(context.Context, *cognito.DescribeUserPoolInput, ...func(*cognito.Options)) (*cognito.DescribeUserPoolOutput, error)
	GetUserPoolMfaConfig(context.Context, *cognito.GetUserPoolMfaConfigInput, ...func(*cognito.Options)) (*cognito.GetUserPoolMfaConfigOutput, error)
	DescribeRiskConfiguration(context.Context, *cognito.DescribeRiskConfigurationInput, ...func(*cognito.Options)) (*cognito.DescribeRiskConfigurationOutput, error)
	GetLogDeliveryConfiguration(context.Context, *cognito.GetLogDeliveryConfigurationInput, ...func(*cognito.Options)) (*cognito.GetLogDeliveryConfigurationOutput, error)
	DescribeUserPoolClient(context.Context, *cognito.DescribeUserPoolClientInput, ...func(*cognito.Options)) (*cognito.DescribeUserPoolClientOutput, error)
	UpdateUserPool(context.Context, *cognito.UpdateUserPoolInput, ...func(*cognito.Options)) (*cognito.UpdateUserPoolOutput, error)
	SetUserPoolMfaConfig(context.Context, *cognito.SetUserPoolMfaConfigInput, ...func(*cognito.Options)) (*cognito.SetUserPoolMfaConfigOutput, error)
	SetRiskConfiguration(context.Context, *cognito.SetRiskConfigurationInput, ...func(*cognito.Options)) (*cognito.SetRiskConfigurationOutput, error)
	SetLogDeliveryConfiguration(context.Context, *cognito.SetLogDeliveryConfigurationInput, ...func(*cognito.Options)) (*cognito.SetLogDeliveryConfigurationOutput, error)
	UpdateUserPoolClient(context.Context, *cognito.UpdateUserPoolClientInput, ...func(*cognito.Options)) (*cognito.UpdateUserPoolClientOutput, error)
	ListUserPools(context.Context, *cognito.ListUserPoolsInput, ...func(*cognito.Options)) (*cognito.ListUserPoolsOutput, error)
	ListUserPoolClients(context.Context, *cognito.ListUserPoolClientsInput, ...func(*cognito.Options)) (*cognito.ListUserPoolClientsOutput, error)
}

// A Client reads and writes user pools. It is safe for concurrent use.
type Client struct {
	// Sleep waits for the turn of a call that is limited for each pool.
	Sleep func(context.Context, time.Duration) error

	api   API
	mutex sync.Mutex
	turns map[string][]time.Time // when the latest calls of a name about a pool may be made
}

// New returns a client on the SDK's client.
func New(api API) *Client { return &Client{api: api, Sleep: sleep, turns: map[string][]time.Time{}} }

// Write makes one planned call in its turn, exactly once: a body that is sent again may be out of date by then. It returns the request's id.
// Errors are of type *Error.
func (c *Client) Write(ctx context.Context, id string, request Request) (string, error) {
	if err := c.Sleep(ctx, c.turn(id, request.Call)); err != nil {
		return "", &Error{Call: request.Call, Class: ClassBusy, Message: "its turn did not come: " + err.Error(), cause: err}
	}
	metadata, err := c.call(ctx, request.Call, id, request.Document, func(o *cognito.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, send(request.Body))
	})
	if err != nil {
		failed := classify(request.Call, err, request.secrets)
		failed.document = request.Document
		return failed.RequestID, failed
	}
	requestID, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	return requestID, nil
}

// listPage is the largest page that ListUserPools gives.
const listPage = 60

// List returns the ids of one page of the pools of the account and Region, and the token of the next page, "" after the last.
func (c *Client) List(ctx context.Context, token string) (ids []string, next string, err error) {
	in := &cognito.ListUserPoolsInput{MaxResults: aws.Int32(listPage)}
	if token != "" {
		in.NextToken = aws.String(token)
	}
	out, err := c.api.ListUserPools(ctx, in)
	if err != nil {
		return nil, "", classify("ListUserPools", err, nil)
	}
	for _, pool := range out.UserPools {
		if id := aws.ToString(pool.Id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids, aws.ToString(out.NextToken), nil
}

// call makes the named call with a typed input that holds nothing but the ids: what a write sends is put in its place later.
func (c *Client) call(ctx context.Context, call string, id string, of baseline.DocumentName, options func(*cognito.Options)) (metadata middleware.Metadata, err error) {
	pool := aws.String(id)
	var client *string
	if of.Client() != "" {
		client = aws.String(of.Client())
	}
	switch call {
	case "DescribeUserPool":
		out, err := c.api.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: pool}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "GetUserPoolMfaConfig":
		out, err := c.api.GetUserPoolMfaConfig(ctx, &cognito.GetUserPoolMfaConfigInput{UserPoolId: pool}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "DescribeRiskConfiguration":
		out, err := c.api.DescribeRiskConfiguration(ctx, &cognito.DescribeRiskConfigurationInput{UserPoolId: pool, ClientId: client}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "GetLogDeliveryConfiguration":
		out, err := c.api.GetLogDeliveryConfiguration(ctx, &cognito.GetLogDeliveryConfigurationInput{UserPoolId: pool}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "DescribeUserPoolClient":
		out, err := c.api.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: client}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "UpdateUserPool":
		out, err := c.api.UpdateUserPool(ctx, &cognito.UpdateUserPoolInput{UserPoolId: pool}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "SetUserPoolMfaConfig":
		out, err := c.api.SetUserPoolMfaConfig(ctx, &cognito.SetUserPoolMfaConfigInput{UserPoolId: pool}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "SetRiskConfiguration":
		out, err := c.api.SetRiskConfiguration(ctx, &cognito.SetRiskConfigurationInput{UserPoolId: pool, ClientId: client}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "SetLogDeliveryConfiguration":
		// The SDK wants a list before it sends anything.
		in := &cognito.SetLogDeliveryConfigurationInput{UserPoolId: pool, LogConfigurations: []types.LogConfigurationType{}}
		out, err := c.api.SetLogDeliveryConfiguration(ctx, in, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	case "UpdateUserPoolClient":
		out, err := c.api.UpdateUserPoolClient(ctx, &cognito.UpdateUserPoolClientInput{UserPoolId: pool, ClientId: client}, options)
		return metadataOf(err, func() middleware.Metadata { return out.ResultMetadata })
	default:
		return metadata, fmt.Errorf("no such call: %s", call)
	}
}

func metadataOf(err error, of func() middleware.Metadata) (middleware.Metadata, error) {
	if err != nil {
		return middleware.Metadata{}, err
	}
	return of(), nil
}
