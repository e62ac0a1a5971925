package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a command in a folder, with more environment, and returns what it prints.
func run(t *testing.T, dir string, environment []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return string(output)
}

// TestRebuildsAreIdentical: the same source gives the same bytes wherever it lies, so that a deployment of nothing new deploys nothing.
func TestRebuildsAreIdentical(t *testing.T) {
	need(t, "make", "tar")
	copied := t.TempDir()
	run(t, top, nil, "bash", "-c", "tar cf - go.mod go.sum Makefile baseline lambda | tar xf - -C "+copied)
	sums := map[string]map[string]string{}
	for name, dir := range map[string]string{"here": top, "elsewhere": copied} {
		run(t, dir, nil, "make", "-s", "function")
		sums[name] = map[string]string{}
		for _, architecture := range []string{"arm64", "amd64"} {
			binary, err := os.ReadFile(filepath.Join(dir, ".build", architecture, "bootstrap"))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(binary)
			sums[name][architecture] = hex.EncodeToString(sum[:])
			if strings.Contains(string(binary), copied) {
				t.Errorf("the function of %s holds the path of its source", architecture)
			}
		}
	}
	for architecture, sum := range sums["here"] {
		if sums["elsewhere"][architecture] != sum {
			t.Errorf("%s: %s here, %s elsewhere", architecture, sum, sums["elsewhere"][architecture])
		}
	}
}

// TestFunctionNeedsNoCDK: from an empty module cache, what the function and the command line are built of is fetched without the CDK. The modules come from
// the cache of this machine, as if it were a proxy.
func TestFunctionNeedsNoCDK(t *testing.T) {
	proxy := strings.TrimSpace(run(t, top, nil, "go", "env", "GOMODCACHE"))
	empty := t.TempDir()
	environment := []string{"GOMODCACHE=" + empty, "GOPROXY=file://" + filepath.ToSlash(proxy) + "/cache/download", "GOFLAGS=-modcacherw", "GONOSUMDB=*", "GOSUMDB=off"}
	packages := run(t, top, environment, "go", "list", "-deps", "./lambda", "./lambda/cmd/poolkeeper")
	if !strings.Contains(packages, "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider") {
		t.Fatalf("the function is built of\n%s", packages)
	}
	fetched := 0
	err := filepath.WalkDir(filepath.Join(empty, "cache", "download"), func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".zip") {
			fetched++
			if strings.Contains(path, "aws-cdk-go") || strings.Contains(path, "jsii") || strings.Contains(path, "constructs") {
				t.Errorf("%s was fetched", path)
			}
		}
		return err
	})
	if err != nil || fetched < 5 {
		t.Errorf("%d modules were fetched (%v)", fetched, err)
	}
}
