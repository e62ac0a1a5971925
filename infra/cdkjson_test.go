package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
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
	file, err := os.Open(archives[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for entries := tar.NewReader(unzipped); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("the library has no list of flags")
		} else if err != nil {
			t.Fatal(err)
		}
		if entry.Name == "package/recommended-feature-flags.json" {
			flags := map[string]any{}
			if err := json.NewDecoder(entries).Decode(&flags); err != nil || len(flags) < 50 {
				t.Fatalf("%d flags, %v", len(flags), err)
			}
			return flags
		}
	}
}
