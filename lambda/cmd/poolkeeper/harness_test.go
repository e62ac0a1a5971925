package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/report/stream"
)

// connected starts a fake that the environment names.
func connected(t *testing.T, modes ...cognitotest.Mode) *cognitotest.Server {
	t.Helper()
	fake := start(t, append(modes, cognitotest.Contract)[0])
	t.Cleanup(func() { _ = fake.Close() })
	return fake
}

// start is connected for one of many fakes: the caller closes it.
func start(t *testing.T, mode cognitotest.Mode) *cognitotest.Server {
	t.Helper()
	fake := cognitotest.New(mode)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "LEDGER_TABLE": ""} {
		t.Setenv(name, v)
	}
	return fake
}

func nameOf(one command) string { return strings.Fields(one.use)[0] }

// A result is what a command printed, and its exit status.
type result struct {
	status         int
	stdout, stderr string
}

// started returns the state of a command whose only flags are switches that are on.
func started(in io.Reader, out, err io.Writer, on ...string) *cli {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range on {
		flags.Bool(name, true, "")
	}
	return &cli{in: in, out: out, err: err, notes: err, getenv: os.Getenv, sleep: noSleep, flags: flags,
		output: stream.Text}
}

func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// execute runs a command line.
func execute(ctx context.Context, args string) result {
	var stdout, stderr bytes.Buffer
	status := started(os.Stdin, &stdout, &stderr).run(ctx, strings.Fields(args))
	told := shipped.ReplaceAllString(stderr.String(), "")
	return result{status, stdout.String(), told}
}

// expect runs a command, and checks its exit status and what is among the words that it prints.
func expect(t *testing.T, args string, status int, words ...string) result {
	t.Helper()
	got := execute(t.Context(), args)
	if got.status != status {
		t.Errorf("%s: exit status %d, want %d:\n%s%s", args, got.status, status, got.stdout, got.stderr)
	}
	for _, want := range words {
		if !strings.Contains(got.stdout+got.stderr, want) {
			t.Errorf("%s says nothing of %s:\n%s%s", args, want, got.stdout, got.stderr)
		}
	}
	return got
}

// shipped is what is said of a baseline that nobody chose; one test looks for it.
var shipped = regexp.MustCompile("(?m)^using the built-in baseline.*\n")

// write makes a file of a test.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// weakPool plants a pool without deletion protection.
func weakPool(fake *cognitotest.Server, id string) {
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	fake.Put(id, pool, mfa)
}
