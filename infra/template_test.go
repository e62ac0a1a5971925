package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"poolkeeper/baseline"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

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
