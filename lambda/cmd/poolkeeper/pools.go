package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// A selection is the pools that a command works on.
type selection struct {
	ids []string
	all bool
}

// which returns the pools of the flags.
func (c *cli) which() selection { return selection{ids: c.texts("pool"), all: c.on("all")} }

// poolID matches the id of a pool. A matching text is safe to print and to use in a command that people are asked to
// run. Ids from files and from the ledger's table are not trusted.
var poolID = regexp.MustCompile(`^[\w-]+_[0-9A-Za-z]+$`)

// named checks that the pools are given by their ids.
func (s selection) named() error {
	for _, id := range s.ids {
		if !poolID.MatchString(id) {
			return fmt.Errorf("%q is not the id of a user pool, such as eu-west-1_AbCdEf123", id)
		}
	}
	return nil
}

// list returns the ids of all pools.
func list(ctx context.Context, pools reconcile.Pools) (ids []string, err error) {
	var pages cognito.Pages
	for token := ""; ; {
		some, next, err := pools.List(ctx, token)
		if err == nil {
			err = pages.Next(next)
		}
		if err != nil {
			return nil, fmt.Errorf("listing the user pools: %w", err)
		}
		ids = append(ids, some...)
		if token = next; next == "" {
			return ids, nil
		}
	}
}

// workers is the number of pools that are read in parallel, enough to use the full rates despite the response times.
const workers = 16

// each does the work for every pool of a selection in parallel, and emits the results in the order of the pools. The
// first error of emit, or an interruption, ends it.
func each[T any](ctx context.Context, c *cli, pools reconcile.Pools, s selection,
	work func(context.Context, string) T, emit func(T) error) (err error) {
	listed := s.ids
	if s.all {
		if listed, err = list(ctx, pools); err == nil && len(listed) == 0 {
			// Another account or Region may have been meant.
			fmt.Fprintf(c.notes, "this account has no user pool in %s (--profile, --region)\n", c.region)
		}
	}
	var ids []string
	for _, id := range listed {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for some := range slices.Chunk(ids, workers) {
		results := make([]T, len(some))
		var running sync.WaitGroup
		for i, id := range some {
			running.Go(func() { results[i] = work(ctx, id) })
		}
		running.Wait()
		for _, result := range results {
			if err := emit(result); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}

// errGone means that a named pool does not exist.
var errGone = errors.New(outcome.GoneReason)

// gone returns an error for a named pool that does not exist here. If the id begins with another Region, the error
// names it.
func (c *cli) gone(ctx context.Context, pools reconcile.Pools, id string) error {
	if made, _, ok := strings.Cut(id, "_"); ok && made != c.region {
		return fmt.Errorf("%w: its id is from %s, but the command uses %s (--region)", errGone, made, c.region)
	}
	ids, _ := list(ctx, pools)
	return fmt.Errorf("%w%s", errGone, didYouMean("", id, ids))
}

// read reads the requested documents of a named pool.
func (c *cli) read(ctx context.Context, pools reconcile.Pools, id string, want userpool.Want) (userpool.State, error) {
	if err := (selection{ids: []string{id}}).named(); err != nil {
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
