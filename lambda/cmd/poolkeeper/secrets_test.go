package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

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
