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
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/report"
	"poolkeeper/lambda/report/stream"
)

// The exit statuses.
const (
	exitDone    = 0 // in sync, or brought in sync
	exitError   = 1
	exitDrifted = 2 // drift was found, or remains
)

// An exit ends the command with a status, and without a message of its own.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run executes the command line and returns the exit status. Results go to stdout, progress and diagnostics to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	return (&cli{out: stdout, err: stderr, notes: stderr, getenv: getenv}).run(ctx, args)
}

func (c *cli) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	var status exit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(c.err, "poolkeeper: interrupted")
	default:
		fmt.Fprintln(c.err, "poolkeeper:", err)
	}
	return exitError
}

// root returns the command line. It is built on cobra, as most command lines of this field are: flags stand anywhere,
// and help and completion are as people expect them.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "poolkeeper",
		Short:         "Keep Amazon Cognito user pools at a checked-in baseline",
		Args:          noCommand,
		RunE:          func(root *cobra.Command, _ []string) error { return root.Help() },
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
	flags.StringVar(&c.output, "output", "text",
		"text, json (one object a line), markdown, sarif, junit, html or ocsf, where the command has it")
	flags.BoolVar(&c.quiet, "quiet", false, "print only results, questions and errors")
	formats := cobra.FixedCompletions(append(slices.Clone(all), "html", "ocsf"), cobra.ShellCompDirectiveNoFileComp)
	if err := root.RegisterFlagCompletionFunc("output", formats); err != nil {
		panic(err) // the flag exists
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(c.demo(), c.validate(), c.plan(), c.apply(), c.backup(), c.restore(), c.replay(), c.history(),
		c.undo(), c.explain(), c.snapshot(), c.report(), c.conformance(), c.version())
	return root
}

// cli has what every command needs, and the flags that all of them have.
type cli struct {
	out, err io.Writer
	notes    io.Writer // progress and diagnostics: err, or nothing
	getenv   func(string) string
	sleep    func(context.Context, time.Duration) error // between calls; nil waits

	profile, region, output string
	quiet                   bool
	clock                   *cognito.Clock // of the answers of AWS; nil before the first
}

// all are the formats of the commands that are about many pools.
var all = []string{"text", "json", "markdown", "sarif", "junit"}

const outputs = "outputs" // the annotation that names the formats of a command

// has annotates a command with the formats that it has; a command without them has only text.
func has(command *cobra.Command, formats ...string) *cobra.Command {
	command.Annotations = map[string]string{outputs: strings.Join(formats, " ")}
	return command
}

// formatsOf returns the formats of a command; the first is its default.
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
		return fmt.Errorf("--output is %q: %s takes %s", format, command.Name(), strings.Join(formats, ", "))
	}
	return nil
}

// results returns the stream that results are written to.
func (c *cli) results() stream.Stream { return stream.New(stream.Format(c.output), c.out, c.paint()) }

// paint says whether results are colored: on a terminal, unless NO_COLOR is set.
func (c *cli) paint() report.Paint {
	return report.Paint(c.getenv("NO_COLOR") == "" && c.terminal(c.out))
}

// terminal says whether w is a terminal that can do more than print lines.
func (c *cli) terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && c.getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// readBaseline reads the baseline file, or the one that ships where no path is given. It is read once: it may be a
// pipe.
func readBaseline(path string) (required *baseline.Baseline, text []byte, err error) {
	if text, err = textOfBaseline(path); err != nil {
		return nil, nil, err
	}
	required, err = baseline.Parse(cmp.Or(path, baseline.DefaultFile), text)
	return required, text, err
}

// largest is the most bytes of a file other than a baseline that are read: a device may have no end.
const largest = 64 << 20

// readFile reads a file, or standard input where that is given and the path is -.
func readFile(path string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if stdin == nil || path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	raw, err := io.ReadAll(io.LimitReader(from, largest+1))
	if err == nil && len(raw) > largest {
		err = fmt.Errorf("%s has more than %d MiB", path, largest>>20)
	}
	return raw, err
}

func textOfBaseline(path string) ([]byte, error) {
	if path == "" {
		return baseline.Default(), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := baseline.Read(file)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return text, nil
}
