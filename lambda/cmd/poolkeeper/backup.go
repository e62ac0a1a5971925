package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
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

func (c *cli) backup(ctx context.Context, _ []string) error {
	dir := c.text("out")
	if dir == "" {
		return errors.New("backup needs --out DIR, the folder for the files")
	}
	pools, err := c.connect(ctx)
	if err != nil {
		return err
	}
	saved := 0
	err = c.each(ctx, pools, c.texts("pool"), func(id string) func() error {
		state, err := c.read(ctx, pools, id, userpool.Everything())
		return func() error {
			if err == nil {
				saved++
				return c.save(dir, state, true)
			}
			c.to.Failed++
			_, err := fmt.Fprintf(c.err, "poolkeeper: %v\n", err)
			return err
		}
	})
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s saved in %s", counted(saved, "user pool"), dir)
	} else if err != nil {
		return err
	}
	counts := map[string]any{"saved": saved, "failed": c.to.Failed, "folder": dir}
	text := fmt.Sprintf("%s saved in %s, %d failed", counted(saved, "user pool"), dir, c.to.Failed)
	return c.to.Write(stream.OfSummary("summary", counts, text))
}

// save writes the state of a pool to a new file in the folder. whole is whether everything was read.
func (c *cli) save(dir string, state userpool.State, whole bool) error {
	taken := time.Now()
	path := filepath.Join(dir, state.ID+taken.UTC().Format(".20060102T150405.000000Z.json"))
	backup := userpool.NewBackup(state, taken)
	backup.Whole = whole
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = writeFile(path, backup.Encode(), false)
	}
	if err != nil {
		return fmt.Errorf("saving %s: %w", state.ID, err)
	}
	fmt.Fprintf(c.notes, "saved %s to %s\n", state.ID, path)
	return nil
}

// writeFile writes a file that only its owner can read, even if it overwrites one that others could read.
func writeFile(path string, raw []byte, over bool) error {
	mode := os.O_EXCL
	if over {
		mode = os.O_TRUNC
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o600)
	if err != nil {
		return err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		_ = file.Chmod(0o600)
	}
	_, err = file.Write(raw)
	if err = errors.Join(err, file.Close()); err != nil && !over {
		_ = os.Remove(path) // never leave a partial file
	}
	return err
}

func writeJSON(path string, v any) error {
	raw, _ := json.MarshalIndent(v, "", "  ") // texts and numbers can always be encoded
	return writeFile(path, append(raw, '\n'), true)
}

func (c *cli) snapshot(ctx context.Context, _ []string) error {
	ids, out := c.texts("pool"), c.text("out")
	if len(ids) != 1 {
		return errors.New("snapshot needs one pool: --pool ID")
	}
	pools, err := c.connect(ctx)
	if err != nil {
		return err
	}
	state, err := c.read(ctx, pools, ids[0], userpool.Everything())
	if err != nil {
		return err
	}
	text, err := baseline.Snapshot(state.Identity(), state.Own())
	if err == nil && out == "" {
		_, err = c.out.Write(text)
	} else if err == nil {
		err = writeFile(out, text, c.on("force"))
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists and was not changed; use --force to overwrite it", out)
	}
	return err
}

func (c *cli) restore(ctx context.Context, args []string) error {
	path := args[0]
	raw, err := c.readFile(ctx, "backup", path)
	if err != nil {
		return err
	}
	saved, err := userpool.DecodeBackup(raw)
	if err != nil {
		return fmt.Errorf("%s: %w (a backup is a file that poolkeeper backup or apply saved)", path, err)
	}
	then := saved.State()
	required, kept := baseline.OfSettings(path, fmt.Sprintf("sha256:%x", sha256.Sum256(raw)), then.ID, then.Own(),
		then.Offered())
	r, err := c.recording(ctx, required)
	if err != nil {
		return err
	}
	live, err := c.read(ctx, r.Pools, then.ID, saved.Want())
	if err != nil {
		return err
	}
	if !saved.Whole { // saved before a write, only with the documents of that write
		fmt.Fprintf(c.notes, "the backup contains only %s; the rest of the pool stays unchanged\n",
			strings.Join(baseline.TextsOf(then.Names()), ", "))
	}
	lost := append(then.Unwritable(live), slices.DeleteFunc(kept, func(setting string) bool {
		return baseline.Empty(baseline.ValueAt(live.Own(), setting))
	})...)
	a := applying{c: c, cause: "restore", target: &then, lost: lost}
	return a.run(ctx, []string{then.ID}, always(r))
}

func (c *cli) undo(ctx context.Context, args []string) error {
	if pool, _, ok := outcome.SplitRecordID(args[0]); !ok || !baseline.IsPoolID(pool) {
		return fmt.Errorf("%q is not the id of a record, such as %s; poolkeeper history lists them", args[0], exampleRecord)
	}
	records, err := c.table(ctx)
	if err != nil {
		return err
	}
	return c.undoRecord(ctx, records, args[0])
}

const exampleRecord = "eu-west-1_AbCdEf123.20261001T091540.000000Z"

func (c *cli) undoRecord(ctx context.Context, records reconcile.Ledger, id string) error {
	record, err := records.Record(ctx, id)
	switch {
	case err != nil:
		return c.noTable(err)
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
	required, lost := baseline.OfPaths(id, record.Baseline, then.ID, own, paths)
	_, inside := baseline.OfPaths(id, record.Baseline, then.ID, own, newParts(record, paths, own))
	r, err := c.reconciler(ctx, required)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.notes, "unless the settings are exempted or the baseline changes, the function fixes them at the "+
		"next event or scan")
	r.Ledger, r.Actor = records, c.caller(ctx)
	a := applying{c: c, cause: "undo " + id, target: &then, lost: append(lost, inside...)}
	return a.run(ctx, []string{then.ID}, always(r))
}

// newParts returns the settings in the changed objects of the pool that a record wrote and that were not set before.
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
	gained, failed := broken(target, now)
	settings = slices.DeleteFunc(slices.Clone(settings), func(setting string) bool {
		touches := func(d baseline.Drift) bool { return userpool.Touches(setting, d.Setting) }
		return !slices.ContainsFunc(lost, touches) || slices.ContainsFunc(gained, touches)
	})
	return settings, errors.Join(err, failed)
}

// broken returns where a state breaks a snapshot of another state.
func broken(model, state userpool.State) ([]baseline.Drift, error) {
	text, err := baseline.Snapshot(model.Identity(), model.Own())
	if err != nil {
		return nil, err
	}
	required, _ := baseline.Parse("snapshot", text) // Snapshot tested it
	return baseline.Compare(required.Policy(state.Identity(), time.Now()), state.Own()).Drifts, nil
}
