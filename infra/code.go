package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// buildFunction builds the function with make. top is the folder of the Makefile, build the one for what is built.
func buildFunction(ctx context.Context, s Settings, top, build string) error {
	command := exec.CommandContext(ctx, "make", "-s", "function",
		"ARCHITECTURES="+goArch[s.Architecture], "TAGS="+tags(s), "BUILD="+build)
	command.Dir = top
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("building the function with make: %w", err)
	}
	return nil
}

// codeFor returns the folder to deploy: that of the binary, or, with a baseline of the deployment's own, a new one with
// both.
func codeFor(s Settings, build string) (string, error) {
	dir := filepath.Join(build, goArch[s.Architecture])
	binary, err := os.ReadFile(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return "", fmt.Errorf("the function is not built: %w", err)
	}
	if s.BaselineFile == "" {
		return dir, nil
	}
	own, err := os.ReadFile(s.BaselineFile)
	if err != nil {
		return "", fmt.Errorf("-c baseline: %w", err)
	}
	dir = filepath.Join(build, "with-baseline", goArch[s.Architecture])
	if err = os.MkdirAll(dir, 0o755); err == nil {
		err = os.WriteFile(filepath.Join(dir, "bootstrap"), binary, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, baselineInCode), own, 0o644)
	}
	if err != nil {
		return "", fmt.Errorf("copying the baseline beside the function: %w", err)
	}
	return dir, nil
}
