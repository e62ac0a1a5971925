package userpool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// capture keeps the body of a successful answer, as it came over the wire, in *raw. It sits closest to the wire and hands an empty object on
// in its place: the typed answer is of no use, and an answer that the SDK's types do not fit is none the worse for that. The body of an
// error is left to the SDK, which types it. A retried call leaves the last answer.
func capture(raw *[]byte) func(*middleware.Stack) error {
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
			if response.StatusCode >= http.StatusMultipleChoices {
				return out, metadata, nil
			}
			body, err := whole(response)
			if errors.Is(err, errTooLarge) {
				return out, metadata, fmt.Errorf("capturing the answer: %w", err)
			}
			if err != nil {
				// Not wrapped in a class of its own: the SDK retries a read whose connection broke.
				return out, metadata, &smithyhttp.RequestSendError{Err: fmt.Errorf("capturing the answer: %w", err)}
			}
			*raw = body
			response.Body = replaced{Reader: strings.NewReader("{}"), Closer: response.Body}
			return out, metadata, nil
		}), middleware.After)
	}
}

// usual is more than what most answers take, where an answer does not say how long it is.
const usual = 7 << 10

// whole reads the body of an answer, into as much room as it takes.
func whole(response *smithyhttp.Response) ([]byte, error) {
	room := usual
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

// send replaces the body that the SDK made of its typed input. It runs after the SDK's serializer and before the body is measured
// and signed.
func send(body []byte) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("SendRawBody", func(
			ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
		) (middleware.SerializeOutput, middleware.Metadata, error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("sending the document: unexpected transport type %T", in.Request)
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

// encode writes a tree as JSON without escaping <, > and &, so that texts go out as they came in.
func encode(object map[string]any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
