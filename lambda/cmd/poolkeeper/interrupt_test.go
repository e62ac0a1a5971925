package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/ledger"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// interrupted makes pools that need two writes each, the baseline that asks for them, and a context that ends during
// the first write.
func interrupted(t *testing.T, ids ...string) (ctx context.Context, fake *cognitotest.Server, file string) {
	t.Helper()
	fake = connected(t)
	for _, id := range ids {
		pool, mfa := cognitotest.Rich()
		pool["DeletionProtection"] = "INACTIVE"
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
		fake.Put(id, pool, mfa)
	}
	file = write(t, "b.yaml", "version: 1\nrules:\n  - name: both\n"+
		"    require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}\n")
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: func(*cognitotest.Server) { cancel() }})
	return ctx, fake, file
}

const bothWritten = "written   UpdateUserPool, SetUserPoolMfaConfig\n"

// TestInterrupt: an interruption during the writes of a pool lets that pool come to its end, verification and all, and
// no other pool, event or pool of a scan is begun.
func TestInterrupt(t *testing.T) {
	scan, update := events+"sweep.json", events+"update-user-pool.json"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"apply": {[]string{"apply", "--all", "--yes", "--no-backup"},
			"poolkeeper: interrupted: 1 of 2 pools were not changed\n"},
		"event, scan": {[]string{"replay", update, scan}, "poolkeeper: interrupted: 1 event not handled\n"},
		"scan, event": {[]string{"replay", scan, update}, "poolkeeper: interrupted: 2 events not handled\n"},
		"scan":        {[]string{"replay", scan}, "poolkeeper: interrupted: 1 event not handled\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, fake, file := interrupted(t, servedPool, "eu-west-1_Later0001")
			got := execute(ctx, append(c.args, "--baseline", file)...)
			if got.status != exitError || got.stderr != c.want {
				t.Errorf("exit status %d, stderr is %q, want %q", got.status, got.stderr, c.want)
			}
			if strings.Count(got.stdout, "remediated  eu-west-1_") != 1 || !strings.Contains(got.stdout, bothWritten) {
				t.Errorf("stdout:\n%s", got.stdout)
			}
			if later, _, _ := fake.Pool("eu-west-1_Later0001"); later["DeletionProtection"] != "INACTIVE" {
				t.Error("a pool was begun after the interruption")
			}
		})
	}
}

// TestInterruptRead: a command that is interrupted while it reads says so, and nothing of a failed call.
func TestInterruptRead(t *testing.T) {
	fake := connected(t)
	fake.PutRich(servedPool)
	saved := write(t, "saved.json", `{"format": "poolkeeper backup", "version": 1, "userPoolId": "`+servedPool+`",
		"documents": {"UserPool": {"Id": "`+servedPool+`"}}}`)
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"plan":     {[]string{"plan", "--all"}, "interrupted after 0 user pools; nothing was written"},
		"report":   {[]string{"report", "--all"}, "interrupted after 0 user pools; nothing was written"},
		"apply":    {[]string{"apply", "--all", "--yes"}, "interrupted after 0 user pools; nothing was written"},
		"backup":   {[]string{"backup", "--pool", servedPool, "--out", dir}, "interrupted: 0 user pools saved in " + dir},
		"snapshot": {[]string{"snapshot", "--pool", servedPool}, "interrupted"},
		"restore":  {[]string{"restore", saved, "--yes"}, "interrupted"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		fake.ClearFaults()
		fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Times: 1,
			Then: func(*cognitotest.Server) { cancel(); <-ctx.Done() }, Drop: true})
		got := execute(ctx, c.args...)
		cancel()
		if want := "poolkeeper: " + c.want + "\n"; got.status != exitError || got.stderr != want || got.stdout != "" {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q, want %q", name, got.status, got.stdout, got.stderr, want)
		}
	}
}

// TestGoneMeanwhile: a pool that is deleted while the question is open is an error, as one that never existed.
func TestGoneMeanwhile(t *testing.T) {
	fake := connected(t)
	weakPool(fake, servedPool)
	answer, answering, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = answer.Close(), answering.Close() })
	stdout, err := applyAsking(t, t.Context(), answer, func() {
		fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException"})
		_, _ = answering.WriteString("yes\n")
	})
	want := "\nFailed:\n  " + servedPool + ": there is no such user pool in this account and Region\n"
	if !errors.Is(err, exit(exitError)) || !strings.HasSuffix(stdout, want) {
		t.Errorf("%v:\n%s", err, stdout)
	}
}

// TestInterruptFile: an interruption ends the wait for a file that is a pipe nobody writes to.
func TestInterruptFile(t *testing.T) {
	connected(t)
	silent, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = writer.Close(), silent.Close() })
	path := fmt.Sprintf("/dev/fd/%d", silent.Fd())
	for _, args := range []string{"validate ", "apply ", "restore ", "replay ", "plan --all --baseline "} {
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		got := execute(ctx, strings.Fields(args+path)...)
		stop()
		if got.status != exitError || got.stdout != "" || !strings.Contains(got.stderr, "context deadline exceeded") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// TestInterruptQuestion: an interruption ends the question too, and nothing is written.
func TestInterruptQuestion(t *testing.T) {
	fake := connected(t)
	weakPool(fake, servedPool)
	silent, answering, err := os.Pipe() // from which no answer ever comes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = silent.Close(), answering.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	_, err = applyAsking(t, ctx, silent, cancel)
	if err == nil || err.Error() != "interrupted: nothing was written" {
		t.Errorf("%v", err)
	}
	if now, _, _ := fake.Pool(servedPool); now["DeletionProtection"] != "INACTIVE" {
		t.Error("the pool was written to")
	}
}

// applyAsking applies the baseline that ships to the served pool, and calls asked once the question was asked.
func applyAsking(t *testing.T, ctx context.Context, answer io.Reader, asked func()) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	stderr := &calls{on: "to continue: ", call: asked}
	c := started(answer, &out, stderr, "no-backup")
	r, _, err := c.planner(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a := applying{c: c, cause: "apply"}
	err = a.run(ctx, selection{ids: []string{servedPool}}, always(r))
	return out.String(), err
}

// calls is a writer that calls once it is given a text.
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

type noPools struct{ reconcile.Pools }

func (noPools) Write(context.Context, string, userpool.Request) (string, error) { return "", nil }

// TestInterruptible: an interruption ends a wait, but no wait after a write.
func TestInterruptible(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := reconcile.New(noPools{}, nil, ledger.NewMemory())
	r.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	one := interruptible(ctx, r)
	if err := one.Sleep(t.Context(), time.Minute); err != nil {
		t.Errorf("before the interruption: %v", err)
	}
	cancel()
	if err := one.Sleep(t.Context(), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("after the interruption: %v", err)
	}
	_, _ = one.Pools.Write(t.Context(), servedPool, userpool.Request{})
	if err := one.Sleep(t.Context(), time.Minute); err != nil {
		t.Errorf("after a write: %v", err)
	}
}

// TestNoPools: where there is no pool at all, the command says where it looked: another place may have been meant.
func TestNoPools(t *testing.T) {
	connected(t)
	commands := [][]string{{"plan"}, {"report"}, {"apply", "--yes"}, {"backup", "--out", t.TempDir()}}
	for _, command := range commands {
		got := execute(t.Context(), append(command, "--all")...)
		want := "this account has no user pool in eu-west-1 (--profile, --region)\n"
		if got.status != exitDone || got.stderr != want {
			t.Errorf("%s: exit status %d, %q", command[0], got.status, got.stderr)
		}
	}
}

// full is a writer that takes nothing from a text on.
type full struct{ from string }

func (f full) Write(p []byte) (int, error) {
	if strings.Contains(string(p), f.from) {
		return 0, errors.New("no room")
	}
	return len(p), nil
}

// TestFullOutput: where a result cannot be printed, no further pool is written, and the error says so.
func TestFullOutput(t *testing.T) {
	fake := connected(t)
	for _, id := range []string{"eu-west-1_Pool00001", "eu-west-1_Pool00002", "eu-west-1_Pool00003"} {
		weakPool(fake, id)
	}
	var stderr bytes.Buffer
	c := started(nil, full{"remediated"}, &stderr)
	status := c.run(t.Context(), []string{"apply", "--all", "--yes", "--no-backup"})
	if want := "poolkeeper: 2 of 3 pools were not changed: no room\n"; status != exitError ||
		!strings.HasSuffix(stderr.String(), want) {
		t.Errorf("exit status %d, %q", status, stderr.String())
	}
	if pool, _, _ := fake.Pool("eu-west-1_Pool00002"); pool["DeletionProtection"] != "INACTIVE" {
		t.Error("the second pool was written to")
	}
}
