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
	client *idp.Client
	rate   *rate.Limiter
}

// NewAPI returns an API that makes so many calls a second.
func NewAPI(config aws.Config, perSecond rate.Limit) API {
	throttled := retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	return API{rate: rate.NewLimiter(perSecond, 1), client: idp.NewFromConfig(config, func(o *idp.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Retryables = 8, []retry.IsErrorRetryable{throttled}
		})
	})}
}

// call makes one call.
func (a API) call(ctx context.Context, operation string, body map[string]any) (answer map[string]any, err error) {
	if err := a.rate.Wait(ctx); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(body)
	if err == nil {
		raw, err = cognito.Raw(ctx, a.client, operation, raw)
	}
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return answer, nil
}

// refusal returns the error that the API answered with, or nil. An emulator may answer with no error of the API's form.
func refusal(err error) smithy.APIError {
	var refused smithy.APIError
	var answered *smithyhttp.ResponseError
	if !errors.As(err, &refused) && errors.As(err, &answered) {
		return &smithy.GenericAPIError{Code: fmt.Sprint("HTTP", answered.HTTPStatusCode())}
	}
	return refused
}
