package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
)

// buildText says what the binary was made of, and which baseline ships with it.
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
	if required, _, err := readBaseline(""); err == nil {
		digest = required.Digest
	}
	return fmt.Sprintf("poolkeeper %s, commit %s, %s\nships %s %s", version, commit, with, baseline.DefaultFile, digest)
}

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the build, and the baseline that ships with it, as --version does",
		Example: "  poolkeeper version",
		Args:    arguments("", 0, 0),
		Run:     func(*cobra.Command, []string) { fmt.Fprintln(c.out, buildText()) },
	}
}
