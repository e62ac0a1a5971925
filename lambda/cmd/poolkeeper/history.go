package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) history() *cobra.Command {
	var table string
	var pools []string
	var since time.Duration
	command := &cobra.Command{
		Use:   "history [--pool ID...] [--since DURATION] --ledger TABLE",
		Short: "List what was written to pools, and why",
		Long: "Lists the records of the ledger, the newest first: what was written, when, on whose call, and how it ended. undo takes the id of a record.\n" +
			"Exit status: 0 done, 1 error.",
		Example: "  poolkeeper history --pool eu-west-1_AbCdEf123 --ledger poolkeeper-ledger\n  poolkeeper history --since 24h --output json",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			from, err := c.table(command.Context(), table)
			if err != nil {
				return err
			}
			records, err := recordsOf(command.Context(), from, pools, time.Now().Add(-since))
			if err != nil {
				return err
			}
			to := c.results()
			for _, r := range records {
				if err := to.Write(stream.OfSummary("record", r, describe(r))); err != nil {
					return err
				}
			}
			return to.Write(stream.OfSummary("summary", map[string]int{"records": len(records)}, fmt.Sprintf("%d records", len(records))))
		},
	}
	command.Flags().StringSliceVar(&pools, "pool", nil, "id of a user pool; may be given several times (default: every pool)")
	command.Flags().DurationVar(&since, "since", 30*24*time.Hour, "how far to look back")
	c.ledgerFlag(command, &table)
	return has(command, "text", "json")
}

// recordsOf returns the records of the pools, or of all, that were begun since, the newest first.
func recordsOf(ctx context.Context, from ledger.Table, pools []string, since time.Time) ([]reconcile.Record, error) {
	var records []reconcile.Record
	for _, pool := range pools {
		some, err := from.Records(ctx, pool, since)
		if err != nil {
			return nil, err
		}
		records = append(records, some...)
	}
	if len(pools) == 0 {
		for r, err := range from.All(ctx) {
			if err != nil {
				return nil, err
			}
			if !r.Began.Before(since) {
				records = append(records, r)
			}
		}
	}
	slices.SortFunc(records, func(a, b reconcile.Record) int { return cmp.Or(b.Began.Compare(a.Began), strings.Compare(a.ID, b.ID)) })
	return records, nil
}

// describe is a record in words.
func describe(r reconcile.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", r.ID, cmp.Or(string(r.Outcome), "not finished"))
	fmt.Fprintf(&b, "  at        %s, for %s of %s\n", r.Began.UTC().Format(time.RFC3339), cmp.Or(report.Value(r.Cause.EventName), "nothing"), actorOf(r.Cause))
	for _, d := range r.Drifts {
		fmt.Fprintf(&b, "  %-9s %s: %s -> %s\n", d.State, report.Value(d.Setting), report.Value(d.Have), report.Value(d.Want))
	}
	var calls []string
	for _, s := range r.Sent {
		calls = append(calls, strings.TrimSpace(s.Call+" "+s.RequestID))
	}
	fmt.Fprintf(&b, "  sent      %s", cmp.Or(strings.Join(calls, ", "), "nothing"))
	if r.Reason != "" {
		fmt.Fprintf(&b, "\n  because   %s", report.Value(r.Reason))
	}
	return b.String()
}

func actorOf(c event.Cause) string {
	if c.Actor == "" {
		return "nobody known"
	}
	return report.Value(c.Actor)
}
