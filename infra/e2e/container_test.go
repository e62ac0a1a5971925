package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// base is the image that SAM runs the function in.
const base = "public.ecr.aws/lambda/provided:al2023-x86_64"

// TestContainer: SAM runs the function in a container, for a raw event and for one from a queue. AWS's own image cannot
// be had everywhere, so a stand-in of BusyBox and the CA certificates has its name; the emulator of the runtime is
// SAM's own.
func TestContainer(t *testing.T) {
	need(t, "node", "cdk", "make", "sam", "docker", "dockerd", "busybox")
	engine(t)
	standIn(t)
	raw, err := os.ReadFile(filepath.Join(top, anEvent))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "1", "receiptHandle": "r",
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:changes", "awsRegion": "eu-west-1",
		"attributes": map[string]any{"ApproximateReceiveCount": "1"}, "body": string(raw)}}})
	if err != nil {
		t.Fatal(err)
	}
	queued := filepath.Join(t.TempDir(), "queued.json")
	if err := os.WriteFile(queued, batch, 0o600); err != nil {
		t.Fatal(err)
	}
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
	log, err := os.Create(filepath.Join(t.TempDir(), "dockerd.log"))
	if err != nil {
		t.Fatal(err)
	}
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
