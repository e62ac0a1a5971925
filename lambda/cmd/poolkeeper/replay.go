package main

import (
	"context"
	"fmt"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) replay(ctx context.Context, paths []string) error {
	mode := baseline.Mode(c.getenv("MODE"))
	if mode != "" && mode != baseline.Audit && mode != baseline.Enforce {
		return fmt.Errorf("MODE is %q, so nothing was written: it must be audit, enforce or unset", mode)
	}
	var events [][]byte // of all files, before the first one is handled
	for _, path := range paths {
		payload, err := c.readFile(ctx, "event", path)
		if err != nil {
			return err
		}
		some, err := event.Unpack(payload)
		if err != nil {
			return fmt.Errorf("reading the event %s: %w", path, err)
		}
		events = append(events, some...)
	}
	name, text, err := c.baselineText(ctx, c.text("baseline"))
	if err != nil {
		return err
	}
	required, err := baseline.Parse(name, text)
	if err != nil {
		return err
	}
	if c.on("audit") || mode == baseline.Audit && !c.flags.Changed("audit") {
		required = required.InMode(baseline.Audit)
	}
	r, err := c.recording(ctx, required)
	if err != nil {
		return err
	}
	r.OwnRole = c.getenv("ROLE_ARN")
	return c.show(func(to *results) error { return c.handle(ctx, to, r, events) })
}

// handle handles the events, and after a scan the events that it sends, one for each pool. An interruption ends the
// waits for a pool, but not its writes. The error is from the output or from an interruption.
func (c *cli) handle(ctx context.Context, to *results, r *reconcile.Reconciler, events [][]byte) error {
	var sent [][]byte
	scanner := queue.Scanner{Pools: r.Pools, Baseline: r.Baseline, Ledger: ledger.NewMemory(), OwnRole: r.OwnRole,
		Now: r.Now, Sleep: r.Sleep, Send: func(_ context.Context, bodies []string) error {
			for _, body := range bodies {
				sent = append(sent, []byte(body))
			}
			return nil
		}}
	for ; len(events) > 0; events, sent = append(sent, events[1:]...), nil {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %s not handled", counted(len(events), "event"))
		}
		request := event.Decode(events[0], event.Home{})
		if request.Kind == event.All {
			result, failed := scanner.Scan(ctx, request)
			if failed != nil {
				to.fail("scan", result.Reason)
			}
			if err := to.Write(stream.OfScan(result)); err != nil {
				return err
			}
			continue
		}
		var err error
		one := interruptible(ctx, r)
		out := outcome.Outcome{Outcome: outcome.Ignored, UserPoolID: request.UserPoolID, Cause: request.Cause,
			Baseline: r.Baseline.Digest, Drifts: []outcome.Finding{}, Writes: []string{},
			Reason: string(request.Reason) + ": " + request.Detail}
		if request.Kind == event.One {
			out, err = one.Reconcile(context.WithoutCancel(ctx), request)
		}
		to.Pools++
		to.did(out, err)
		if err := c.conclude(ctx, to, one, out, !request.Scan.Started.IsZero()); err != nil {
			return err
		}
	}
	return nil
}
