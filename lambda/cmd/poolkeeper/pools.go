package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"poolkeeper/lambda/reconcile"
)

// A selection is the pools that a command works on.
type selection struct {
	ids []string
	all bool
}

func (c *cli) poolFlags(command *cobra.Command, s *selection) {
	command.PreRunE = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 { // a saved plan already contains its pools
			return nil
		}
		return s.check()
	}
	command.Flags().BoolVar(&s.all, "all", false, "every user pool of the account and Region")
	c.poolFlag(command, &s.ids, "id of a user pool; may be given several times")
}

// poolFlag adds --pool, with shell completion from the existing pools.
func (c *cli) poolFlag(command *cobra.Command, ids *[]string, help string) {
	command.Flags().StringSliceVar(ids, "pool", nil, help)
	offer(command, "pool", func(command *cobra.Command) []string {
		pools, err := c.places()[0].connect(command.Context())
		if err != nil {
			return nil
		}
		ids, _ := list(command.Context(), pools)
		return ids
	})
}

func (s selection) check() error {
	if len(s.ids) > 0 && s.all {
		return errors.New("use --pool or --all, not both")
	} else if len(s.ids) == 0 && !s.all {
		return errors.New("name the pools with --pool ID (it may be repeated), or use --all")
	}
	return s.named()
}

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

// list returns the ids of the pools, without duplicates.
func (s selection) list(ctx context.Context, pools reconcile.Pools) ([]string, error) {
	if s.all {
		return list(ctx, pools)
	}
	var ids []string
	for _, id := range s.ids {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// list returns the ids of all pools.
func list(ctx context.Context, pools reconcile.Pools) (ids []string, err error) {
	for token := ""; ; {
		some, next, err := pools.List(ctx, token)
		if err == nil && next != "" && next == token {
			err = errors.New("the API returned the token of the same page again")
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

// inOrder does the work for several ids in parallel, and emits the results in the order of the ids. The first error of
// emit, or an interruption, ends it.
func inOrder[T any](ctx context.Context, ids []string, work func(context.Context, string) T, emit func(T) error) error {
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
	return nil
}
