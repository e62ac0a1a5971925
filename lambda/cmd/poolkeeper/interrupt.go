package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// confirm asks a question and fails if the answer is not yes. nothing is the message for what was then not done.
func (c *cli) confirm(ctx context.Context, question, nothing string) error {
	fmt.Fprint(c.err, question, " Type yes to continue: ")
	answer, err := interruptibly(ctx, func() ([]byte, error) { return bufio.NewReader(c.in).ReadBytes('\n') })
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(c.err)
		return errors.New("interrupted: " + nothing)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("reading the answer: %w", err)
	case string(bytes.TrimSpace(answer)) != "yes":
		return errors.New(nothing + ": the answer was not yes (use --yes to skip the question)")
	default:
		return nil
	}
}

// interruptibly waits for a read until ctx ends, because no read of a file or a terminal can be canceled.
func interruptibly(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	var text []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, err = read()
	}()
	select {
	case <-done:
		return text, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
