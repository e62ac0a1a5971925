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
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/baseline"
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

// kernel guards the CDK's objects: one process has them all, and answers one call at a time.
var kernel sync.Mutex

// inApp does something in a new app with the flags of cdk.json, while no other test does.
func inApp(t *testing.T, do func(awscdk.App)) {
	t.Helper()
	content, err := os.ReadFile("../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	kernel.Lock()
	defer kernel.Unlock()
	do(awscdk.NewApp(&awscdk.AppProps{
		Outdir: jsii.String(t.TempDir()), Context: &file.Context, TreeMetadata: jsii.Bool(false),
	}))
}

// A template is a synthesized stack as plain values.
type template struct {
	Resources map[string]resource
	Outputs   map[string]any `json:",omitempty"`
}

type resource struct {
	Type           string
	Properties     map[string]any
	Metadata       map[string]any `json:",omitempty"`
	DependsOn      []string       `json:",omitempty"`
	DeletionPolicy string         `json:",omitempty"`
}

// synthesized are the texts that templateOf has made, by their settings.
var synthesized = struct {
	sync.Mutex
	texts map[string][]byte
}{texts: map[string][]byte{}}

// templateOf returns the template of the settings that read makes. Nearly all the time of these tests goes into
// syntheses, so equal settings are synthesized once; each caller gets a copy of its own.
func templateOf(t *testing.T, baselineText string, context map[string]any) template {
	t.Helper()
	synthesized.Lock()
	defer synthesized.Unlock()
	key := fmt.Sprint(baselineText, context)
	if synthesized.texts[key] == nil {
		synthesized.texts[key] = synthesize(t, read(t, baselineText, context))
	}
	return parsed(t, synthesized.texts[key])
}

func synthesize(t *testing.T, s Settings) []byte {
	t.Helper()
	var text []byte
	inApp(t, func(app awscdk.App) { text = textOfStack(t, NewStack(app, s.StackName(), s, append(s.Regions, "")[0])) })
	return text
}

// textOfStack synthesizes the app of a stack, and returns the stack's template. It fails where resources of the stack
// wait for each other.
func textOfStack(t *testing.T, stack awscdk.Stack) []byte {
	t.Helper()
	assertions.Template_FromStack(stack, nil)
	text, err := os.ReadFile(filepath.Join(*awscdk.Stage_Of(stack).Outdir(), *stack.TemplateFile()))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parsed(t *testing.T, text []byte) template {
	t.Helper()
	var out template
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// of returns the resources of a type by logical id.
func (tpl template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range tpl.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// one returns the resource whose logical id without its hash is this.
func (tpl template) one(t *testing.T, id string) resource {
	t.Helper()
	for full, r := range tpl.Resources {
		if plain(full) == plain(id) {
			return r
		}
	}
	t.Fatalf("there is no %s", id)
	return resource{}
}

// targetOf returns the one target of a rule.
func targetOf(rule resource) any { return at(rule.Properties, "Targets").([]any)[0] }

// at walks into nested objects.
func at(v any, path ...string) any { return baseline.At(v, path) }
