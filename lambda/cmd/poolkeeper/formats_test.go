package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // for its schema
	"github.com/santhosh-tekuri/jsonschema/v6"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/userpool"
)

// TestFormats runs the verbs over pools of every kind and holds what they print against the schema of its format, whatever became of the pools.
func TestFormats(t *testing.T) {
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	pool, mfa := cognitotest.Rich()
	plant := func() {
		fake.Put("eu-west-1_Healthy01", pool, mfa)
		weak, _ := cognitotest.Rich()
		weak["DeletionProtection"] = "INACTIVE"
		fake.Put("eu-west-1_AbCdEf123", weak, mfa)
		lite, _ := cognitotest.Rich()
		lite["UserPoolTier"], lite["UserPoolAddOns"], lite["Name"] = "ESSENTIALS", map[string]any{"AdvancedSecurityMode": "OFF"}, "a|b `c` <i>\x1b[2J"
		fake.Put("eu-west-1_Lite00001", lite, mfa)
	}
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	dir := t.TempDir()
	file, bad, others, lost := filepath.Join(dir, "b.yaml"), filepath.Join(dir, "bad.yaml"), filepath.Join(dir, "others.yaml"), filepath.Join(dir, "lost.json")
	text := "version: 1\nrules:\n  - name: all\n    require: {DeletionProtection: ACTIVE, UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}}\n  - name: audited\n    mode: audit\n" +
		"    require: {AutoVerifiedAttributes: [phone_number]}\nexemptions:\n  - {pools: {ids: [eu-west-1_Healthy01]}, settings: [AutoVerifiedAttributes], until: 2099-01-01T00:00:00Z, reason: migration, owner: team}\n"
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.WriteFile(bad, []byte("version: 2\nrules: []\n"), 0o600),
		os.WriteFile(others, []byte("version: 1\nrules: [{name: others, pools: {ids: [eu-west-1_Others001]}, require: {DeletionProtection: ACTIVE}}]\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	events := "../../event/testdata/"
	few := []string{"json"}
	// A backup of a pool whose domain was another one then.
	then, _ := cognitotest.Rich()
	then["Id"], then["Domain"] = "eu-west-1_AbCdEf123", "then"
	raw, err := userpool.NewBackup(userpool.State{ID: "eu-west-1_AbCdEf123", Documents: map[baseline.DocumentName]map[string]any{baseline.UserPool: then, baseline.MfaConfig: mfa}}, time.Now()).Encode()
	if err = errors.Join(err, os.WriteFile(lost, raw, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args    []string
		formats []string
		status  int
	}{
		{[]string{"plan", "--all", "--baseline", file}, all, exitDrifted},
		{[]string{"plan", "--pool", "eu-west-1_Healthy01"}, all, exitDone},
		{[]string{"plan", "--pool", "eu-west-1_Gone"}, all, exitError},
		{[]string{"plan", "--pool", "eu-west-1_Healthy01", "--baseline", others}, all, exitDone},
		{[]string{"apply", "--all", "--yes", "--no-backup", "--quiet", "--baseline", file}, all, exitDrifted},
		{[]string{"apply", "--pool", "eu-west-1_Gone", "--yes"}, all, exitError},
		{[]string{"restore", lost, "--yes", "--no-backup"}, all, exitDrifted},
		{[]string{"replay", "--baseline", file, events + "update-user-pool.json", events + "failed-call.json"}, all, exitDrifted},
		{[]string{"replay", "--audit", events + "sweep.json"}, all, exitDrifted},
		{[]string{"validate", file}, all, exitDone},
		{[]string{"validate", bad}, all, exitError},
		{[]string{"explain", "MfaConfiguration"}, few, exitDone},
		{[]string{"version"}, few, exitDone},
		{[]string{"backup", "--all", "--out", dir}, few, exitDone},
	} {
		for _, format := range c.formats {
			plant()
			var stdout, stderr bytes.Buffer
			status := run(context.Background(), append(c.args, "--output", format), &stdout, &stderr, os.Getenv)
			if status != c.status {
				t.Errorf("%v %s: exit status %d, want %d\n%s", c.args, format, status, c.status, stderr.Bytes())
			}
			if strings.Contains(stdout.String(), "\x1b") {
				t.Errorf("%v %s: an escape character came through", c.args, format)
			}
			if err := wellFormed(format, stdout.Bytes()); err != nil {
				t.Errorf("%v %s: %v\n%s", c.args, format, err, stdout.Bytes())
			}
		}
	}
	// A call of our own role of which CloudTrail left out the pool: all are looked at, and none is written.
	ours := func(name string) string {
		if name == "ROLE_ARN" {
			return "arn:aws:iam::111122223333:role/AppAdmin"
		}
		return os.Getenv(name)
	}
	for _, format := range all {
		var stdout bytes.Buffer
		if status := run(context.Background(), []string{"replay", events + "request-hidden.json", "--output", format}, &stdout, io.Discard, ours); status != exitDrifted {
			t.Errorf("%s: exit status %d", format, status)
		}
		if err := wellFormed(format, stdout.Bytes()); err != nil {
			t.Errorf("%s: %v\n%s", format, err, stdout.Bytes())
		}
	}
	// What cannot be reached leaves a document that says so.
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:9")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for _, format := range all {
		var stdout bytes.Buffer
		if status := run(context.Background(), []string{"replay", events + "update-user-pool.json", "--output", format}, &stdout, io.Discard, os.Getenv); status != exitError {
			t.Errorf("%s: exit status %d", format, status)
		}
		if err := wellFormed(format, stdout.Bytes()); err != nil || !strings.Contains(stdout.String(), "connection refused") {
			t.Errorf("%s: %v\n%s", format, err, stdout.Bytes())
		}
	}
}

// wellFormed says what is wrong with a document of the format.
func wellFormed(format string, document []byte) error {
	switch format {
	case "json":
		schema, err := jsonschema.NewCompiler().Compile("../../report/stream/schema.json")
		if err != nil {
			return err
		}
		lines := bytes.Split(bytes.TrimSpace(document), []byte("\n"))
		for _, line := range lines {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err != nil {
				return err
			}
			if err := schema.Validate(value); err != nil {
				return err
			}
		}
	case "sarif":
		schema, err := sarifSchema()
		if err != nil {
			return err
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	case "junit":
		var suites struct {
			Suites []struct {
				Tests    int `xml:"tests,attr"`
				Failures int `xml:"failures,attr"`
				Errors   int `xml:"errors,attr"`
				Skipped  int `xml:"skipped,attr"`
				Cases    []struct {
					Failure *string `xml:"failure"`
					Error   *string `xml:"error"`
					Skipped *string `xml:"skipped"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(document, &suites); err != nil {
			return err
		}
		for _, s := range suites.Suites {
			var failures, errs, skipped int
			for _, c := range s.Cases {
				if c.Failure != nil {
					failures++
				}
				if c.Error != nil {
					errs++
				}
				if c.Skipped != nil {
					skipped++
				}
			}
			if len(s.Cases) != s.Tests || s.Tests == 0 || failures != s.Failures || errs != s.Errors || skipped != s.Skipped {
				return errors.New("the counts of a suite are not those of its cases")
			}
		}
	}
	if len(document) == 0 {
		return errors.New("nothing was printed")
	}
	return nil
}

// sarifSchema returns the schema of SARIF 2.1.0, which is a constant of a module that keeps it to itself.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "pkg/report/v210/sarif/schema.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err = strconv.Unquote(literal.Value)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sarif.json", schema); err != nil {
		return nil, err
	}
	return compiler.Compile("sarif.json")
})
