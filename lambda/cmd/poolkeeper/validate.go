package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) validate() *cobra.Command {
	var strict bool
	command := &cobra.Command{
		Use:     "validate [FILE]",
		Short:   "Check a baseline file: show all errors and warnings with their positions",
		Example: "  poolkeeper validate --strict baseline/baseline.yaml",
		Args:    arguments("FILE", 0, 1),
		RunE: func(command *cobra.Command, args []string) error {
			file := strings.Join(args, "")
			text, err := textOfBaseline(command.Context(), file)
			if err != nil {
				return err
			}
			return c.checkFile(cmp.Or(file, baseline.DefaultFile), text, strict)
		},
		ValidArgsFunction: files,
	}
	command.Flags().BoolVar(&strict, "strict", false, "fail on warnings too, such as an expired exemption")
	return has(command, all...)
}

// checkFile prints the errors and warnings of a file with their positions.
func (c *cli) checkFile(file string, text []byte, strict bool) error {
	required, err := baseline.Parse(file, text)
	var found baseline.Errors
	if err != nil && !errors.As(err, &found) {
		return err
	}
	var lints []baseline.Lint
	var conclusion string
	if err != nil {
		conclusion = counted(len(found), "error") + ": the whole file is rejected"
	} else {
		lints = required.Lint(time.Now())
		conclusion = fmt.Sprintf("%s: %s, %s, %s, no errors (%s)", file, counted(len(required.Rules), "rule"),
			counted(len(required.Exemptions), "exemption"), counted(len(lints), "warning"), required.Digest)
		if strict && len(lints) > 0 {
			conclusion += "\n" + counted(len(lints), "warning") + ", and --strict allows none"
		}
	}
	refused := len(found) > 0 || strict && len(lints) > 0
	counts := map[string]any{"file": file, "errors": len(found), "warnings": len(lints), "accepted": !refused}
	to := c.results()
	err = to.Write(stream.OfFile(file, found, lints, text))
	if err == nil {
		err = to.Write(stream.OfSummary("summary", counts, conclusion))
	}
	if err = errors.Join(err, to.Close(true)); err != nil {
		return err
	}
	if refused {
		return exit(exitError)
	}
	return nil
}
