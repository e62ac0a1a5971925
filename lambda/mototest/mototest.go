// Package mototest starts AWS emulators for tests: moto's server, ministack, and dynalite for tests that moto's
// DynamoDB does not support. They are independent of this project.
package mototest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Start starts moto's server on a free port, and stops it at the end of the test. If it is not installed, the test is
// skipped, or fails if Required.
func Start(t testing.TB) (url string) {
	t.Helper()
	if _, err := exec.LookPath("moto_server"); err != nil {
		missing(t, "moto_server is not on PATH: pip install 'moto[server]'")
	}
	// The server chooses a free port itself, so that no other process can take it first.
	return run(t, exec.CommandContext(context.Background(), "moto_server", "-H", "127.0.0.1", "-p", "0"))
}

// OneAtATime is a proxy that passes one request at a time to moto's server, which checks a condition and writes without
// a lock. In DynamoDB both are one atomic step.
func OneAtATime(t testing.TB, to string) (proxy string) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	var mutex sync.Mutex
	through := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// dynalite listens on a free port, which its command line does not support.
const dynalite = `require('./index.js')({createTableMs: 0}).listen(0, '127.0.0.1', function() {
	console.log('Running on http://127.0.0.1:' + this.address().port)
})`

// Dynalite starts a DynamoDB server that handles requests in parallel and makes conditional writes atomically, as
// DynamoDB does and moto's server does not. If dynalite is not installed, it behaves like Start.
func Dynalite(t testing.TB) (url string) {
	t.Helper()
	module := filepath.Join(root(t), ".build", "dynalite", "node_modules", "dynalite")
	if _, err := os.Stat(module); err != nil {
		missing(t, "dynalite is not in .build: make dynalite")
	}
	command := exec.CommandContext(context.Background(), "node", "-e", dynalite)
	command.Dir = module
	return run(t, command)
}

// Ministack starts another AWS emulator, whose DynamoDB also handles requests in parallel. If it is not installed, it
// behaves like Start.
func Ministack(t testing.TB) (url string) {
	t.Helper()
	server := filepath.Join(root(t), ".build", "ministack", "bin", "ministack")
	if _, err := os.Stat(server); err != nil {
		missing(t, "make others installs ministack")
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, port, _ := net.SplitHostPort(address)
	command := exec.CommandContext(context.WithoutCancel(t.Context()), server) //nolint:gosec // that of the tests
	command.Env = append(os.Environ(), "GATEWAY_PORT="+port, "STATE_DIR="+t.TempDir())
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
			_ = connection.Close()
			return "http://" + address
		}
	}
	t.Fatal("ministack does not listen")
	return ""
}

// Required reports whether a test must not be skipped because a server is missing.
func Required() bool { return os.Getenv("CI") == "true" || os.Getenv("REQUIRE_MOTO") != "" }

func missing(t testing.TB, reason string) {
	t.Helper()
	if Required() {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// root returns the directory of the module.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("no go.mod in this folder or above it")
		}
		folder = parent
	}
}

// startTime is how long a server may take to start on a busy machine.
const startTime = time.Minute

// run runs the command of a server until the test and its cleanups have ended. The server prints "Running on URL".
func run(t testing.TB, command *exec.Cmd) (url string) {
	t.Helper()
	output, err := command.StdoutPipe()
	if err == nil {
		command.Stderr = command.Stdout
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	running, last := make(chan string, 1), ""
	go func() {
		defer close(running)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			last = lines.Text()
			if _, url, ok := strings.Cut(last, "Running on "); ok && len(running) == 0 {
				running <- strings.TrimSpace(url)
			}
		}
	}()
	select {
	case url, ok := <-running:
		if ok {
			return url
		}
		t.Fatalf("%s ended: %s", command.Path, last)
	case <-time.After(startTime):
		t.Fatalf("%s does not start", command.Path)
	}
	return ""
}
