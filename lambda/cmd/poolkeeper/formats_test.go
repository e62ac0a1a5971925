package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // for its schema
	"github.com/santhosh-tekuri/jsonschema/v6"

	"poolkeeper/lambda/cognitotest"
)

const events = "../../event/testdata/"

// plantKinds plants pools of every kind: at the baseline, weak, and on another plan with a hostile name.
func plantKinds(fake *cognitotest.Server) {
	pool, mfa := cognitotest.Rich()
	fake.Put("eu-west-1_Healthy01", pool, mfa)
	weakPool(fake, "eu-west-1_AbCdEf123")
	lite, _ := cognitotest.Rich()
	lite["UserPoolTier"], lite["UserPoolAddOns"] = "ESSENTIALS", map[string]any{"AdvancedSecurityMode": "OFF"}
	lite["Name"] = "a|b `c` <i>\x1b[2J"
	fake.Put("eu-west-1_Lite00001", lite, mfa)
}

const allKinds = `version: 1
rules:
  - name: all
    require: {DeletionProtection: ACTIVE, UserPoolAddOns: {AdvancedSecurityMode: ENFORCED}}
  - name: audited
    mode: audit
    require: {AutoVerifiedAttributes: [phone_number]}
exemptions:
  - pools: {ids: [eu-west-1_Healthy01]}
    settings: [AutoVerifiedAttributes]
    until: 2099-01-01T00:00:00Z
    reason: migration
    owner: team
`

// TestFormats runs the commands over pools of every kind and checks what they print against the schema of its format,
// whatever became of the pools.
func TestFormats(t *testing.T) {
	fake := connected(t)
	file := write(t, "b.yaml", allKinds)
	bad := write(t, "bad.yaml", "version: 2\nrules: []\n")
	others := write(t, "others.yaml", "version: 1\nrules: [{name: others, pools: {ids: [eu-west-1_Others001]}, "+
		"require: {DeletionProtection: ACTIVE}}]\n")
	for _, c := range []struct {
		args   []string
		status int
	}{
		{[]string{"plan", "--all", "--baseline", file}, exitDrifted},
		{[]string{"plan", "--pool", "eu-west-1_Healthy01"}, exitDone},
		{[]string{"plan", "--pool", "eu-west-1_Gone"}, exitError},
		{[]string{"plan", "--pool", "eu-west-1_Healthy01", "--baseline", others}, exitDone},
		{[]string{"apply", "--all", "--yes", "--no-backup", "--quiet", "--baseline", file}, exitDrifted},
		{[]string{"apply", "--pool", "eu-west-1_Gone", "--yes"}, exitError},
		{[]string{"replay", "--baseline", file, events + "update-user-pool.json", events + "failed-call.json"},
			exitDrifted},
		{[]string{"replay", "--audit", events + "sweep.json"}, exitDrifted},
		{[]string{"validate", file}, exitDone},
		{[]string{"validate", bad}, exitError},
	} {
		for _, format := range forPools {
			plantKinds(fake)
			checkFormat(t, format, c.status, c.args)
		}
	}
}

func checkFormat(t *testing.T, format string, status int, args []string) (stdout string) {
	t.Helper()
	got := execute(t.Context(), append(args, "--output", format)...)
	if got.status != status {
		t.Errorf("%v %s: exit status %d, want %d\n%s", args, format, got.status, status, got.stderr)
	}
	if strings.Contains(got.stdout, "\x1b") {
		t.Errorf("%v %s: an escape character came through", args, format)
	}
	if err := wellFormed(format, []byte(got.stdout)); err != nil {
		t.Errorf("%v %s: %v\n%s", args, format, err, got.stdout)
	}
	return got.stdout
}

// TestFormatsOfTrouble: an ignored scan, and pools that cannot be reached, leave a document of the format.
func TestFormatsOfTrouble(t *testing.T) {
	plantKinds(connected(t))
	t.Setenv("ROLE_ARN", "arn:aws:iam::111122223333:role/AppAdmin") // whose call is ours, and asks for no scan
	for _, format := range forPools {
		checkFormat(t, format, exitDone, []string{"replay", events + "request-hidden.json"})
	}
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:9")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for _, format := range forPools {
		stdout := checkFormat(t, format, exitError, []string{"replay", events + "update-user-pool.json"})
		if !strings.Contains(stdout, "connection refused") {
			t.Errorf("%s:\n%s", format, stdout)
		}
	}
}

// wellFormed says what is wrong with a document of the format.
func wellFormed(format string, document []byte) error {
	if len(document) == 0 {
		return errors.New("nothing was printed")
	}
	switch format {
	case "json":
		schema, err := jsonschema.NewCompiler().Compile("../../report/stream/schema.json")
		if err != nil {
			return err
		}
		for line := range bytes.Lines(document) {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err == nil {
				err = schema.Validate(value)
			}
			if err != nil {
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
		return wellFormedJUnit(document)
	}
	return nil
}

func wellFormedJUnit(document []byte) error {
	type element struct{}
	var suites struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Failure []element `xml:"failure"`
				Error   []element `xml:"error"`
				Skipped []element `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(document, &suites); err != nil {
		return err
	}
	for _, s := range suites.Suites {
		for _, c := range s.Cases {
			s.Tests--
			s.Failures -= len(c.Failure)
			s.Errors -= len(c.Error)
			s.Skipped -= len(c.Skipped)
		}
		if len(s.Cases) == 0 || s.Tests != 0 || s.Failures != 0 || s.Errors != 0 || s.Skipped != 0 {
			return errors.New("the counts of a suite are not those of its cases")
		}
	}
	return nil
}

// sarifSchema returns the schema of SARIF 2.1.0, which is a constant of a module that does not export it.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pkg/report/v210/sarif/schema.go"))
	if err != nil {
		return nil, err
	}
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Split(string(source), "`")[1]))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("sarif.json", schema); err != nil {
		return nil, err
	}
	return compiler.Compile("sarif.json")
})
