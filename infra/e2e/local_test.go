package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
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
	for target, same := range map[string]string{
		"invoke": "go run ./lambda/cmd/poolkeeper replay --audit " + anEvent, "local": "make emulate EVENT=" + anEvent,
	} {
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
	for _, want := range []string{`"rule": "every-pool"`, `"outcome": "remediated"`, "UpdateUserPool eu-west-1_AbCdEf123"} {
		if err != nil || !strings.Contains(output, want) {
			t.Errorf("no %s: %v\n%s", want, err, output)
		}
	}
}
