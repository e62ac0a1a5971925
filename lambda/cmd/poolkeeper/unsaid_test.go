package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// TestNoPools: where there is no pool at all, which may be the wrong place, it is said where that is.
func TestNoPools(t *testing.T) {
	connected(t)
	for _, verb := range [][]string{{"plan"}, {"report"}, {"apply", "--yes"}, {"backup", "--out", t.TempDir()}} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), append(verb, "--all"), &stdout, &stderr, os.Getenv)
		if want := "there is no user pool in this account and eu-west-1 (--profile, --region)\n"; status != exitDone || stderr.String() != want {
			t.Errorf("%s: exit status %d, %q", verb[0], status, stderr.String())
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

// TestUnsaid: where a result cannot be written, no further pool is, and that is said.
func TestUnsaid(t *testing.T) {
	fake := connected(t)
	for _, id := range []string{"eu-west-1_Pool00001", "eu-west-1_Pool00002", "eu-west-1_Pool00003"} {
		pool, mfa := cognitotest.Rich()
		pool["DeletionProtection"] = "INACTIVE"
		fake.Put(id, pool, mfa)
	}
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"apply", "--all", "--yes", "--no-backup"}, full{"remediated"}, &stderr, os.Getenv)
	if want := "poolkeeper: 2 of 3 pools were not touched: no room\n"; status != exitError || stderr.String() != want {
		t.Errorf("exit status %d, %q", status, stderr.String())
	}
	if pool, _, _ := fake.Pool("eu-west-1_Pool00002"); pool["DeletionProtection"] != "INACTIVE" {
		t.Error("the second pool was written to")
	}
}
