// Package cognito reads and writes user pools. It is the only package that talks to Amazon Cognito.
//
// Documents are read and written as raw JSON, because the SDK's types silently drop unknown members and cannot
// distinguish false from absent. The SDK's client still signs requests, retries reads, resolves endpoints and decodes
// errors.
package cognito

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"golang.org/x/time/rate"

	"poolkeeper/lambda/userpool"
)

// A Client reads and writes user pools. It is safe for concurrent use.
type Client struct {
	// Sleep waits until a call may be made.
	Sleep func(context.Context, time.Duration) error
	// Share is the fraction of the documented rates that the client uses. The rest is for other callers in the account.
	Share float64

	sdk      *idp.Client
	mutex    sync.Mutex
	limiters map[string]*rate.Limiter // by category, or by pool and call
	// secrets are the sensitive texts that were read from each pool. The service may repeat any of them in an error.
	secrets map[string][]string
}

// New returns a Client that uses the SDK's client, and a fifth of the documented rates.
func New(sdk *idp.Client) *Client {
	return &Client{Sleep: Sleep, Share: 0.2, sdk: sdk, limiters: map[string]*rate.Limiter{},
		secrets: map[string][]string{}}
}

// Write makes one planned call. The SDK does not retry it, because the body may be out of date by then. Write returns
// the id of the request. Errors are of type *Error.
func (c *Client) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	if err := c.wait(ctx, id, request.Call); err != nil {
		return "", err
	}
	once := func(o *idp.Options) { o.Retryer = aws.NopRetryer{} }
	_, requestID, err := Call(ctx, c.sdk, request.Call, request.Body, once)
	if err != nil {
		failed := c.failed(request.Call, id, err, request.Document, request.Body)
		return failed.RequestID, failed
	}
	return requestID, nil
}

// mostListed is the largest page size of the two list calls.
const mostListed = 60

// List returns the ids of one page of the pools of the account and Region, and the token of the next page, "" after the
// last. Errors are of type *Error.
func (c *Client) List(ctx context.Context, token string) (ids []string, next string, err error) {
	const call = "ListUserPools"
	in := &idp.ListUserPoolsInput{MaxResults: aws.Int32(mostListed)}
	if token != "" {
		in.NextToken = aws.String(token)
	}
	if err = c.wait(ctx, "", call); err != nil {
		return nil, "", err
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
	return ids, aws.ToString(out.NextToken), nil
}

// mostPages ends a list that never ends. An account has at most 10,000 pools, and a page has 60.
const mostPages = 2000

// Pages are the pages of a list that were read so far. The zero value begins a list.
type Pages struct {
	Count int
	seen  []string // the tokens of the next pages
}

// Next counts a page, of which token is that of the next one. It returns an error if the list seems to have no end.
func (p *Pages) Next(token string) error {
	p.Count++
	switch {
	case token != "" && slices.Contains(p.seen, token):
		return errors.New("the API returned the token of an earlier page")
	case token != "" && p.Count >= mostPages:
		return fmt.Errorf("no end after %d pages", p.Count)
	}
	p.seen = append(p.seen, token)
	return nil
}

// odd returns the error of an invalid response.
func odd(call, format string, args ...any) *Error {
	return &Error{Call: call, Class: ClassOdd, Message: fmt.Sprintf(format, args...)}
}
