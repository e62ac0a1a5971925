package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/infra/samlocal"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/runtimeapi"
)

// samReads is what SAM's own code reads of a function.
type samReads struct {
	Code, Handler, Runtime, Architecture string
	MemorySize, Timeout                  int
	Environment                          map[string]string
}

// TestSAM makes the local template, holds what this repository reads of it to what SAM's own code reads, and then starts the bootstrap from that very
// folder, in the environment that SAM makes, with every event that there is.
func TestSAM(t *testing.T) {
	need(t, "node", "cdk", "sam")
	fake := cognitotest.New(cognitotest.Contract)
	endpoint, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	fake.Put("eu-west-1_AbCdEf123", pool, mfa)

	dir := t.TempDir()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	cdk(t, "", "synth", "-q", "--no-path-metadata", "--output", dir, "-c", "architecture="+architecture, "-c", "localEndpoint="+endpoint)
	template := filepath.Join(dir, "poolkeeper.template.json")
	nobody := func(string) string { return "" }
	function, err := samlocal.Load(template, "Poolkeeper", nobody)
	if err != nil {
		t.Fatal(err)
	}
	reads := askSAM(t, template)
	if !filepath.IsAbs(reads.Code) {
		reads.Code = filepath.Join(top, reads.Code)
	}
	code, err := filepath.Abs(reads.Code)
	if err != nil {
		t.Fatal(err)
	}
	reads.Code = code
	ours := samReads{function.Dir, function.Handler, function.Runtime, function.Architecture, function.MemorySize, function.Timeout, function.Environment(nobody)}
	if diff := cmp.Diff(reads, ours); diff != "" {
		t.Errorf("(-SAM +ours):\n%s", diff)
	}
	if reads.Handler != "bootstrap" || reads.Runtime != "provided.al2023" || reads.Architecture != architecture || reads.Environment["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] != endpoint {
		t.Errorf("SAM reads %+v", reads)
	}
	run := start(t, function, reads.Environment)
	for name, payload := range events(t) {
		fake.Put("eu-west-1_AbCdEf123", pool, mfa)
		answer := run(payload)
		var out struct{ Outcome, UserPoolID string }
		if err := json.Unmarshal(answer.Payload, &out); err != nil || answer.IsError {
			t.Errorf("%s: %s (%v)", name, answer.Payload, err)
			continue
		}
		// Without an account and Region of its own, as in SAM, the function takes the event's.
		want := map[event.Kind]string{event.One: "remediated", event.All: "swept", event.Ignored: "ignored"}[event.Decode(payload, event.Home{}).Kind]
		request := event.Decode(payload, event.Home{})
		switch {
		case want == "remediated" && request.UserPoolID != "eu-west-1_AbCdEf123":
			want = "ignored" // another Region's, which the fake does not have
		case want == "remediated" && request.Call.Name != "" && !concerns(t, request.Call):
			want = "ignored" // the baseline owns and watches nothing that it changes
		}
		if out.Outcome != want {
			t.Errorf("%s: %s, want %s", name, out.Outcome, want)
		}
	}
}

// askSAM runs SAM's own code, with the interpreter of the sam on PATH.
func askSAM(t *testing.T, template string) samReads {
	t.Helper()
	sam, err := exec.LookPath("sam")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(sam)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(script), "\n")
	interpreter, ok := strings.CutPrefix(line, "#!")
	if !ok {
		t.Fatalf("%s starts with %q", sam, line)
	}
	command := exec.CommandContext(t.Context(), interpreter, "testdata/what_sam_reads.py", template, "Poolkeeper")
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "SAM_CLI_TELEMETRY=0"}
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	if strings.Contains(problems.String(), "Cannot detect function id") {
		t.Errorf("SAM warns:\n%s", problems.String())
	}
	var reads samReads
	if err := json.Unmarshal(output[bytes.IndexByte(output, '{'):], &reads); err != nil {
		t.Fatal(err)
	}
	return reads
}

// start starts the function's code and returns what hands it an event.
func start(t *testing.T, function samlocal.Function, environment map[string]string) func(payload []byte) runtimeapi.Response {
	t.Helper()
	api, err := runtimeapi.New()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	command := function.Command(context.Background(), environment, api.Addr())
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = api.Close()
	})
	return func(payload []byte) runtimeapi.Response {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		answer, err := api.Invoke(ctx, runtimeapi.Invocation{Payload: payload, FunctionARN: function.ARN(environment["AWS_REGION"])})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func events(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, "lambda/event/testdata/*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d events, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = payload
	}
	return all
}
