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

// TestSAM makes the local template and compares what this repository reads of it with what SAM's own code reads. Then
// it starts the bootstrap from that very folder, in the environment that SAM makes, with every event of the testdata.
func TestSAM(t *testing.T) {
	need(t, "node", "cdk", "sam")
	fake := cognitotest.New(cognitotest.Contract)
	endpoint, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	dir := t.TempDir()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	cdk(t, "", "synth", "-q", "--no-path-metadata", "--output", dir,
		"-c", "architecture="+architecture, "-c", "localEndpoint="+endpoint)
	template := filepath.Join(dir, "poolkeeper.template.json")
	nobody := func(string) string { return "" }
	function, err := samlocal.Load(template, "Poolkeeper", nobody)
	if err != nil {
		t.Fatal(err)
	}
	reads := askSAM(t, template)
	ours := samReads{
		function.Dir, function.Handler, function.Runtime, function.Architectures[0], function.MemorySize,
		function.Timeout, function.SAMEnvironment(nobody),
	}
	if diff := cmp.Diff(reads, ours); diff != "" {
		t.Errorf("(-SAM +ours):\n%s", diff)
	}
	if reads.Handler+reads.Runtime != "bootstrapprovided.al2023" || reads.Architecture != architecture ||
		reads.Environment["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] != endpoint {
		t.Errorf("SAM reads %+v", reads)
	}
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	for name, payload := range events(t) {
		fake.Put("eu-west-1_AbCdEf123", pool, mfa)
		// Each has a process of its own: what one has read since covers calls that are as old as these.
		answer := start(t, function, reads.Environment)(payload)
		if answer.IsError {
			t.Errorf("%s: %s", name, answer.Payload)
		} else {
			checkAnswer(t, name, payload, answer.Payload)
		}
	}
}

// checkAnswer compares the function's answer to an event with what the event asks for. Without an account and Region of
// its own, as in SAM, the function takes the event's.
func checkAnswer(t *testing.T, name string, payload, answer []byte) {
	t.Helper()
	var out struct {
		Outcome string
		Pools   *int
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Errorf("%s: %s (%v)", name, answer, err)
	}
	request := event.Decode(payload, event.Home{})
	if request.Kind == event.All {
		if out.Pools == nil || *out.Pools != 1 {
			t.Errorf("%s: %s is no scan of the one pool", name, answer)
		}
		return
	}
	want := "ignored"
	here := request.UserPoolID == "eu-west-1_AbCdEf123" // the fake has no other
	if request.Kind == event.One && here && (request.Call.Name == "" || concerns(t, request.Call)) {
		want = "remediated"
	}
	if len(request.Clients) > 0 {
		want = "unchanged" // the baseline requires nothing of clients
	}
	if out.Outcome != want {
		t.Errorf("%s: %s, want %s", name, out.Outcome, want)
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

// start starts the function's code and returns what hands it an event.
func start(
	t *testing.T, function samlocal.Function, environment map[string]string,
) func(payload []byte) runtimeapi.Response {
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
		arn := function.ARN(environment["AWS_REGION"])
		answer, err := api.Invoke(ctx, runtimeapi.Invocation{Payload: payload, FunctionARN: arn})
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
