package userpool

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"

	"poolkeeper/baseline"
)

// API is what the client needs of the SDK's client.
type API interface {
	DescribeUserPool(context.Context, *cognito.DescribeUserPoolInput, ...func(*cognito.Options)) (*cognito.DescribeUserPoolOutput, error)
	GetUserPoolMfaConfig(context.Context, *cognito.GetUserPoolMfaConfigInput, ...func(*cognito.Options)) (*cognito.GetUserPoolMfaConfigOutput, error)
	UpdateUserPool(context.Context, *cognito.UpdateUserPoolInput, ...func(*cognito.Options)) (*cognito.UpdateUserPoolOutput, error)
	SetUserPoolMfaConfig(context.Context, *cognito.SetUserPoolMfaConfigInput, ...func(*cognito.Options)) (*cognito.SetUserPoolMfaConfigOutput, error)
	ListUserPools(context.Context, *cognito.ListUserPoolsInput, ...func(*cognito.Options)) (*cognito.ListUserPoolsOutput, error)
}

// A Client reads and writes user pools. It is safe for concurrent use.
type Client struct{ api API }

// New returns a client on the SDK's client.
func New(api API) *Client { return &Client{api: api} }

// Read reads every document of a pool, all at once. Errors are of type *Error.
func (c *Client) Read(ctx context.Context, id string) (State, error) {
	type answer struct {
		object map[string]any
		err    error
	}
	answers := map[baseline.DocumentName]chan answer{}
	for _, table := range baseline.Documents() {
		came := make(chan answer, 1)
		answers[table.Name] = came
		go func() {
			object, err := c.read(ctx, id, table)
			came <- answer{object, err}
		}()
	}
	state := State{ID: id, Documents: map[baseline.DocumentName]map[string]any{}}
	var first error
	for _, table := range baseline.Documents() {
		a := <-answers[table.Name]
		if a.err != nil && first == nil {
			first = a.err
		}
		state.Documents[table.Name] = a.object
	}
	if first != nil {
		return State{}, first
	}
	if shown, _ := state.Documents[baseline.UserPool][mfa].(string); shown != "" && shown != "OFF" && state.Documents[baseline.MfaConfig][mfa] == nil {
		return State{}, &Error{Call: "GetUserPoolMfaConfig", Class: ClassOdd,
			Message: "the answer has no MfaConfiguration, while DescribeUserPool shows " + shown}
	}
	return state, nil
}

func (c *Client) read(ctx context.Context, id string, table baseline.Document) (map[string]any, error) {
	var raw []byte
	_, err := c.call(ctx, table.ReadCall, id, func(o *cognito.Options) { o.APIOptions = append(o.APIOptions, capture(&raw)) })
	if err != nil {
		return nil, classify(table.ReadCall, err, nil)
	}
	object, err := decode(raw)
	if err != nil {
		return nil, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the answer is no JSON object: " + err.Error()}
	}
	if table.Name == baseline.UserPool {
		object, _ = object["UserPool"].(map[string]any)
		if got, _ := object["Id"].(string); got != id {
			return nil, &Error{Call: table.ReadCall, Class: ClassOdd, Message: "the answer is not this pool"}
		}
	}
	return object, nil
}

// Write makes one planned call, exactly once: a body that is sent again may be out of date by then. It returns the request's id.
// Errors are of type *Error.
func (c *Client) Write(ctx context.Context, id string, request Request) (string, error) {
	metadata, err := c.call(ctx, request.Call, id, func(o *cognito.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, send(request.Body))
	})
	if err != nil {
		failed := classify(request.Call, err, request.secrets)
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

// call makes the named call with a typed input that holds nothing but the pool's id: what a write sends is put in its place later.
func (c *Client) call(ctx context.Context, name, id string, options func(*cognito.Options)) (metadata middleware.Metadata, err error) {
	pool := aws.String(id)
	switch name {
	case "DescribeUserPool":
		var out *cognito.DescribeUserPoolOutput
		if out, err = c.api.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: pool}, options); err == nil {
			metadata = out.ResultMetadata
		}
	case "GetUserPoolMfaConfig":
		var out *cognito.GetUserPoolMfaConfigOutput
		if out, err = c.api.GetUserPoolMfaConfig(ctx, &cognito.GetUserPoolMfaConfigInput{UserPoolId: pool}, options); err == nil {
			metadata = out.ResultMetadata
		}
	case "UpdateUserPool":
		var out *cognito.UpdateUserPoolOutput
		if out, err = c.api.UpdateUserPool(ctx, &cognito.UpdateUserPoolInput{UserPoolId: pool}, options); err == nil {
			metadata = out.ResultMetadata
		}
	case "SetUserPoolMfaConfig":
		var out *cognito.SetUserPoolMfaConfigOutput
		if out, err = c.api.SetUserPoolMfaConfig(ctx, &cognito.SetUserPoolMfaConfigInput{UserPoolId: pool}, options); err == nil {
			metadata = out.ResultMetadata
		}
	default:
		err = fmt.Errorf("no such call: %s", name)
	}
	return metadata, err
}
