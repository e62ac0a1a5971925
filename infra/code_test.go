package main

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hubModule = "github.com/aws/aws-sdk-go-v2/service/securityhub"

// TestFunctionHasConfiguredServices builds the function of each kind of deployment as `cdk deploy` does: it links
// Security Hub exactly where its environment switches it on. A service that is linked makes every start slower.
func TestFunctionHasConfiguredServices(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		s := read(t, "", map[string]any{"securityHub": on})
		s.Architecture = "x86_64" // one is enough
		for _, f := range templateOf(t, "", map[string]any{"securityHub": on}).of("AWS::Lambda::Function") {
			value := at(f.Properties, "Environment", "Variables", "SECURITY_HUB")
			if linked := linksHub(t, s); linked != on || (value == "on") != on {
				t.Errorf("-c securityHub=%v: it is linked: %v, and SECURITY_HUB is %v", on, linked, value)
			}
		}
	}
	local := read(t, "", map[string]any{"local": "true", "securityHub": "true"})
	if tags(local) != "lambda.norpc,nosecurityhub" {
		t.Errorf("a local function is built with %s", tags(local))
	}
}

// linksHub builds the function of a deployment, and reports whether Security Hub is linked into it.
func linksHub(t *testing.T, s Settings) bool {
	t.Helper()
	build := t.TempDir()
	if err := buildFunction(t.Context(), &s, "..", build); err != nil {
		t.Fatal(err)
	}
	binary, err := buildinfo.ReadFile(filepath.Join(s.Code.Dir, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, one := range binary.Settings {
		settings[one.Key] = one.Value
	}
	if settings["-tags"] != tags(s) || settings["GOARCH"] != "amd64" || settings["CGO_ENABLED"] != "0" {
		t.Errorf("it was built with %v", settings)
	}
	return slices.ContainsFunc(binary.Deps, func(m *debug.Module) bool { return m.Path == hubModule })
}

// TestOwnBaseline: a baseline of the deployment's own is beside the function, and a build that fails is an error.
func TestOwnBaseline(t *testing.T) {
	t.Parallel()
	s := read(t, ownsAll, nil)
	if err := buildFunction(t.Context(), &s, "..", t.TempDir()); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(s.Code.Dir, "baseline.yaml"))
	if err != nil || string(own) != ownsAll {
		t.Errorf("beside the function is %q (%v)", own, err)
	}
	variables := at(templateOf(t, ownsAll, nil).one(t, "KeeperFunction").Properties, "Environment", "Variables")
	if file := at(variables, "BASELINE_FILE"); file != "/var/task/baseline.yaml" || s.Code.Commit == "" {
		t.Errorf("the function reads %v, of commit %q", file, s.Code.Commit)
	}
	if err := buildFunction(t.Context(), &s, t.TempDir(), t.TempDir()); err == nil {
		t.Error("a folder without a Makefile builds the function")
	}
}

type cdkFile struct {
	App, Build, Output        string
	VersionReporting, Notices *bool
	RequireApproval           string
	Context                   map[string]any
}

// TestCdkJSON: `cdk deploy` alone runs the app, which builds the function, sends no telemetry, and has exactly the
// feature flags that the library of go.mod recommends.
func TestCdkJSON(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var got cdkFile
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	no := false
	want := cdkFile{
		App: "go run ./infra", Output: ".build/cdk.out", VersionReporting: &no, Notices: &no,
		RequireApproval: "broadening", Context: recommended(t),
	}
	want.Context["cli-telemetry"] = false
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// recommended reads the list in the library itself.
func recommended(t *testing.T) map[string]any {
	t.Helper()
	dir, err := exec.CommandContext(
		t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-cdk-go/awscdk/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "jsii", "aws-cdk-lib-*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("%v, %v", archives, err)
	}
	const name = "package/recommended-feature-flags.json"
	text, err := exec.CommandContext(t.Context(), "tar", "xzOf", archives[0], name).Output()
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]any{}
	if err := json.Unmarshal(text, &flags); err != nil || len(flags) < 50 {
		t.Fatalf("%d flags, %v", len(flags), err)
	}
	return flags
}
