package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) history(ctx context.Context, _ []string) error {
	back, _ := c.flags.GetDuration("since")
	since := time.Now().Add(-back)
	var all []outcome.Record
	var unreadable error
	return c.show(func(to *results) error {
		failed := func(p poolPlan) error { return to.Write(p.entry(false, false)) }
		err := c.everywhere(ctx, to, failed, func(one *cli) error {
			from, err := one.table(ctx)
			if err != nil {
				return err
			}
			records, some, err := recordsOf(ctx, from, c.texts("pool"), since)
			all, unreadable = append(all, records...), errors.Join(unreadable, some)
			return one.noTable(err)
		})
		if err != nil {
			return err
		}
		slices.SortStableFunc(all, func(a, b outcome.Record) int {
			return cmp.Or(b.Began.Compare(a.Began), strings.Compare(a.ID, b.ID))
		})
		for _, r := range all {
			if err := to.Write(stream.OfSummary("record", r, describe(r, time.Now(), c.same()))); err != nil {
				return err
			}
		}
		count := map[string]int{"records": len(all)}
		return errors.Join(to.Write(stream.OfSummary("summary", count, counted(len(all), "record"))), unreadable)
	})
}

// recordsOf returns the records of the given or all pools that began since a time. The first error names records that
// cannot be decoded.
func recordsOf(ctx context.Context, from ledger.Table, pools []string, since time.Time) (records []outcome.Record,
	unreadable, err error) {
	for _, pool := range pools {
		history, err := from.History(ctx, pool, since, false)
		if errors.Is(err, outcome.ErrUnreadable) {
			unreadable = errors.Join(unreadable, err)
		} else if err != nil {
			return nil, nil, err
		}
		records = append(records, history.Records...)
	}
	if len(pools) == 0 {
		for r, err := range from.All(ctx) {
			switch {
			case errors.Is(err, outcome.ErrUnreadable):
				unreadable = errors.Join(unreadable, err)
			case err != nil:
				return nil, nil, err
			case !r.Began.Before(since):
				records = append(records, r)
			}
		}
	}
	return records, unreadable, nil
}

// describe returns a record as text. If the writes were not verified, it shows what to do. same has the flags for
// commands on the same deployment.
func describe(r outcome.Record, now time.Time, same string) string {
	safe := baseline.Legible // whoever may write to the table can put anything into a record
	cause := event.Cause{EventName: safe(cmp.Or(r.Cause.EventName, "an unnamed event")), Actor: safe(r.Cause.Actor)}
	out := outcome.Outcome{Outcome: outcome.Ending(safe(string(r.Outcome))), Cause: cause, Drifts: r.Drifts,
		UserPoolID: safe(r.UserPoolID), Verified: r.Verified, Record: safe(r.ID), Reason: r.Reason}
	switch {
	case r.Interrupted(now):
		out.Outcome, out.Reason = "interrupted", cmp.Or(r.Reason, "the process ended before it verified its writes")
	case r.Open():
		out.Outcome = "running"
	}
	var sent []string
	for _, s := range r.Sent {
		sent = append(sent, describeSent(s))
	}
	if len(sent) > 0 {
		out.Writes = []string{strings.Join(sent, "\n            ")}
	}
	text := stream.TextOf(out, false) + "  at        " + moment(r.Began)
	if r.Actor != "" {
		text += "\n  run by    " + baseline.Legible(r.Actor)
	}
	if r.Open() || r.Outcome == outcome.Deferred {
		which := "--all"
		if region, _, _ := strings.Cut(r.UserPoolID, "_"); poolID.MatchString(r.UserPoolID) {
			which = "--pool " + r.UserPoolID + " --region " + region
		}
		text += "\n  next      see the current state, without writing: poolkeeper plan " + which + same +
			"\n            the next event of the pool, or the next scan, checks the pool again"
	}
	return text
}

// describeSent returns a write as text. A write without a known response may or may not have been made.
func describeSent(s outcome.Sent) string {
	text := baseline.Legible(s.Call)
	if !s.At.IsZero() {
		text += " at " + moment(s.At)
	}
	if s.RequestID != "" {
		text += ", request " + baseline.Legible(s.RequestID)
	}
	ends := map[outcome.WriteStatus]string{outcome.Accepted: "", outcome.Refused: ": rejected, so it changed nothing",
		outcome.Intended: ": it may have been made, but there is no recorded response",
		outcome.Unclear:  ": it may have been made, but the response was lost"}
	end, ok := ends[s.Status]
	if !ok {
		end = ": " + baseline.Legible(string(s.Status))
	}
	return text + end
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
