package coldstart

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/runtimeapi"
)

// rounds is how often each of the functions that are compared is started, one after the other.
const rounds = 31

// The tags of the function: as it is deployed unless something else is asked for, and with everything that it can have.
const (
	deployed   = "lambda.norpc,nosecurityhub"
	everything = "lambda.norpc"
)

// build builds a function as it is deployed, for this machine or another architecture.
func build(t testing.TB, architecture, path string) string {
	t.Helper()
	return buildWith(t, deployed, architecture, path)
}

func buildWith(t testing.TB, tags, architecture, path string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -buildid=", "-tags", tags, "-o", binary, path)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if architecture != "" {
		command.Env = append(command.Env, "GOOS=linux", "GOARCH="+architecture)
	}
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", path, err, output)
	}
	return binary
}

// The functions that are compared.
const (
	keeper = "poolkeeper/lambda"
	hello  = "poolkeeper/lambda/internal/coldstart/hello"
	raw    = "poolkeeper/lambda/internal/coldstart/raw"
)

// deployment is what a deployment configures, unless something else is asked for.
var deployment = []string{"ROLE_ARN=arn:aws:iam::111122223333:role/poolkeeper",
	"TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:poolkeeper", "LEDGER_TABLE=poolkeeper", "SWEEP_BUS=default",
	"AWS_LAMBDA_FUNCTION_NAME=poolkeeper"}

// A process is a function that was started in an environment of just what it needs, and polls.
type process struct {
	api     *runtimeapi.Server
	command *exec.Cmd
	start   time.Duration // from exec to the first poll
}

func startProcess(t testing.TB, argv []string, environment ...string) *process {
	t.Helper()
	api, err := runtimeapi.New()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	command.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + api.Addr(), "AWS_REGION=eu-west-1",
		"AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example", "GOMAXPROCS=1"}, environment...) // one thread, as the deployment gives it
	p := &process{api: api, command: command}
	from := time.Now()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-api.FirstPoll():
		p.start = time.Since(from)
	case <-time.After(30 * time.Second):
		p.stop()
		t.Fatalf("%s does not poll", argv)
	}
	return p
}

// stop ends the process and returns the CPU time that it took.
func (p *process) stop() time.Duration {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
	_ = p.api.Close()
	return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
}

// invoke hands the function an event and returns the time until its answer, which has to be of that outcome.
func (p *process) invoke(t testing.TB, event []byte, outcome string) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	from := time.Now()
	answer, err := p.api.Invoke(ctx, runtimeapi.Invocation{Payload: event,
		FunctionARN: "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper"})
	took := time.Since(from)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Outcome string }
	if err := json.Unmarshal(answer.Payload, &got); err != nil || got.Outcome != outcome {
		t.Fatalf("the function answered %q, want %q", got.Outcome, outcome)
	}
	return took
}

// memory returns the resident memory of the process in bytes.
func (p *process) memory(t testing.TB) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	words := strings.Fields(rest)
	if len(words) < 2 || words[1] != "kB" {
		t.Fatal("the process has no resident memory")
	}
	kilobytes, err := strconv.ParseFloat(words[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes * 1024
}

// ratios are the ratios of the rounds of one comparison, of which the median counts.
type ratios []float64

func (r *ratios) add(own, base time.Duration) { *r = append(*r, float64(own)/float64(base)) }

func (r ratios) median() float64 {
	sorted := slices.Sorted(slices.Values(r))
	return sorted[len(sorted)/2]
}

// update is the event of an update of the pool of the fake.
func update(t testing.TB) []byte {
	t.Helper()
	event, err := os.ReadFile("../../event/testdata/update-user-pool.json")
	if err != nil {
		t.Fatal(err)
	}
	return event
}
