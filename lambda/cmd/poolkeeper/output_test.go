package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

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
	status := run(t.Context(), []string{"apply", "--all", "--yes", "--no-backup"}, full{"remediated"}, &stderr, os.Getenv)
	if want := "poolkeeper: 2 of 3 pools were not changed: no room\n"; status != exitError ||
		!strings.HasSuffix(stderr.String(), want) {
		t.Errorf("exit status %d, %q", status, stderr.String())
	}
	if pool, _, _ := fake.Pool("eu-west-1_Pool00002"); pool["DeletionProtection"] != "INACTIVE" {
		t.Error("the second pool was written to")
	}
}
