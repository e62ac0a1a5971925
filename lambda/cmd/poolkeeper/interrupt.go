package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// interruptible returns a Reconciler for one run. Before the first write, the end of ctx ends its waits, such as that
// for a lease. After it, the run completes, so that the writes of a pool are never left half done. Pass a context that
// does not end to the run itself.
func interruptible(ctx context.Context, r *reconcile.Reconciler) *reconcile.Reconciler {
	one, pools := *r, &writing{Pools: r.Pools}
	one.Pools = pools
	one.Sleep = func(whole context.Context, d time.Duration) error {
		switch {
		case pools.wrote:
			return r.Sleep(whole, d)
		case ctx.Err() != nil:
			return ctx.Err() // even if the wait is short
		default:
			return r.Sleep(ctx, d)
		}
	}
	return &one
}

// writing records whether anything was written.
type writing struct {
	reconcile.Pools
	wrote bool
}

func (w *writing) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	w.wrote = true
	return w.Pools.Write(ctx, id, request)
}

// ask asks for confirmation before anything is written.
func (a *applying) ask(ctx context.Context, pools int) error {
	if a.yes {
		return nil
	}
	return a.c.confirm(ctx, a.in, fmt.Sprintf("Write to %s?", counted(pools, "user pool")), "nothing was written")
}

// confirm asks a question and fails if the answer is not yes. nothing is the message for what was then not done.
func (c *cli) confirm(ctx context.Context, in io.Reader, question, nothing string) error {
	fmt.Fprint(c.err, question, " Type yes to continue: ")
	answer, err := interruptibly(ctx, func() (string, error) { return bufio.NewReader(in).ReadString('\n') })
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(c.err)
		return errors.New("interrupted: " + nothing)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("reading the answer: %w", err)
	case strings.TrimSpace(answer) != "yes":
		return errors.New(nothing + ": the answer was not yes (use --yes to skip the question)")
	default:
		return nil
	}
}

// interruptibly waits for a read until ctx ends, because no read of a file or a terminal can be canceled.
func interruptibly[T any](ctx context.Context, read func() (T, error)) (got T, err error) {
	done := make(chan struct{})
	var result T
	var failed error
	go func() {
		result, failed = read()
		close(done)
	}()
	select {
	case <-done:
		return result, failed
	case <-ctx.Done():
		return got, ctx.Err()
	}
}
