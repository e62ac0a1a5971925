package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) validate() *cobra.Command {
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
			text, err := textOfBaseline(file)
			if err != nil {
				return err
			}
			if file == "" {
				file = baseline.DefaultFile
			}
			return c.check(file, text, strict)
		},
	}
	command.Flags().StringVar(&file, "baseline", "", "baseline file (default the one that ships)")
	command.Flags().BoolVar(&strict, "strict", false, "fail on warnings too, an exemption that has run out among them")
	return has(command, all...)
}

// check writes what is wrong with a file and what may be, each with its place.
func (c *cli) check(file string, text []byte, strict bool) error {
	required, err := baseline.Parse(file, text)
	var faults baseline.Faults
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	var lints []baseline.Lint
	var said string
	if err != nil {
		said = counted(len(faults), "fault") + ": the file is refused whole"
	} else {
		lints = required.Lint(time.Now())
		said = fmt.Sprintf("%s: %s, %s, %s, no fault (%s)", file, counted(len(required.Rules), "rule"), counted(len(required.Exemptions), "exemption"), counted(len(lints), "warning"), required.Digest)
		if strict && len(lints) > 0 {
			said += "\n" + counted(len(lints), "warning") + ", and --strict takes none"
		}
	}
	refused := len(faults) > 0 || strict && len(lints) > 0
	to := c.results()
	err = to.Write(stream.OfFile(file, faults, lints, text))
	if err == nil {
		err = to.Write(stream.OfSummary("summary", map[string]any{"file": file, "faults": len(faults), "warnings": len(lints), "accepted": !refused}, said))
	}
	if err = errors.Join(err, to.Close(true)); err != nil {
		return err
	}
	if refused {
		return exit(exitError)
	}
	return nil
}
