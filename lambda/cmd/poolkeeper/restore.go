package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

func (c *cli) restore() *cobra.Command {
	a := applying{c: c}
	command := &cobra.Command{
		Use:   "restore FILE [--yes]",
		Short: "Bring a pool back to the state in a backup",
		Long: "Takes the backup as the baseline of that one pool, and does what apply does: shows what would be written,\n" +
			"asks, writes, verifies. It names each setting that gets weaker, and lists what no call can restore.",
		Example: "  poolkeeper restore poolkeeper-backups/eu-west-1_AbCdEf123.20261001T091540.000000Z.json",
		Args:    arguments("FILE", 1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			raw, saved, err := readBackup(args[0])
			if err != nil {
				return err
			}
			if err := a.begin(command); err != nil {
				return err
			}
			return a.restore(command.Context(), args[0], raw, saved)
		},
		ValidArgsFunction: files,
	}
	c.stackFlag(command)
	return has(a.flags(command), all...)
}

// readBackup reads a backup file, and refuses one that another program could read differently.
func readBackup(path string) (raw []byte, saved userpool.Backup, err error) {
	if raw, err = readFile(path, nil); err != nil {
		return nil, saved, fmt.Errorf("reading the backup: %w", err)
	}
	if saved, err = userpool.DecodeBackup(raw); err != nil {
		return nil, saved, fmt.Errorf("%s: %w", path, err)
	}
	return raw, saved, nil
}

func (a *applying) restore(ctx context.Context, path string, raw []byte, saved userpool.Backup) error {
	client, err := a.c.connect(ctx)
	if err != nil {
		return err
	}
	live, err := a.c.read(ctx, client, saved.UserPoolID, saved.Want())
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	then := saved.State()
	if !saved.Whole { // made before a write, of what the write needed
		fmt.Fprintf(a.c.notes, "the backup holds %s; the rest of the pool stays as it is\n", joined(then.Names()))
	}
	digest := "sha256:" + hex.EncodeToString(sum[:])
	required, kept := baseline.OfSettings(path, digest, saved.UserPoolID, then.Own(), then.Offered())
	a.target, a.lost = &then, then.Unwritable(live)
	for _, setting := range kept {
		if !baseline.Empty(baseline.ValueAt(live.Own(), setting)) {
			a.lost = append(a.lost, setting)
		}
	}
	which := selection{ids: []string{saved.UserPoolID}}
	err = a.run(ctx, which, func(*cli) (*reconcile.Reconciler, error) {
		r := a.c.newReconciler(client, required)
		return r, a.c.record(ctx, r)
	}, nil)
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
