package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"

	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"poolkeeper/lambda/conformance"
)

// conformanceRate is the rate for all calls together: a third of the lowest documented rate, because other tools share
// the rates.
const conformanceRate = 5

// asking has the options of a conformance run.
type asking struct {
	c             *cli
	with          []string
	against, file string
	clean, yes    bool
}

func (c *cli) conformance() *cobra.Command {
	a := asking{c: c}
	command := &cobra.Command{
		Use:   "conformance",
		Short: "Check poolkeeper's assumptions about Cognito against AWS, with temporary pools",
		Example: "  poolkeeper conformance --region eu-west-1\n" +
			"  poolkeeper conformance --region eu-west-1 --with plus,sms=ROLE_ARN,ses=IDENTITY_ARN,lambda=FUNCTION_ARN",
		Args: arguments("", 0, 0),
		RunE: func(command *cobra.Command, _ []string) error { return a.run(command.Context(), command) },
	}
	flags := command.Flags()
	flags.StringSliceVar(&a.with, "with", nil, "what the account offers: plus (creates pools of the tier PLUS, which "+
		"have costs only with users), sms=ROLE_ARN, ses=IDENTITY_ARN, lambda=FUNCTION_ARN")
	flags.StringVar(&a.file, "out", "", "write the results to this file, as JSON")
	flags.StringVar(&a.against, "against", "", "show what differs from the results in this file")
	flags.BoolVar(&a.clean, "clean", false, "only delete test pools that a killed run left behind")
	flags.BoolVar(&a.yes, "yes", false, "do not ask")
	return command
}

func (a asking) run(ctx context.Context, command *cobra.Command) error {
	earlier, err := a.earlier(ctx)
	if err != nil {
		return err
	}
	run, facts, err := a.runner(ctx)
	if err != nil {
		return err
	}
	if a.file != "" { // that cannot be written is found before pools are made for it
		file, err := os.OpenFile(a.file, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		_ = file.Close()
	}
	if a.clean {
		n, err := run.Clean(ctx)
		fmt.Fprintf(a.c.out, "%s deleted\n", counted(n, "test pool"))
		return err
	}
	fmt.Fprintf(a.c.notes, "This checks %d facts in %s. It creates one user pool for each, named %s..., at most three at "+
		"a time, and deletes it.\nPools without users cost nothing. It needs cognito-idp:CreateUserPool, DeleteUserPool, "+
		"ListUserPools, and the function's\npermissions on all pools; with sms also iam:PassRole on the role.\n",
		len(facts), a.c.region, conformance.Prefix)
	if !a.yes {
		if err := a.c.confirm(ctx, command.InOrStdin(), "Create the test pools?", "nothing was checked"); err != nil {
			return err
		}
	}
	var done atomic.Int64
	results, failed := run.Ask(ctx, facts, func() {
		if n := done.Add(1); n%32 == 0 {
			fmt.Fprintf(a.c.notes, "%d of %d facts checked\n", n, len(facts))
		}
	})
	if err := a.show(results, earlier); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("%w (--clean deletes what is left)", failed)
	}
	if slices.ContainsFunc(results, func(r conformance.Result) bool { return r.Status == conformance.Differs }) {
		return exit(exitDrifted)
	}
	return nil
}

// runner connects to the API, parses what the account offers, and returns the facts to check with that.
func (a asking) runner(ctx context.Context) (conformance.Run, []conformance.Fact, error) {
	have := map[string]string{}
	for _, offer := range a.with {
		name, value, given := strings.Cut(offer, "=")
		if !slices.Contains([]string{"plus", "sms", "ses", "lambda"}, name) || given == (name == "plus") {
			return conformance.Run{}, nil, fmt.Errorf(
				"--with is %q: it takes plus, sms=ROLE_ARN, ses=IDENTITY_ARN, lambda=FUNCTION_ARN", offer)
		}
		have[name] = value
	}
	loaded, err := a.c.configuration(ctx)
	if err != nil {
		return conformance.Run{}, nil, err
	}
	pace := rate.Limit(conformanceRate)
	if idp.NewFromConfig(loaded).Options().BaseEndpoint != nil { // an emulator
		pace = rate.Inf
	}
	facts, err := conformance.Facts(have)
	return conformance.NewRun(loaded, pace, have), facts, err
}

// earlier reads the results of an earlier run.
func (a asking) earlier(ctx context.Context) (map[string]string, error) {
	if a.against == "" {
		return nil, nil
	}
	raw, err := readFile(ctx, a.against, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the earlier results: %w", err)
	}
	var results []conformance.Result
	if err := json.Unmarshal(raw, &results); err != nil {
		return nil, fmt.Errorf("%s is not a results file of poolkeeper conformance --out: %w", a.against, err)
	}
	observed := map[string]string{}
	for _, r := range results {
		observed[r.ID] = r.Observed
	}
	return observed, nil
}

// show prints the results, or the differences to earlier ones, and writes the file.
func (a asking) show(results []conformance.Result, earlier map[string]string) error {
	table := tabwriter.NewWriter(a.c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATUS\tFACT\tEXPECTED\tOBSERVED")
	count := map[conformance.Status]int{}
	for _, r := range results {
		count[r.Status]++
		expected := r.Documented
		if r.Measured != r.Documented {
			expected += " (measured: " + r.Measured + ")"
		}
		before, known := earlier[r.ID]
		if earlier == nil {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Status, r.ID, expected, r.Observed)
		} else if before != r.Observed {
			if !known {
				before = "not asked"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s -> %s\n", r.Status, r.ID, expected, before, r.Observed)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(a.c.out, "%d facts: %d confirmed, %d differ, %d unknown, %d "+
		"skipped\n", len(results), count[conformance.Holds],
		count[conformance.Differs], count[conformance.Unknown], count[conformance.Skipped])
	if a.file == "" {
		return nil
	}
	raw, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(a.file, append(raw, '\n'), 0o600)
}
