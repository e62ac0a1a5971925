package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) apply(ctx context.Context, args []string) error {
	a, ids := applying{c: c, cause: "apply"}, c.texts("pool")
	if len(args) == 0 {
		return a.run(ctx, ids, (*cli).prepare)
	}
	if c.on("all") || len(ids) > 0 || c.flags.Changed("baseline") || len(c.places()) > 1 {
		return errors.New("a saved plan already contains its pools and baseline, of one account and Region: leave out " +
			"--pool, --all and --baseline")
	}
	plan := savedPlan{path: args[0]}
	raw, err := c.readFile(ctx, "plan", plan.path)
	if err == nil && (json.Unmarshal(raw, &plan) != nil || plan.Format != planFormat) {
		err = fmt.Errorf("%s is not a plan of this version", plan.path)
	}
	if err != nil {
		return fmt.Errorf("%w (a plan is a file that poolkeeper plan --out saved; --pool names a pool, --baseline a "+
			"baseline)", err)
	}
	required, err := baseline.Parse(plan.File, []byte(plan.Baseline))
	if err != nil {
		return err
	}
	for _, p := range plan.Pools {
		ids = append(ids, p.UserPoolID)
	}
	a.plan = &plan
	return a.run(ctx, ids, func(one *cli, ctx context.Context) (*reconcile.Reconciler, error) {
		return one.recording(ctx, required)
	})
}

// applying is one run of apply, restore or undo.
type applying struct {
	c      *cli
	cause  string          // reason of the writes, for records
	plan   *savedPlan      // if it is not nil, nothing else is written
	target *userpool.State // the state that restore and undo return to
	lost   []string        // settings that no call can restore
}

// run shows what would be written in each account and Region, asks, and writes.
func (a *applying) run(ctx context.Context, ids []string, of source) error {
	if err := named(ids...); err != nil {
		return err
	}
	if !a.c.on("no-backup") && a.c.text("backups") == "" {
		return errors.New("--backups names no folder, so nothing was written: name one, or use --no-backup")
	}
	changes, err := a.preview(ctx, ids, of)
	if err == nil && len(changes) > 0 {
		question := fmt.Sprintf("Write to %s?", counted(len(changes), "user pool"))
		err = a.c.confirm(ctx, question, "nothing was written")
	}
	if err != nil {
		return err
	}
	a.c.to.Outcomes = map[outcome.Ending]int{}
	for i, next := range changes {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d pools were not changed", len(changes)-i, len(changes))
		}
		if err := a.write(ctx, next); err != nil {
			return fmt.Errorf("%d of %d pools were not changed: %w", len(changes)-i-1, len(changes), err)
		}
	}
	return a.c.to.Write(stream.OfSummary("summary", a.c.to, a.c.to.done(a.target != nil)))
}

// preview shows the plan and returns the plans of the pools to write. People see the plan before they are asked. For
// pipelines, pools that are not written are already results.
func (a *applying) preview(ctx context.Context, ids []string, of source) (changes []poolPlan, err error) {
	if len(a.lost) > 0 {
		a.c.to.remains = true
		text := "These differ from the earlier state, and no call by poolkeeper can restore them:\n  " +
			strings.Join(a.lost, "\n  ")
		if err := a.c.to.Write(stream.OfSummary("unwritable", a.lost, text)); err != nil {
			return nil, err
		}
	}
	plan, piped := a.c.to.Stream, a.c.output != stream.Text
	if a.plan != nil && a.c.on("yes") { // it was shown when it was saved
		plan = stream.New(stream.Text, io.Discard, false)
	} else if piped {
		plan = stream.New(stream.Text, a.c.notes, false)
	}
	var refused []error
	err = a.c.plans(ctx, ids, of, func(p poolPlan) error {
		if err := a.plan.allows(p); err != nil {
			refused = append(refused, err)
			return nil
		}
		err := plan.Write(p.entry(a.c.on("all"), true))
		if p.writes() {
			changes = append(changes, p)
			return errors.Join(err, a.warn(plan, p))
		} else if piped {
			return errors.Join(err, a.c.to.Write(p.entry(a.c.on("all"), false)))
		}
		return err
	})
	if err = errors.Join(append(refused, err)...); err == nil {
		err = plan.Write(stream.OfSummary("plan", a.c.to, a.c.to.plan(a.target == nil)))
	}
	return changes, err
}

// write writes to one pool. A failed pool does not stop the others; the returned error is one of the output.
func (a *applying) write(ctx context.Context, next poolPlan) error {
	if !a.c.on("no-backup") {
		if err := a.c.save(a.c.text("backups"), next.preview.Before, false); err != nil {
			a.c.to.fail(next.id, err.Error())
			return a.c.to.Write(stream.OfFailure(next.id, err))
		}
	}
	r := interruptible(ctx, next.r)
	cause := event.Cause{EventName: a.cause}
	out, err := r.ReconcileFrom(context.WithoutCancel(ctx), next.id, next.preview.State, cause)
	if out.Reason == outcome.GoneReason {
		err = errGone // deleted after the plan was shown
	}
	a.c.to.did(out, err)
	if a.c.output == stream.Text || a.c.output == stream.Markdown {
		out.Outcome = shown(out.Outcome, a.target != nil)
	}
	return a.c.conclude(ctx, r, out, false)
}

// conclude shows an outcome, and then closes the records of its run. An error of the ledger does not change the
// outcome, but the history is incomplete. The id of a record that exists only in this process is hidden.
func (c *cli) conclude(ctx context.Context, r *reconcile.Reconciler, out outcome.Outcome, brief bool) error {
	failed := out.Details.LedgerError
	if failed != "" {
		fmt.Fprintf(c.err, "the ledger failed: %s\n", failed)
	}
	if _, memory := r.Ledger.(*ledger.Memory); memory {
		out.Record = ""
	}
	if err := c.to.Write(stream.OfOutcome(out, brief)); err != nil {
		return err
	}
	if err := r.Close(ctx, out); err != nil && failed == "" {
		fmt.Fprintf(c.err, "the ledger failed: closing the record: %v\n", err)
	}
	return nil
}

// interruptible returns a Reconciler for one run with a context that does not end. Until the first write, ctx ends its
// waits, such as that for a lease. Then the run completes, so that no writes are left half done.
func interruptible(ctx context.Context, r *reconcile.Reconciler) *reconcile.Reconciler {
	one, pools := *r, &writing{Pools: r.Pools}
	one.Pools = pools
	one.Sleep = func(whole context.Context, d time.Duration) error {
		if pools.wrote {
			return r.Sleep(whole, d)
		}
		return cmp.Or(ctx.Err(), r.Sleep(ctx, d))
	}
	return &one
}

type writing struct {
	reconcile.Pools
	wrote bool
}

func (w *writing) Write(ctx context.Context, id string, request userpool.Request) (string, error) {
	w.wrote = true
	return w.Pools.Write(ctx, id, request)
}

func (c *cli) replay(ctx context.Context, paths []string) error {
	mode := baseline.Mode(os.Getenv("MODE"))
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
	required, _, err := c.readBaseline(ctx, c.text("baseline"))
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
	r.OwnRole = os.Getenv("ROLE_ARN")
	return c.handle(ctx, r, events)
}

// handle handles the events, and after a scan the events that it sends, one for each pool. An interruption ends the
// waits for a pool, but not its writes. The error is from the output or from an interruption.
func (c *cli) handle(ctx context.Context, r *reconcile.Reconciler, events [][]byte) error {
	var sent [][]byte
	c.to.Outcomes = map[outcome.Ending]int{}
	scanner := queue.Scanner{Pools: r.Pools, Baseline: r.Baseline, Ledger: ledger.NewMemory(), OwnRole: r.OwnRole,
		Now: r.Now, Send: func(_ context.Context, bodies []string) error {
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
				c.to.fail("scan", result.Reason)
			}
			if err := c.to.Write(stream.OfScan(result)); err != nil {
				return err
			}
			continue
		}
		one := interruptible(ctx, r)
		out, err := one.Reconcile(context.WithoutCancel(ctx), request)
		c.to.Pools++
		c.to.did(out, err)
		if err := c.conclude(ctx, one, out, !request.Scan.Started.IsZero()); err != nil {
			return err
		}
	}
	return nil
}
