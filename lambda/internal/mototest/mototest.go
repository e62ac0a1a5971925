// Package mototest starts moto's server for tests: an emulator of AWS that nobody of this project wrote.
package mototest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Start starts the server on a free port, and ends it with the test. Where it is not on PATH the test is skipped, or fails where CI or REQUIRE_MOTO is set.
func Start(t testing.TB) (url string) {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		if Required() {
			t.Fatal("moto_server is not on PATH: pip install 'moto[server]'")
		}
		t.Skip("moto_server is not on PATH: pip install 'moto[server]' to run this against an independent emulator")
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	command := exec.CommandContext(context.Background(), path, "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	output, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
		}
	}()
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	for range 600 {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/moto-api/data.json", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			return url
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("moto_server does not answer")
	return ""
}

// Required says whether a test may not be skipped for want of the server.
func Required() bool { return os.Getenv("CI") == "true" || os.Getenv("REQUIRE_MOTO") != "" }
