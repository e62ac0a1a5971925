package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) replay() *cobra.Command {
	var file, table string
	var audit bool
	command := &cobra.Command{
		Use:   "replay EVENT.json...",
		Short: "Run the handler on the payloads of events, one after the other, as the function would",
		Long: "Runs the function's handler once on the payload in each EVENT.json (- is standard input) and prints the outcomes.\n" +
			"It reads and WRITES the pool that the event names, at the endpoint and with the credentials of the environment\n" +
			"(AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, ...); --audit only reports.\n" +
			"What the function remembers from one event to the next, this does for the events of one run; with --ledger it shares the deployment's memory, and records what it writes.\n" +
			"Exit status: 0 done or in sync, 1 error, 2 drift is left.",
		Example: "  poolkeeper replay --audit lambda/event/testdata/update-user-pool.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if mode := c.getenv("MODE"); mode != "" && mode != string(baseline.Audit) && mode != string(baseline.Enforce) {
				return fmt.Errorf("MODE is %q, and nothing was written: it is audit, enforce or not set", mode)
			}
			// All are read before the first is acted on.
			payloads := make([][]byte, len(args))
			for i, path := range args {
				var err error
				if payloads[i], err = readPayload(path, command.InOrStdin()); err != nil {
					return err
				}
			}
			required, _, err := readBaseline(file)
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
			r := c.keeper(client, required, c.getenv("ROLE_ARN"))
			kept, passing, err := c.ledger(command.Context(), table)
			if err != nil {
				return err
			}
			remember(r, kept, passing)
			return c.handle(command.Context(), r, payloads)
		},
	}
	c.baselineFlag(command, &file)
	c.ledgerFlag(command, &table)
	command.Flags().BoolVar(&audit, "audit", c.getenv("MODE") == "audit", "report drift, write nothing (default from $MODE)")
	return has(command, all...)
}

// handle hands the payloads to the function's handler and prints what becomes of them.
func (c *cli) handle(ctx context.Context, r *reconcile.Reconciler, payloads [][]byte) error {
	to := c.results()
	var s summary
	var failed error
	// An interruption ends the waits, and no call: a pool that is being written to comes to its end.
	writing, wait := false, r.Sleep
	r.Before = func(userpool.State) error { writing = true; return nil }
	r.Sleep = func(whole context.Context, d time.Duration) error {
		if writing {
			return wait(whole, d)
		}
		if ctx.Err() != nil {
			return ctx.Err() // however short the wait
		}
		return wait(ctx, d)
	}
	for i, payload := range payloads {
		if ctx.Err() != nil {
			failed = fmt.Errorf("interrupted: %d of %d events were not handled", len(payloads)-i, len(payloads))
			break
		}
		sweep := event.Decode(payload, event.Home{}).Kind == event.All
		result, err := r.Handle(context.WithoutCancel(ctx), payload, event.Home{}, func(out reconcile.Outcome) {
			writing = false
			s.Pools++
			var later error
			if out.Outcome == reconcile.Deferred {
				later = errors.New(out.Reason)
			}
			s.did(out, later)
			failed = errors.Join(failed, to.Write(c.entry(out, sweep)))
		})
		if swept, ok := result.(reconcile.Sweeping); ok {
			var text strings.Builder
			failed = errors.Join(failed, report.Sweep(&text, swept, c.paint()), to.Write(stream.OfSummary("sweep", swept, strings.TrimSuffix(text.String(), "\n"))))
			if err != nil && len(swept.Failed) == 0 {
				s.fail("sweep", swept.Reason)
			}
		}
	}
	if failed = errors.Join(failed, to.Close(failed == nil)); failed != nil {
		return failed
	}
	return s.exit()
}

func readPayload(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	payload, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	return payload, nil
}
