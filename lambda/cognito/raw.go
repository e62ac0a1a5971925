package cognito

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// capture stores the raw body of a successful response in *raw, and the id of the request. It passes an empty object to
// the SDK instead: the typed output is not needed, and a response that does not fit the SDK's types should not be an
// error. The SDK still gets and decodes the body of an error. After a retry, *raw has the last response.
func capture(raw *[]byte, id *string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("CaptureRawBody", func(
			ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
		) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if err != nil {
				return out, metadata, err
			}
			response, ok := out.RawResponse.(*smithyhttp.Response)
			if !ok {
				return out, metadata, fmt.Errorf("capturing the response: unexpected transport type %T", out.RawResponse)
			}
			*id = response.Header.Get("X-Amzn-Requestid")
			if response.StatusCode >= http.StatusMultipleChoices {
				return out, metadata, nil
			}
			body, err := whole(response)
			if errors.Is(err, errTooLarge) {
				return out, metadata, fmt.Errorf("capturing the response: %w", err)
			}
			if err != nil {
				// The SDK retries a read that fails with this error type.
				return out, metadata, &smithyhttp.RequestSendError{Err: fmt.Errorf("capturing the response: %w", err)}
			}
			*raw = body
			response.Body = replaced{Reader: strings.NewReader("{}"), Closer: response.Body}
			return out, metadata, nil
		}), middleware.After)
	}
}

// usualAnswer is the buffer size for a response without a length. It is enough for most responses.
const usualAnswer = 7 << 10

// whole reads the body of a response.
func whole(response *smithyhttp.Response) ([]byte, error) {
	room := usualAnswer
	if n := response.ContentLength; n >= 0 && n <= maxAnswer {
		room = int(n)
	}
	var body bytes.Buffer
	body.Grow(room + bytes.MinRead)
	_, err := body.ReadFrom(response.Body)
	return body.Bytes(), err
}

type replaced struct {
	io.Reader
	io.Closer
}

// send replaces the body that the SDK made from its typed input. It runs after the SDK's serializer and before the SDK
// computes the length and signature of the body.
func send(body []byte) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("SendRawBody", func(
			ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
		) (middleware.SerializeOutput, middleware.Metadata, error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				err := fmt.Errorf("sending the document: unexpected transport type %T", in.Request)
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			request, err := request.SetStream(bytes.NewReader(body))
			if err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("sending the document: %w", err)
			}
			in.Request = request
			return next.HandleSerialize(ctx, in)
		}), middleware.After)
	}
}

// A RawClient makes any call, even one that the SDK does not know. The SDK takes it for another call: it signs it,
// paces its retries and types its errors.
type RawClient struct{ sdk *idp.Client }

// NewRawClient returns a client that repeats only throttled calls.
func NewRawClient(config aws.Config) RawClient {
	throttled := retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	return RawClient{idp.NewFromConfig(config, func(o *idp.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Retryables = 8, []retry.IsErrorRetryable{throttled}
		})
	})}
}

// Call returns the response to a call.
func (c RawClient) Call(ctx context.Context, operation string, body []byte) (response []byte, err error) {
	target := func(stack *middleware.Stack) error {
		header := smithyhttp.SetHeaderValue("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		return errors.Join(send(body)(stack), header(stack))
	}
	var id string
	_, err = c.sdk.ListUserPools(ctx, &idp.ListUserPoolsInput{MaxResults: aws.Int32(1)},
		idp.WithAPIOptions(target, capture(&response, &id)))
	return response, err
}
