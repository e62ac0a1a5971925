package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/userpool"
)

func (c *cli) snapshot() *cobra.Command {
	var ids []string
	var out string
	command := &cobra.Command{
		Use:   "snapshot --pool ID [--out FILE]",
		Short: "Write a baseline from a live pool",
		Long: "Requires what matters for security as the pool has it (at least so long a password, exactly these triggers), and lists the rest as comments.\n" +
			"The pool is in sync with the result, which only audits until its mode is changed.",
		Example: "  poolkeeper snapshot --pool eu-west-1_AbCdEf123 --out baseline.yaml",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if len(ids) != 1 || ids[0] == "" {
				return errors.New("say which one pool: --pool ID")
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
			if err := os.WriteFile(out, text, 0o600); err != nil {
				return fmt.Errorf("writing the baseline: %w", err)
			}
			return nil
		},
	}
	command.Flags().StringSliceVar(&ids, "pool", nil, "id of the user pool")
	command.Flags().StringVar(&out, "out", "", "file to write (default standard output)")
	return command
}
