package main

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

const hubModule = "github.com/aws/aws-sdk-go-v2/service/securityhub"

// TestFunctionHasWhatIsConfigured builds the function of each kind of deployment as `cdk deploy` does: it links
// Security Hub exactly where its environment switches it on. A service that is linked makes every start slower.
func TestFunctionHasWhatIsConfigured(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{} // by the tags
	for name, c := range map[string]struct {
		context map[string]any
		tags    string
	}{
		"default":            {nil, "lambda.norpc,nosecurityhub"},
		"from cdk.json":      {map[string]any{"securityHub": true}, "lambda.norpc"},
		"everything":         {everything, "lambda.norpc"},
		"local, as deployed": {map[string]any{"local": "true", "securityHub": "true"}, "lambda.norpc,nosecurityhub"},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, "", c.context)
			s.Architecture = "x86_64" // one is enough
			if tags(s) != c.tags {
				t.Errorf("it is built with %s", tags(s))
			}
			if _, built := linked[tags(s)]; !built {
				linked[tags(s)] = linksHub(t, s)
			}
			if linked[tags(s)] != (c.tags == "lambda.norpc") {
				t.Errorf("Security Hub is linked: %v", linked[tags(s)])
			}
			for _, f := range templateOf(t, "", c.context).of("AWS::Lambda::Function") {
				value := at(f.Properties, "Environment", "Variables", "SECURITY_HUB")
				if (value == "on") != linked[tags(s)] {
					t.Errorf("SECURITY_HUB is %v", value)
				}
			}
		})
	}
}

// linksHub builds the function of a deployment, and says whether Security Hub is linked into it.
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
	if s.Code.Commit == "" {
		t.Error("nobody knows what was built")
	}
	if err := buildFunction(t.Context(), &s, t.TempDir(), t.TempDir()); err == nil {
		t.Error("a folder without a Makefile builds the function")
	}
}
