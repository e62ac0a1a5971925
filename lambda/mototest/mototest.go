// Package mototest starts AWS emulators for tests, which are independent of this project: moto's server and ministack.
// A test whose emulator is not installed is skipped, or fails if Required.
package mototest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Start starts moto's server and returns its URL.
func Start(t testing.TB) (url string) {
	t.Helper()
	return run(t, exec.CommandContext(context.Background(), "moto_server", "-H", "127.0.0.1", "-p", "0"),
		"moto_server is not on PATH: pip install 'moto[server]'")
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

// Ministack starts another AWS emulator. Its DynamoDB handles requests in parallel and makes conditional writes
// atomically, as DynamoDB does and moto's server does not.
func Ministack(t testing.TB) (url string) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	server := filepath.Join(filepath.Dir(file), "../../.build/ministack/bin/ministack")
	command := exec.CommandContext(context.Background(), server) //nolint:gosec // that of the tests
	command.Env = append(os.Environ(), "GATEWAY_PORT=0", "STATE_DIR="+t.TempDir())
	return run(t, command, "ministack is not in .build: make others")
}

// Required reports whether a test must not be skipped because a server is missing.
func Required() bool { return os.Getenv("CI") == "true" || os.Getenv("REQUIRE_MOTO") != "" }

var running = regexp.MustCompile(`Running on http://[0-9.]+(:\d+)`)

// run runs the command of a server until the test and its cleanups have ended. The server chooses a free port itself,
// so that no other process can take it first, and prints "Running on URL".
func run(t testing.TB, command *exec.Cmd, missing string) (url string) {
	t.Helper()
	output, err := command.StdoutPipe()
	if err == nil {
		command.Stderr = command.Stdout
		err = command.Start()
	}
	if err != nil && Required() {
		t.Fatal(missing, err)
	} else if err != nil {
		t.Skip(missing)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	// On a busy machine, a start may take long.
	late := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	defer late.Stop()
	last := ""
	for lines := bufio.NewScanner(output); lines.Scan(); {
		last = lines.Text()
		if found := running.FindStringSubmatch(last); found != nil {
			go func() { _, _ = io.Copy(io.Discard, output) }() // a full pipe would stop the server
			return "http://127.0.0.1" + found[1]
		}
	}
	t.Fatalf("%s did not start: %s", command.Path, last)
	return ""
}

// Config returns the configuration of a client of an emulator, which accepts any credentials.
func Config(url string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
}

// Table creates a table on the server, with the same keys as the deployed ledger's table.
func Table(t testing.TB, url, name string) *dynamodb.Client {
	t.Helper()
	client := dynamodb.NewFromConfig(Config(url))
	pk, sk := aws.String("pk"), aws.String("sk")
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{AttributeName: pk, KeyType: types.KeyTypeHash},
			{AttributeName: sk, KeyType: types.KeyTypeRange}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: pk, AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: sk, AttributeType: types.ScalarAttributeTypeS}},
	})
	// An emulator's table exists at once, and where the response was lost, before the SDK asks again.
	if _, exists := errors.AsType[*types.ResourceInUseException](err); err != nil && !exists {
		t.Fatal(err)
	}
	return client
}
