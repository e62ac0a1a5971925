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
		Long: "Reads the pools as plan does and writes one HTML page to standard output: the pools by the settings\n" +
			"that the baseline requires, what each is and should be, and until when it is exempted. The page needs\n" +
			"no other file, works without scripts, and prints. --output ocsf writes one Compliance Finding of the\n" +
			"Open Cybersecurity Schema Framework for each pool, one a line.\n" +
			"Exit status: 0 in sync, 1 error, 2 drift found.",
		Example: "  poolkeeper report --all --output html > pools.html\n  poolkeeper report --all --output ocsf",
		Args:    noArguments,
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
				if err = c.show(command.Context(), r, which, &s, p.add); err == nil {
					err = p.close(s)
				}
			case "ocsf":
				err = c.show(command.Context(), r, which, &s, c.finding)
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

// finding writes the finding of a pool. A pool that could not be read, or that no rule selects, has none.
func (c *cli) finding(p poolPlan) error {
	if why := p.failure(); why != nil {
		_, err := fmt.Fprintf(c.err, "poolkeeper: %s: %s\n", p.id, baseline.Legible(why.Error()))
		return err
	}
	whole := report.New(p.preview.Outcome, "", "")
	whole.Whole = true
	f, ok := report.FindingOf(whole, time.Now())
	if !ok {
		return nil
	}
	encoder := json.NewEncoder(report.Printable(c.out))
	encoder.SetEscapeHTML(false)
	return encoder.Encode(report.OCSF(f))
}
