package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

func (c *cli) snapshot() *cobra.Command {
	var ids []string
	var out string
	var force bool
	command := &cobra.Command{
		Use:   "snapshot --pool ID [--out FILE]",
		Short: "Write a baseline from a live pool",
		Long: "Requires what matters for security as the pool has it (at least so long a password, exactly these\n" +
			"triggers), and lists the rest as comments. The pool is in sync with the result, which only audits until\n" +
			"its mode changes.",
		Example: "  poolkeeper snapshot --pool eu-west-1_AbCdEf123 --out baseline.yaml",
		Args:    arguments("", 0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			if len(ids) != 1 || ids[0] == "" {
				return errors.New("snapshot needs one pool: --pool ID")
			}
			client, err := c.connect(command.Context())
			if err != nil {
				return err
			}
			state, err := c.read(command.Context(), client, ids[0], userpool.Everything())
			if err != nil {
				return err
			}
			text, err := baseline.Snapshot(state.Identity(), state.Own())
			if err != nil {
				return err
			}
			if out == "" {
				_, err = c.out.Write(text)
				return err
			}
			err = writeFile(out, text, force)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s exists, and was not changed: --force overwrites it", out)
			} else if err != nil {
				return fmt.Errorf("writing the baseline: %w", err)
			}
			return nil
		},
	}
	c.poolFlag(command, &ids, "id of the user pool")
	command.Flags().StringVar(&out, "out", "", "file to write (default standard output)")
	command.Flags().BoolVar(&force, "force", false, "overwrite the file")
	return command
}
