// Package conformance checks poolkeeper's assumptions about the Cognito API with temporary user pools. The assumptions
// are in facts.yaml. The function does not link this package.
package conformance

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/time/rate"

	"poolkeeper/lambda/cognito"
)

// A Status is the result of comparing an answer with the expected one.
type Status string

// The statuses of a result.
const (
	Holds   Status = "holds"   // as documented, or as last measured
	Differs Status = "differs" // neither as documented nor as last measured
	Unknown Status = "unknown" // the expected answer is not known, or the check failed
	Skipped Status = "skipped" // it needs a resource that was not given
)

// A Result is one fact with the answer of the API.
type Result struct {
	Fact
	Observed     string `json:"observed"`
	Status       Status `json:"status"`
	AsDocumented bool   `json:"asDocumented"`
	AsMeasured   bool   `json:"asMeasured"`
}

// Prefix is the prefix of the names of test pools, which Clean deletes.
const Prefix = "poolkeeper-conformance-"

// A Run checks facts. It makes raw calls, so that it can send members that the SDK does not know. A call that is
// throttled is made again.
type Run struct {
	sdk  *idp.Client
	rate *rate.Limiter
}

// NewRun returns a run. Its rate for all calls is a third of the lowest documented rate, because other tools share the
// rates. An emulator has no rates.
func NewRun(config aws.Config) Run {
	throttled := []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
	r := Run{rate: rate.NewLimiter(5, 1), sdk: idp.NewFromConfig(config, func(o *idp.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.Retryables = 8, throttled })
	})}
	if r.sdk.Options().BaseEndpoint != nil {
		r.rate.SetLimit(rate.Inf)
	}
	return r
}

// Ask checks the facts, at most three in parallel, and returns the results in their order. It calls each after each
// fact. Each pool is deleted, even if the context is done. If a call gets no response, Ask returns the error and the
// results so far.
func (r Run) Ask(ctx context.Context, facts []Fact, each func()) ([]Result, error) {
	results, errs := make([]Result, len(facts)), make([]error, len(facts))
	tickets := make(chan struct{}, 3)
	var wait sync.WaitGroup
	for i, fact := range facts {
		tickets <- struct{}{}
		wait.Go(func() {
			defer func() { <-tickets }()
			results[i], errs[i] = r.ask(ctx, fact)
			each()
		})
	}
	wait.Wait()
	return slices.DeleteFunc(results, func(r Result) bool { return r.ID == "" }), errors.Join(errs...)
}

func (r Run) ask(ctx context.Context, fact Fact) (Result, error) {
	if fact.Needs != "" {
		return Result{fact, "needs " + fact.Needs, Skipped, false, false}, nil
	}
	got, err := r.pose(ctx, fact)
	code, message, err := refusal(err)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", fact.ID, err)
	}
	if code != "" {
		return Result{fact, "could not be checked: " + code + ": " + message, Unknown, false, false}, nil
	}
	documented, measured := got.meets(fact.Documented, fact.Says), got.meets(fact.Measured, fact.Says)
	status := Differs
	if documented || measured {
		status = Holds
	} else if fact.Documented == "unknown" || fact.Measured == "unknown" {
		status = Unknown
	}
	return Result{fact, got.String(), status, documented, measured}, nil
}

// pose makes a pool, makes the calls and reads the answer. An error is one of a call before the last one.
func (r Run) pose(ctx context.Context, fact Fact) (got answer, err error) {
	created, err := r.call(ctx, "CreateUserPool", nil, object{"PoolName": Prefix + strings.ToLower(rand.Text()),
		"UserPoolTags": object{"poolkeeper": "conformance"}})
	if err != nil {
		return got, err
	}
	ids := object{"UserPoolId": at(created, "UserPool.Id")}
	defer func() { err = errors.Join(err, r.delete(ctx, ids["UserPoolId"])) }()
	if fact.Client {
		created, err = r.call(ctx, "CreateUserPoolClient", ids, object{"ClientName": "conformance"})
		ids["ClientId"] = at(created, "UserPoolClient.ClientId")
	}
	last := len(fact.Calls) - 1
	for i := 0; i < last && err == nil; i++ {
		err = r.together(ctx, ids, fact.Calls[i], 1)
	}
	if err == nil {
		got.before, err = r.read(ctx, ids, fact)
	}
	if err != nil {
		return got, err
	}
	got.refusal, got.message, err = refusal(r.together(ctx, ids, fact.Calls[last], max(1, fact.Together)))
	if got.refusal == "" && err == nil {
		got.after, err = r.read(ctx, ids, fact)
	}
	return got, err
}

// together makes a call n times in parallel. One rejected call is enough.
func (r Run) together(ctx context.Context, ids object, one call, n int) error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for operation, body := range one {
		for i := range errs {
			wait.Go(func() { _, errs[i] = r.call(ctx, operation, ids, body) })
		}
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (r Run) read(ctx context.Context, ids object, fact Fact) (string, error) {
	operation, path, ok := strings.Cut(fact.Read, " ")
	if !ok {
		return "", nil
	}
	read, err := r.call(ctx, operation, ids, fact.ReadWith)
	if code, _, _ := refusal(err); code == "UserPoolAddOnNotEnabledException" {
		err = nil // before the call that turns threat protection on
	}
	return text(at(read, path)), err
}

// call makes a call with those of the ids that it needs. A ClientId of "" in the body makes it a call for the pool.
func (r Run) call(ctx context.Context, operation string, ids, body object) (answer object, err error) {
	body = merged(ids, body)
	ofClient := strings.HasSuffix(operation, "UserPoolClient") || strings.HasSuffix(operation, "RiskConfiguration")
	if !ofClient || body["ClientId"] == "" {
		delete(body, "ClientId")
	}
	if err := r.rate.Wait(ctx); err != nil {
		return nil, err
	}
	response, _, err := cognito.Call(ctx, r.sdk, operation, []byte(text(body)))
	if err == nil && len(response) > 0 {
		err = json.Unmarshal(response, &answer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return answer, nil
}

// refusal splits an error into the name and message of the one that the API responded with, or "", and any other. An
// emulator may respond with an error in another form than the API's.
func refusal(err error) (code, message string, other error) {
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return refused.ErrorCode(), refused.ErrorMessage(), nil
	}
	if answered, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return fmt.Sprint("HTTP", answered.HTTPStatusCode()), "", nil
	}
	return "", "", err
}

// delete deletes a pool even if it is protected or the context is done.
func (r Run) delete(ctx context.Context, id any) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer stop()
	ids := object{"UserPoolId": id}
	_, err := r.call(ctx, "DeleteUserPool", ids, nil)
	if err != nil {
		_, _ = r.call(ctx, "UpdateUserPool", ids, object{"DeletionProtection": "INACTIVE"})
		_, err = r.call(ctx, "DeleteUserPool", ids, nil)
	}
	if err != nil {
		return fmt.Errorf("deleting the test pool %v: %w", id, err)
	}
	return nil
}

// Clean deletes the pools that earlier runs left behind, and returns their number.
func (r Run) Clean(ctx context.Context) (n int, err error) {
	pages := idp.NewListUserPoolsPaginator(r.sdk, &idp.ListUserPoolsInput{MaxResults: aws.Int32(60)},
		func(o *idp.ListUserPoolsPaginatorOptions) { o.StopOnDuplicateToken = true })
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return n, fmt.Errorf("listing the pools: %w", err)
		}
		for _, pool := range page.UserPools {
			if strings.HasPrefix(aws.ToString(pool.Name), Prefix) {
				if err := r.delete(ctx, aws.ToString(pool.Id)); err != nil {
					return n, err
				}
				n++
			}
		}
	}
	return n, nil
}
