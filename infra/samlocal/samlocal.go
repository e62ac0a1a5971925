// Package samlocal reads a function out of a synthesized template as `sam local invoke` does, and starts its code as a
// process. It runs the function on a laptop without a container, and the tests compare it with SAM.
package samlocal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Function is what SAM knows of a function of a template.
type Function struct {
	Name      string // its SamResourceId
	LogicalID string
	Dir       string // the folder with the code
	Properties
	Variables map[string]string // those of the template
}

// Properties are a function's, as the template has them.
type Properties struct {
	Handler, Runtime    string
	Architectures       []string
	MemorySize, Timeout int // MB and seconds
	Environment         struct{ Variables map[string]any }
	LoggingConfig       struct {
		LogFormat, ApplicationLogLevel string
		LogGroup                       map[string]string
	}
}

// A resource is one of a template.
type resource struct {
	Type       string
	Metadata   map[string]any
	Properties Properties
}

// Load reads the function of that name, which is its SamResourceId. A variable whose value only CloudFormation knows is
// an error: SAM would make one up. getenv is the shell's environment. As with SAM, it wins over the template for the
// variables that the template declares, and for no others.
func Load(template, name string, getenv func(string) string) (Function, error) {
	content, err := os.ReadFile(template)
	if err != nil {
		return Function{}, fmt.Errorf("reading the template: %w", err)
	}
	var file struct{ Resources map[string]resource }
	if err := json.Unmarshal(content, &file); err != nil {
		return Function{}, fmt.Errorf("reading the template %s: %w", template, err)
	}
	var known []string
	for logical, r := range file.Resources {
		if id, _ := r.Metadata["SamResourceId"].(string); r.Type == "AWS::Lambda::Function" && id == name {
			return r.function(template, name, logical, getenv)
		} else if r.Type == "AWS::Lambda::Function" {
			known = append(known, id)
		}
	}
	return Function{}, fmt.Errorf("%s has no function %s, only %q", template, name, known)
}

func (r resource) function(template, name, logical string, getenv func(string) string) (Function, error) {
	path, _ := r.Metadata["aws:asset:path"].(string)
	if path == "" || r.Metadata["aws:asset:property"] != "Code" {
		return Function{}, fmt.Errorf("%s: %s has no asset: synthesize it with the command line of the CDK", template, name)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(template), path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return Function{}, fmt.Errorf("finding the code of %s: %w", name, err)
	}
	f := Function{Name: name, LogicalID: logical, Dir: path, Properties: r.Properties, Variables: map[string]string{}}
	return f, f.setVariables(r.Properties.Environment.Variables, getenv)
}

func (f *Function) setVariables(declared map[string]any, getenv func(string) string) error {
	var errs []error
	for name, value := range declared {
		text, plain := value.(string)
		if !plain {
			errs = append(errs, fmt.Errorf("the variable %s is %v, which only CloudFormation can resolve", name, value))
		}
		if given := getenv(name); given != "" {
			text = given
		}
		f.Variables[name] = text
	}
	return errors.Join(errs...)
}

// SAMEnvironment returns what SAM gives the function: SAM's own variables, the Region and credentials of the shell or
// stand-ins for them, and the template's variables.
func (f Function) SAMEnvironment(getenv func(string) string) map[string]string {
	environment := map[string]string{
		"AWS_SAM_LOCAL": "true", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_ACCOUNT_ID": "123456789012",
		"AWS_LAMBDA_FUNCTION_NAME": f.LogicalID, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_HANDLER": f.Handler, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemorySize),
		"AWS_LAMBDA_FUNCTION_TIMEOUT": strconv.Itoa(f.Timeout), "AWS_LAMBDA_LOG_GROUP_NAME": f.LoggingConfig.LogGroup["Ref"],
		"AWS_LAMBDA_LOG_STREAM_NAME": "$LATEST", "AWS_LAMBDA_LOG_FORMAT": f.LoggingConfig.LogFormat,
		"AWS_LAMBDA_LOG_LEVEL": f.LoggingConfig.ApplicationLogLevel,
		"AWS_REGION":           "us-east-1", "AWS_ACCESS_KEY_ID": "defaultkey", "AWS_SECRET_ACCESS_KEY": "defaultsecret",
	}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if given := getenv(name); given != "" {
			environment[name] = given
		}
	}
	environment["AWS_DEFAULT_REGION"] = environment["AWS_REGION"]
	maps.Copy(environment, f.Variables)
	return environment
}

// task is the folder of the code in a container.
const task = "/var/task/"

// Command returns the function's bootstrap as a command in that environment and no other, with the Runtime API at that
// address. Paths of the container become those of the folder with the code.
func (f Function) Command(ctx context.Context, environment map[string]string, runtimeAPI string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(f.Dir, "bootstrap"))
	command.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		value := environment[name]
		if file, ours := strings.CutPrefix(value, task); ours {
			value = filepath.Join(f.Dir, file)
		}
		command.Env = append(command.Env, name+"="+value)
	}
	command.Dir = f.Dir
	return command
}

// ARN returns the ARN that the function is invoked under: that of a local emulator, whose account is a stand-in.
func (f Function) ARN(region string) string {
	return strings.Join([]string{"arn", "aws", "lambda", region, "012345678912", "function", f.Name}, ":")
}
