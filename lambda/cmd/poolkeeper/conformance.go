package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"

	"poolkeeper/lambda/conformance"
)

func (c *cli) conformance(ctx context.Context, _ []string) error {
	earlier, err := c.earlier(ctx, c.text("against"))
	if err != nil {
		return err
	}
	run, facts, err := c.runner(ctx, c.texts("with"))
	if err != nil {
		return err
	}
	if c.on("clean") {
		n, err := run.Clean(ctx)
		fmt.Fprintf(c.out, "%s deleted\n", counted(n, "test pool"))
		return err
	}
	fmt.Fprintf(c.notes, "This checks %d facts in %s. It creates one user pool for each, named %s..., at most three at "+
		"a time, and deletes it.\nPools without users cost nothing. It needs cognito-idp:CreateUserPool, DeleteUserPool, "+
		"ListUserPools, and the function's\npermissions on all pools; with sms also iam:PassRole on the role.\n",
		len(facts), c.region, conformance.Prefix)
	if err := c.confirm(ctx, "Create the test pools?", "nothing was checked"); err != nil {
		return err
	}
	file := c.text("out")
	if file != "" { // checked before pools are made for it; the earlier results stay until there are new ones
		opened, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		_ = opened.Close()
	}
	var done atomic.Int64
	results, failed := run.Ask(ctx, facts, func() {
		if n := done.Add(1); n%32 == 0 {
			fmt.Fprintf(c.notes, "%d of %d facts checked\n", n, len(facts))
		}
	})
	err = c.showFacts(results, earlier)
	if err == nil && file != "" {
		err = writeJSON(file, results)
	}
	switch {
	case err != nil:
		return err
	case failed != nil:
		return fmt.Errorf("%w (--clean deletes what is left)", failed)
	case slices.ContainsFunc(results, func(r conformance.Result) bool { return r.Status == conformance.Differs }):
		return exit(exitDrifted)
	}
	return nil
}

// runner connects to the API, parses what the account offers, and returns the facts to check with that.
func (c *cli) runner(ctx context.Context, with []string) (run conformance.Run, facts []conformance.Fact, err error) {
	have := map[string]string{}
	for _, offer := range with {
		name, value, given := strings.Cut(offer, "=")
		if !slices.Contains([]string{"plus", "sms", "ses", "lambda"}, name) || given == (name == "plus") {
			return run, nil, fmt.Errorf("--with is %q: it takes plus, sms=ROLE_ARN, ses=IDENTITY_ARN, lambda=FUNCTION_ARN",
				offer)
		}
		have[name] = value
	}
	loaded, err := c.configuration(ctx)
	if err != nil {
		return run, nil, err
	}
	facts, err = conformance.Facts(have)
	return conformance.NewRun(loaded), facts, err
}

// earlier reads the results of an earlier run, if a file is given.
func (c *cli) earlier(ctx context.Context, path string) (observed map[string]string, err error) {
	if path == "" {
		return nil, nil
	}
	raw, err := c.readFile(ctx, "earlier results", path)
	if err != nil {
		return nil, err
	}
	var results []conformance.Result
	if err := json.Unmarshal(raw, &results); err != nil {
		return nil, fmt.Errorf("%s is not a results file of poolkeeper conformance --out: %w", path, err)
	}
	observed = map[string]string{}
	for _, r := range results {
		observed[r.ID] = r.Observed
	}
	return observed, nil
}

// showFacts prints the results, or the differences to earlier ones.
func (c *cli) showFacts(results []conformance.Result, earlier map[string]string) error {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATUS\tFACT\tEXPECTED\tOBSERVED")
	count := map[conformance.Status]int{}
	for _, r := range results {
		count[r.Status]++
		if earlier != nil && earlier[r.ID] == r.Observed {
			continue
		} else if earlier != nil {
			r.Observed = cmp.Or(earlier[r.ID], "not asked") + " -> " + r.Observed
		}
		if r.Measured != r.Documented {
			r.Documented += " (measured: " + r.Measured + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Status, r.ID, r.Documented, r.Observed)
	}
	fmt.Fprintf(table, "%d facts: %d confirmed, %d differ, %d unknown, %d skipped\n", len(results),
		count[conformance.Holds], count[conformance.Differs], count[conformance.Unknown], count[conformance.Skipped])
	return table.Flush()
}
