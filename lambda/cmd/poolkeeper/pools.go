package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"poolkeeper/lambda/reconcile"
)

// A selection is which pools a command is about.
type selection struct {
	ids []string
	all bool
}

func (c *cli) poolFlags(command *cobra.Command, s *selection) {
	command.PreRunE = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 { // a saved plan has its pools
			return nil
		}
		return s.check()
	}
	command.Flags().BoolVar(&s.all, "all", false, "every user pool of the account and Region")
	c.poolFlag(command, &s.ids, "id of a user pool; may be given several times")
}

// poolFlag adds --pool, for which the shell offers the pools that there are.
func (c *cli) poolFlag(command *cobra.Command, ids *[]string, help string) {
	command.Flags().StringSliceVar(ids, "pool", nil, help)
	offer(command, "pool", func(command *cobra.Command) []string {
		pools, err := c.places()[0].connect(command.Context())
		if err != nil {
			return nil
		}
		return idsOf(command.Context(), pools)
	})
}

// idsOf returns the ids of all pools, as far as they can be listed.
func idsOf(ctx context.Context, pools reconcile.Pools) []string {
	var ids []string
	list(ctx, pools, func(id string, err error) bool {
		if err == nil {
			ids = append(ids, id)
		}
		return err == nil
	})
	return ids
}

func (s selection) check() error {
	if (len(s.ids) > 0) == s.all {
		return errors.New("name the pools with --pool ID (it may be repeated), or use --all")
	}
	return s.named()
}

// poolID is what an id looks like. Such a text is safe to print, and in a command that somebody is asked to run:
// neither files nor the items of the ledger's table are signed.
var poolID = regexp.MustCompile(`^[\w-]+_[0-9A-Za-z]+$`)

// named checks that the pools are named by their ids.
func (s selection) named() error {
	for _, id := range s.ids {
		if !poolID.MatchString(id) {
			return fmt.Errorf("%q is not the id of a user pool, such as eu-west-1_AbCdEf123", id)
		}
	}
	return nil
}

// each yields the ids of the pools, page by page, so that their number does not matter. One that is named twice comes
// once. An error ends it.
func (s selection) each(ctx context.Context, pools reconcile.Pools) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i, id := range s.ids {
			if !slices.Contains(s.ids[:i], id) && !yield(id, nil) {
				return
			}
		}
		if s.all {
			list(ctx, pools, yield)
		}
	}
}

// list yields the ids of all pools, page by page.
func list(ctx context.Context, pools reconcile.Pools, yield func(string, error) bool) {
	for token := ""; ; {
		ids, next, err := pools.List(ctx, token)
		if err == nil && next != "" && next == token {
			err = errors.New("the API gave the token of the same page again")
		}
		if err != nil {
			yield("", fmt.Errorf("listing the user pools: %w", err))
			return
		}
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
		if token = next; next == "" {
			return
		}
	}
}

// workers is how many pools are read side by side: enough to use up the rates while each answer takes its time.
const workers = 16

// inOrder does the work for each id, several side by side, and hands on the results in the order of the ids. It holds
// no more than a few results at a time. The first error of the ids, or of emit, ends it.
func inOrder[T any](ctx context.Context, ids iter.Seq2[string, error], work func(context.Context, string) T,
	emit func(T) error) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	queue := make(chan chan T, workers)
	var listing error
	running.Go(func() {
		defer close(queue)
		for id, err := range ids {
			if err != nil {
				listing = err
				return
			}
			result := make(chan T, 1)
			select {
			case queue <- result:
			case <-ctx.Done():
				listing = ctx.Err()
				return
			}
			running.Go(func() { result <- work(ctx, id) })
		}
	})
	for result := range queue {
		if err := emit(<-result); err != nil {
			return err
		}
	}
	return listing
}
