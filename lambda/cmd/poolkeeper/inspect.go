package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) explain(_ context.Context, args []string) error {
	for _, path := range []string{args[0], baseline.Clients + "." + args[0]} {
		if m, ok := baseline.Lookup(path); ok {
			return c.to.Write(explain(path, m))
		}
	}
	if meant := didYouMean("", args[0], everySetting()); meant != "" {
		return fmt.Errorf("there is no setting %s%s", args[0], meant)
	}
	return fmt.Errorf("there is no setting %q: use the names of the API, and Clients[].NAME for the settings of an "+
		"app client; shell completion and baseline/SETTINGS.md list them", args[0])
}

// everySetting returns the names of all settings, with Clients[] before those of clients.
func everySetting() []string {
	return slices.DeleteFunc(baseline.Paths(), func(path string) bool { return path == baseline.Clients })
}

func explain(path string, m baseline.Member) stream.Entry {
	text := strings.TrimSuffix(path+": "+m.Doc, ": ")
	rows := map[string][]string{"setting": {path}, "about": {m.Doc}}
	for _, f := range baseline.Explain(path) {
		if f.Of != "" {
			f.Text += " (" + f.Of + ")"
		}
		text += fmt.Sprintf("\n  %-10s %s", f.Name, f.Text)
		rows[f.Name] = append(rows[f.Name], f.Text)
	}
	return stream.OfSummary("setting", rows, text)
}

func (c *cli) validate(ctx context.Context, args []string) error {
	path := strings.Join(args, "")
	file := cmp.Or(path, baseline.DefaultFile)
	required, text, err := c.readBaseline(ctx, path)
	found, invalid := errors.AsType[baseline.Errors](err)
	if err != nil && !invalid {
		return err
	}
	var lints []baseline.Lint
	conclusion := counted(len(found), "error") + ": the whole file is rejected"
	if err == nil {
		lints = required.Lint(time.Now())
		conclusion = fmt.Sprintf("%s: %s, %s, %s, no errors (%s)", file, counted(len(required.Rules), "rule"),
			counted(len(required.Exemptions), "exemption"), counted(len(lints), "warning"), required.Digest)
	}
	c.to.Failed = len(found)
	if c.on("strict") && len(lints) > 0 {
		c.to.Failed = len(lints)
		conclusion += "\n" + counted(len(lints), "warning") + ", and --strict allows none"
	}
	counts := map[string]any{"file": file, "errors": len(found), "warnings": len(lints), "accepted": c.to.Failed == 0}
	return errors.Join(c.to.Write(stream.OfFile(file, found, lints, text)),
		c.to.Write(stream.OfSummary("summary", counts, conclusion)))
}

func (c *cli) permissions(ctx context.Context, _ []string) error {
	pools, err := c.connect(ctx)
	if err != nil {
		return err
	}
	ids, err := list(ctx, pools)
	if err != nil {
		return err
	}
	roles, want := map[string]int{}, userpool.Want{Documents: []baseline.DocumentName{baseline.UserPool}}
	for _, id := range ids {
		state, err := c.read(ctx, pools, id, want)
		if err != nil {
			return err
		}
		for _, path := range []string{"SmsConfiguration.SnsCallerArn", "SmsConfiguration.EumsSms.CallerArn"} {
			if role, _ := baseline.ValueAt(state.Own(), path).(string); role != "" {
				roles[role]++
			}
		}
	}
	text := ""
	names := slices.Sorted(maps.Keys(roles))
	for _, role := range names {
		text += fmt.Sprintf("%s, of %s\n", report.Value(role), counted(roles[role], "user pool"))
	}
	text += "-c smsRoles=" + cmp.Or(baseline.Legible(strings.Join(names, ",")), "none")
	return c.to.Write(stream.OfSummary("smsRoles", roles, text))
}

func (c *cli) history(ctx context.Context, _ []string) error {
	back, _ := c.flags.GetDuration("since")
	if back <= 0 {
		return fmt.Errorf("--since is %s: it takes a positive duration such as 24h or 90m", back)
	}
	since, pools := time.Now().Add(-back), c.texts("pool")
	var all []outcome.Record
	failed := func(p poolPlan) error { return c.to.Write(p.entry(false, false)) }
	err := c.everywhere(ctx, failed, func(one *cli) error {
		from, err := one.table(ctx)
		if err != nil {
			return err
		}
		if len(pools) == 0 {
			found, err := from.All(ctx, since)
			all = append(all, found.Records...)
			return one.noTable(err)
		}
		for _, pool := range pools {
			found, failed := from.History(ctx, pool, since, false)
			all, err = append(all, found.Records...), errors.Join(err, failed)
		}
		return one.noTable(err)
	})
	if err != nil && !errors.Is(err, outcome.ErrUnreadable) { // then the others are shown
		return err
	}
	slices.SortStableFunc(all, func(a, b outcome.Record) int {
		return cmp.Or(b.Began.Compare(a.Began), strings.Compare(a.ID, b.ID))
	})
	for _, r := range all {
		if err := c.to.Write(stream.OfSummary("record", r, describe(r, time.Now(), c.same()))); err != nil {
			return err
		}
	}
	count := map[string]int{"records": len(all)}
	return errors.Join(c.to.Write(stream.OfSummary("summary", count, counted(len(all), "record"))), err)
}

// describe returns a record as text, with what to do if the writes were not verified. same are the flags for that.
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
		if region, _, _ := strings.Cut(r.UserPoolID, "_"); baseline.IsPoolID(r.UserPoolID) {
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
	if end, ok := ends[s.Status]; ok {
		return text + end
	}
	return text + ": " + baseline.Legible(string(s.Status))
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
