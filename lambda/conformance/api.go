package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/time/rate"

	"poolkeeper/lambda/cognito"
)

// An API makes raw calls, so that it can send members that the SDK does not know. A call that is throttled is made
// again.
type API struct {
	sdk  *idp.Client
	rate *rate.Limiter
}

// NewAPI returns an API that makes so many calls a second.
func NewAPI(config aws.Config, perSecond rate.Limit) API {
	throttled := retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	sdk := idp.NewFromConfig(config, func(o *idp.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Retryables = 8, []retry.IsErrorRetryable{throttled}
		})
	})
	return API{sdk: sdk, rate: rate.NewLimiter(perSecond, 1)}
}

// call makes one call.
func (a API) call(ctx context.Context, operation string, body map[string]any) (answer map[string]any, err error) {
	if err := a.rate.Wait(ctx); err != nil {
		return nil, err
	}
	var response cognito.Response
	raw, err := json.Marshal(body)
	if err == nil {
		response, err = cognito.Call(ctx, a.sdk, operation, raw)
	}
	if err == nil && len(response.Body) > 0 {
		err = json.Unmarshal(response.Body, &answer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return answer, nil
}

// refusal splits an error into the one that the API responded with, or nil, and any other. An emulator may respond with
// an error in another form than the API's.
func refusal(err error) (smithy.APIError, error) {
	var refused smithy.APIError
	var answered *smithyhttp.ResponseError
	switch {
	case errors.As(err, &refused):
		return refused, nil
	case errors.As(err, &answered):
		return &smithy.GenericAPIError{Code: fmt.Sprint("HTTP", answered.HTTPStatusCode())}, nil
	default:
		return nil, err
	}
}
