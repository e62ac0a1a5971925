package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
)

func (c cli) validate() *cobra.Command {
	var file string
	var strict bool
	command := &cobra.Command{
		Use:     "validate [FILE]",
		Short:   "Check a baseline file: every fault, and warnings, with their places",
		Example: "  poolkeeper validate --strict baseline/baseline.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && file != "" {
				return errors.New("say which file once: as FILE or as --baseline")
			} else if len(args) == 1 {
				file = args[0]
			}
			required, err := readBaseline(file)
			var faults baseline.Faults
			if errors.As(err, &faults) {
				for _, fault := range faults {
					fmt.Fprintln(c.out, fault.Error())
				}
				fmt.Fprintf(c.err, "%d faults: the file is refused whole\n", len(faults))
				return exit(exitError)
			}
			if err != nil {
				return err
			}
			lints := required.Lint(time.Now())
			for _, lint := range lints {
				fmt.Fprintf(c.out, "%s: warning: %s: %s [%s]\n", lint.Position, lint.Path, lint.Message, lint.ID)
			}
			if strict && len(lints) > 0 {
				fmt.Fprintf(c.err, "%d warnings, and --strict takes none\n", len(lints))
				return exit(exitError)
			}
			fmt.Fprintf(c.out, "%s: %d rules, %d exemptions, no fault (%s)\n", required.File, len(required.Rules), len(required.Exemptions), required.Digest)
			return nil
		},
	}
	command.Flags().StringVar(&file, "baseline", "", "baseline file (default the one that ships)")
	command.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return command
}
