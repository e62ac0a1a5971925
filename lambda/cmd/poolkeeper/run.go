package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
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
	exitDone    = 0 // in sync, or now in sync
	exitError   = 1
	exitDrifted = 2 // drift was found, or remains
)

// An exit ends the command with a status and without a message.
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

// root returns the command line. It uses cobra, so flags, help and completion work as in most command lines of this
// field.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use: "poolkeeper",
		Long: "Keeps Amazon Cognito user pools at a checked-in baseline.\n" +
			"Exit status: 0 in sync or done, 1 error, 2 drift was found, or a difference remains.",
		Version:       buildText(),
		Args:          noCommand,
		RunE:          func(root *cobra.Command, _ []string) error { return root.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			if c.quiet {
				c.notes = io.Discard
			}
			c.named = command.Flags().Changed
			return c.check(command)
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	flags := root.PersistentFlags()
	flags.StringSliceVar(&c.flags.profiles, "profile", nil, "profiles of the AWS configuration (default $AWS_PROFILE)")
	flags.StringSliceVar(&c.flags.regions, "region", nil, "AWS Regions (default $AWS_REGION, or the profile's)")
	flags.StringVar(&c.output, "output", "text",
		"text, json (one object per line), markdown, sarif, junit, html or ocsf, if the command supports it")
	flags.BoolVar(&c.quiet, "quiet", false, "print only results, questions and errors")
	offer(root, "output", formatsOf)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(c.demo(), c.validate(), c.plan(), c.apply(), c.backup(), c.restore(), c.replay(), c.history(),
		c.undo(), c.explain(), c.snapshot(), c.report(), c.permissions(), c.conformance(), c.version())
	for _, command := range root.Commands() {
		if command.ValidArgsFunction == nil && command.ValidArgs == nil {
			command.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	return root
}

// offer adds shell completion for the values of a flag.
func offer(command *cobra.Command, flag string, values func(*cobra.Command) []string) {
	err := command.RegisterFlagCompletionFunc(flag,
		func(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return values(command), cobra.ShellCompDirectiveNoFileComp
		})
	if err != nil {
		panic(err) // the flag exists
	}
}

// files adds shell completion of files as arguments.
func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// cli is the state that all commands share. It is for one account and Region at a time.
type cli struct {
	out, err io.Writer
	notes    io.Writer // for progress and diagnostics: err, or io.Discard
	getenv   func(string) string
	sleep    func(context.Context, time.Duration) error // waits between calls; nil is the real wait
	named    func(flag string) bool                     // whether the flag was given

	flags           flags
	output          string
	quiet           bool
	profile, region string
	clock           *cognito.Clock // the time from AWS's responses; nil before the first
	stack           *deployment    // nil before it was read
}

// flags are the flags that several commands have.
type flags struct {
	profiles, regions       []string
	allRegions              bool
	baseline, stack, ledger string
}

// all are the output formats of the commands on many pools.
var all = []string{"text", "json", "markdown", "sarif", "junit"}

const (
	outputs = "outputs" // the annotation with the formats of a command
	many    = "many"    // the annotation of a command that takes several profiles and Regions
)

// has annotates a command with its formats. A command without the annotation has only text.
func has(command *cobra.Command, formats ...string) *cobra.Command {
	if command.Annotations == nil {
		command.Annotations = map[string]string{}
	}
	command.Annotations[outputs] = strings.Join(formats, " ")
	return command
}

// formatsOf returns the formats of a command; the first is its default.
func formatsOf(command *cobra.Command) []string {
	if formats := strings.Fields(command.Annotations[outputs]); len(formats) > 0 {
		return formats
	}
	return []string{"text"}
}

// check validates the flags that all commands have.
func (c *cli) check(command *cobra.Command) error {
	formats := formatsOf(command)
	if !c.named("output") {
		c.output = formats[0]
	}
	if !slices.Contains(formats, c.output) {
		return fmt.Errorf("--output is %q: %s takes %s", c.output, command.Name(), strings.Join(formats, ", "))
	}
	profiles, regions := c.flags.profiles, c.flags.regions
	switch {
	case command.Annotations[many] == "" && (len(profiles) > 1 || len(regions) > 1):
		return fmt.Errorf("%s takes one --profile and one --region", command.Name())
	case c.flags.allRegions && len(regions) > 0:
		return errors.New("use --region or --all-regions, not both")
	}
	c.profile, c.region = strings.Join(profiles, ","), strings.Join(regions, ",")
	return nil
}

// results returns the stream that results are written to.
func (c *cli) results() *stream.Stream { return stream.New(stream.Format(c.output), c.out, c.paint()) }

// paint reports whether results are colored: on a terminal, unless NO_COLOR is set.
func (c *cli) paint() report.Paint {
	return report.Paint(c.getenv("NO_COLOR") == "" && c.terminal(c.out))
}

// terminal reports whether w is a terminal that can do more than print lines.
func (c *cli) terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && c.getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// readBaseline reads the baseline file, or the built-in one if no path is given. It reads only once, because the file
// may be a pipe.
func readBaseline(ctx context.Context, path string) (required *baseline.Baseline, text []byte, err error) {
	if text, err = textOfBaseline(ctx, path); err != nil {
		return nil, nil, err
	}
	required, err = baseline.Parse(cmp.Or(path, baseline.DefaultFile), text)
	return required, text, err
}

func textOfBaseline(ctx context.Context, path string) ([]byte, error) {
	if path == "" {
		return baseline.Default(), nil
	}
	text, err := readFile(ctx, path, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return text, nil
}

// largest is the largest file that is read, in bytes, because a device may be endless.
const largest = 64 << 20

// readFile reads a file, or stdin if it is given and the path is -. The end of ctx ends it, also if a pipe is silent.
func readFile(ctx context.Context, path string, stdin io.Reader) ([]byte, error) {
	return interruptibly(ctx, func() ([]byte, error) { return readWhole(path, stdin) })
}

func readWhole(path string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if stdin == nil || path != "-" {
		file, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w%s", err, likelyFile(path))
		} else if err != nil {
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

// buildText describes the build of the binary, and its built-in baseline.
func buildText() string {
	version, commit, with, digest := "unknown", "unknown", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, with = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	if required, err := baseline.Parse(baseline.DefaultFile, baseline.Default()); err == nil {
		digest = required.Digest
	}
	return fmt.Sprintf("poolkeeper %s, commit %s, %s\nbuilt-in baseline %s "+
		"%s", version, commit, with, baseline.DefaultFile, digest)
}

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the build and its built-in baseline, as --version does",
		Example: "  poolkeeper version",
		Args:    arguments("", 0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(c.out, buildText())
			return err
		},
	}
}
