package main

import (
	"context"
	"time"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// interruptible returns a Reconciler for one run. The end of ctx ends its waits, such as that for a lease, until it
// writes. From then on the run comes to its end: the writes of one pool are never left half done. The run itself has to
// be given a context that does not end.
func interruptible(ctx context.Context, r *reconcile.Reconciler) *reconcile.Reconciler {
	one, pools := *r, &writing{Pools: r.Pools}
	one.Pools = pools
	one.Sleep = func(whole context.Context, d time.Duration) error {
		switch {
		case pools.wrote:
			return r.Sleep(whole, d)
		case ctx.Err() != nil:
			return ctx.Err() // however short the wait
		default:
			return r.Sleep(ctx, d)
		}
	}
	return &one
}

// writing notes whether anything was written.
type writing struct {
	reconcile.Pools
	wrote bool
}

func (w *writing) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	w.wrote = true
	return w.Pools.Write(ctx, id, request)
}
