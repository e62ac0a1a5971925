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

// TestInterrupt: an interruption during the writes of a pool lets that pool come to its end, verification and all, and
// no other pool, event or pool of a scan is begun.
func TestInterrupt(t *testing.T) {
	const written = "written   UpdateUserPool, SetUserPoolMfaConfig\n"
	scan, update := " "+events+"sweep.json", " "+events+"update-user-pool.json"
	file := write(t, "b.yaml", "version: 1\nrules:\n  - name: both\n"+
		"    require: {DeletionProtection: ACTIVE, SoftwareTokenMfaConfiguration: {Enabled: true}}\n")
	for args, want := range map[string]string{
		"apply --all --yes --no-backup": "1 of 2 pools were not changed",
		"replay" + update + scan:        "1 event not handled",
		"replay" + scan + update:        "2 events not handled",
		"replay" + scan:                 "1 event not handled",
	} {
		t.Run(args, func(t *testing.T) {
			fake := connected(t)
			for _, id := range []string{servedPool, "eu-west-1_Later0001"} {
				weakPool(fake, id)
				fake.Edit(id, func(_, mfa map[string]any) { delete(mfa, "SoftwareTokenMfaConfiguration") })
			}
			ctx, interrupt := context.WithCancel(t.Context())
			then := func(*cognitotest.Server) { interrupt() }
			fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", Times: 1, Then: then})
			got := execute(ctx, args+" --baseline "+file)
			want := "poolkeeper: interrupted: " + want + "\n"
			if got.status != exitError || got.stderr != want {
				t.Errorf("exit status %d, stderr is %q, want %q", got.status, got.stderr, want)
			}
			if strings.Count(got.stdout, "remediated  eu-west-1_") != 1 || !strings.Contains(got.stdout, written) {
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
	for args, want := range map[string]string{
		"plan --all":        " after 0 user pools; nothing was written",
		"report --all":      " after 0 user pools; nothing was written",
		"apply --all --yes": " after 0 user pools; nothing was written",
		"backup --pool " + servedPool + " --out " + dir: ": 0 user pools saved in " + dir,
		"snapshot --pool " + servedPool:                 "",
		"restore --yes " + saved:                        "",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		fake.ClearFaults()
		fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Times: 1,
			Then: func(*cognitotest.Server) { cancel(); <-ctx.Done() }, Drop: true})
		got := execute(ctx, args)
		cancel()
		if want := (result{exitError, "", "poolkeeper: interrupted" + want + "\n"}); got != want {
			t.Errorf("%s: %+v, want %+v", args, got, want)
		}
	}
}

// TestQuestion: an interruption ends the question, and a pool that is deleted while it is open is an error, as one that
// never existed.
func TestQuestion(t *testing.T) {
	for want, asked := range map[string]func(*cognitotest.Server, io.Writer, func()){
		"poolkeeper: interrupted: nothing was written\n": func(_ *cognitotest.Server, _ io.Writer, interrupt func()) {
			interrupt()
		},
		"\nFailed:\n  " + servedPool + ": there is no such user pool in this account and Region\n": func(
			fake *cognitotest.Server, answer io.Writer, _ func()) {
			fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "ResourceNotFoundException"})
			_, _ = io.WriteString(answer, "yes\n")
		},
	} {
		fake := connected(t)
		weakPool(fake, servedPool)
		in, answer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ctx, interrupt := context.WithCancel(t.Context())
		var printed strings.Builder
		output := writer(func(text string) error {
			printed.WriteString(text)
			if strings.Contains(text, "to continue: ") {
				asked(fake, answer, interrupt)
			}
			return nil
		})
		status := started(in, output, output).run(ctx, []string{"apply", "--pool", servedPool, "--no-backup"})
		interrupt()
		_, _ = in.Close(), answer.Close()
		if status != exitError || !strings.HasSuffix(printed.String(), want) {
			t.Errorf("exit status %d, want %q:\n%s", status, want, printed.String())
		}
		if now, _, _ := fake.Pool(servedPool); now["DeletionProtection"] != "INACTIVE" {
			t.Error("the pool was written to")
		}
	}
}

// A writer gets each text that is written.
type writer func(text string) error

func (w writer) Write(p []byte) (int, error) {
	if err := w(string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
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
		got := execute(ctx, args+path)
		stop()
		if got.status != exitError || got.stdout != "" || !strings.Contains(got.stderr, "context deadline exceeded") {
			t.Errorf("%s: %+v", args, got)
		}
	}
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
	for _, command := range []string{"plan", "report", "apply --yes", "backup --out " + t.TempDir()} {
		expect(t, command+" --all", exitDone, "this account has no user pool in eu-west-1 (--profile, --region)\n")
	}
}

// TestFullOutput: where a result cannot be printed, no further pool is written, and the error says so.
func TestFullOutput(t *testing.T) {
	fake := connected(t)
	for _, id := range []string{"eu-west-1_Pool00001", "eu-west-1_Pool00002", "eu-west-1_Pool00003"} {
		weakPool(fake, id)
	}
	var stderr bytes.Buffer
	full := writer(func(text string) error {
		if strings.Contains(text, "remediated") {
			return errors.New("no room")
		}
		return nil
	})
	status := started(nil, full, &stderr).run(t.Context(), []string{"apply", "--all", "--yes", "--no-backup"})
	if want := "poolkeeper: 2 of 3 pools were not changed: no room\n"; status != exitError ||
		!strings.HasSuffix(stderr.String(), want) {
		t.Errorf("exit status %d, %q", status, stderr.String())
	}
	if pool, _, _ := fake.Pool("eu-west-1_Pool00002"); pool["DeletionProtection"] != "INACTIVE" {
		t.Error("the second pool was written to")
	}
}
