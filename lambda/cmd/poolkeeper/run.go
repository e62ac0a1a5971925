package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report"
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
	c := cli{out: stdout, err: stderr, getenv: getenv}
	// cobra, for it is what most command lines of this field are built on: flags anywhere, help and completion as people expect them.
	root := &cobra.Command{
		Use:           "poolkeeper",
		Short:         "Keep Amazon Cognito user pools at a checked-in baseline",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(c.demo(), c.validate(), c.plan(), c.apply(), c.backup(), c.restore(), c.replay(), c.explain(), c.snapshot(), c.version())
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

// cli is what every command needs of the world.
type cli struct {
	out, err io.Writer
	getenv   func(string) string
}

// paint says whether results are coloured: on a terminal, unless NO_COLOR is set.
func (c cli) paint() report.Paint {
	file, ok := c.out.(*os.File)
	return report.Paint(ok && c.getenv("NO_COLOR") == "" && term.IsTerminal(int(file.Fd())))
}

// baseline reads the baseline file, or the one that ships where no path is given.
func readBaseline(path string) (*baseline.Baseline, error) {
	if path == "" {
		return baseline.Parse(baseline.DefaultFile, baseline.Default())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return baseline.Parse(path, data)
}
