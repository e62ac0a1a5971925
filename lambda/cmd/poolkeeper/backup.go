package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) backup(ctx context.Context, _ []string) error {
	dir, which := c.text("out"), c.which()
	if dir == "" {
		return errors.New("backup needs --out DIR, the folder for the files")
	}
	pools, err := c.connect(ctx)
	if err != nil {
		return err
	}
	saved, failed := 0, 0
	read := func(ctx context.Context, id string) func() error {
		state, err := c.read(ctx, pools, id, userpool.Everything())
		return func() error {
			switch {
			case err == nil:
				saved++
				return c.save(dir, state, true)
			case ctx.Err() != nil:
				return ctx.Err()
			}
			failed++
			_, err := fmt.Fprintf(c.err, "poolkeeper: %v\n", err)
			return err
		}
	}
	err = each(ctx, c, pools, which, read, func(save func() error) error { return save() })
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s saved in %s", counted(saved, "user pool"), dir)
	} else if err != nil {
		return err
	}
	counts := map[string]any{"saved": saved, "failed": failed, "folder": dir}
	text := fmt.Sprintf("%s saved in %s, %d failed", counted(saved, "user pool"), dir, failed)
	return c.show(func(to *results) error {
		to.Failed = failed
		return to.Write(stream.OfSummary("summary", counts, text))
	})
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

// writeJSON writes a value to a file that only its owner can read.
func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(raw, '\n'), true)
}

func (c *cli) snapshot(ctx context.Context, _ []string) error {
	ids, out := c.texts("pool"), c.text("out")
	if len(ids) != 1 || ids[0] == "" {
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
	switch {
	case err != nil:
		return err
	case out == "":
		_, err = c.out.Write(text)
		return err
	}
	err = writeFile(out, text, c.on("force"))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists and was not changed; use --force to overwrite it", out)
	} else if err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	return nil
}
