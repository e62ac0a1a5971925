package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/cognitotest"
)

// TestReadmeSession runs the commands of the terminal session in README.md and compares what they print.
func TestReadmeSession(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if demo := execute(t.Context(), "demo"); !strings.Contains(string(readme), demo.stdout) {
		t.Errorf("the README does not show what the demo prints:\n%s", demo.stdout)
	}
	const command = "$ poolkeeper "
	_, rest, found := strings.Cut(string(readme), "```\n"+command)
	session, _, closed := strings.Cut(command+rest, "```")
	if !found || !closed {
		t.Fatal("the README has no session")
	}
	fake := connected(t)
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	fake.Put(servedPool, pool, mfa)
	t.Chdir(t.TempDir())
	var got bytes.Buffer
	for line := range strings.Lines(session) {
		if args, ok := strings.CutPrefix(strings.TrimSpace(line), command); ok {
			got.WriteString(line)
			started(nil, &got, &got).run(t.Context(), strings.Fields(args))
		}
	}
	// The time, the id and the digest of the baseline.
	now := regexp.MustCompile(`\d{8}T\d{6}\.\d{6}Z(-[0-9a-f]{8})?|sha256:\w+`)
	const then = "NOW"
	if diff := cmp.Diff(now.ReplaceAllString(session, then), now.ReplaceAllString(got.String(), then)); diff != "" {
		t.Errorf("-README +printed:\n%s", diff)
	}
}
