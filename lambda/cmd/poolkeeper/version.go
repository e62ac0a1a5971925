package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"poolkeeper/baseline"
	"poolkeeper/lambda/report/stream"
)

// A build is what the binary was made of.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Baseline string `json:"baseline"` // digest of the one that ships
}

func buildOf() build {
	b := build{Version: "unknown", Commit: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version, b.Go = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = s.Value
			}
		}
	}
	if required, _, err := readBaseline(""); err == nil {
		b.Baseline = required.Digest
	}
	return b
}

func (b build) text() string {
	return fmt.Sprintf("poolkeeper %s, commit %s, %s\nships %s %s", b.Version, b.Commit, b.Go, baseline.DefaultFile,
		b.Baseline)
}

func (c *cli) version() *cobra.Command {
	command := &cobra.Command{
		Use:     "version",
		Short:   "Show the build, and the baseline that ships with it",
		Example: "  poolkeeper version",
		Args:    arguments("", 0, 0),
		RunE: func(*cobra.Command, []string) error {
			b := buildOf()
			return c.results().Write(stream.OfSummary("poolkeeper", b, b.text()))
		},
	}
	return has(command, "text", "json")
}
