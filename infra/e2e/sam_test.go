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

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/runtimeapi"
)

// samReads is what SAM's own code reads of a function.
type samReads struct {
	Code, Handler, Runtime, Architecture string
	MemorySize, Timeout                  int
	Environment                          map[string]string
}

// TestSAM makes the local template and lets SAM's own code read it. Then it starts the bootstrap from the folder that
// SAM reads, in the environment that SAM makes, with every event of the testdata.
func TestSAM(t *testing.T) {
	need(t, "node", "cdk", "sam")
	fake, endpoint := cognitotest.Serve(t, cognitotest.Contract)
	dir := t.TempDir()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	cdk(t, "synth", "-q", "--no-path-metadata", "--output", dir,
		"-c", "architecture="+architecture, "-c", "local="+endpoint)
	template := filepath.Join(dir, "poolkeeper.template.json")
	reads := askSAM(t, template)
	if reads.Handler+reads.Runtime != "bootstrapprovided.al2023" || reads.Architecture != architecture ||
		reads.MemorySize != 128 || reads.Timeout != 120 ||
		reads.Environment["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] != endpoint {
		t.Errorf("SAM reads %+v", reads)
	}
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	for name, payload := range events(t) {
		fake.Put("eu-west-1_AbCdEf123", pool, mfa)
		// Each has a process of its own: what one has read since covers calls that are as old as these.
		answer := invoke(t, reads, payload)
		var out struct{ Outcome string }
		err := json.Unmarshal(answer.Payload, &out)
		if err != nil || answer.IsError || out.Outcome == "" || name == "update-user-pool" && out.Outcome != "remediated" {
			t.Errorf("%s: %s (%v)", name, answer.Payload, err)
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
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "SAM_CLI_TELEMETRY=0",
	}
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
	if !filepath.IsAbs(reads.Code) {
		reads.Code = filepath.Join(top, reads.Code)
	}
	if reads.Code, err = filepath.Abs(reads.Code); err != nil {
		t.Fatal(err)
	}
	return reads
}

// invoke starts the function's code and hands it an event.
func invoke(t *testing.T, function samReads, payload []byte) runtimeapi.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(function.Code, "bootstrap"))
	for name, value := range function.Environment {
		command.Env = append(command.Env, name+"="+value)
	}
	started, err := runtimeapi.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	defer started.Stop()
	arn := "arn:aws:lambda:" + function.Environment["AWS_REGION"] + ":012345678912:function:Poolkeeper"
	answer, err := started.Invoke(ctx, arn, payload)
	if err != nil {
		t.Fatal(err)
	}
	return answer
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
