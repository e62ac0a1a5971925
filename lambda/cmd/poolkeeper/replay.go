package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/queue"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) replay() *cobra.Command {
	var audit bool
	command := &cobra.Command{
		Use:   "replay EVENT.json...",
		Short: "Handle events, one after the other, as the function does",
		Long: "Handles the events in each EVENT.json (- is standard input) as the function does, and prints the\n" +
			"outcomes. A file holds an event of EventBridge, a CloudTrail record, {\"Records\": [...]}, or the answer\n" +
			"of aws cloudtrail lookup-events. This reads and WRITES the pools that the events name, at the endpoint\n" +
			"and with the credentials of the environment (AWS_PROFILE, AWS_REGION,\n" +
			"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, ...); --audit only reports. With --ledger, the writes are\n" +
			"recorded in the ledger of the deployment.",
		Example: "  poolkeeper replay --audit lambda/event/testdata/update-user-pool.json",
		Args:    arguments("EVENT.json", 1, math.MaxInt),
		RunE: func(command *cobra.Command, args []string) error {
			mode := c.getenv("MODE")
			if mode != "" && mode != string(baseline.Audit) && mode != string(baseline.Enforce) {
				return fmt.Errorf("MODE is %q, so nothing was written: it has to be audit, enforce or unset", mode)
			}
			// All files are read before the first event is handled.
			events, err := readEvents(args, command.InOrStdin())
			if err != nil {
				return err
			}
			required, _, err := readBaseline(c.flags.baseline)
			if err != nil {
				return err
			}
			if audit {
				required = required.InMode(baseline.Audit)
			}
			client, err := c.connect(command.Context())
			if err != nil {
				return err
			}
			kept, err := c.openLedger(command.Context())
			if err != nil {
				return err
			}
			r := c.newReconciler(client, required, ledger.NewMemory())
			if kept != nil {
				r.Ledger, r.Actor = kept, c.caller(command.Context())
			}
			r.OwnRole = c.getenv("ROLE_ARN")
			p := replaying{c: c, recorded: kept != nil, reconciler: r, to: c.results(), scans: ledger.NewMemory()}
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
func readEvents(paths []string, stdin io.Reader) ([][]byte, error) {
	var events [][]byte
	for _, path := range paths {
		payload, err := readFile(path, stdin)
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

// replaying is one run of replay.
type replaying struct {
	c          *cli
	recorded   bool
	reconciler *reconcile.Reconciler
	to         stream.Stream
	scans      reconcile.Ledger // knows when this process began a scan: others do not rely on it
	summary    summary
	failed     error // of the output
}

// run handles the events. An interruption ends the waits of a pool, but not its writes.
func (p *replaying) run(ctx context.Context, events [][]byte) error {
	for i, payload := range events {
		if ctx.Err() != nil {
			interrupted := fmt.Errorf("interrupted: %d of %d events were not handled", len(events)-i, len(events))
			p.failed = errors.Join(p.failed, interrupted)
			break
		}
		request := event.Decode(payload, event.Home{})
		switch request.Kind {
		case event.One:
			_, _ = p.one(ctx, request, false)
		case event.All:
			p.scan(ctx, request)
		default:
			p.show(outcome.Outcome{Outcome: outcome.Ignored, UserPoolID: request.UserPoolID, Cause: request.Cause,
				Baseline: p.reconciler.Baseline.Digest, Drifts: []outcome.Finding{}, Writes: []string{},
				Reason: string(request.Reason) + ": " + request.Detail}, nil, false)
		}
	}
	if err := errors.Join(p.failed, p.to.Close(p.failed == nil)); err != nil {
		return err
	}
	return p.summary.exit()
}

// one reconciles one pool.
func (p *replaying) one(ctx context.Context, request event.Request, brief bool) (outcome.Outcome, error) {
	r := interruptible(ctx, p.reconciler)
	out, err := r.Reconcile(context.WithoutCancel(ctx), request)
	if p.show(out, err, brief) {
		p.c.close(ctx, r, out)
	}
	return out, err
}

// show prints and counts an outcome, and reports whether it could be printed.
func (p *replaying) show(out outcome.Outcome, err error, brief bool) bool {
	p.summary.Pools++
	p.summary.did(out, err)
	written := p.to.Write(p.c.entry(out, p.recorded, brief))
	p.failed = errors.Join(p.failed, written)
	return written == nil
}

var errInterrupted = errors.New("interrupted")

// scan reconciles every pool, one after the other.
func (p *replaying) scan(ctx context.Context, request event.Request) {
	r, untouched := p.reconciler, 0
	scanner := queue.Scanner{Pools: r.Pools, Baseline: r.Baseline, Ledger: p.scans, OwnRole: r.OwnRole, Now: r.Now,
		Sleep: r.Sleep, Handle: func(_ context.Context, one event.Request) (outcome.Outcome, error) {
			if ctx.Err() != nil {
				untouched++
				return outcome.Outcome{}, errInterrupted
			}
			return p.one(ctx, one, true)
		}}
	result, err := scanner.Scan(ctx, request)
	if untouched > 0 { // the rest of the page
		delete(result.Outcomes, "")
		result.Pools -= untouched
		result.Failed = slices.DeleteFunc(result.Failed, func(f outcome.Failure) bool { return f.Outcome == "" })
	}
	if ctx.Err() != nil {
		result.Reason, err = "interrupted", nil
		pools := counted(result.Pools, "user pool")
		p.failed = errors.Join(p.failed, fmt.Errorf("interrupted: the scan ended after %s", pools))
	}
	if err != nil {
		p.summary.fail("scan", result.Reason)
	}
	var text strings.Builder
	p.failed = errors.Join(p.failed, report.Scan(&text, result, p.c.paint()),
		p.to.Write(stream.OfSummary("scan", result, strings.TrimSuffix(text.String(), "\n"))))
}
