package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report"
)

func (c *cli) report() *cobra.Command {
	var which selection
	var file string
	command := &cobra.Command{
		Use:   "report (--pool ID... | --all) --output html",
		Short: "Write one page about pools and their baseline; writes to no pool",
		Long: "Reads the pools as plan does and writes one HTML page to standard output: the pools by the settings that the baseline requires, what each is and should be, and until\n" +
			"when it is exempted. The page needs nothing beside it, works without scripts, and prints. --output ocsf is one Compliance Finding of the Open Cybersecurity\n" +
			"Schema Framework for each pool, one a line.\nExit status: 0 in sync, 1 error, 2 drift found.",
		Example: "  poolkeeper report --all --output html > pools.html\n  poolkeeper report --all --output ocsf",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := which.check(); err != nil {
				return err
			}
			r, _, err := c.reconciler(command.Context(), file)
			if err != nil {
				return err
			}
			var s summary
			switch c.output {
			case "html":
				p := newPage(c.out, r.Baseline, time.Now())
				if s, err = c.show(command.Context(), r, which, p.add); err == nil {
					err = p.close(s)
				}
			case "ocsf":
				s, err = c.show(command.Context(), r, which, c.finding)
			}
			if err != nil {
				return err
			}
			return s.exit()
		},
	}
	which.flags(command)
	c.baselineFlag(command, &file)
	return has(command, "html", "ocsf")
}

// finding writes the finding of a pool. One that could not be looked at, or that no rule selects, has none.
func (c *cli) finding(l looked) error {
	if why := l.failure(); why != nil {
		_, err := fmt.Fprintf(c.err, "poolkeeper: %s: %s\n", l.id, baseline.Legible(why.Error()))
		return err
	}
	f, ok := report.FindingOf(report.New(l.preview.Outcome, ""), time.Now())
	if !ok {
		return nil
	}
	encoder := json.NewEncoder(report.Printable(c.out))
	encoder.SetEscapeHTML(false)
	return encoder.Encode(report.OCSF(f))
}
