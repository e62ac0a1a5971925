package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildDir is where the function's binaries are built, in a folder for each architecture.
const buildDir = ".build"

// baselineInCode is the name of a deployment's own baseline, beside the function's binary.
const baselineInCode = "baseline.yaml"

// goArch has Go's names of Lambda's architectures.
var goArch = map[string]string{"arm64": "arm64", "x86_64": "amd64"}

// tags are the build tags of a deployment's function. A linked service makes every start slower, so one that is not
// configured is left out.
func tags(s Settings) string {
	if s.Notify.SecurityHub && s.Local == "" {
		return "lambda.norpc"
	}
	return "lambda.norpc,nosecurityhub"
}

// buildFunction builds the function with make, and notes the folder to deploy: that of the binary, or, with a baseline
// of the deployment's own, one with both. top is the folder of the Makefile, build the one for what is built.
func buildFunction(ctx context.Context, s *Settings, top, build string) error {
	if strings.Contains(tags(*s), "nosecurityhub") {
		build = filepath.Join(build, "nosecurityhub") // the CDK reads a folder once, and environments may differ
	}
	command := exec.CommandContext(ctx, "make", "-s", "function",
		"ARCHITECTURES="+goArch[s.Architecture], "TAGS="+tags(*s), "BUILD="+build)
	command.Dir = top
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("building the function with make: %w", err)
	}
	dir := filepath.Join(build, goArch[s.Architecture])
	s.Code.Dir, s.Code.Commit = dir, commit(ctx, top)
	if s.BaselineFile == "" {
		return nil
	}
	s.Code.Dir = filepath.Join(build, s.Baseline.Digest[len("sha256:"):], goArch[s.Architecture])
	binary, err := os.ReadFile(filepath.Join(dir, "bootstrap"))
	if err == nil {
		err = os.MkdirAll(s.Code.Dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.Code.Dir, "bootstrap"), binary, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.Code.Dir, baselineInCode), s.Code.Baseline, 0o644)
	}
	if err != nil {
		return fmt.Errorf("copying the baseline beside the function: %w", err)
	}
	return nil
}

// commit says which commit of the source is built.
func commit(ctx context.Context, top string) string {
	command := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
	command.Dir = top
	output, err := command.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(output))
}
