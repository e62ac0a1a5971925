package main

import (
	"context"
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
		Use:         "validate [FILE]",
		Short:       "Check a baseline file: show all errors and warnings with their positions",
		Example:     "  poolkeeper validate --strict baseline/baseline.yaml",
		Annotations: forPools,
		RunE: func(command *cobra.Command, args []string) error {
			return c.runValidate(command.Context(), strings.Join(args, ""), strict)
		},
	}
	command.Flags().BoolVar(&strict, "strict", false, "fail on warnings too, such as an expired exemption")
	return command
}

func (c *cli) runValidate(ctx context.Context, path string, strict bool) error {
	file, text, err := c.baselineText(ctx, path)
	if err != nil {
		return err
	}
	required, err := baseline.Parse(file, text)
	var found baseline.Errors
	if err != nil && !errors.As(err, &found) {
		return err
	}
	var lints []baseline.Lint
	conclusion := counted(len(found), "error") + ": the whole file is rejected"
	if err == nil {
		lints = required.Lint(time.Now())
		conclusion = fmt.Sprintf("%s: %s, %s, %s, no errors (%s)", file, counted(len(required.Rules), "rule"),
			counted(len(required.Exemptions), "exemption"), counted(len(lints), "warning"), required.Digest)
	}
	refused := err != nil
	if strict && len(lints) > 0 {
		refused = true
		conclusion += "\n" + counted(len(lints), "warning") + ", and --strict allows none"
	}
	counts := map[string]any{"file": file, "errors": len(found), "warnings": len(lints), "accepted": !refused}
	err = c.results(func(to *stream.Stream) error {
		if err := to.Write(stream.OfFile(file, found, lints, text)); err != nil {
			return err
		}
		return to.Write(stream.OfSummary("summary", counts, conclusion))
	})
	if err == nil && refused {
		return exit(exitError)
	}
	return err
}
