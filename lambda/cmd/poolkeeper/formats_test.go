package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
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
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
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

// TestFormats runs the commands over pools of every kind and checks what they print against the schema of its format,
// whatever became of the pools.
func TestFormats(t *testing.T) {
	fake := connected(t)
	const file = "testdata/kinds.yaml"
	for args, status := range map[string]int{
		"plan --all --baseline " + file:                                                                exitDrifted,
		"plan --pool eu-west-1_Healthy01":                                                              exitDone,
		"plan --pool eu-west-1_Gone":                                                                   exitError,
		"plan --pool eu-west-1_Healthy01 --baseline testdata/others.yaml":                              exitDone,
		"apply --all --yes --no-backup --quiet --baseline " + file:                                     exitDrifted,
		"apply --pool eu-west-1_Gone --yes":                                                            exitError,
		"replay " + events + "update-user-pool.json " + events + "failed-call.json --baseline " + file: exitDrifted,
		"replay --audit " + events + "sweep.json":                                                      exitDrifted,
		"validate " + file:                                                                             exitDone,
		"validate testdata/bad.yaml":                                                                   exitError,
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
	values := [][]byte{document}
	var schema *jsonschema.Schema
	var err error
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

// clientSecret is what every client of the test has.
const clientSecret = "CANARYclientsecret0123456789"

// secrecy runs commands over a pool whose texts, ids and clients' secrets all hold the word CANARY.
type secrecy struct {
	t    *testing.T
	fake *cognitotest.Server
	all  strings.Builder // what was printed
}

func (s *secrecy) do(args string) string {
	s.fake.PutRich(servedPool)
	for _, client := range []string{cognitotest.RichClient, "mobile"} {
		c := s.fake.Client(servedPool, client)
		c["PreventUserExistenceErrors"], c["ClientSecret"] = "LEGACY", clientSecret
		c["AllowedOAuthFlows"] = []any{"code", "implicit"}
		s.fake.PutClient(servedPool, client, c)
	}
	if strings.HasPrefix(args, "restore") || strings.HasPrefix(args, "undo") {
		execute(s.t.Context(), "apply --all --yes --no-backup")
	}
	got := execute(s.t.Context(), args)
	if i := strings.Index(got.stdout+got.stderr, "CANARY"); i >= 0 {
		s.t.Errorf("%s printed a secret, at byte %d", args, i)
	}
	if _, format, ok := strings.Cut(args, " --output "); ok && got.stdout != "" {
		if err := wellFormed(format, []byte(got.stdout)); err != nil {
			s.t.Errorf("%s: %v\n%s", args, err, got.stdout)
		}
	}
	s.all.WriteString(got.stdout + got.stderr)
	return got.stdout
}

// TestOutputsHoldNoSecrets runs every command in every format over a pool full of secrets, and looks for them in all
// output and in every file that is written. Refused calls and malformed answers are among them.
func TestOutputsHoldNoSecrets(t *testing.T) {
	s, dir := &secrecy{t: t, fake: connected(t)}, t.TempDir()
	archive, err := txtar.ParseFile("testdata/secrets.txtar")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "b.yaml", string(archive.Files[0].Data))
	url := mototest.Start(t)
	mototest.Table(t, url, "ledger")
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": url, "LEDGER_TABLE": "ledger",
		"BASELINE_FILE": file} {
		t.Setenv(name, v)
	}
	record := recordID.FindString(s.do("apply --all --yes --backups " + dir + "/before"))
	saved, _ := filepath.Glob(dir + "/before/*.json")
	lines := strings.Split(strings.NewReplacer("DIR", dir, "FILE", file, "POOL", servedPool, "RECORD", record,
		"SAVED", strings.Join(saved, ""), "EVENTS/", events).Replace(string(archive.Files[1].Data)), "\n")
	for _, command := range commands {
		name, ran := nameOf(command), false
		for _, line := range lines {
			if !strings.HasPrefix(line+" ", name+" ") {
				continue
			}
			ran = true
			for _, format := range command.formats {
				s.do(line + " --output " + format)
			}
		}
		if !ran {
			t.Errorf("the test does not run %s", name)
		}
	}
	s.failures()
	for _, want := range []string{"(hidden: ", "restored  ", "mobile", "fixed     EmailVerificationMessage"} {
		if !strings.Contains(s.all.String(), want) {
			t.Errorf("no output says %q, so something was not tested", want)
		}
	}
	checkFiles(t, dir)
}

func (s *secrecy) failures() {
	odd := `{"UserPoolClient":{"ClientId":"other","ClientSecret":"` + clientSecret + `"}}`
	broken, text := []byte(odd[:len(odd)-2]), []byte(`{"UserPoolClient":"`+clientSecret+`"}`)
	const update, describe, refused = "UpdateUserPoolClient", "DescribeUserPoolClient", "InvalidParameterException"
	for _, fault := range []cognitotest.Fault{
		// The service repeats what the pool has, and what the call sends.
		{Operation: "SetUserPoolMfaConfig", Error: refused, Message: "Value 'Other {####} CANARY-wanted' at " +
			"'emailMfaConfiguration.message' failed to satisfy constraint: CANARY-external-id, CANARY-wanted-id"},
		{Operation: update, Error: refused, Message: "no"},
		{Operation: update, Error: "AccessDeniedException", Message: "no"},
		{Operation: update, Body: []byte(odd), Apply: true},
		{Operation: update, Body: broken},
		{Operation: update, Drop: true, Apply: true},
		{Operation: describe, Body: []byte(odd)},
		{Operation: describe, Body: broken},
		{Operation: describe, Body: text},
	} {
		fault.Times = 1
		s.fake.Inject(fault)
		s.do("apply --all --yes --no-backup --ledger= --output json")
		s.fake.ClearFaults()
	}
}

// checkFiles: a backup holds the texts of the pool, for its owner, but no file holds the secret of a client.
func checkFiles(t *testing.T, dir string) {
	t.Helper()
	texts := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(clientSecret)) || bytes.Contains(raw, []byte(`"ClientSecret"`)) {
			t.Errorf("%s holds the secret of a client", strings.TrimPrefix(path, dir))
		}
		if bytes.Contains(raw, []byte("CANARY-invite-sms")) {
			texts++
		}
		return err
	})
	if err != nil || texts < 3 {
		t.Errorf("%d backups hold the texts of the pool: %v", texts, err)
	}
}
