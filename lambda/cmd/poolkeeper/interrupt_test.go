package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// TestInterrupt: an interruption in the midst of the writes of a pool lets that pool come to its end, verification and all, and touches no other.
func TestInterrupt(t *testing.T) {
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	ids := []string{"eu-west-1_Pool00001", "eu-west-1_Pool00002", "eu-west-1_Pool00003"}
	for _, id := range ids {
		pool, mfa := cognitotest.Rich()
		pool["DeletionProtection"] = "INACTIVE"
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
		fake.Put(id, pool, mfa)
	}
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	file := t.TempDir() + "/b.yaml"
	text := "version: 1\nrules:\n  - name: both\n    require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The first of two writes of the first pool: the interruption comes while it is under way.
	fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(*cognitotest.Server) { cancel() }})
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
