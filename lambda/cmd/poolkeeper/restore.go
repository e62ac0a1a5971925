package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) restore(ctx context.Context, args []string) error {
	raw, saved, err := c.readBackup(ctx, args[0])
	if err != nil {
		return err
	}
	a := applying{c: c, cause: "restore"}
	return a.restore(ctx, args[0], raw, saved)
}

// readBackup reads a backup file, and rejects one that other programs could read differently.
func (c *cli) readBackup(ctx context.Context, path string) (raw []byte, saved userpool.Backup, err error) {
	if raw, err = c.readFile(ctx, "backup", path); err != nil {
		return nil, saved, err
	}
	if saved, err = userpool.DecodeBackup(raw); err != nil {
		return nil, saved, fmt.Errorf("%s: %w (a backup is a file that poolkeeper backup or apply saved)", path, err)
	}
	return raw, saved, nil
}

func (a *applying) restore(ctx context.Context, path string, raw []byte, saved userpool.Backup) error {
	sum := sha256.Sum256(raw)
	digest, then := "sha256:"+hex.EncodeToString(sum[:]), saved.State()
	required, kept := baseline.OfSettings(path, digest, saved.UserPoolID, then.Own(), then.Offered())
	r, err := a.c.recording(ctx, required)
	if err != nil {
		return err
	}
	live, err := a.c.read(ctx, r.Pools, saved.UserPoolID, saved.Want())
	if err != nil {
		return err
	}
	if !saved.Whole { // saved before a write, only with the documents of that write
		fmt.Fprintf(a.c.notes, "the backup contains only %s; the rest of the pool stays unchanged\n", joined(then.Names()))
	}
	a.target, a.lost = &then, then.Unwritable(live)
	for _, setting := range kept {
		if !baseline.Empty(baseline.ValueAt(live.Own(), setting)) {
			a.lost = append(a.lost, setting)
		}
	}
	which := selection{ids: []string{saved.UserPoolID}}
	err = a.run(ctx, which, func(*cli) (*reconcile.Reconciler, error) { return r, nil })
	if err == nil && len(a.lost) > 0 {
		return exit(exitDrifted)
	}
	return err
}

func joined(names []baseline.DocumentName) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

func (c *cli) undo(ctx context.Context, args []string) error {
	if pool, _, ok := outcome.SplitRecordID(args[0]); !ok || !poolID.MatchString(pool) {
		return fmt.Errorf("%q is not the id of a record, such as %s; poolkeeper history lists them", args[0], exampleRecord)
	}
	records, err := c.table(ctx)
	if err != nil {
		return err
	}
	a := applying{c: c, cause: "undo " + args[0]}
	return a.undo(ctx, records, args[0])
}

const exampleRecord = "eu-west-1_AbCdEf123.20261001T091540.000000Z"

func (a *applying) undo(ctx context.Context, records reconcile.Ledger, id string) error {
	record, err := records.Record(ctx, id)
	switch {
	case err != nil:
		return a.c.noTable(err)
	case record.Before == nil:
		return fmt.Errorf("record %s: the earlier state was too large to be stored, so it cannot be undone; a backup "+
			"file may have it (poolkeeper restore)", id)
	}
	paths := record.Changed()
	if len(paths) == 0 {
		return fmt.Errorf("record %s changed nothing: there is nothing to undo", id)
	}
	then := record.Before.State()
	own := then.Own()
	required, kept := baseline.OfPaths(id, record.Baseline, record.UserPoolID, own, paths)
	_, inside := baseline.OfPaths(id, record.Baseline, record.UserPoolID, own, newParts(record, paths, own))
	kept = append(kept, inside...)
	for _, path := range kept {
		fmt.Fprintf(a.c.err, "cannot be undone: %s was not set, and the API has no way to clear it\n", path)
	}
	client, err := a.c.connect(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.c.notes, "unless the settings are exempted or the baseline changes, the function fixes them at the "+
		"next event or scan")
	a.target = &then
	r := a.c.newReconciler(client, required)
	r.Ledger, r.Actor = records, a.c.caller(ctx)
	which := selection{ids: []string{record.UserPoolID}}
	err = a.run(ctx, which, func(*cli) (*reconcile.Reconciler, error) { return r, nil })
	if err == nil && len(kept) > 0 {
		return exit(exitDrifted)
	}
	return err
}

// newParts returns the settings in the changed objects of the pool that a record wrote and that were not set before.
// Before are the settings as they were.
func newParts(record outcome.Record, changed []string, before map[string]any) []string {
	parts := map[string]string{}
	for _, sent := range record.Sent {
		body, err := userpool.DecodeObject(sent.Body)
		if err != nil || sent.Document != baseline.UserPool {
			continue
		}
		for _, path := range changed {
			m, _ := baseline.Lookup(path)
			if object, ok := baseline.ValueAt(body, path).(map[string]any); ok {
				baseline.AddLeaves(parts, path+".", m.Members, object)
			}
		}
	}
	maps.DeleteFunc(parts, func(path, _ string) bool { return !baseline.Empty(baseline.ValueAt(before, path)) })
	return slices.Sorted(maps.Keys(parts))
}

// warn names each setting that the plan makes weaker, and the checks of other tools that will fail.
func (a *applying) warn(to *stream.Stream, p poolPlan) error {
	if a.target == nil {
		return nil
	}
	weak, err := weaker(p.preview.Before, *a.target, p.toWrite())
	if err != nil || len(weak) == 0 {
		return err
	}
	var lines []string
	for _, setting := range weak {
		line := "  WEAKENS   " + baseline.Legible(setting)
		if checks := report.ChecksOf(setting); len(checks) > 0 {
			line += ": " + strings.Join(checks, ", ") + " will complain"
		}
		lines = append(lines, line)
	}
	return to.Write(stream.OfSummary("weakens", weak, strings.Join(lines, "\n")))
}

// weaker returns the settings that are weaker in the target than now: the target breaks a snapshot of the current pool,
// but the pool does not break a snapshot of the target. If neither value is stricter, as with two different triggers,
// the setting is not weaker.
func weaker(now, target userpool.State, settings []string) ([]string, error) {
	lost, err := broken(now, target)
	if err != nil {
		return nil, err
	}
	gained, err := broken(target, now)
	if err != nil {
		return nil, err
	}
	var weak []string
	for _, setting := range settings {
		touches := func(other string) bool { return userpool.Touches(setting, other) }
		if slices.ContainsFunc(lost, touches) && !slices.ContainsFunc(gained, touches) {
			weak = append(weak, setting)
		}
	}
	return weak, nil
}

// broken returns the settings of a state that break a snapshot of another state.
func broken(model, state userpool.State) ([]string, error) {
	text, err := baseline.Snapshot(model.Identity(), model.Own())
	if err != nil {
		return nil, err
	}
	required, err := baseline.Parse("snapshot", text)
	if err != nil {
		return nil, fmt.Errorf("comparing the settings: %w", err)
	}
	var settings []string
	for _, d := range baseline.Compare(required.Policy(state.Identity(), time.Now()), state.Own()).Drifts {
		settings = append(settings, d.Setting)
	}
	return settings, nil
}
