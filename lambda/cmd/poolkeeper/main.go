// Command poolkeeper is the command line for people and pipelines. It runs the same code as the function.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognito"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report/stream"
)

func main() {
	// Closing the terminal interrupts like Ctrl-C: the writes of the current pool are completed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	c := &cli{in: os.Stdin, out: os.Stdout, err: os.Stderr, sleep: cognito.Sleep}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

const (
	exitDone    = 0 // in sync, or now in sync
	exitError   = 1
	exitDrifted = 2 // drift was found, or remains
)

// An exit ends the command with a status and without a message.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// cli is the state that all commands share. It is for one account and Region at a time.
type cli struct {
	in       io.Reader
	out, err io.Writer                                  // results, and all else
	sleep    func(context.Context, time.Duration) error // waits between calls

	to              *results
	notes           io.Writer // for progress and diagnostics: err, or io.Discard
	flags           *pflag.FlagSet
	output          stream.Format
	profile, region string
	clock           *cognito.HTTPClient // the time from AWS's responses; nil before connecting
	stack           *deployment         // nil before it was read
}

// on, text and texts return the value of a flag. A flag that the command does not have is empty.
func (c *cli) on(flag string) bool {
	on, _ := c.flags.GetBool(flag)
	return on
}

func (c *cli) text(flag string) string {
	text, _ := c.flags.GetString(flag)
	return text
}

func (c *cli) texts(flag string) []string {
	texts, _ := c.flags.GetStringSlice(flag)
	return texts
}

func (c *cli) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	status, ended := errors.AsType[exit](err)
	if err == nil || ended {
		return int(status)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(c.err, "poolkeeper:", err)
	return exitError
}

// root returns the command line. It uses cobra, so flags, help and completion work as in kubectl or gh.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use: "poolkeeper",
		Long: "Keeps Amazon Cognito user pools at a checked-in baseline.\n" +
			"Exit status: 0 in sync or done, 1 error, 2 drift was found, or a difference remains.",
		Version: buildText(), SilenceUsage: true, SilenceErrors: true,
		Args: noCommand, RunE: func(root *cobra.Command, _ []string) error { return root.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	flags := root.PersistentFlags()
	flags.StringSlice("profile", nil, "profiles of the AWS configuration (default $AWS_PROFILE)")
	flags.StringSlice("region", nil, "AWS Regions (default $AWS_REGION, or the profile's)")
	flags.Bool("quiet", false, "print only results, questions and errors")
	root.SetFlagErrorFunc(flagError)
	for _, one := range commands {
		root.AddCommand(c.command(one))
	}
	return root
}

func (c *cli) command(one command) *cobra.Command {
	command := &cobra.Command{Use: one.use, Short: one.short, Long: one.long, Example: one.example, Args: countArguments}
	command.RunE = func(_ *cobra.Command, args []string) error {
		if err := c.start(command, one.formats, args); err != nil {
			return err
		}
		return c.show(func() error { return one.run(c, command.Context(), args) })
	}
	for _, o := range one.options {
		switch v := o.value.(type) {
		case bool:
			command.Flags().Bool(o.name, v, o.help)
		case string:
			command.Flags().String(o.name, os.ExpandEnv(v), o.help)
		case []string:
			command.Flags().StringSlice(o.name, v, o.help)
		case time.Duration:
			command.Flags().Duration(o.name, v, o.help)
		}
	}
	command.Flags().String("output", one.formats[0],
		strings.Replace(strings.Join(one.formats, ", "), "json", "json (one object per line)", 1))
	offered := cobra.FixedCompletions(one.formats, cobra.ShellCompDirectiveNoFileComp)
	_ = command.RegisterFlagCompletionFunc("output", offered)
	_ = command.RegisterFlagCompletionFunc("pool", c.offerPools) // fails if the command has no such flag
	switch _, name := argumentOf(command); name {
	case "SETTING":
		command.ValidArgs = everySetting()
	case "", "RECORD":
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	return command
}

// offerPools completes the id of a pool in a shell.
func (c *cli) offerPools(command *cobra.Command, _ []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
	c.flags = command.Flags()
	if pools, err := c.places()[0].connect(command.Context()); err == nil {
		ids, _ = list(command.Context(), pools)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// start validates the flags that several commands have.
func (c *cli) start(command *cobra.Command, formats, args []string) error {
	c.flags, c.notes = command.Flags(), c.err
	if c.on("quiet") {
		c.notes = io.Discard
	}
	c.output = stream.Format(c.text("output"))
	profiles, regions, ids := c.texts("profile"), c.texts("region"), c.texts("pool")
	switch {
	case !slices.Contains(formats, string(c.output)):
		return fmt.Errorf("--output is %q: %s takes %s", c.output, command.Name(), strings.Join(formats, ", "))
	case c.flags.Lookup(allRegions) == nil && (len(profiles) > 1 || len(regions) > 1):
		return fmt.Errorf("%s takes one --profile and one --region", command.Name())
	case c.on(allRegions) && len(regions) > 0:
		return errors.New("use --region or --all-regions, not both")
	case len(ids) > 0 && c.on("all"):
		return errors.New("use --pool or --all, not both")
	case c.flags.Lookup("all") != nil && len(ids) == 0 && !c.on("all") && len(args) == 0:
		return errors.New("name the pools with --pool ID (it may be repeated), or use --all")
	}
	c.profile, c.region = strings.Join(profiles, ","), strings.Join(regions, ",")
	return named(ids...)
}

// show begins the results, calls do, and ends them. Without an error, it returns the exit status for the results.
func (c *cli) show(do func() error) error {
	c.to = &results{Stream: stream.New(c.output, c.out, c.paint())}
	err := do()
	if err = errors.Join(err, c.to.Close(err == nil)); err != nil {
		return err
	}
	o := c.to.Outcomes
	drifted := c.to.Skipped + o[outcome.Drifted] + o[outcome.Partial] + o[outcome.Unfixable] + o[outcome.Unconverged]
	switch {
	case c.to.Failed > 0:
		return exit(exitError)
	case drifted > 0 || c.to.remains || o == nil && c.to.ToChange > 0:
		return exit(exitDrifted)
	default:
		return nil
	}
}

// paint reports whether results are colored: on a terminal, unless NO_COLOR is set.
func (c *cli) paint() stream.Paint {
	file, ok := c.out.(*os.File)
	plain := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return stream.Paint(ok && !plain && term.IsTerminal(int(file.Fd())))
}

// readBaseline returns a baseline, the built-in one without a path, and its text, because a pipe is read only once.
func (c *cli) readBaseline(ctx context.Context, path string) (b *baseline.Baseline, text []byte, err error) {
	text = baseline.Default()
	if path != "" {
		text, err = c.readFile(ctx, "baseline", path)
	}
	if err == nil {
		b, err = baseline.Parse(cmp.Or(path, baseline.DefaultFile), text)
	}
	return b, text, err
}

// largest is the largest file that is read, in bytes, because a device may be endless. Reading it takes 100 MB.
const largest = 32 << 20

// readFile reads a file, or standard input if the path is -. The end of ctx ends it, also if a pipe is silent.
func (c *cli) readFile(ctx context.Context, what, path string) ([]byte, error) {
	raw, err := interruptibly(ctx, func() ([]byte, error) {
		if path == "-" {
			return io.ReadAll(io.LimitReader(c.in, largest+1))
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		return io.ReadAll(io.LimitReader(file, largest+1))
	})
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("reading the %s: %w%s", what, err, likelyFile(path))
	case err != nil:
		return nil, fmt.Errorf("reading the %s: %w", what, err)
	case len(raw) > largest:
		return nil, fmt.Errorf("reading the %s: %s has more than %d MiB", what, path, largest>>20)
	}
	return raw, nil
}

// buildText describes the build of the binary, and its built-in baseline.
func buildText() string {
	text, commit := "poolkeeper", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
		text += fmt.Sprintf(" %s, commit %s, %s", info.Main.Version, commit, info.GoVersion)
	}
	if required, err := baseline.Parse(baseline.DefaultFile, baseline.Default()); err == nil {
		text += fmt.Sprintf("\nbuilt-in baseline %s %s", baseline.DefaultFile, required.Digest)
	}
	return text
}

func (c *cli) version(context.Context, []string) error {
	_, err := fmt.Fprintln(c.out, buildText())
	return err
}

// confirm asks a question, unless --yes is given. It fails unless the answer is yes. nothing is the message for what is
// then not done.
func (c *cli) confirm(ctx context.Context, question, nothing string) error {
	if c.on("yes") {
		return nil
	}
	fmt.Fprint(c.err, question, " Type yes to continue: ")
	answer, _ := interruptibly(ctx, func() ([]byte, error) { return bufio.NewReader(c.in).ReadBytes('\n') })
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(c.err)
		return errors.New("interrupted: " + nothing)
	case strings.TrimSpace(string(answer)) != "yes":
		return errors.New(nothing + ": the answer was not yes (use --yes to skip the question)")
	default:
		return nil
	}
}

// interruptibly waits for a read until ctx ends, because no read of a file or a terminal can be canceled.
func interruptibly(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	var text []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, err = read()
	}()
	select {
	case <-done:
		return text, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
