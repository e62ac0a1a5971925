package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	for args, status := range map[string]int{
		"plan --all --baseline " + file:                                                                exitDrifted,
		"plan --pool eu-west-1_Healthy01":                                                              exitDone,
		"plan --pool eu-west-1_Gone":                                                                   exitError,
		"plan --pool eu-west-1_Healthy01 --baseline " + others:                                         exitDone,
		"apply --all --yes --no-backup --quiet --baseline " + file:                                     exitDrifted,
		"apply --pool eu-west-1_Gone --yes":                                                            exitError,
		"replay " + events + "update-user-pool.json " + events + "failed-call.json --baseline " + file: exitDrifted,
		"replay --audit " + events + "sweep.json":                                                      exitDrifted,
		"validate " + file:                                                                             exitDone,
		"validate " + bad:                                                                              exitError,
	} {
		for _, format := range forPools {
			plantKinds(fake)
			checkFormat(t, format, status, args)
		}
	}
}

func checkFormat(t *testing.T, format string, status int, args string) (stdout string) {
	t.Helper()
	got := expect(t, args+" --output "+format, status)
	if strings.Contains(got.stdout, "\x1b") {
		t.Errorf("%s %s: an escape character came through", args, format)
	}
	if err := wellFormed(format, []byte(got.stdout)); err != nil {
		t.Errorf("%s %s: %v\n%s", args, format, err, got.stdout)
	}
	return got.stdout
}

// TestFormatsOfTrouble: an ignored scan, and pools that cannot be reached, leave a document of the format.
func TestFormatsOfTrouble(t *testing.T) {
	plantKinds(connected(t))
	t.Setenv("ROLE_ARN", "arn:aws:iam::111122223333:role/AppAdmin") // whose call is ours, and asks for no scan
	for _, format := range forPools {
		checkFormat(t, format, exitDone, "replay "+events+"request-hidden.json")
	}
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:9")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for _, format := range forPools {
		stdout := checkFormat(t, format, exitError, "replay "+events+"update-user-pool.json")
		if !strings.Contains(stdout, "connection refused") {
			t.Errorf("%s:\n%s", format, stdout)
		}
	}
}

// wellFormed says what is wrong with a document of the format.
func wellFormed(format string, document []byte) error {
	values, schema, err := [][]byte{document}, (*jsonschema.Schema)(nil), error(nil)
	switch {
	case len(document) == 0:
		return errors.New("nothing was printed")
	case format == "json":
		schema, err = jsonschema.NewCompiler().Compile("../../report/stream/schema.json")
		values = slices.Collect(bytes.Lines(document))
	case format == "sarif":
		schema, err = sarifSchema()
	case format == "junit":
		return wellFormedJUnit(document)
	default:
		return nil
	}
	for _, text := range values {
		value, failed := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		if err := schema.Validate(value); err != nil {
			return err
		}
	}
	return err
}

// wellFormedJUnit checks that the counts of the suites are those of their cases.
func wellFormedJUnit(document []byte) error {
	for attribute, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error",
		"skipped": "skipped"} {
		count := 0
		for _, found := range regexp.MustCompile(" "+attribute+`="(\d+)"`).FindAllSubmatch(document, -1) {
			n, _ := strconv.Atoi(string(found[1]))
			count += n
		}
		elements := regexp.MustCompile("<"+element+"[ />]").FindAll(document, -1)
		if count != len(elements) || bytes.Contains(document, []byte(` tests="0"`)) {
			return fmt.Errorf("%d %s, but %d elements %s", count, attribute, len(elements), element)
		}
	}
	return xml.Unmarshal(document, new(struct{}))
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
	compiler := jsonschema.NewCompiler()
	if err = errors.Join(err, compiler.AddResource("sarif.json", schema)); err != nil {
		return nil, err
	}
	return compiler.Compile("sarif.json")
})
