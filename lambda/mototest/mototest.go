// Package mototest starts moto's server for tests: an emulator of AWS that nobody of this project wrote.
package mototest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Start starts the server on a port of its own, and ends it with the test. Where it is not on PATH the test is skipped, or fails where CI or REQUIRE_MOTO is set.
func Start(t testing.TB) (url string) {
	t.Helper()
	if _, err := exec.LookPath("moto_server"); err != nil {
		if Required() {
			t.Fatal("moto_server is not on PATH: pip install 'moto[server]'")
		}
		t.Skip("moto_server is not on PATH: pip install 'moto[server]' to run this against an independent emulator")
	}
	command := exec.CommandContext(context.Background(), "moto_server", "-H", "127.0.0.1", "-p", "0") // it finds a port itself, so that nobody else can have it
	output, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	running, said := make(chan string, 1), ""
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			said = lines.Text()
			if _, at, ok := strings.Cut(said, "Running on "); ok {
				running <- strings.TrimSpace(at)
			}
		}
		close(running)
	}()
	select {
	case url, ok := <-running:
		if ok {
			return url
		}
		t.Fatalf("moto_server ended: %s", said)
	case <-time.After(startTime):
		t.Fatal("moto_server does not start")
	}
	return ""
}

// startTime is how long the server may take to start on a busy machine.
const startTime = time.Minute

// Required says whether a test may not be skipped for want of the server.
func Required() bool { return os.Getenv("CI") == "true" || os.Getenv("REQUIRE_MOTO") != "" }
