package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
	"poolkeeper/lambda/userpool"
)

// The exit codes.
const (
	exitDone    = 0 // in sync, or put in sync
	exitError   = 1
	exitDrifted = 2 // drift was found and left
)

// An exit ends the command with a code, and without a message of its own.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run executes the command line and returns the exit code. Results go to stdout, progress and diagnostics to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	c := &cli{out: stdout, err: stderr, notes: stderr, getenv: getenv}
	// cobra, for it is what most command lines of this field are built on: flags anywhere, help and completion as people expect them.
	root := &cobra.Command{
		Use:           "poolkeeper",
		Short:         "Keep Amazon Cognito user pools at a checked-in baseline",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			if c.quiet {
				c.notes = io.Discard
			}
			if !command.Flags().Changed("output") {
				c.output = formatsOf(command)[0]
			}
			return takes(command, c.output)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.profile, "profile", "", "profile of the AWS configuration (default $AWS_PROFILE)")
	flags.StringVar(&c.region, "region", "", "AWS Region (default $AWS_REGION, or the profile's)")
	flags.StringVar(&c.output, "output", "text", "text, json (one object a line), markdown, sarif, junit, html or ocsf, as far as the verb has them")
	flags.BoolVar(&c.quiet, "quiet", false, "say nothing but results, questions and errors")
	if err := root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(append(slices.Clone(all), "html", "ocsf"), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		fmt.Fprintln(stderr, "poolkeeper:", err)
		return exitError
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(c.demo(), c.validate(), c.plan(), c.apply(), c.backup(), c.restore(), c.replay(), c.history(), c.undo(), c.explain(), c.snapshot(), c.report(), c.version())
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintln(stderr, "poolkeeper:", err)
		return exitError
	}
}

// cli is what every command needs of the world, and the flags that all of them have.
type cli struct {
	out, err io.Writer
	notes    io.Writer // progress and diagnostics: err, or nothing
	getenv   func(string) string

	profile, region, output string
	quiet                   bool
	connected               string          // the Region that connect found
	clock                   *userpool.Clock // that of AWS's answers, once there may be any
}

// all are the formats of the verbs that are about many pools.
var all = []string{"text", "json", "markdown", "sarif", "junit"}

const outputs = "outputs" // the annotation that names the formats of a command

// has annotates a command with the formats that it has; a command without them has only text.
func has(command *cobra.Command, formats ...string) *cobra.Command {
	command.Annotations = map[string]string{outputs: strings.Join(formats, " ")}
	return command
}

// formatsOf returns the formats of a command; the first is the one that it has unasked.
func formatsOf(command *cobra.Command) []string {
	if formats := strings.Fields(command.Annotations[outputs]); len(formats) > 0 {
		return formats
	}
	return []string{"text"}
}

// takes says whether a command has the format.
func takes(command *cobra.Command, format string) error {
	formats := formatsOf(command)
	if !slices.Contains(formats, format) {
		return fmt.Errorf("--output is %q: %s has %s", format, command.Name(), strings.Join(formats, ", "))
	}
	return nil
}

// results returns the stream that results are written to.
func (c *cli) results() stream.Stream { return stream.New(stream.Format(c.output), c.out, c.paint()) }

// paint says whether results are coloured: on a terminal, unless NO_COLOR is set.
func (c *cli) paint() report.Paint {
	return report.Paint(c.getenv("NO_COLOR") == "" && c.terminal(c.out))
}

// terminal says whether w is a terminal that can do more than print lines.
func (c *cli) terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && c.getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// readBaseline reads the baseline file, or the one that ships where no path is given. It is read once, for it may be a pipe.
func readBaseline(path string) (required *baseline.Baseline, text []byte, err error) {
	if text, err = textOfBaseline(path); err != nil {
		return nil, nil, err
	}
	required, err = baseline.Parse(cmp.Or(path, baseline.DefaultFile), text)
	return required, text, err
}

func textOfBaseline(path string) ([]byte, error) {
	if path == "" {
		return baseline.Default(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return text, nil
}
