package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/runtimeapi"
)

const limitedPool = "eu-west-1_AbCdEf123"

// fullPool plants a pool with the longest texts and most tags that the API takes, which somebody has weakened in two
// documents.
func fullPool(fake *cognitotest.Server) {
	pool, mfa := cognitotest.Rich()
	long := strings.Repeat("x", 19000) + " {####} CANARY-long"
	pool["DeletionProtection"], pool["EmailVerificationMessage"] = "INACTIVE", long
	if template, ok := pool["VerificationMessageTemplate"].(map[string]any); ok {
		template["EmailMessage"] = long
	}
	tags := map[string]any{}
	for i := range 50 {
		tags[fmt.Sprintf("%0128d", i)] = strings.Repeat("v", 256)
	}
	pool["UserPoolTags"] = tags
	delete(mfa, "SoftwareTokenMfaConfiguration")
	fake.Put(limitedPool, pool, mfa)
}

// limited runs the built binary for one event in a process that may use no more address space than so many kilobytes,
// and says whether it died of that. 0 is no limit.
func limited(t *testing.T, cognito string, kilobytes int, environment ...string) (died bool) {
	t.Helper()
	path, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	api, err := runtimeapi.New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = api.Close() }()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	command := exec.CommandContext(ctx, "sh", "-c", `[ "$1" = 0 ] || ulimit -v "$1"; exec "$0"`, path,
		fmt.Sprint(kilobytes))
	command.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + api.Addr(), "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER=" + cognito}, environment...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { _ = command.Wait(); stop(); close(stopped) }()
	answer, err := api.Invoke(ctx, runtimeapi.Invocation{Payload: payload(t, "update-user-pool"),
		RequestID:   "11111111-2222-4333-8444-555555555555",
		FunctionARN: "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper"})
	_ = command.Process.Kill()
	<-stopped
	if err == nil {
		ended(t, answer)
	}
	return err != nil
}

// TestMemoryLimit runs the built binary on a pool of the largest size with less and less memory. It puts the pool
// right or dies of it, and then no document is written by half; and the event, delivered again to a process that has
// enough, leaves the pool as if nothing had happened.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	fake, cognito := served(t)
	state := func() (documents [2]map[string]any) {
		documents[0], documents[1], _ = fake.Pool(limitedPool)
		delete(documents[0], "LastModifiedDate")
		return documents
	}
	fullPool(fake)
	weak := state()
	if limited(t, cognito, 0) {
		t.Fatal("it does not run at all")
	}
	right := state()
	if cmp.Equal(weak, right) {
		t.Fatal("nothing was put right: the test shows nothing")
	}
	deaths := 0
	for _, limit := range []struct {
		kilobytes int
		soft      string
	}{{0, "GOMEMLIMIT=8MiB"}, {1 << 18, ""}, {1 << 19, ""}, {1 << 20, ""}, {5 << 18, ""}, {3 << 19, ""}, {1 << 21, ""}} {
		fullPool(fake)
		died := limited(t, cognito, limit.kilobytes, limit.soft)
		if died {
			deaths++
		}
		for i, is := range state() {
			if !cmp.Equal(is, weak[i]) && !cmp.Equal(is, right[i]) || !died && !cmp.Equal(is, right[i]) {
				t.Errorf("%d kB, died %v: document %d is neither as it was nor right", limit.kilobytes, died, i)
			}
		}
		if limit.soft != "" && died {
			t.Errorf("it dies of %s", limit.soft)
		}
		if limited(t, cognito, 0) || !cmp.Equal(state(), right) {
			t.Errorf("%d kB, died %v: the event, delivered again, did not put the pool right", limit.kilobytes, died)
		}
	}
	if deaths == 0 {
		t.Error("it never died: the limits are too wide to show anything")
	}
	t.Logf("it died %d times of 7", deaths)
}
