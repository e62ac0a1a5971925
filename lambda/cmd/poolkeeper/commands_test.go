package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

const repository = "../../../"

// TestDocumentedCommands runs every command of the README and of the runbook in a shell, as it stands but for its
// placeholders, against a fake and against moto's server, which has the template that is deployed.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	setup, found := commandsOf(t, "README.md", "infra/RUNBOOK.md")
	archive, err := txtar.ParseFile("testdata/documented.txtar")
	if err != nil {
		t.Fatal(err)
	}
	shell := newShell(t, setup, archive)
	for i, part := range archive.Files[:2] {
		lines := strings.Split(string(part.Data), "\n")
		for ; len(lines) > 1; lines = lines[2:] {
			command := lines[0]
			by, want, _ := strings.Cut(strings.TrimSpace(lines[1]), " ")
			if !found[command] {
				t.Errorf("no document has the command: %s", command)
			}
			delete(found, command)
			if i == 1 {
				text, err := os.ReadFile(repository + by)
				if err != nil || !strings.Contains(string(text), want) {
					t.Errorf("%s: %s has no %s: %v", command, by, want, err)
				}
			} else if status, printed := shell(command); status != by || !strings.Contains(printed, want) {
				t.Errorf("%s\nends in %s and has no %q:\n%s", command, status, want, printed)
			}
		}
	}
	for command := range found {
		t.Errorf("no test runs the command: %s", command)
	}
}

// TestCommandTable: the README has a row for each command, and a script runs it.
func TestCommandTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(repository + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := ""
	paths, _ := filepath.Glob("testdata/script/*.txtar")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		scripts += string(text)
	}
	for _, command := range commands {
		name := nameOf(command)
		row := regexp.MustCompile("(?m)^\\| .*`" + name + "\\b")
		if !strings.Contains(scripts, "poolkeeper "+name) || !row.Match(readme) && name != "demo" && name != "version" {
			t.Errorf("%s has no script, or no row in the README", name)
		}
	}
}

var (
	programs = `((?:poolkeeper|make|npm|npx|cdk|aws) [^#]*)`
	wrapped  = regexp.MustCompile(`\\\n *`)
	inCode   = regexp.MustCompile(`^` + programs + `$`)
	inBlock  = regexp.MustCompile(`^(?:.*: )?` + programs)
)

// commandsOf returns the commands in the code of documents, and the lines of shell that prepare for them.
func commandsOf(t *testing.T, documents ...string) (setup string, found map[string]bool) {
	t.Helper()
	found = map[string]bool{}
	for _, name := range documents {
		text, err := os.ReadFile(repository + name)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```") {
			if i%2 == 0 {
				for j, code := range strings.Split(part, "`") {
					if command := strings.Join(strings.Fields(code), " "); j%2 == 1 && inCode.MatchString(command) {
						found[command] = true
					}
				}
				continue
			}
			_, part, _ = strings.Cut(part, "\n") // after the language
			session := strings.HasPrefix(part, "$ ")
			for line := range strings.Lines(wrapped.ReplaceAllString(part, " ")) {
				command, typed := strings.CutPrefix(strings.TrimSpace(line), "$ ")
				switch words := inBlock.FindStringSubmatch(command); {
				case strings.Contains(command, "() {") || strings.HasPrefix(command, "export "):
					setup += command + "\n"
				case words != nil && session == typed:
					found[recordID.ReplaceAllString(strings.Join(strings.Fields(words[1]), " "), "RECORD")] = true
				}
			}
		}
	}
	return setup, found
}

// newShell returns a shell that runs a command.
func newShell(t *testing.T, setup string, files *txtar.Archive) func(string) (status, printed string) {
	t.Helper()
	moto := mototest.Start(t)
	if _, err := exec.LookPath("aws"); err != nil && !mototest.Required() {
		t.Skip("aws is not on PATH: pip install awscli")
	}
	fake, url := cognitotest.Serve(t, cognitotest.Contract)
	weakPool(fake, "eu-west-1_AbCdEf123")
	folder, record := t.TempDir(), ""
	template, err := os.ReadFile(repository + "infra/testdata/enforce.golden.json")
	if err == nil {
		files.Files = append(files.Files, txtar.File{Name: "template", Data: template})
		err = txtar.Write(files, folder)
	}
	if err = errors.Join(err, os.Chmod(folder+"/bin/aws", 0o700)); err != nil {
		t.Fatal(err)
	}
	run := func(command string) (status, printed string) {
		t.Helper()
		command = strings.NewReplacer("POOL", "eu-west-1_AbCdEf123", "RECORD", record).Replace(command)
		shell := exec.CommandContext(t.Context(), "bash", "-c", setup+command)
		shell.Dir, shell.Stdin = folder, strings.NewReader("yes\n")
		if strings.HasPrefix(command, "make ") {
			shell.Dir = repository
		}
		shell.Env = append(os.Environ(), "PATH="+folder+"/bin:"+os.Getenv("PATH"), "GOBIN="+folder,
			"AWS_ENDPOINT_URL="+moto, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url, "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
			"AWS_SECRET_ACCESS_KEY=example", "AWS_DEFAULT_REGION=eu-west-1", "AWS_PAGER=")
		output, err := shell.CombinedOutput()
		if shell.ProcessState == nil {
			t.Fatal(err)
		}
		if found := recordID.Find(output); found != nil {
			record = string(found)
		}
		return strconv.Itoa(shell.ProcessState.ExitCode()), string(output)
	}
	if status, printed := run("set -e; . ./prepare.sh"); status != "0" {
		t.Fatalf("the server is not prepared:\n%s", printed)
	}
	return run
}

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
	weakPool(connected(t), servedPool)
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
	if diff := cmp.Diff(now.ReplaceAllString(session, ""), now.ReplaceAllString(got.String(), "")); diff != "" {
		t.Errorf("-README +printed:\n%s", diff)
	}
}
