package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
