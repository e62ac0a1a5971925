package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) validate(ctx context.Context, args []string) error {
	file, text, err := c.baselineText(ctx, strings.Join(args, ""))
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
	if c.on("strict") && len(lints) > 0 {
		refused = true
		conclusion += "\n" + counted(len(lints), "warning") + ", and --strict allows none"
	}
	counts := map[string]any{"file": file, "errors": len(found), "warnings": len(lints), "accepted": !refused}
	return c.show(func(to *results) error {
		if refused {
			to.Failed++
		}
		return errors.Join(to.Write(stream.OfFile(file, found, lints, text)),
			to.Write(stream.OfSummary("summary", counts, conclusion)))
	})
}
