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
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Call makes any call with a JSON body, even one that the SDK does not know, and returns the raw response. The SDK
// takes it for ListUserPools: resolving the endpoint, signing, retries and the types of errors do not depend on it.
func Call(ctx context.Context, sdk *idp.Client, call string, body []byte, options ...func(*idp.Options),
) (answer []byte, requestID string, err error) {
	raw := idp.WithAPIOptions(func(stack *middleware.Stack) error {
		return errors.Join(send(stack, call, body), capture(stack, &answer, &requestID))
	})
	in := &idp.ListUserPoolsInput{MaxResults: aws.Int32(1)}
	_, err = sdk.ListUserPools(ctx, in, append(options, raw)...)
	return answer, requestID, err
}

// send replaces the call and the body that the SDK made from its typed input. It runs after the SDK's serializer and
// before the SDK computes the length and signature of the body.
func send(stack *middleware.Stack, call string, body []byte) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("SendRawBody", func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		request, err := in.Request.(*smithyhttp.Request).SetStream(bytes.NewReader(body))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("sending the document: %w", err)
		}
		request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+call)
		in.Request = request
		return next.HandleSerialize(ctx, in)
	}), middleware.After)
}

// capture stores a successful response. It passes an empty object to the SDK instead: the typed output is not needed,
// and a response that does not fit the SDK's types should not be an error. The SDK still gets and decodes the body of
// an error. After a retry, the last response is stored.
func capture(stack *middleware.Stack, answer *[]byte, requestID *string) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("CaptureRawBody", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if err != nil {
			return out, metadata, err
		}
		response := out.RawResponse.(*smithyhttp.Response)
		*requestID = response.Header.Get("X-Amzn-Requestid")
		if response.StatusCode >= http.StatusMultipleChoices {
			return out, metadata, nil
		}
		const usualAnswer = 7 << 10 // is enough for most responses
		var body bytes.Buffer
		body.Grow(int(min(max(response.ContentLength, usualAnswer), maxAnswer)) + bytes.MinRead)
		if _, err := body.ReadFrom(response.Body); err != nil {
			err = fmt.Errorf("capturing the response: %w", err)
			if _, tooLarge := errors.AsType[*http.MaxBytesError](err); !tooLarge {
				err = &smithyhttp.RequestSendError{Err: err} // the SDK retries a read that fails with this type
			}
			return out, metadata, err
		}
		*answer = body.Bytes()
		response.Body = struct {
			io.Reader
			io.Closer
		}{strings.NewReader("{}"), response.Body}
		return out, metadata, nil
	}), middleware.After)
}
