package cognito

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// capture keeps the body of a successful answer in *raw, as it came over the wire, and the id of the request. It hands
// an empty object to the SDK in its place: the typed answer is not needed, and an answer that does not fit the SDK's
// types is no error. The SDK still gets the body of an error and types it. After a retry, *raw has the last answer.
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
				return out, metadata, fmt.Errorf("capturing the answer: unexpected transport type %T", out.RawResponse)
			}
			*id = response.Header.Get("X-Amzn-Requestid")
			if response.StatusCode >= http.StatusMultipleChoices {
				return out, metadata, nil
			}
			body, err := whole(response)
			if errors.Is(err, errTooLarge) {
				return out, metadata, fmt.Errorf("capturing the answer: %w", err)
			}
			if err != nil {
				// The SDK retries a read that fails with this type.
				return out, metadata, &smithyhttp.RequestSendError{Err: fmt.Errorf("capturing the answer: %w", err)}
			}
			*raw = body
			response.Body = replaced{Reader: strings.NewReader("{}"), Closer: response.Body}
			return out, metadata, nil
		}), middleware.After)
	}
}

// usualAnswer is more than most answers need. It is allocated where an answer does not say its length.
const usualAnswer = 7 << 10

// whole reads the body of an answer.
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

// send replaces the body that the SDK made of its typed input. It runs after the SDK's serializer, and before the SDK
// measures and signs the body.
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
