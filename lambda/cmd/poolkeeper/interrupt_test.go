package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
)

// connected starts a fake that the environment names.
func connected(t *testing.T) *cognitotest.Server {
	t.Helper()
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	return fake
}

// interrupted makes pools that need two writes each, the baseline that asks for them, and a context that ends while the first of all is under way.
func interrupted(t *testing.T, ids ...string) (ctx context.Context, fake *cognitotest.Server, file string) {
	t.Helper()
	fake = connected(t)
	for _, id := range ids {
		pool, mfa := cognitotest.Rich()
		pool["DeletionProtection"] = "INACTIVE"
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
		fake.Put(id, pool, mfa)
	}
	file = t.TempDir() + "/b.yaml"
	text := "version: 1\nrules:\n  - name: both\n    require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(*cognitotest.Server) { cancel() }})
	return ctx, fake, file
}

// TestInterrupt: an interruption in the midst of the writes of a pool lets that pool come to its end, verification and all, and touches no other.
func TestInterrupt(t *testing.T) {
	ids := []string{"eu-west-1_Pool00001", "eu-west-1_Pool00002", "eu-west-1_Pool00003"}
	ctx, fake, file := interrupted(t, ids...)
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"apply", "--all", "--yes", "--no-backup", "--baseline", file}, &stdout, &stderr, os.Getenv); status != exitError {
		t.Errorf("exit status %d", status)
	}
	if want := "poolkeeper: interrupted: 2 of 3 pools were not touched\n"; stderr.String() != want {
		t.Errorf("stderr is %q, want %q", stderr.String(), want)
	}
	if text := stdout.String(); strings.Count(text, "remediated  ") != 1 || !strings.Contains(text, "written   UpdateUserPool, SetUserPoolMfaConfig\n") {
		t.Errorf("stdout:\n%s", text)
	}
	for i, id := range ids {
		pool, _, _ := fake.Pool(id)
		want := "INACTIVE"
		if i == 0 {
			want = "ACTIVE"
		}
		if pool["DeletionProtection"] != want {
			t.Errorf("DeletionProtection of %s is %v, want %s", id, pool["DeletionProtection"], want)
		}
	}
	// A plan that is interrupted says so too.
	stderr.Reset()
	if status := run(ctx, []string{"plan", "--all"}, &stdout, &stderr, os.Getenv); status != exitError || !strings.Contains(stderr.String(), "interrupted after 0 user pools; nothing was written") {
		t.Errorf("exit status %d: %s", status, stderr.String())
	}
}

// TestInterruptReport: half a page is none.
func TestInterruptReport(t *testing.T) {
	fake := connected(t)
	for _, id := range []string{"eu-west-1_Pool00001", "eu-west-1_Pool00002"} {
		pool, mfa := cognitotest.Rich()
		fake.Put(id, pool, mfa)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", PoolID: "eu-west-1_Pool00002", Then: func(*cognitotest.Server) { cancel() }})
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"report", "--all"}, &stdout, &stderr, os.Getenv); status != exitError || !strings.Contains(stderr.String(), "interrupted after") {
		t.Errorf("exit status %d: %s", status, stderr.String())
	}
	if stdout.Len() > 0 {
		t.Errorf("a page was written:\n%s", stdout.String())
	}
}

// TestGoneMeanwhile: a pool that is deleted while the question is open is an error, as one that was never there.
func TestGoneMeanwhile(t *testing.T) {
	fake := connected(t)
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	fake.Put(servedPool, pool, mfa)
	answer, answering, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = answer.Close(), answering.Close() })
	stderr := &calls{on: "as such: ", call: func() {
		fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException"})
		_, _ = answering.WriteString("yes\n")
	}}
	var stdout bytes.Buffer
	c := &cli{out: &stdout, err: stderr, notes: stderr, output: "text", getenv: os.Getenv}
	client, err := c.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	required, _, err := readBaseline("")
	if err != nil {
		t.Fatal(err)
	}
	a := applying{cli: c, verb: "apply", in: answer, remember: ledger.NewMemory(), passing: true}
	err = a.run(t.Context(), reconcile.New(client, required, ""), selection{ids: []string{servedPool}}, nil)
	if !errors.Is(err, exit(exitError)) || !strings.HasSuffix(stdout.String(), "\nFailed:\n  "+servedPool+": there is no such user pool here\n") {
		t.Errorf("%v:\n%s", err, stdout.String())
	}
}

// TestInterruptQuestion: an interruption ends the question too, and nothing is written.
func TestInterruptQuestion(t *testing.T) {
	fake := connected(t)
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	fake.Put(servedPool, pool, mfa)
	asked, silent, err := os.Pipe() // from which no answer ever comes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = asked.Close(), silent.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	var stdout bytes.Buffer
	stderr := &calls{on: "as such: ", call: cancel}
	c := &cli{out: &stdout, err: stderr, notes: stderr, output: "text", getenv: os.Getenv}
	client, err := c.connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	required, _, err := readBaseline("")
	if err != nil {
		t.Fatal(err)
	}
	err = applying{cli: c, verb: "apply", in: asked}.run(ctx, reconcile.New(client, required, ""), selection{all: true}, nil)
	if err == nil || err.Error() != "interrupted: nothing was written" {
		t.Errorf("%v", err)
	}
	if now, _, _ := fake.Pool(servedPool); now["DeletionProtection"] != "INACTIVE" {
		t.Error("the pool was written to")
	}
}

// calls is a writer that calls once it has been given a text.
type calls struct {
	on   string
	call func()
}

func (c *calls) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.on) {
		c.call()
	}
	return len(p), nil
}

// TestInterruptReplay: an interruption while a pool is written to lets it come to its end, and no further event, nor pool of a sweep, is begun.
func TestInterruptReplay(t *testing.T) {
	const events = "../../event/testdata/"
	for name, args := range map[string][]string{
		"events": {events + "update-user-pool.json", events + "sweep.json"},
		"sweep":  {events + "sweep.json", events + "update-user-pool.json"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, fake, file := interrupted(t, servedPool, "eu-west-1_Later0001")
			var stdout, stderr bytes.Buffer
			if status := run(ctx, append([]string{"replay", "--baseline", file}, args...), &stdout, &stderr, os.Getenv); status != exitError {
				t.Errorf("exit status %d", status)
			}
			if want := "poolkeeper: interrupted: 1 of 2 events were not handled\n"; stderr.String() != want {
				t.Errorf("stderr is %q, want %q", stderr.String(), want)
			}
			if text := stdout.String(); strings.Count(text, "remediated  eu-west-1_") != 1 || !strings.Contains(text, "written   UpdateUserPool, SetUserPoolMfaConfig\n") {
				t.Errorf("stdout:\n%s", text)
			}
			if later, _, _ := fake.Pool("eu-west-1_Later0001"); later["DeletionProtection"] != "INACTIVE" {
				t.Error("a pool was begun after the interruption")
			}
		})
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	for pools, want := range map[int]string{
		0:  "\r\x1b[K[                              ] 0 of 60 user pools",
		30: "\r\x1b[K[###############               ] 30 of 60 user pools",
		61: "\r\x1b[K[##############################] 61 of 61 user pools",
	} {
		if got := (progress{total: 60}).bar(pools); got != want {
			t.Errorf("%d: %q, want %q", pools, got, want)
		}
	}
}
