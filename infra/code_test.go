package main

import (
	"debug/buildinfo"
	"path/filepath"
	"testing"
)

const hubModule = "github.com/aws/aws-sdk-go-v2/service/securityhub"

// TestFunctionHasWhatIsConfigured builds the function of a deployment as `cdk deploy` does: it links Security Hub if the deployment tells Security Hub, and only then, and it is told to
// tell Security Hub only where it is linked. A service that is linked makes every start slower.
func TestFunctionHasWhatIsConfigured(t *testing.T) {
	for name, c := range map[string]struct {
		context map[string]any
		tags    string
	}{
		"default":            {nil, "lambda.norpc,nosecurityhub"},
		"off":                {map[string]any{"securityHub": "false"}, "lambda.norpc,nosecurityhub"},
		"Security Hub":       {map[string]any{"securityHub": "true"}, "lambda.norpc"},
		"from cdk.json":      {map[string]any{"securityHub": true}, "lambda.norpc"},
		"everything":         {everything, "lambda.norpc"},
		"local":              {map[string]any{"local": "true"}, "lambda.norpc,nosecurityhub"},
		"local, as deployed": {map[string]any{"local": "true", "securityHub": "true"}, "lambda.norpc,nosecurityhub"},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, "", c.context)
			s.Architecture = "x86_64" // one is enough
			build := t.TempDir()
			if err := buildFunction(t.Context(), s, "..", build); err != nil {
				t.Fatal(err)
			}
			code, err := codeFor(s, build)
			if err != nil {
				t.Fatal(err)
			}
			binary, err := buildinfo.ReadFile(filepath.Join(code, "bootstrap"))
			if err != nil {
				t.Fatal(err)
			}
			settings := map[string]string{}
			for _, one := range binary.Settings {
				settings[one.Key] = one.Value
			}
			if settings["-tags"] != c.tags || settings["GOARCH"] != "amd64" || settings["CGO_ENABLED"] != "0" {
				t.Errorf("it was built with %v", settings)
			}
			linked := false
			for _, module := range binary.Deps {
				linked = linked || module.Path == hubModule
			}
			if wanted := c.tags == "lambda.norpc"; linked != wanted {
				t.Errorf("Security Hub is linked: %v", linked)
			}
			for _, f := range synth(t, s).of("AWS::Lambda::Function") {
				if at(f.Properties, "Handler") != "bootstrap" {
					continue
				}
				if told := at(f.Properties, "Environment", "Variables", "SECURITY_HUB"); (told == "on") != linked {
					t.Errorf("it is told %v", told)
				}
			}
		})
	}
}

// TestUnbuiltFunction: a build that fails is told as such, and so is a folder without a function.
func TestUnbuiltFunction(t *testing.T) {
	s := read(t, "", nil)
	if err := buildFunction(t.Context(), s, t.TempDir(), t.TempDir()); err == nil {
		t.Error("a folder without a Makefile builds the function")
	}
	if _, err := codeFor(s, t.TempDir()); err == nil {
		t.Error("a folder without a function has one")
	}
}
