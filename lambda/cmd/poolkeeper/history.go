package main

import (
	"cmp"
	"context"
	"errors"
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
			"Where nobody has seen yet whether the writes hold, it says what may have been written, and how to look.\n" +
			"Exit status: 0 done, 1 error.",
		Example: "  poolkeeper history --pool eu-west-1_AbCdEf123 --ledger poolkeeper-ledger\n  poolkeeper history --since 24h --output json",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := (selection{ids: pools}).named(); err != nil {
				return err
			}
			from, err := c.table(command.Context(), table)
			if err != nil {
				return err
			}
			records, unreadable, err := recordsOf(command.Context(), from, pools, time.Now().Add(-since))
			if err != nil {
				return c.noTable(err)
			}
			to := c.results()
			for _, r := range records {
				if err := to.Write(stream.OfSummary("record", r, describe(r))); err != nil {
					return err
				}
			}
			return errors.Join(to.Write(stream.OfSummary("summary", map[string]int{"records": len(records)}, counted(len(records), "record"))), unreadable)
		},
	}
	command.Flags().StringSliceVar(&pools, "pool", nil, "id of a user pool; may be given several times (default: every pool)")
	command.Flags().DurationVar(&since, "since", 30*24*time.Hour, "how far to look back")
	c.ledgerFlag(command, &table)
	return has(command, "text", "json")
}

// recordsOf returns the records of the pools, or of all, that were begun since, the newest first, and says which cannot be read.
func recordsOf(ctx context.Context, from ledger.Table, pools []string, since time.Time) (records []reconcile.Record, unreadable, err error) {
	for _, pool := range pools {
		some, err := from.Records(ctx, pool, since)
		if errors.Is(err, reconcile.ErrUnreadable) {
			unreadable = errors.Join(unreadable, err)
		} else if err != nil {
			return nil, nil, err
		}
		records = append(records, some...)
	}
	if len(pools) == 0 {
		for r, err := range from.All(ctx) {
			switch {
			case errors.Is(err, reconcile.ErrUnreadable):
				unreadable = errors.Join(unreadable, err)
			case err != nil:
				return nil, nil, err
			case !r.Began.Before(since):
				records = append(records, r)
			}
		}
	}
	slices.SortFunc(records, func(a, b reconcile.Record) int { return cmp.Or(b.Began.Compare(a.Began), strings.Compare(a.ID, b.ID)) })
	return records, unreadable, nil
}

// describe is a record in words. Where it was not seen whether the writes hold, it says what may have been written and what to do.
func describe(r reconcile.Record) string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "\n  %-9s "+format, append([]any{what}, args...)...)
	}
	b.WriteString(report.Value(r.ID) + "  " + report.Value(cmp.Or(string(r.Outcome), "not finished")))
	line("at", "%s, for %s%s", moment(r.Began), report.Value(cmp.Or(r.Cause.EventName, "nothing")), by(r.Cause))
	for _, d := range r.Drifts {
		line(report.Value(string(d.State)), "%s: %s -> %s", report.Value(d.Setting), report.Value(d.Have), report.Value(d.Want))
	}
	var sent []string
	for _, s := range r.Sent {
		sent = append(sent, describeSent(s))
	}
	unseen := r.Outcome == "" || r.Outcome == reconcile.Deferred
	switch {
	case len(sent) > 0:
		line("sent", "%s", strings.Join(sent, "\n            "))
	case unseen:
		line("sent", "nothing that is known of")
	default:
		line("sent", "nothing")
	}
	switch v := r.Verified; {
	case v != reconcile.Verified{}:
		line("verified", "%d owned settings hold, %d unmanaged settings unchanged", v.Owned, v.UnmanagedUnchanged)
	case unseen && len(sent) > 0:
		line("verified", "nothing yet: what was sent may hold or not")
	}
	switch {
	case r.Reason != "":
		line("because", "%s", report.Value(r.Reason))
	case r.Outcome == "":
		line("because", "its process ended before it could look at what it wrote, or is still at work")
	}
	if unseen {
		which := "--all"
		if region, _, _ := strings.Cut(r.UserPoolID, "_"); poolID.MatchString(r.UserPoolID) {
			which = "--pool " + r.UserPoolID + " --region " + region
		}
		line("next", "see what holds now, and write nothing: poolkeeper plan %s", which)
		line("", "the next event about the pool, or the next sweep, looks at it too")
	}
	return b.String()
}

// describeSent is a write in words. One of which no answer is known may have been made or not.
func describeSent(s reconcile.Sent) string {
	text := report.Value(s.Call)
	if s.At.IsZero() {
		return text + ", which may have been made: the process ended before the answer came"
	}
	text += " at " + moment(s.At)
	if s.RequestID != "" {
		text += ", request " + report.Value(s.RequestID)
	}
	if s.Unclear {
		text += ", which may have been made: no answer said so"
	}
	return text
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func by(c event.Cause) string {
	if c.Actor == "" {
		return ""
	}
	return " by " + report.Value(c.Actor)
}
