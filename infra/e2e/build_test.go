package e2e

import (
	"bytes"
	"crypto/sha256"
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

// TestRebuildsAreIdentical: the same source gives the same bytes in any folder and whatever was built before, so that a
// deployment of nothing new deploys nothing, and anybody can check that a function is built of this source. The second
// build is in another folder, and for arm64, the default, compiles everything anew into an empty cache.
func TestRebuildsAreIdentical(t *testing.T) {
	need(t, "make", "tar")
	copied := t.TempDir()
	run(t, top, nil, "bash", "-c", "tar cf - go.mod go.sum Makefile baseline lambda | tar xf - -C "+copied)
	run(t, top, nil, "make", "-s", "function")
	run(t, copied, []string{"GOCACHE=" + t.TempDir()}, "make", "-s", "function", "ARCHITECTURES=arm64")
	run(t, copied, nil, "make", "-s", "function", "ARCHITECTURES=amd64")
	for _, architecture := range []string{"arm64", "amd64"} {
		here, elsewhere := bootstrap(t, top, architecture), bootstrap(t, copied, architecture)
		if !bytes.Equal(here, elsewhere) {
			t.Errorf("%s: %x here, %x elsewhere", architecture, sha256.Sum256(here), sha256.Sum256(elsewhere))
		}
		if bytes.Contains(elsewhere, []byte(copied)) {
			t.Errorf("the function of %s has the path of its source", architecture)
		}
	}
}

func bootstrap(t *testing.T, dir, architecture string) []byte {
	t.Helper()
	binary := must(os.ReadFile(filepath.Join(dir, ".build", architecture, "bootstrap")))(t)
	if len(binary) == 0 {
		t.Fatalf("the function of %s is empty", architecture)
	}
	return binary
}

// TestFunctionNeedsNoCDK: from an empty module cache, what the function and the command line are built of is fetched
// without the CDK. The modules come from the local cache, as if it were a proxy.
func TestFunctionNeedsNoCDK(t *testing.T) {
	proxy := strings.TrimSpace(run(t, top, nil, "go", "env", "GOMODCACHE"))
	empty := t.TempDir()
	environment := []string{"GOMODCACHE=" + empty, "GOPROXY=file://" + filepath.ToSlash(proxy) + "/cache/download",
		"GOFLAGS=-modcacherw", "GONOSUMDB=*", "GOSUMDB=off"}
	packages := run(t, top, environment, "go", "list", "-deps", "./lambda", "./lambda/cmd/poolkeeper")
	if !strings.Contains(packages, "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider") {
		t.Fatalf("the function is built of\n%s", packages)
	}
	fetched := strings.Fields(run(t, empty, nil, "find", filepath.Join("cache", "download"), "-name", "*.zip"))
	for _, path := range fetched {
		if strings.Contains(path, "aws-cdk-go") || strings.Contains(path, "jsii") || strings.Contains(path, "constructs") {
			t.Errorf("%s was fetched", path)
		}
	}
	if len(fetched) < 5 {
		t.Errorf("%d modules were fetched", len(fetched))
	}
}
