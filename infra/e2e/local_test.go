package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const anEvent = "lambda/event/testdata/update-user-pool.json"

// makeLocal runs a target of the Makefile on an event with stand-ins for sam and docker first on PATH, and returns what
// it prints.
func makeLocal(t *testing.T, target, event string, standIns map[string]string, environment ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "make", "-s", target, "EVENT="+event)
	command.Dir = top
	command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PORT="+freePort(t), withoutValidation,
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20", "AWS_EC2_METADATA_DISABLED=true")
	command.Env = append(command.Env, environment...)
	output, err := command.CombinedOutput()
	return string(output), err
}

func freePort(t *testing.T) string {
	t.Helper()
	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	defer func() { _ = listener.Close() }()
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}

// samStandIn prints how sam is called, and the mode and the endpoint of the template.
const samStandIn = `echo "sam $*"
grep -o '"MODE": "[a-z]*"' .build/sam/poolkeeper.template.json
grep -o 'http://[^"]*:[0-9]*' .build/sam/poolkeeper.template.json || true`

// TestInvokeRunsSAM: with sam and an engine there, sam gets the template, the function's name and the event; against
// AWS itself nothing is written unasked.
func TestInvokeRunsSAM(t *testing.T) {
	need(t, "node", "cdk", "make")
	standIns := map[string]string{"docker": "exit 0", "sam": samStandIn}
	const called = "sam local invoke Poolkeeper --template .build/sam/poolkeeper.template.json --event " + anEvent +
		" --add-host host.docker.internal:host-gateway"
	output, err := makeLocal(t, "invoke", anEvent, standIns)
	if err != nil || !strings.Contains(output, called) || !strings.Contains(output, `"MODE": "audit"`) {
		t.Errorf("%v\n%s", err, output)
	}
	output, err = makeLocal(t, "local", anEvent, standIns)
	for _, want := range []string{called, "http://host.docker.internal:", "0.0.0.0:"} {
		if err != nil || !strings.Contains(output, want) || strings.Contains(output, `"MODE"`) {
			t.Errorf("no %q: %v\n%s", want, err, output)
		}
	}
}

// TestWhatIsMissing: without an engine a person reads at once what is missing and what does the same without it.
func TestWhatIsMissing(t *testing.T) {
	need(t, "make")
	for target, same := range map[string]string{"local": "make emulate EVENT=" + anEvent,
		"invoke": "go run ./lambda/cmd/poolkeeper replay --audit " + anEvent} {
		output, err := makeLocal(t, target, anEvent, map[string]string{"docker": "exit 1", "sam": "exit 0"})
		if err == nil || !strings.Contains(output, "missing: docker (a running engine)") || !strings.Contains(output, same) {
			t.Errorf("make %s: %v\n%s", target, err, output)
		}
	}
}

// TestEmulate runs the function without a container, with the fake beside it.
func TestEmulate(t *testing.T) {
	need(t, "make")
	output, err := makeLocal(t, "emulate", anEvent, nil)
	for _, want := range []string{`"rule": "every-pool"`, `"outcome": "remediated"`,
		"UpdateUserPool eu-west-1_AbCdEf123"} {
		if err != nil || !strings.Contains(output, want) {
			t.Errorf("no %s: %v\n%s", want, err, output)
		}
	}
}

// base is the image that SAM runs the function in.
const base = "public.ecr.aws/lambda/provided:al2023-x86_64"

// TestContainer: SAM runs the function in a container, for a raw event and for one from a queue. AWS's own image cannot
// be had everywhere, so a stand-in of BusyBox and the CA certificates has its name; the emulator of the runtime is
// SAM's own.
func TestContainer(t *testing.T) {
	need(t, "node", "cdk", "make", "sam", "docker", "dockerd", "busybox")
	engine(t)
	standIn(t)
	raw := must(os.ReadFile(filepath.Join(top, anEvent)))(t)
	batch := must(json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "1", "receiptHandle": "r",
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:changes", "awsRegion": "eu-west-1",
		"attributes": map[string]any{"ApproximateReceiveCount": "1"}, "body": string(raw)}}}))(t)
	queued := written(t, string(batch))
	for name, c := range map[string]struct{ event, answer string }{
		"a raw event":         {anEvent, `{"outcome": "remediated", "userPoolId": "eu-west-1_AbCdEf123"`},
		"an event of a queue": {queued, `{"batchItemFailures": []}`},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := makeLocal(t, "local", c.event, nil, "SAM_FLAGS=--skip-pull-image", "SAM_CLI_TELEMETRY=0")
			if err != nil || !strings.Contains(output, c.answer) || strings.Count(output, "\nUpdateUserPool ") != 1 {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// engine starts a container engine where none runs, and ends it with the test.
func engine(t *testing.T) {
	t.Helper()
	if exec.Command("docker", "info").Run() == nil {
		return
	}
	log := must(os.Create(filepath.Join(t.TempDir(), "dockerd.log")))(t)
	daemon := exec.Command("dockerd")
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
		_ = log.Close()
	})
	for range 60 {
		if exec.Command("docker", "info").Run() == nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	said, _ := os.ReadFile(log.Name())
	t.Fatalf("the engine does not answer:\n%s", said)
}

// image makes the stand-in of AWS's image in an empty folder, and imports it.
const image = `set -eu
mkdir -p bin etc/pki/tls/certs
cp "$(command -v busybox)" bin
for applet in sh ls cat env mkdir chmod; do ln -s busybox bin/$applet; done
cp /etc/ssl/certs/ca-certificates.crt etc/pki/tls/certs/ca-bundle.crt
echo root:x:0:0:root:/:/bin/sh > etc/passwd
mkdir -m 777 tmp opt var
mkdir -m 777 var/task var/runtime var/rapid
tar c --owner=0 --group=0 . | docker import --change 'WORKDIR /var/task' \
	--change 'ENV PATH=/bin LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' - ` + base

// standIn imports the stand-in for AWS's image where that is not there.
func standIn(t *testing.T) {
	t.Helper()
	if exec.Command("docker", "image", "inspect", base).Run() != nil {
		run(t, t.TempDir(), nil, "sh", "-c", image)
	}
}
