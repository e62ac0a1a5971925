package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

var update = flag.Bool("update", false, "rewrite the golden templates")

func TestMain(m *testing.M) {
	flag.Parse()
	if _, err := exec.LookPath("node"); err != nil {
		// In the form of a skipped test, which CI does not take.
		fmt.Println("--- SKIP: infra: node is not on PATH, and the CDK needs it")
		if os.Getenv("CI") == "true" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The CDK's own validation takes most of the time of a synthesis; the end-to-end test has it on. The client of jsii
	// copied the environment when the packages started, so it is started anew.
	_ = os.Setenv("CDK_VALIDATION", "false")
	_ = os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
	jsii.Close()
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// stub is a folder that stands in for the function's code, with the same hash in every run.
func stub(t *testing.T, binary string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rows reads a table of tests from testdata. A misspelled key is an error.
func rows[T any](t *testing.T, file string) (all T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all
}

// read makes the settings of a context, which has to be without error. baselineText is the deployment's baseline, ""
// for the one that ships.
func read(t *testing.T, baselineText string, context map[string]any) Settings {
	t.Helper()
	all := map[string]any{}
	maps.Copy(all, context)
	if baselineText != "" {
		all["baseline"] = "own.yaml"
	}
	s, errs := ReadSettings(all, noEnv, func(string) ([]byte, error) { return []byte(baselineText), nil })
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s.Code.Dir = stub(t, "the function")
	return s
}

// contextOf returns the context of a text such as "mode=audit;stage=prod".
func contextOf(text string) map[string]any {
	context := map[string]any{}
	for pair := range strings.SplitSeq(text, ";") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			context[key] = value
		}
	}
	return context
}
