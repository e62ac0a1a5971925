package main

import (
	"context"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"poolkeeper/lambda/userpool"
)

// pace returns an option of the SDK's client that keeps each attempt of each call within the rates. speed is 1, or more for a server whose clock runs so much faster.
func pace(speed float64) func(*middleware.Stack) error {
	limiters := map[string]*rate.Limiter{}
	for _, r := range userpool.Rates() {
		limiters[r.Category] = rate.NewLimiter(rate.Limit(r.PerSecond*speed), 1)
	}
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Pace", func(
			ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
		) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := userpool.Rates()[awsmiddleware.GetOperationName(ctx)]; ok {
				if err := limiters[r.Category].Wait(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
	}
}
