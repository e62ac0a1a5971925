package main

import (
	"context"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// rates are the categories of calls, with the requests per second that the API's documentation gives for an account and Region, less a little: a throttled call would come again
// and take from what everybody else in the account has.
var rates = map[string]struct {
	category  string
	perSecond float64
}{
	"DescribeUserPool":          {"UserPoolRead", 14.5},
	"ListUserPools":             {"UserPoolRead", 14.5},
	"UpdateUserPool":            {"UserPoolUpdate", 14.5},
	"GetUserPoolMfaConfig":      {"UserPoolResourceRead", 19.5},
	"DescribeRiskConfiguration": {"UserPoolResourceRead", 19.5},
	"SetUserPoolMfaConfig":      {"UserPoolResourceUpdate", 14.5},
	"SetRiskConfiguration":      {"UserPoolResourceUpdate", 14.5},
	"DescribeUserPoolClient":    {"UserPoolClientRead", 14.5},
	"ListUserPoolClients":       {"UserPoolClientRead", 14.5},
	"UpdateUserPoolClient":      {"UserPoolClientUpdate", 14.5},
	// No rate is documented for these two.
	"GetLogDeliveryConfiguration": {"LogDelivery", 14.5},
	"SetLogDeliveryConfiguration": {"LogDelivery", 14.5},
}

// pace returns an option of the SDK's client that keeps each attempt of each call within the rates. speed is 1, or more for a server whose clock runs so much faster.
func pace(speed float64) func(*middleware.Stack) error {
	limiters := map[string]*rate.Limiter{}
	for _, r := range rates {
		limiters[r.category] = rate.NewLimiter(rate.Limit(r.perSecond*speed), 1)
	}
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Pace", func(
			ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
		) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := rates[awsmiddleware.GetOperationName(ctx)]; ok {
				if err := limiters[r.category].Wait(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
	}
}
