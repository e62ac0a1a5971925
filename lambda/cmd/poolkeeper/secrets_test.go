package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
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
          EnableTokenRevocation: false
          AnalyticsConfiguration: {ExternalId: CANARY-wanted-analytics}
          RiskConfiguration: {absent: true}
    watch: [clients, triggers]
`

// TestOutputsHoldNoSecrets runs every command over a pool full of planted secrets and looks for them in all output.
func TestOutputsHoldNoSecrets(t *testing.T) {
	fake := connected(t)
	fake.PutRich(servedPool)
	file := write(t, "b.yaml", secretTexts)
	var output strings.Builder
	do := func(args ...string) {
		got := execute(t.Context(), args...)
		output.WriteString(got.stdout + got.stderr)
	}
	do("apply", "--all", "--yes", "--no-backup", "--baseline", file)
	fake.PutRich(servedPool)
	// The service repeats what the pool has, and what the call sends.
	const refusal = "Value 'Other {####} CANARY-wanted' at 'emailMfaConfiguration.message' failed to satisfy constraint: "
	refused := cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException", Times: 1,
		Message: refusal + "CANARY-external-id, CANARY-wanted-id"}
	fake.Inject(refused)
	refused.Times, refused.Message = 0, refusal+"CANARY-wanted-id"
	fake.Inject(refused)
	for _, format := range all {
		do("validate", file, "--output", format)
		do("plan", "--all", "--baseline", file, "--output", format)
	}
	do("replay", "--audit", "--output", "json", "--baseline", file, events+"update-user-pool.json")
	do("demo")
	for _, fixture := range []string{"update-user-pool", "create-user-pool-client", "update-user-pool-client",
		"add-user-pool-client-secret"} {
		do("replay", "--baseline", file, events+fixture+".json")
	}
	do("snapshot", "--pool", servedPool)
	saved := t.TempDir()
	do("backup", "--all", "--out", saved)
	// A backup holds the texts of the pool, for its owner, but not the secrets of its clients.
	files, err := filepath.Glob(saved + "/*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if text := string(raw); err != nil || strings.Contains(text, "CANARYclientsecret") ||
		!strings.Contains(text, "CANARY-invite-sms") {
		t.Errorf("a backup holds the secret of a client, or not the texts of the pool: %v", err)
	}
	if i := strings.Index(output.String(), "CANARY"); i >= 0 {
		t.Errorf("a planted secret was printed, at byte %d", i)
	}
	if !strings.Contains(output.String(), "(hidden: ") {
		t.Error("no masked value was printed, so nothing was tested")
	}
}

// clientSecret is what every client of the test has.
const clientSecret = "CANARYclientsecret0123456789"

const weakClients = `version: 1
rules:
  - name: clients
    clients:
      - require:
          PreventUserExistenceErrors: ENABLED
          EnableTokenRevocation: {present: true}
          AllowedOAuthFlows: {without: [implicit]}
    watch: [clients]
`

// A secrecy runs commands over a pool whose clients are weak and have a secret.
type secrecy struct {
	t       *testing.T
	fake    *cognitotest.Server
	dir     string
	printed map[string]string
}

func (s secrecy) weaken() {
	s.fake.PutRich(servedPool)
	for _, client := range []string{cognitotest.RichClient, "mobile"} {
		c := s.fake.Client(servedPool, client)
		c["PreventUserExistenceErrors"], c["ClientSecret"] = "LEGACY", clientSecret
		c["AllowedOAuthFlows"] = []any{"code", "implicit"}
		s.fake.PutClient(servedPool, client, c)
	}
}

func (s secrecy) do(args ...string) string {
	got := execute(s.t.Context(), args...)
	s.printed[strings.Join(args, " ")] += got.stdout + got.stderr
	return got.stdout + got.stderr
}

// TestClientSecretsNeverLeave runs every command in every format over clients that are weak, and looks for their secret
// in all output and in every file that is written. Refused calls and malformed answers are among them.
func TestClientSecretsNeverLeave(t *testing.T) {
	s := secrecy{t, connected(t), t.TempDir(), map[string]string{}}
	file := write(t, "b.yaml", weakClients)
	s.weaken()
	s.reads(file)
	s.writes(file)
	s.failures(file)
	for args, output := range s.printed {
		if i := strings.Index(output, clientSecret); i >= 0 {
			t.Errorf("%s printed the secret of a client, at byte %d", args, i)
		}
		if !strings.Contains(output, "mobile") && strings.HasPrefix(args, "plan") {
			t.Errorf("%s says nothing of the clients, so nothing was tested", args)
		}
	}
	s.checkFiles()
	if s.fake.Client(servedPool, "mobile")["ClientSecret"] != clientSecret {
		t.Error("the secret of a client is not what it was")
	}
}

func (s secrecy) reads(file string) {
	for _, format := range all {
		s.do("plan", "--all", "--baseline", file, "--output", format)
	}
	s.do("validate", file)
	s.do("report", "--all", "--baseline", file, "--output", "html")
	s.do("report", "--all", "--baseline", file, "--output", "ocsf")
	s.do("snapshot", "--pool", servedPool, "--out", s.dir+"/snapshot.yaml")
	s.do("backup", "--all", "--out", s.dir+"/backups")
	s.do("plan", "--all", "--baseline", file, "--out", s.dir+"/saved.plan")
}

func (s secrecy) writes(file string) {
	for _, format := range all {
		s.weaken()
		s.do("apply", "--all", "--yes", "--baseline", file, "--backups", s.dir+"/before", "--output", format)
	}
	s.weaken()
	got := s.do("apply", s.dir+"/saved.plan", "--yes", "--backups", s.dir+"/planned")
	if !strings.Contains(got, "fixed      Clients[mobile].PreventUserExistenceErrors") {
		s.t.Errorf("the saved plan was not applied:\n%.300s", strings.ReplaceAll(got, clientSecret, "(secret)"))
	}
	saved, err := filepath.Glob(s.dir + "/planned/*.json")
	if err != nil || len(saved) != 1 {
		s.t.Fatalf("%v %v", saved, err)
	}
	s.do("restore", saved[0], "--yes", "--backups", s.dir+"/restored")
	for _, fixture := range []string{"create-user-pool-client", "update-user-pool-client", "add-user-pool-client-secret",
		"delete-user-pool-client", "create-user-pool", "update-user-pool", "sweep"} {
		s.weaken()
		s.do("replay", "--baseline", file, "--output", "json", events+fixture+".json")
	}
}

func (s secrecy) failures(file string) {
	odd := `{"UserPoolClient":{"ClientId":"other","ClientSecret":"` + clientSecret + `"}}`
	broken, text := []byte(odd[:len(odd)-2]), []byte(`{"UserPoolClient":"`+clientSecret+`"}`)
	const update, describe = "UpdateUserPoolClient", "DescribeUserPoolClient"
	for _, fault := range []cognitotest.Fault{
		{Operation: update, Error: "InvalidParameterException", Message: "no"},
		{Operation: update, Error: "AccessDeniedException", Message: "no"},
		{Operation: update, Body: []byte(odd), Apply: true},
		{Operation: update, Body: broken},
		{Operation: update, Drop: true, Apply: true},
		{Operation: describe, Body: []byte(odd)},
		{Operation: describe, Body: broken},
		{Operation: describe, Body: text},
	} {
		s.weaken()
		fault.Times = 1
		s.fake.Inject(fault)
		s.do("apply", "--all", "--yes", "--no-backup", "--baseline", file, "--output", "json")
		s.fake.ClearFaults()
	}
}

func (s secrecy) checkFiles() {
	files := 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if files++; bytes.Contains(raw, []byte(clientSecret)) || bytes.Contains(raw, []byte(`"ClientSecret"`)) {
			s.t.Errorf("%s holds the secret of a client", strings.TrimPrefix(path, s.dir))
		}
		return err
	})
	if err != nil || files < 7 {
		s.t.Errorf("%d files were read: %v", files, err)
	}
}
