package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

func (c *cli) backup() *cobra.Command {
	var which selection
	var dir string
	command := &cobra.Command{
		Use:     "backup (--pool ID... | --all) --out DIR",
		Short:   "Save the whole state of pools, one file each",
		Long:    "Saves what the API tells of each pool, whole and raw, for restore. The files hold message texts and external ids, and are readable by their owner only.",
		Example: "  poolkeeper backup --all --out backups",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := which.check(); err != nil {
				return err
			}
			if dir == "" {
				return errors.New("say where to: --out DIR")
			}
			client, err := c.connect(command.Context())
			if err != nil {
				return err
			}
			return c.runBackup(command.Context(), client, which, dir)
		},
	}
	which.flags(command)
	command.Flags().StringVar(&dir, "out", "", "folder for the files")
	return has(command, "text", "json")
}

func (c *cli) runBackup(ctx context.Context, pools reconcile.Pools, which selection, dir string) error {
	type read struct {
		id    string
		state userpool.State
		err   error
	}
	saved, failed := 0, 0
	progress, err := c.progress(ctx, pools, which)
	if err != nil {
		return err
	}
	err = inOrder(ctx, which.each(ctx, pools), func(ctx context.Context, id string) read {
		state, err := c.read(ctx, pools, id, userpool.Everything())
		return read{id, state, err}
	}, func(r read) error {
		progress.clear()
		defer func() { progress.say(saved + failed) }()
		if r.err == nil {
			saved++
			return c.save(dir, r.state, true)
		}
		failed++
		_, err := fmt.Fprintf(c.err, "poolkeeper: %v\n", r.err)
		return err
	})
	progress.clear()
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s saved in %s", counted(saved, "user pool"), dir)
	}
	if err != nil {
		return err
	}
	if which.all && saved+failed == 0 {
		c.none()
	}
	err = c.results().Write(stream.OfSummary("summary", map[string]any{"saved": saved, "failed": failed, "folder": dir}, fmt.Sprintf("%s saved in %s, %d failed", counted(saved, "user pool"), dir, failed)))
	if err != nil {
		return err
	}
	if failed > 0 {
		return exit(exitError)
	}
	return nil
}

func (c *cli) restore() *cobra.Command {
	a := applying{cli: c}
	command := &cobra.Command{
		Use:   "restore FILE [--yes]",
		Short: "Put a pool back to what a backup holds",
		Long: "Takes the backup for a baseline of that one pool, and does what apply does: shows what would be written, asks, writes, verifies. What no call can\n" +
			"write back is listed. Exit status: 0 done or in sync, 1 error, 2 something is left.",
		Example: "  poolkeeper restore poolkeeper-backups/eu-west-1_AbCdEf123.20261001T091540.000000Z.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(command); err != nil {
				return err
			}
			return a.restore(command.Context(), args[0])
		},
	}
	return has(a.flags(command), all...)
}

func joined(names []baseline.DocumentName) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

func (a applying) restore(ctx context.Context, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	saved, err := userpool.DecodeBackup(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	live, err := a.read(ctx, client, saved.UserPoolID, saved.Want())
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	then := saved.State()
	if !saved.Whole { // but before a write, with what that had to do with
		fmt.Fprintf(a.notes, "the backup holds %s; the rest of the pool is left as it is\n", joined(then.Names()))
	}
	required := baseline.OfSettings(path, "sha256:"+hex.EncodeToString(sum[:]), saved.UserPoolID, then.Own(), then.Offered())
	a.lost = then.Unwritable(live)
	err = a.run(ctx, a.keeper(client, required, ""), selection{ids: []string{saved.UserPoolID}}, nil)
	if err == nil && len(a.lost) > 0 {
		return exit(exitDrifted)
	}
	return err
}
