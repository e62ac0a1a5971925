package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"poolkeeper/lambda/cognito"
)

const allRegions = "all-regions"

// cognitoRegions are the Regions with user pools in the partition aws.
const cognitoRegions = "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 " +
	"ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 " +
	"eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 " +
	"me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"

// places returns a cli for each named profile and Region.
func (c *cli) places() (all []*cli) {
	regions := c.texts("region")
	if c.on(allRegions) {
		regions = strings.Fields(cognitoRegions)
	}
	for _, profile := range orOne(c.texts("profile")) {
		for _, region := range orOne(regions) {
			one := *c
			one.profile, one.region, one.clock, one.stack = profile, region, nil, nil
			all = append(all, &one)
		}
	}
	return all
}

// orOne returns the names, or the single one from the configuration.
func orOne(names []string) []string {
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// where returns the account and Region of a cli.
func (c *cli) where() string {
	if c.profile == "" {
		return c.region
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
func (c *cli) everywhere(ctx context.Context, to *results, failed func(poolPlan) error, do func(*cli) error) error {
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
			to.fail(one.where(), err.Error())
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
	var code string
	var ofSDK smithy.APIError
	var ours *cognito.Error
	switch {
	case errors.Is(err, errNoLedger):
		return "no ledger"
	case errors.As(err, &ofSDK):
		code = ofSDK.ErrorCode()
	case errors.As(err, &ours):
		code = ours.Code
	}
	return map[string]string{"UnrecognizedClientException": "not enabled", "InvalidClientTokenId": "not enabled",
		"ValidationError": "no such stack"}[code]
}
