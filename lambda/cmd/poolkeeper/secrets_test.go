package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

const secretTexts = `version: 1
rules:
  - name: texts
    require:
      EmailVerificationMessage: "Other {####} CANARY-wanted"
      SmsConfiguration: {ExternalId: CANARY-wanted-id}
      SmsVerificationMessage: "{####}"
      EmailMfaConfiguration: {Message: "Other {####} CANARY-wanted"}
      RiskConfiguration:
        AccountTakeoverRiskConfiguration: {NotifyConfiguration: {BlockEmail: {Subject: CANARY-wanted-subject}}}
    clients:
      - require:
          PreventUserExistenceErrors: ENABLED
          EnableTokenRevocation: {present: true}
          AllowedOAuthFlows: {without: [implicit]}
          AnalyticsConfiguration: {ExternalId: CANARY-wanted-analytics}
          RiskConfiguration: {absent: true}
    watch: [clients, triggers]
`

// clientSecret is what every client of the test has.
const clientSecret = "CANARYclientsecret0123456789"

// secrecy runs commands over a pool whose texts, ids and clients' secrets all hold the word CANARY.
type secrecy struct {
	t       *testing.T
	fake    *cognitotest.Server
	dir     string
	file    string // the baseline
	record  string // for undo
	printed map[string]string
}

func (s *secrecy) weaken() {
	s.fake.PutRich(servedPool)
	for _, client := range []string{cognitotest.RichClient, "mobile"} {
		c := s.fake.Client(servedPool, client)
		c["PreventUserExistenceErrors"], c["ClientSecret"] = "LEGACY", clientSecret
		c["AllowedOAuthFlows"] = []any{"code", "implicit"}
		s.fake.PutClient(servedPool, client, c)
	}
}

func (s *secrecy) do(args ...string) string {
	s.weaken()
	if args[0] == "restore" || args[0] == "undo" {
		execute(s.t.Context(), "apply", "--all", "--yes", "--no-backup", "--baseline", s.file)
	}
	got := execute(s.t.Context(), args...)
	s.printed[strings.Join(args, " ")] += got.stdout + got.stderr
	if format := args[len(args)-1]; args[len(args)-2] == "--output" && got.stdout != "" {
		if err := wellFormed(format, []byte(got.stdout)); err != nil {
			s.t.Errorf("%v: %v\n%s", args, err, got.stdout)
		}
	}
	return got.stdout + got.stderr
}

// runs are the arguments of every command; apply comes before what needs its record and its backup.
func (s *secrecy) runs(command string) [][]string {
	var replays [][]string
	for _, event := range []string{"create-user-pool-client", "update-user-pool-client", "add-user-pool-client-secret",
		"delete-user-pool-client", "create-user-pool", "update-user-pool", "sweep"} {
		replays = append(replays, []string{"--baseline", s.file, events + event + ".json"})
	}
	saved, _ := filepath.Glob(s.dir + "/before/*.json")
	runs, ok := map[string][][]string{
		"apply":  {{"--all", "--yes", "--baseline", s.file, "--backups", s.dir + "/before"}},
		"backup": {{"--all", "--out", s.dir + "/backups"}}, "demo": {{}}, "version": {{}}, "history": {{}},
		"conformance": {{"--clean"}}, "permissions": {{}},
		"explain":  {{"EmailVerificationMessage"}},
		"plan":     {{"--all", "--baseline", s.file}, {"--all", "--baseline", s.file, "--out", s.dir + "/saved.plan"}},
		"replay":   append(replays, []string{"--audit", "--baseline", s.file, events + "update-user-pool.json"}),
		"report":   {{"--all", "--baseline", s.file}},
		"restore":  {append(saved[:min(1, len(saved))], "--yes", "--no-backup")},
		"snapshot": {{"--pool", servedPool}}, "undo": {{s.record, "--yes", "--no-backup"}}, "validate": {{s.file}},
	}[command]
	if !ok {
		s.t.Errorf("the test has no arguments for %s", command)
	}
	return runs
}

// TestOutputsHoldNoSecrets runs every command in every format over a pool full of secrets, and looks for them in all
// output and in every file that is written. Refused calls and malformed answers are among them.
func TestOutputsHoldNoSecrets(t *testing.T) {
	s := &secrecy{t: t, fake: connected(t), dir: t.TempDir(), printed: map[string]string{}}
	s.file = write(t, "b.yaml", secretTexts)
	url := mototest.Start(t)
	mototest.Table(t, url, "ledger")
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
	t.Setenv("LEDGER_TABLE", "ledger")
	s.record = recordID.FindString(s.do("apply", "--all", "--yes", "--baseline", s.file, "--backups", s.dir+"/before"))
	for _, command := range commands {
		name, _, _ := strings.Cut(command.use, " ")
		for _, format := range command.formats {
			for _, args := range s.runs(name) {
				s.do(append(append([]string{name}, args...), "--output", format)...)
			}
		}
	}
	s.failures()
	all := ""
	for args, output := range s.printed {
		if i := strings.Index(output, "CANARY"); i >= 0 {
			t.Errorf("%s printed a secret, at byte %d", args, i)
		}
		all += output
	}
	for _, want := range []string{"(hidden: ", "restored  ", "mobile", "fixed     EmailVerificationMessage"} {
		if !strings.Contains(all, want) {
			t.Errorf("no output says %q, so something was not tested", want)
		}
	}
	s.checkFiles()
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
		s.do("apply", "--all", "--yes", "--no-backup", "--baseline", s.file, "--output", "json", "--ledger", "")
		s.fake.ClearFaults()
	}
}

// checkFiles: a backup holds the texts of the pool, for its owner, but no file holds the secret of a client.
func (s *secrecy) checkFiles() {
	texts := 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(clientSecret)) || bytes.Contains(raw, []byte(`"ClientSecret"`)) {
			s.t.Errorf("%s holds the secret of a client", strings.TrimPrefix(path, s.dir))
		}
		if bytes.Contains(raw, []byte("CANARY-invite-sms")) {
			texts++
		}
		return err
	})
	if err != nil || texts < 3 {
		s.t.Errorf("%d backups hold the texts of the pool: %v", texts, err)
	}
}
