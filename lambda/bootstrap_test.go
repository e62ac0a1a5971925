package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/runtimeapi"
)

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

// written writes a file, and returns its path.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// poolID is the pool of the events.
const poolID = "eu-west-1_AbCdEf123"

// buildDir is where the functions are built.
var buildDir string

// The function, built once with the flags of the deployment: with everything, and as a deployment has it that does not
// tell Security Hub.
var (
	bootstrap  = built("everything", "lambda.norpc")
	withoutHub = built("without-hub", "lambda.norpc,nosecurityhub")
)

func built(name, tags string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := filepath.Join(buildDir, name)
		build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-tags",
			tags, "-o", path, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			return "", &exec.Error{Name: string(output), Err: err}
		}
		return path, nil
	})
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "poolkeeper-bootstrap")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// A function is the built binary in a process of its own.
type function struct {
	*runtimeapi.Function
	command *exec.Cmd
	output  *bytes.Buffer
}

func start(t *testing.T, built func() (string, error), environment ...string) *function {
	t.Helper()
	command, output := exec.CommandContext(context.Background(), must(built())(t)), &bytes.Buffer{}
	command.Env = append([]string{"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example"}, environment...)
	command.Stdout, command.Stderr = output, output
	f := &function{must(runtimeapi.Start(command))(t), command, output}
	t.Cleanup(f.Stop)
	return f
}

func (f *function) invoke(t *testing.T, payload []byte) runtimeapi.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	answer, err := f.Invoke(ctx, "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper", payload)
	if err != nil {
		t.Fatalf("%v\n%s", err, f.output)
	}
	return answer
}

// stop ends the process, after which its output may be read.
func (f *function) stop() string {
	f.Stop()
	return f.output.String()
}

// served serves a fake of Cognito.
func served(t *testing.T) (fake *cognitotest.Server, url string) {
	t.Helper()
	return cognitotest.Serve(t, cognitotest.Contract)
}

// weaken plants the pool of the events, without its deletion protection, changed by edits.
func weaken(fake *cognitotest.Server, edits ...func(pool, mfa map[string]any)) {
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	for _, edit := range edits {
		edit(pool, mfa)
	}
	fake.Put(poolID, pool, mfa)
}

// protected reports whether a pool has its deletion protection.
func protected(fake *cognitotest.Server, id string) bool {
	pool, _, _ := fake.Pool(id)
	return pool["DeletionProtection"] == "ACTIVE"
}

// A topic is a server of SNS that keeps what is published.
type topic struct {
	mutex     sync.Mutex
	published []url.Values
}

func (p *topic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.published = append(p.published, form)
	_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>`+
		`<MessageId>1</MessageId></PublishResult></PublishResponse>`)
}

// serveTopic serves what a topic does, and returns the environment of a function that publishes there.
func serveTopic(t *testing.T, does http.Handler) []string {
	t.Helper()
	server := httptest.NewServer(does)
	t.Cleanup(server.Close)
	return []string{"AWS_ENDPOINT_URL_SNS=" + server.URL, "TOPIC_ARN=arn:aws:sns:eu-west-1:111122223333:topic"}
}

// ofCognito is the environment of a function that calls a fake.
func ofCognito(url string) string { return "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER=" + url }

func payload(t testing.TB, name string) []byte {
	t.Helper()
	content := must(os.ReadFile(filepath.Join("event", "testdata", name+".json")))(t)
	// The call was just made: an older one is covered by what the process has read since.
	now := []byte(`"eventTime": "` + time.Now().UTC().Format(time.RFC3339) + `"`)
	return regexp.MustCompile(`"eventTime": "[^"]*"`).ReplaceAll(content, now)
}

// ends invokes the function with a fixture, checks the outcome, and returns the answer.
func (f *function) ends(t *testing.T, fixture, want string) string {
	t.Helper()
	answer := f.invoke(t, payload(t, fixture))
	var out struct{ Outcome string }
	if err := json.Unmarshal(answer.Payload, &out); err != nil || answer.IsError || out.Outcome != want {
		t.Errorf("%s: %s, want %s (%v)", fixture, answer.Payload, want, err)
	}
	return string(answer.Payload)
}

// TestBootstrap runs the built binary as Lambda does: a cold start, several invocations, an error, and a payload that
// is none.
func TestBootstrap(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	weaken(fake, func(pool, mfa map[string]any) {
		pool["SmsAuthenticationMessage"] = "altered {####} CANARY-altered"
		delete(mfa, "SmsMfaConfiguration")
	})
	f := start(t, bootstrap, ofCognito(url), "AWS_LAMBDA_LOG_LEVEL=DEBUG",
		"ROLE_ARN=arn:aws:iam::111122223333:role/poolkeeper")

	f.ends(t, "update-user-pool", "remediated") // the cold start
	f.ends(t, "own-write", "unchanged")
	f.ends(t, "update-user-pool", "unchanged") // the same event again
	f.ends(t, "failed-call", "ignored")
	f.ends(t, "not-an-object", "ignored")
	f.ends(t, "sweep", "scanned") // a scan, by its older name
	fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "BrandNewException", Message: "no"})
	for _, name := range []string{"update-user-pool", "scan"} { // without a queue, the scan handles the pool itself
		answer := f.invoke(t, payload(t, name))
		if !answer.IsError || !strings.Contains(string(answer.Payload), `"errorType":"Deferred"`) {
			t.Errorf("a deferred %s: %s", name, answer.Payload)
		}
	}
	fake.ClearFaults()
	f.ends(t, "update-user-pool", "unchanged")
	if !protected(fake, poolID) {
		t.Error("the pool is not at the baseline")
	}
	output, summaries := f.stop(), 0
	for line := range strings.Lines(output) {
		var record struct {
			Msg, Outcome string
			ID           string `json:"invocation_id"`
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("not JSON: %s", line)
		}
		if record.Msg == "reconciled" && record.Outcome != "" && record.ID != "" {
			summaries++
		}
	}
	if summaries != 9 || strings.Contains(strings.ToUpper(output), "CANAR") {
		t.Errorf("%d summary lines, want 9, or a planted secret leaked", summaries)
	}
}

// TestBootstrapRefusesToStart: with an error in the environment or in the baseline, the process ends before it asks for
// an event, with one JSON line an error. So does a function that was built without Security Hub, where that is to be
// notified, and it says what to do.
func TestBootstrapRefusesToStart(t *testing.T) {
	t.Parallel()
	bad := written(t, "version: 1\nrules:\n  - name: a\n    require: {DeletionProtection: ON, UserPoolTier: GOLD}\n")
	const tag = "deploy with -c securityHub=true, which builds it without the tag nosecurityhub"
	for name, c := range map[string]struct {
		environment []string
		errors      int
		says        string
	}{
		"mode":               {[]string{"MODE=off"}, 1, "MODE"},
		"baseline":           {[]string{"BASELINE_FILE=" + bad}, 2, "file.yaml:4:"},
		"both":               {[]string{"BASELINE_FILE=" + bad, "MODE=off"}, 3, "MODE"},
		"Security Hub":       {[]string{"SECURITY_HUB=on"}, 1, tag},
		"hub and mode":       {[]string{"SECURITY_HUB=on", "MODE=off"}, 2, "SECURITY_HUB is on"},
		"neither on nor off": {[]string{"SECURITY_HUB=yes"}, 1, "set it to on or off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, withoutHub, c.environment...)
			<-f.Ended
			if code := f.command.ProcessState.ExitCode(); code != 1 {
				t.Errorf("it ended with %d", code)
			}
			select {
			case <-f.Polled:
				t.Error("it asked for an event")
			default:
			}
			output, lines := f.output.String(), 0
			for line := range strings.Lines(output) {
				var record struct{ Level, Msg, Error string }
				if err := json.Unmarshal([]byte(line), &record); err != nil || record.Level != "ERROR" || record.Error == "" {
					t.Errorf("not an error in JSON: %s", line)
				}
				lines++
			}
			if lines != c.errors || !strings.Contains(output, c.says) {
				t.Errorf("%d lines, want %d with %q:\n%s", lines, c.errors, c.says, output)
			}
		})
	}
}

// TestEveryFixture: whatever event comes in, by itself or from a queue, the built binary answers and goes on.
func TestEveryFixture(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	weaken(fake)
	f := start(t, bootstrap, ofCognito(url))
	files, _ := filepath.Glob("event/testdata/*.json")
	if len(files) < 80 {
		t.Fatal("too few fixtures")
	}
	known := regexp.MustCompile(`"outcome":"[a-z]+"|"errorType":"Deferred"`)
	for _, file := range files {
		raw := payload(t, strings.TrimSuffix(filepath.Base(file), ".json"))
		if answer := f.invoke(t, raw); !known.Match(answer.Payload) {
			t.Errorf("%s: %s", file, answer.Payload)
		}
		record := map[string]any{"messageId": "1", "eventSource": "aws:sqs", "body": string(raw)}
		queued, _ := json.Marshal(map[string]any{"Records": []any{record}})
		if answer := f.invoke(t, queued); answer.IsError || string(answer.Payload) != `{"batchItemFailures":[]}` {
			t.Errorf("%s, queued: %s", file, answer.Payload)
		}
	}
}
