package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// buildDir is where `make function` puts the function's binaries, a folder for each architecture.
const buildDir = ".build"

// baselineInCode is where a baseline of the deployment's own lies beside the function's binary.
const baselineInCode = "baseline.yaml"

// goArch is what Go calls the architectures of Lambda.
var goArch = map[string]string{"arm64": "arm64", "x86_64": "amd64"}

// codeFor returns the folder to deploy: that of the binary, or, with a baseline of the deployment's own, a new one with both.
func codeFor(s Settings, build string) (string, error) {
	dir := filepath.Join(build, goArch[s.Architecture])
	binary, err := os.ReadFile(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return "", fmt.Errorf("the function is not built: run `make function`, as `cdk deploy` does by itself: %w", err)
	}
	if s.BaselineFile == "" {
		return dir, nil
	}
	own, err := os.ReadFile(s.BaselineFile)
	if err != nil {
		return "", fmt.Errorf("-c baseline: %w", err)
	}
	dir = filepath.Join(build, "with-baseline", goArch[s.Architecture])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("laying the baseline beside the function: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), binary, 0o755); err != nil {
		return "", fmt.Errorf("laying the baseline beside the function: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, baselineInCode), own, 0o644); err != nil {
		return "", fmt.Errorf("laying the baseline beside the function: %w", err)
	}
	return dir, nil
}
