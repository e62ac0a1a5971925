// Package e2e tests the commands of a deployment: the CDK command line with ministack and moto, cfn-lint, and SAM with
// the templates. The tests need tools that a laptop may not have. Then they are skipped, but in CI a skipped test is a
// failure.
package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const top = "../.."

// need skips the test where a tool is missing, and fails it in CI.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		missing := ""
		if tool == "cdk" {
			if _, err := os.Stat(cdkPath(t)); err != nil {
				missing = "npm ci --prefix infra installs the command line of the CDK"
			}
		} else if _, err := exec.LookPath(tool); err != nil {
			missing = tool + " is not on PATH"
		}
		if missing != "" && os.Getenv("CI") == "true" {
			t.Fatal(missing)
		} else if missing != "" {
			t.Skip(missing)
		}
	}
}

func cdkPath(t *testing.T) string {
	t.Helper()
	return must(filepath.Abs(filepath.Join(top, "infra", "node_modules", ".bin", "cdk")))(t)
}

// must returns what a call has returned, and ends the test where it has failed: must(call())(t).
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// written writes a file, and returns its path.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "written.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// withoutValidation leaves out the CDK's own validation, which takes most of the time of a synthesis. TestValidators
// has it on, for every template.
const withoutValidation = "CDK_VALIDATION=false"

// cdk runs the command line of the CDK at the top of the repository, as a user does but without validation, and returns
// what it prints.
func cdk(t *testing.T, args ...string) string {
	t.Helper()
	return clean(t, cdkCommand(t, args, withoutValidation))
}

// clean runs the command, which has to succeed without a warning.
func clean(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
	// The one warning that a deployment without smsRoles gives.
	output = regexp.MustCompile(`(?m)^.*-c smsRoles=.*\n`).ReplaceAll(output, nil)
	for _, warning := range []string{"WARNING", "deprecated", "are not configured", "[Warning"} {
		if bytes.Contains(output, []byte(warning)) {
			t.Errorf("%s warns:\n%s", command, output)
		}
	}
	return string(output)
}

func cdkCommand(t *testing.T, args []string, environment ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), cdkPath(t), args...)
	command.Dir = top
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "CDK_") {
			command.Env = append(command.Env, v)
		}
	}
	command.Env = append(command.Env, "AWS_ACCESS_KEY_ID=example", "AWS_SECRET_ACCESS_KEY=example",
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true", "NO_COLOR=1",
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20", "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true")
	command.Env = append(command.Env, environment...)
	return command
}
