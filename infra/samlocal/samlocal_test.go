package samlocal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const template = `{"Resources": {
 "Other": {"Type": "AWS::SQS::Queue"},
 "KeeperFunction1": {"Type": "AWS::Lambda::Function",
  "Metadata": {"SamResourceId": "Poolkeeper", "aws:asset:path": "asset.1", "aws:asset:property": "Code"},
  "Properties": {"Handler": "bootstrap", "Runtime": "provided.al2023", "Architectures": ["arm64"], "MemorySize": 128,
   "Timeout": 9,
   "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "LogGroup": {"Ref": "Log1"}},
   "Environment": {"Variables": {"MODE": "audit", "AWS_ENDPOINT_URL": "http://host.docker.internal:5555"}}}}}}`

func load(t *testing.T, text, name string, shell map[string]string) (Function, string, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "t.template.json")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(file, name, func(name string) string { return shell[name] })
	return f, dir, err
}

// TestLoad: the shell wins over the template for what the template declares, and for nothing else.
func TestLoad(t *testing.T) {
	t.Parallel()
	shell := map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "BASELINE_FILE": "x", "AWS_REGION": "eu-west-1"}
	f, dir, err := load(t, template, "Poolkeeper", shell)
	if err != nil {
		t.Fatal(err)
	}
	env := f.SAMEnvironment(func(name string) string { return shell[name] })
	for name, want := range map[string]string{
		"MODE": "audit", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "BASELINE_FILE": "", "AWS_REGION": "eu-west-1",
		"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "defaultkey", "AWS_LAMBDA_FUNCTION_TIMEOUT": "9",
		"AWS_LAMBDA_FUNCTION_NAME": "KeeperFunction1", "AWS_LAMBDA_LOG_GROUP_NAME": "Log1",
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	command := f.Command(t.Context(), env, "127.0.0.1:9")
	if command.Path != filepath.Join(dir, "asset.1", "bootstrap") || len(command.Env) != len(env)+1 {
		t.Errorf("%s with %d variables", command.Path, len(command.Env))
	}
	env["BASELINE_FILE"] = "/var/task/baseline.yaml"
	beside := "BASELINE_FILE=" + filepath.Join(dir, "asset.1", "baseline.yaml")
	if own := f.Command(t.Context(), env, "127.0.0.1:9").Env; !slices.Contains(own, beside) {
		t.Errorf("no %s in %q", beside, own)
	}
	if f.ARN("eu-west-1") != "arn:aws:lambda:eu-west-1:012345678912:function:Poolkeeper" {
		t.Error(f.ARN("eu-west-1"))
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, function, want string }{
		"no such function": {template, "Other", `has no function Other, only ["Poolkeeper"]`},
		"no JSON":          {"{", "Poolkeeper", "reading the template"},
		"no asset": {strings.Replace(template, "aws:asset:path", "x", 1), "Poolkeeper",
			"synthesize it with the command line of the CDK"},
		"an intrinsic": {strings.Replace(template, `"audit"`, `{"Fn::GetAtt": ["Role", "Arn"]}`, 1), "Poolkeeper",
			"the variable MODE is map[Fn::GetAtt:[Role Arn]], which only CloudFormation can resolve"},
	} {
		if _, _, err := load(t, c.text, c.function, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "gone.json"), "Poolkeeper", os.Getenv); err == nil {
		t.Error("a template that is not there was read")
	}
}
