// Package conformance checks poolkeeper's assumptions about the Cognito API with temporary user pools. The assumptions
// are in facts.yaml. The function does not link this package.
package conformance

import (
	"cmp"
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
	ID           string `json:"id"`
	Question     string `json:"question"`
	Source       string `json:"source"`
	Documented   string `json:"documented"`
	Measured     string `json:"measured"`
	Observed     string `json:"observed"`
	Status       Status `json:"status"`
	AsDocumented bool   `json:"asDocumented"`
	AsMeasured   bool   `json:"asMeasured"`
}

// Prefix is the prefix of the names of test pools, which Clean deletes.
const Prefix = "poolkeeper-conformance-"

// atOnce is the largest number of pools at the same time.
const atOnce = 3

// A Run checks facts. It makes raw calls, so that it can send members that the SDK does not know. A call that is
// throttled is made again.
type Run struct {
	sdk  *idp.Client
	rate *rate.Limiter
	have map[string]string
}

// NewRun returns a run that makes at most perSecond calls a second. have is the parameter of Facts.
func NewRun(config aws.Config, perSecond rate.Limit, have map[string]string) Run {
	throttled := retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	sdk := idp.NewFromConfig(config, func(o *idp.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Retryables = 8, []retry.IsErrorRetryable{throttled}
		})
	})
	return Run{sdk: sdk, rate: rate.NewLimiter(perSecond, 1), have: have}
}

// Ask checks the facts, at most three in parallel, and returns the results in their order. It calls each, if not nil,
// after each fact. Each pool is deleted, even if the context is done. If a call gets no response, Ask returns the error
// and the results so far.
func (r Run) Ask(ctx context.Context, facts []Fact, each func()) ([]Result, error) {
	results, errs := make([]Result, len(facts)), make([]error, len(facts))
	tickets := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, fact := range facts {
		tickets <- struct{}{}
		wait.Go(func() {
			defer func() { <-tickets }()
			results[i], errs[i] = r.ask(ctx, fact)
			if each != nil {
				each()
			}
		})
	}
	wait.Wait()
	return slices.DeleteFunc(results, func(r Result) bool { return r.ID == "" }), errors.Join(errs...)
}

func (r Run) ask(ctx context.Context, fact Fact) (Result, error) {
	result := Result{ID: fact.ID, Question: fact.Question, Source: fact.Source, Status: Skipped,
		Documented: fact.Documented, Measured: cmp.Or(fact.Measured, fact.Documented)}
	if _, ok := r.have[fact.Needs]; fact.Needs != "" && !ok {
		result.Observed = "needs " + fact.Needs
		return result, nil
	}
	got, err := r.pose(ctx, fact)
	refused, err := refusal(err)
	if refused != nil {
		result.Observed = "could not be checked: " + refused.ErrorCode() + ": " + refused.ErrorMessage()
		result.Status = Unknown
		return result, err
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", fact.ID, err)
	}
	result.Observed = got.String()
	result.AsDocumented, result.AsMeasured = got.meets(result.Documented, fact.Says), got.meets(result.Measured, fact.Says)
	switch {
	case result.AsDocumented || result.AsMeasured:
		result.Status = Holds
	case result.Documented == "unknown" || result.Measured == "unknown":
		result.Status = Unknown
	default:
		result.Status = Differs
	}
	return result, nil
}

// pose makes a pool, makes the calls and reads the answer. A refusal is one of a call before the last one.
func (r Run) pose(ctx context.Context, fact Fact) (got answer, err error) {
	created, err := r.call(ctx, "CreateUserPool", object{"PoolName": Prefix + strings.ToLower(rand.Text()),
		"UserPoolTags": object{"poolkeeper": "conformance"}})
	if err != nil {
		return got, err
	}
	ids := object{"UserPoolId": at(created, "UserPool.Id")}
	defer func() { err = errors.Join(err, r.delete(ctx, ids["UserPoolId"])) }()
	if fact.Client {
		client, err := r.call(ctx, "CreateUserPoolClient", merged(ids, object{"ClientName": "conformance"}))
		if err != nil {
			return got, err
		}
		ids["ClientId"] = at(client, "UserPoolClient.ClientId")
	}
	last := len(fact.Calls) - 1
	for _, one := range fact.Calls[:last] {
		if err := r.together(ctx, ids, one, 1); err != nil {
			return got, err
		}
	}
	if got.before, err = r.read(ctx, ids, fact); err != nil {
		return got, err
	}
	refused, err := refusal(r.together(ctx, ids, fact.Calls[last], max(1, fact.Together)))
	if refused != nil {
		got.refusal, got.message = refused.ErrorCode(), refused.ErrorMessage()
	}
	if refused != nil || err != nil {
		return got, err
	}
	got.read = fact.Read != ""
	got.after, err = r.read(ctx, ids, fact)
	return got, err
}

// together makes a call n times in parallel. One rejected call is enough.
func (r Run) together(ctx context.Context, ids object, one call, n int) error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for operation, body := range one {
		for i := range errs {
			wait.Go(func() { _, errs[i] = r.call(ctx, operation, merged(idsOf(ids, operation), body)) })
		}
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (r Run) read(ctx context.Context, ids object, fact Fact) (any, error) {
	operation, path, ok := strings.Cut(fact.Read, " ")
	if !ok {
		return nil, nil
	}
	read, err := r.call(ctx, operation, merged(idsOf(ids, operation), fact.ReadWith))
	if refused, _ := refusal(err); refused != nil && refused.ErrorCode() == "UserPoolAddOnNotEnabledException" {
		return nil, nil // before the call that turns threat protection on
	}
	return at(read, path), err
}

// idsOf returns the ids for a call: of the pool, and of the client if the call needs one.
func idsOf(ids object, operation string) object {
	if strings.HasSuffix(operation, "UserPoolClient") || strings.HasSuffix(operation, "RiskConfiguration") {
		return ids
	}
	return object{"UserPoolId": ids["UserPoolId"]}
}

func (r Run) call(ctx context.Context, operation string, body object) (answer object, err error) {
	if err := r.rate.Wait(ctx); err != nil {
		return nil, err
	}
	var response []byte
	raw, err := json.Marshal(body)
	if err == nil {
		response, _, err = cognito.Call(ctx, r.sdk, operation, raw)
	}
	if err == nil && len(response) > 0 {
		err = json.Unmarshal(response, &answer)
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

// delete deletes a pool even if it is protected or the context is done.
func (r Run) delete(ctx context.Context, id any) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer stop()
	body := object{"UserPoolId": id}
	_, err := r.call(ctx, "DeleteUserPool", body)
	if err != nil {
		_, _ = r.call(ctx, "UpdateUserPool", merged(body, object{"DeletionProtection": "INACTIVE"}))
		_, err = r.call(ctx, "DeleteUserPool", body)
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
			if !strings.HasPrefix(aws.ToString(pool.Name), Prefix) {
				continue
			}
			if err := r.delete(ctx, aws.ToString(pool.Id)); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}
