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
	var s summary
	err = c.results(func(to *stream.Stream) error {
		return replaying{c, r, to, ledger.NewMemory(), &s}.run(ctx, events)
	})
	if err != nil {
		return err
	}
	return s.exit()
}

// replaying is one run of replay.
type replaying struct {
	c       *cli
	r       *reconcile.Reconciler
	to      *stream.Stream
	scans   reconcile.Ledger // records the scans of this process only
	summary *summary
}

// run handles the events, and after a scan the events that it sends. An interruption ends the waits for a pool, but not
// its writes. The error is from the output or from an interruption.
func (p replaying) run(ctx context.Context, events [][]byte) error {
	for len(events) > 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %s not handled", counted(len(events), "event"))
		}
		sent, err := p.handle(ctx, event.Decode(events[0], event.Home{}))
		if err != nil {
			return err
		}
		events = append(sent, events[1:]...)
	}
	return nil
}

// handle handles an event, and returns the events that it sends.
func (p replaying) handle(ctx context.Context, request event.Request) (sent [][]byte, err error) {
	r := interruptible(ctx, p.r)
	out := outcome.Outcome{Outcome: outcome.Ignored, UserPoolID: request.UserPoolID, Cause: request.Cause,
		Baseline: r.Baseline.Digest, Drifts: []outcome.Finding{}, Writes: []string{},
		Reason: string(request.Reason) + ": " + request.Detail}
	switch request.Kind {
	case event.All:
		return p.scan(ctx, request)
	case event.One:
		out, err = r.Reconcile(context.WithoutCancel(ctx), request)
	}
	p.summary.Pools++
	p.summary.did(out, err)
	return nil, p.c.conclude(ctx, r, out, p.to, !request.Scan.Started.IsZero())
}

// scan returns the events that a scan sends, one for each pool.
func (p replaying) scan(ctx context.Context, request event.Request) (events [][]byte, err error) {
	send := func(_ context.Context, bodies []string) error {
		for _, body := range bodies {
			events = append(events, []byte(body))
		}
		return nil
	}
	result, failed := queue.Scanner{Pools: p.r.Pools, Baseline: p.r.Baseline, Ledger: p.scans, OwnRole: p.r.OwnRole,
		Send: send, Now: p.r.Now, Sleep: p.r.Sleep}.Scan(ctx, request)
	if failed != nil {
		p.summary.fail("scan", result.Reason)
	}
	return events, p.to.Write(stream.OfScan(result))
}
