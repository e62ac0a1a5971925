package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// baselineInCode is the file name of a deployment's own baseline, next to the function's binary.
const baselineInCode = "baseline.yaml"

// tags returns the build tags of a deployment's function. Every linked service slows the start down, so services that
// are not configured are left out.
func tags(s Settings) string {
	if s.Notify.SecurityHub && s.Local == "" {
		return "lambda.norpc"
	}
	return "lambda.norpc,nosecurityhub"
}

// buildFunction builds the function with make, and stores the directory to deploy. It contains the binary and, if the
// deployment has its own baseline, the baseline. top is the directory of the Makefile, build the output directory. The
// CDK reads a directory only once, and environments may differ, so each kind of function has its own.
func buildFunction(ctx context.Context, s *Settings, top, build string) error {
	if strings.Contains(tags(*s), "nosecurityhub") {
		build = filepath.Join(build, "nosecurityhub")
	}
	if s.BaselineFile != "" {
		build = filepath.Join(build, strings.TrimPrefix(s.Baseline.Digest, "sha256:"))
	}
	architecture := map[string]string{"arm64": "arm64", "x86_64": "amd64"}[s.Architecture] // Go's name
	command := exec.CommandContext(ctx, "make", "-s", "function",
		"ARCHITECTURES="+architecture, "TAGS="+tags(*s), "BUILD="+build)
	command.Dir = top
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	err := command.Run()
	s.Code.Dir, s.Code.Commit = filepath.Join(build, architecture), commit(ctx, top)
	if err == nil && s.BaselineFile != "" {
		err = os.WriteFile(filepath.Join(s.Code.Dir, baselineInCode), s.Code.Baseline, 0o644)
	}
	if err != nil {
		return fmt.Errorf("building the function with make: %w", err)
	}
	return nil
}

func commit(ctx context.Context, top string) string {
	command := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
	command.Dir = top
	output, _ := command.Output()
	return cmp.Or(strings.TrimSpace(string(output)), "unknown")
}
