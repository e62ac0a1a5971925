package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) backup() *cobra.Command {
	var which selection
	var dir string
	command := &cobra.Command{
		Use:   "backup (--pool ID... | --all) --out DIR",
		Short: "Save the whole state of pools, one file per pool",
		Long: "Saves everything that the API returns for each pool as raw JSON, for restore. The files contain message " +
			"texts and\nexternal ids, so only their owner can read them.",
		Example:     "  poolkeeper backup --all --out backups",
		Annotations: forLists,
		RunE: func(command *cobra.Command, _ []string) error {
			if dir == "" {
				return errors.New("backup needs --out DIR, the folder for the files")
			}
			return c.runBackup(command.Context(), which, dir)
		},
	}
	c.poolFlags(command, &which)
	command.Flags().StringVar(&dir, "out", "", "folder for the files")
	return command
}

func (c *cli) runBackup(ctx context.Context, which selection, dir string) error {
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
	summary := map[string]any{"saved": saved, "failed": failed, "folder": dir}
	text := fmt.Sprintf("%s saved in %s, %d failed", counted(saved, "user pool"), dir, failed)
	err = c.print(stream.OfSummary("summary", summary, text))
	if err == nil && failed > 0 {
		return exit(exitError)
	}
	return err
}

// save writes the state of a pool to a new file in the folder. whole is whether everything was read.
func (c *cli) save(dir string, state userpool.State, whole bool) error {
	taken := time.Now()
	path := filepath.Join(dir, state.ID+taken.UTC().Format(".20060102T150405.000000Z.json"))
	backup := userpool.NewBackup(state, taken)
	backup.Whole = whole
	raw, err := backup.Encode()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = writeFile(path, raw, false)
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

func (c *cli) snapshot() *cobra.Command {
	var ids []string
	var out string
	var force bool
	command := &cobra.Command{
		Use:   "snapshot --pool ID [--out FILE]",
		Short: "Write a baseline from a live pool",
		Long: "Requires the security settings as the pool has them (at least this password length, exactly these\n" +
			"triggers), and lists the rest as comments. The pool is in sync with the result, which only audits until\n" +
			"its mode changes.",
		Example: "  poolkeeper snapshot --pool eu-west-1_AbCdEf123 --out baseline.yaml",
		RunE: func(command *cobra.Command, _ []string) error {
			if len(ids) != 1 || ids[0] == "" {
				return errors.New("snapshot needs one pool: --pool ID")
			}
			return c.runSnapshot(command.Context(), ids[0], out, force)
		},
	}
	c.poolFlag(command, &ids, "id of the user pool")
	command.Flags().StringVar(&out, "out", "", "file to write (default standard output)")
	command.Flags().BoolVar(&force, "force", false, "overwrite the file")
	return command
}

func (c *cli) runSnapshot(ctx context.Context, id, out string, force bool) error {
	pools, err := c.connect(ctx)
	if err != nil {
		return err
	}
	state, err := c.read(ctx, pools, id, userpool.Everything())
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
	err = writeFile(out, text, force)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists and was not changed; use --force to overwrite it", out)
	} else if err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	return nil
}
