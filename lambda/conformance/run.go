// Package conformance checks poolkeeper's assumptions about the Cognito API with temporary user pools. The assumptions
// are in facts.yaml. The function does not link this package.
package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Status is the result of comparing an answer with the expected one.
type Status string

// The statuses of a result.
const (
	Holds   Status = "holds"   // as documented, or as last measured
	Differs Status = "differs" // neither as documented nor as measured as documented nor as measured
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

// A Run checks facts.
type Run struct {
	API API
	// Have are the available resources by the word in Fact.Needs: the ARN of the role, the identity or the function.
	Have map[string]string
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
		Documented: r.fill(fact.Documented), Measured: r.fill(fact.Measured)}
	if _, ok := r.Have[fact.Needs]; fact.Needs != "" && !ok {
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
	created, err := r.API.call(ctx, "CreateUserPool", map[string]any{"PoolName": Prefix + strings.ToLower(rand.Text()),
		"UserPoolTags": map[string]any{"poolkeeper": "conformance"}})
	if err != nil {
		return got, err
	}
	ids := map[string]any{"UserPoolId": at(created, "UserPool.Id")}
	defer func() { err = errors.Join(err, r.delete(ctx, ids["UserPoolId"])) }()
	if fact.Client {
		client, err := r.API.call(ctx, "CreateUserPoolClient", merged(ids, map[string]any{"ClientName": "conformance"}))
		if err != nil {
			return got, err
		}
		ids["ClientId"] = at(client, "UserPoolClient.ClientId")
	}
	last := len(fact.Calls) - 1
	for _, call := range fact.Calls[:last] {
		if err := r.call(ctx, ids, call); err != nil {
			return got, err
		}
	}
	if got.before, err = r.read(ctx, ids, fact); err != nil {
		return got, err
	}
	refused, err := refusal(r.together(ctx, ids, fact))
	if refused != nil {
		got.word, got.message = "refused "+refused.ErrorCode(), refused.ErrorMessage()
		return got, nil
	}
	if err != nil {
		return got, err
	}
	got.word, got.read = "accepted", fact.Read != ""
	got.after, err = r.read(ctx, ids, fact)
	return got, err
}

// together makes the last call several times in parallel, as the fact says. One rejected call is enough.
func (r Run) together(ctx context.Context, ids map[string]any, fact Fact) error {
	errs := make([]error, max(1, fact.Together))
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() { errs[i] = r.call(ctx, ids, fact.Calls[len(fact.Calls)-1]) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (r Run) call(ctx context.Context, ids map[string]any, call map[string]map[string]any) error {
	for operation, body := range call {
		given, _ := r.filled(body).(map[string]any)
		if _, err := r.API.call(ctx, operation, merged(idsOf(ids, operation), given)); err != nil {
			return err
		}
	}
	return nil
}

func (r Run) read(ctx context.Context, ids map[string]any, fact Fact) (any, error) {
	operation, path, ok := strings.Cut(fact.Read, " ")
	if !ok {
		return nil, nil
	}
	read, err := r.API.call(ctx, operation, merged(idsOf(ids, operation), fact.ReadWith))
	if refused, _ := refusal(err); refused != nil && refused.ErrorCode() == "UserPoolAddOnNotEnabledException" {
		return nil, nil // before the call that turns threat protection on
	}
	return at(read, path), err
}

// idsOf returns the ids for a call: of the pool, and of the client if the call needs one.
func idsOf(ids map[string]any, operation string) map[string]any {
	if strings.HasSuffix(operation, "UserPoolClient") || strings.HasSuffix(operation, "RiskConfiguration") {
		return ids
	}
	return map[string]any{"UserPoolId": ids["UserPoolId"]}
}

// merged returns the members of both objects; those of b override those of a. A ClientId of "" is left out: the call is
// for the pool.
func merged(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	if all["ClientId"] == "" {
		delete(all, "ClientId")
	}
	return all
}

// delete deletes a pool even if it is protected or the context is done.
func (r Run) delete(ctx context.Context, id any) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer stop()
	body := map[string]any{"UserPoolId": id}
	_, err := r.API.call(ctx, "DeleteUserPool", body)
	if err != nil {
		off := merged(body, map[string]any{"DeletionProtection": "INACTIVE"})
		if _, err = r.API.call(ctx, "UpdateUserPool", off); err == nil {
			_, err = r.API.call(ctx, "DeleteUserPool", body)
		}
	}
	if err != nil {
		return fmt.Errorf("deleting the test pool %v: %w", id, err)
	}
	return nil
}

// Clean deletes the pools that earlier runs left behind, and returns their number.
func (r Run) Clean(ctx context.Context) (int, error) {
	n := 0
	body := map[string]any{"MaxResults": 60}
	for {
		page, err := r.API.call(ctx, "ListUserPools", body)
		if err != nil {
			return n, err
		}
		pools, _ := page["UserPools"].([]any)
		for _, pool := range pools {
			if name, _ := at(pool, "Name").(string); !strings.HasPrefix(name, Prefix) {
				continue
			}
			if err := r.delete(ctx, at(pool, "Id")); err != nil {
				return n, err
			}
			n++
		}
		if page["NextToken"] == nil || page["NextToken"] == body["NextToken"] {
			return n, nil
		}
		body["NextToken"] = page["NextToken"]
	}
}

// filled returns a value with the placeholders filled in.
func (r Run) filled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			out[name] = r.filled(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.filled(e)
		}
		return out
	case string:
		return r.fill(v)
	default:
		return v
	}
}

func (r Run) fill(text string) string {
	return strings.NewReplacer("${SMS_ROLE}", r.Have["sms"], "${SES}", r.Have["ses"],
		"${LAMBDA}", r.Have["lambda"]).Replace(text)
}

// at returns the value at a dotted path, or nil.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}
