package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) replay() *cobra.Command {
	var audit bool
	command := &cobra.Command{
		Use:   "replay EVENT.json...",
		Short: "Handle events one after the other, as the function does",
		Long: "Handles the events in each EVENT.json (- is standard input) as the function does, and prints the\n" +
			"outcomes. A file contains an EventBridge event, a CloudTrail record, {\"Records\": [...]}, or the output\n" +
			"of aws cloudtrail lookup-events. This reads and WRITES the pools that the events name, at the endpoint\n" +
			"and with the credentials of the environment (AWS_PROFILE, AWS_REGION,\n" +
			"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, ...); --audit only reports. With --ledger, the writes are\n" +
			"recorded in the ledger of the deployment.",
		Example: "  poolkeeper replay --audit lambda/event/testdata/update-user-pool.json",
		Args:    arguments("EVENT.json", 1, math.MaxInt),
		RunE: func(command *cobra.Command, args []string) error {
			mode := c.getenv("MODE")
			if mode != "" && mode != string(baseline.Audit) && mode != string(baseline.Enforce) {
				return fmt.Errorf("MODE is %q, so nothing was written: it must be audit, enforce or unset", mode)
			}
			// Read all files before handling the first event.
			events, err := readEvents(command.Context(), args, command.InOrStdin())
			if err != nil {
				return err
			}
			required, _, err := readBaseline(command.Context(), c.flags.baseline)
			if err != nil {
				return err
			}
			if audit {
				required = required.InMode(baseline.Audit)
			}
			r, err := c.recording(command.Context(), required)
			if err != nil {
				return err
			}
			r.OwnRole = c.getenv("ROLE_ARN")
			p := replaying{c: c, reconciler: r, to: c.results(), scans: ledger.NewMemory()}
			return p.run(command.Context(), events)
		},
	}
	c.baselineFlag(command)
	c.ledgerFlag(command)
	command.Flags().BoolVar(&audit, "audit", c.getenv("MODE") == "audit",
		"report drift, write nothing (the default if MODE is audit)")
	command.ValidArgsFunction = files
	return has(command, all...)
}

// readEvents returns the events in the files.
func readEvents(ctx context.Context, paths []string, stdin io.Reader) ([][]byte, error) {
	var events [][]byte
	for _, path := range paths {
		payload, err := readFile(ctx, path, stdin)
		if err != nil {
			return nil, fmt.Errorf("reading the event: %w", err)
		}
		some, err := event.Unpack(payload)
		if err != nil {
			return nil, fmt.Errorf("reading the event %s: %w", path, err)
		}
		events = append(events, some...)
	}
	return events, nil
}

// A A replaying is one run of replay.
type replaying struct {
	c          *cli
	reconciler *reconcile.Reconciler
	to         *stream.Stream
	scans      reconcile.Ledger // records the scans of this process only
	summary    summary
}

// run handles the events, and after a scan the events that it sends. An interruption ends the waits for a pool, but not
// its writes. The error is from the output or from an interruption.
func (p *replaying) run(ctx context.Context, events [][]byte) (err error) {
	for err == nil && len(events) > 0 {
		if ctx.Err() != nil {
			err = fmt.Errorf("interrupted: %s not handled", counted(len(events), "event"))
			break
		}
		request := event.Decode(events[0], event.Home{})
		events = events[1:]
		switch request.Kind {
		case event.One:
			r := interruptible(ctx, p.reconciler)
			out, failed := r.Reconcile(context.WithoutCancel(ctx), request)
			if err = p.show(out, failed, !request.Scan.Started.IsZero()); err == nil {
				p.c.close(ctx, r, out)
			}
		case event.All:
			var sent [][]byte
			sent, err = p.scan(ctx, request)
			events = append(sent, events...)
		default:
			err = p.show(outcome.Outcome{Outcome: outcome.Ignored, UserPoolID: request.UserPoolID, Cause: request.Cause,
				Baseline: p.reconciler.Baseline.Digest, Drifts: []outcome.Finding{}, Writes: []string{},
				Reason: string(request.Reason) + ": " + request.Detail}, nil, false)
		}
	}
	if err := errors.Join(err, p.to.Close(err == nil)); err != nil {
		return err
	}
	return p.summary.exit()
}

// show prints and counts an outcome.
func (p *replaying) show(out outcome.Outcome, err error, brief bool) error {
	p.summary.Pools++
	p.summary.did(out, err)
	return p.to.Write(p.c.entry(out, p.reconciler, brief))
}

// scan returns the events that a scan sends, one for each pool.
func (p *replaying) scan(ctx context.Context, request event.Request) (events [][]byte, err error) {
	send := func(_ context.Context, bodies []string) error {
		for _, body := range bodies {
			events = append(events, []byte(body))
		}
		return nil
	}
	r := p.reconciler
	result, failed := queue.Scanner{Pools: r.Pools, Baseline: r.Baseline, Ledger: p.scans, OwnRole: r.OwnRole,
		Send: send, Now: r.Now, Sleep: r.Sleep}.Scan(ctx, request)
	if failed != nil {
		p.summary.fail("scan", result.Reason)
	}
	return events, p.to.Write(stream.OfScan(result))
}
