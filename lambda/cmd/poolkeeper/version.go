package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
)

func (c *cli) version() *cobra.Command {
	command := &cobra.Command{
		Use:     "version",
		Short:   "Show the build, and the baseline that ships with it",
		Example: "  poolkeeper version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			build, commit := "unknown", "unknown"
			var with string
			if info, ok := debug.ReadBuildInfo(); ok {
				build, with = info.Main.Version, info.GoVersion
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			required, _, err := readBaseline("")
			if err != nil {
				return err
			}
			value := map[string]any{"version": build, "commit": commit, "go": with, "baseline": required.Digest}
			text := fmt.Sprintf("poolkeeper %s, commit %s, %s\nships %s %s", build, commit, with, baseline.DefaultFile,
				required.Digest)
			return c.results().Write(stream.OfSummary("poolkeeper", value, text))
		},
	}
	return has(command, "text", "json")
}
