// Package coldstart tests that the function starts quickly: it compares the built binary with a function that does
// nothing, and checks that no unneeded packages are linked.
package coldstart

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/runtimeapi"
)

// The functions that are compared.
const (
	keeper = "poolkeeper/lambda"
	hello  = "poolkeeper/lambda/internal/coldstart/hello"
	raw    = "poolkeeper/lambda/internal/coldstart/raw"
)

// The tags of the function: as it is deployed unless something else is asked for, and with everything that it can have.
const (
	deployed   = "lambda.norpc,nosecurityhub"
	everything = "lambda.norpc"
)

// build builds a function, and returns the command of a copy: a file that the linker just wrote starts up to 30 %
// slower.
func build(t testing.TB, path, tags, architecture string) []string {
	t.Helper()
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), "sh", "-c", "go build -trimpath -buildvcs=false "+
		"-ldflags='-s -w -buildid=' -tags "+tags+" -o "+dir+"/linked "+path+" && cp "+dir+"/linked "+dir+"/bootstrap")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", path, err, output)
	}
	return []string{dir + "/bootstrap"}
}

// must returns what a call has returned, and ends the test where it has failed: must(call())(t).
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func file(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// boto3 returns the command of the function in Python, or nil where no Python on PATH has boto3.
func boto3(b *testing.B) []string {
	b.Helper()
	// The interpreter itself: what is on PATH may be a script that searches for it.
	output, err := exec.CommandContext(b.Context(), "python3", "-c", "import sys, boto3; print(sys.executable)").Output()
	if err != nil {
		b.Log("no Python with boto3 on PATH: nothing is compared with it")
		return nil
	}
	return []string{strings.TrimSpace(string(output)), "-I", "testdata/keeper.py"}
}

// A process is a function that was started in an environment of just what it needs, and polls.
type process struct {
	*runtimeapi.Function
	command *exec.Cmd
	start   float64 // nanoseconds from exec to the first poll
}

// start starts a function as in a deployment, whose services are all at one URL.
func start(t testing.TB, url string, argv []string, environment ...string) *process {
	t.Helper()
	command := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	command.Env = append(environment, "URL="+url, "AWS_ENDPOINT_URL="+url,
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example", "GOMAXPROCS=1", // one thread, as Lambda gives it
		"ROLE_ARN=arn:aws:iam::111122223333:role/poolkeeper", "LEDGER_TABLE=poolkeeper",
		"TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:poolkeeper",
		"QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/111122223333/changes",
		"SCAN_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/111122223333/scans")
	// Each goroutine that waits for a process can hold one of Go's processors for milliseconds, so there are more of them.
	runtime.GOMAXPROCS(max(8, runtime.GOMAXPROCS(0)))
	from := time.Now()
	p := &process{Function: must(runtimeapi.Start(command))(t), command: command}
	select {
	case <-p.Polled:
		p.start = float64(time.Since(from))
	case <-time.After(30 * time.Second):
		p.stop()
		t.Fatalf("%s does not poll", argv)
	}
	return p
}

// stop ends the process and returns the nanoseconds of CPU that it took.
func (p *process) stop() float64 {
	p.Stop()
	return float64(p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime())
}

// invoke hands the function the event of an update at a time, and returns the nanoseconds until its answer, which has
// to be of that outcome.
func (p *process) invoke(t testing.TB, at time.Time, outcome string) float64 {
	t.Helper()
	text := must(os.ReadFile("../../event/testdata/update-user-pool.json"))(t)
	payload := strings.Replace(string(text), "2026-10-01T09:15:40Z", at.UTC().Format(time.RFC3339), 1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	from := time.Now()
	answer := must(p.Invoke(ctx, "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper", []byte(payload)))(t)
	took := float64(time.Since(from))
	var got struct{ Outcome string }
	if err := json.Unmarshal(answer.Payload, &got); err != nil || got.Outcome != outcome {
		t.Fatalf("the function answered %s, want %q", answer.Payload, outcome)
	}
	return took
}

// memory returns the resident memory of the process in MB.
func (p *process) memory(t testing.TB) float64 {
	t.Helper()
	var size, resident float64 // in pages
	text := must(os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.command.Process.Pid)))(t)
	must(fmt.Sscan(string(text), &size, &resident))(t)
	return resident * float64(os.Getpagesize()) / 1e6
}

// A comparison has the numbers of two functions that ran alternately.
type comparison struct{ own, base, ratios []float64 }

func (c *comparison) add(own, base float64) {
	c.own, c.base, c.ratios = append(c.own, own), append(c.base, base), append(c.ratios, own/base)
}

// report reports the median of the ratios, and the ratio of the minima, which a busy machine disturbs least.
func (c *comparison) report(b *testing.B, metric string) {
	b.Helper()
	if len(c.ratios) > 0 {
		slices.Sort(c.ratios)
		report(b, metric, c.ratios[len(c.ratios)/2], slices.Min(c.own)/slices.Min(c.base))
	}
}

var update = flag.Bool("update", false, "write what is measured into the table of lambda/README.md")

// report reports numbers of a metric, and writes them into its row of the table.
func report(b *testing.B, metric string, numbers ...float64) {
	b.Helper()
	b.ReportMetric(numbers[0], metric)
	if !*update {
		return
	}
	const readme = "../../README.md"
	text, err := os.ReadFile(readme)
	row := regexp.MustCompile("(\\| `" + metric + "`)" + strings.Repeat(` \| [^|]*`, len(numbers)) + ` \|`)
	if err != nil || !row.Match(text) {
		b.Fatalf("%s has no row of %s: %v", readme, metric, err)
	}
	cells := "$1"
	for _, n := range numbers {
		cells += fmt.Sprintf(" | %.4g", n)
	}
	if err := os.WriteFile(readme, row.ReplaceAll(text, []byte(cells+" |")), 0o644); err != nil {
		b.Fatal(err)
	}
}

// A call is one that a function made.
type call struct{ Target, Body string }

func (c call) String() string { return c.Target }

// A service stands for all services of AWS, with one pool and an empty ledger. It takes no time of its own: what is
// measured is the function.
type service struct {
	latency time.Duration
	answers map[string]string // by operation; there is no operation in a call of SNS

	mutex   sync.Mutex
	drifted bool     // until the pool is updated
	open    int      // calls that are under way
	trips   [][]call // those of one trip were under way at the same time
}

const inactive = "inactive" // the answer of DescribeUserPool while the pool is drifted

func newService(t testing.TB, latency time.Duration) *service {
	t.Helper()
	const poolID = "eu-west-1_AbCdEf123"
	fake := cognitotest.New(cognitotest.Contract)
	pool, mfa := cognitotest.Rich()
	fake.Put(poolID, pool, mfa)
	s := &service{latency: latency, answers: map[string]string{"UpdateUserPool": "{}", "PutItem": "{}",
		"Query": `{"Items": [], "Count": 0, "ScannedCount": 0}`,
		"":      "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"}}
	record := func(operation, as string) {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"UserPoolId": "`+poolID+`"}`))
		request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		answer := httptest.NewRecorder()
		fake.ServeHTTP(answer, request)
		s.answers[as] = answer.Body.String()
	}
	record("DescribeUserPool", "DescribeUserPool")
	record("GetUserPoolMfaConfig", "GetUserPoolMfaConfig")
	fake.Edit(poolID, func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
	record("DescribeUserPool", inactive)
	return s
}

// begin makes the pool compliant or drifted, and forgets the calls.
func (s *service) begin(drifted bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.drifted, s.trips = drifted, nil
}

func (s *service) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the client is gone
	}
	answer := s.answer(call{request.Header.Get("X-Amz-Target"), string(body)})
	time.Sleep(s.latency)
	s.mutex.Lock()
	s.open--
	s.mutex.Unlock()
	_, _ = io.WriteString(w, answer)
}

func (s *service) answer(c call) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open == 0 {
		s.trips = append(s.trips, nil)
	}
	s.open++
	last := len(s.trips) - 1
	s.trips[last] = append(s.trips[last], c)
	_, operation, _ := strings.Cut(c.Target, ".")
	switch {
	case operation == "DescribeUserPool" && s.drifted:
		operation = inactive
	case operation == "UpdateUserPool":
		s.drifted = false
	case operation == "UpdateItem":
		return lease(c.Body)
	}
	return s.answers[operation]
}

// lease returns the item of the lease after an update: it has the owner, unless that is removed.
func lease(body string) string {
	var in struct {
		Key, ExpressionAttributeValues map[string]any
		UpdateExpression               string
	}
	_ = json.Unmarshal([]byte(body), &in)
	if !strings.Contains(in.UpdateExpression, "REMOVE") {
		in.Key["owner"] = in.ExpressionAttributeValues[":owner"]
	}
	answer, _ := json.Marshal(map[string]any{"Attributes": in.Key})
	return string(answer)
}
