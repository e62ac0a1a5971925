package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/smithy-go"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

const allRegions = "all-regions"

// cognitoRegions are the Regions with user pools in the partition aws.
const cognitoRegions = "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 " +
	"ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 " +
	"eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 " +
	"me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"

// places returns a cli for each named profile and Region.
func (c *cli) places() (all []*cli) {
	profiles, regions := c.texts("profile"), c.texts("region")
	if c.on(allRegions) {
		regions = strings.Fields(cognitoRegions)
	}
	if len(profiles) == 0 {
		profiles = []string{""} // the SDK chooses
	}
	if len(regions) == 0 {
		regions = []string{""}
	}
	for _, profile := range profiles {
		for _, region := range regions {
			one := *c
			one.profile, one.region, one.clock, one.stack = profile, region, nil, nil
			all = append(all, &one)
		}
	}
	return all
}

func (c *cli) where() string {
	switch {
	case c.profile == "":
		return c.region
	case c.region == "": // unknown: the profile could not be read
		return "profile " + c.profile
	}
	return "profile " + c.profile + ", " + c.region
}

// same returns the flags for commands on the same account and deployment.
func (c *cli) same(more ...string) (text string) {
	values := map[string]string{"profile": c.profile, "stack": c.text("stack"), "region": c.region}
	for _, name := range append([]string{"profile", "stack"}, more...) {
		if c.flags.Changed(name) {
			text += " --" + name + " " + values[name]
		}
	}
	return text
}

// everywhere does the work in each account and Region. If there are several, a failure of one does not stop the others;
// it is counted, and failed shows it. With --all-regions, it fails if all Regions are skipped.
func (c *cli) everywhere(ctx context.Context, failed func(poolPlan) error, do func(*cli) error) error {
	places, skipped, n := c.places(), map[string][]string{}, 0
	for _, one := range places {
		err := do(one)
		why := absent(err)
		switch {
		case err == nil:
		case len(places) == 1 || ctx.Err() != nil:
			return err
		case c.on(allRegions) && why != "":
			skipped[why] = append(skipped[why], one.where())
			if n++; n == len(places) {
				return err
			}
		default:
			c.to.fail(one.where(), err.Error())
			if err := failed(poolPlan{id: one.where(), err: err}); err != nil {
				return err
			}
		}
	}
	for _, why := range slices.Sorted(maps.Keys(skipped)) {
		fmt.Fprintf(c.notes, "skipped, %s: %s\n", why, strings.Join(skipped[why], ", "))
	}
	return nil
}

// absent says what a Region lacks where there is nothing to do, or "". Keys that no Region knows look the same.
func absent(err error) string {
	code := ""
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		code = answer.ErrorCode()
	} else if failed, ok := errors.AsType[*cognito.Error](err); ok {
		code = failed.Code
	} else if errors.Is(err, errNoLedger) {
		return "no ledger"
	}
	return map[string]string{"UnrecognizedClientException": "not enabled", "InvalidClientTokenId": "not enabled",
		"ValidationError": "no such stack"}[code]
}

// named checks that pools are given by their ids.
func named(ids ...string) error {
	for _, id := range ids {
		if !baseline.IsPoolID(id) {
			return fmt.Errorf("%q is not the id of a user pool, such as eu-west-1_AbCdEf123", id)
		}
	}
	return nil
}

func list(ctx context.Context, pools reconcile.Pools) (ids []string, err error) {
	var pages cognito.Pages
	var some []string
	for token := ""; token != "" || pages.Count == 0; ids = append(ids, some...) {
		if some, token, err = pools.List(ctx, token); err == nil {
			err = pages.Next(token)
		}
		if err != nil {
			return nil, fmt.Errorf("listing the user pools: %w", err)
		}
	}
	return ids, nil
}

// workers is the number of pools that are read in parallel, enough to use the full rates despite the response times.
const workers = 16

// each reads the given or all pools in parallel, and calls what read returns in the order of the pools. The first error
// of such a call, or an interruption, ends it.
func (c *cli) each(ctx context.Context, pools reconcile.Pools, ids []string, read func(string) func() error) error {
	if c.on("all") {
		listed, err := list(ctx, pools)
		if err != nil {
			return err
		} else if len(listed) == 0 { // another account or Region may have been meant
			fmt.Fprintf(c.notes, "this account has no user pool in %s (--profile, --region)\n", c.region)
		}
		ids = listed
	}
	var once []string
	for _, id := range ids {
		if !slices.Contains(once, id) {
			once = append(once, id)
		}
	}
	for some := range slices.Chunk(once, workers) {
		results := make([]func() error, len(some))
		var running sync.WaitGroup
		for i, id := range some {
			running.Go(func() { results[i] = read(id) })
		}
		running.Wait()
		for _, result := range results {
			if ctx.Err() != nil { // it may be why a pool could not be read
				return ctx.Err()
			} else if err := result(); err != nil {
				return err
			}
		}
	}
	return nil
}

var errGone = errors.New(outcome.GoneReason)

// gone returns the error for a named pool that does not exist here, and names the Region of its id.
func (c *cli) gone(ctx context.Context, pools reconcile.Pools, id string) error {
	if made, _, ok := strings.Cut(id, "_"); ok && made != c.region {
		return fmt.Errorf("%w: its id is from %s, but the command uses %s (--region)", errGone, made, c.region)
	}
	ids, _ := list(ctx, pools)
	return fmt.Errorf("%w%s", errGone, didYouMean("", id, ids))
}

func (c *cli) read(ctx context.Context, pools reconcile.Pools, id string, want userpool.Want) (userpool.State, error) {
	if err := named(id); err != nil {
		return userpool.State{}, err
	}
	state, err := pools.Read(ctx, id, want)
	if cognito.ClassOf(err) == cognito.ClassGone {
		err = c.gone(ctx, pools, id)
	}
	if err != nil {
		return state, fmt.Errorf("reading user pool %s: %w", id, err)
	}
	return state, nil
}
