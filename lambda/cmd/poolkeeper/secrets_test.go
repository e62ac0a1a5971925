package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
)

// clientSecret is what every client of the test has.
const clientSecret = "CANARYclientsecret0123456789"

// TestClientSecretsNeverLeave runs every verb in every format over clients that are weak, and looks for their secret in all that is printed and in every file that is
// written: plans, backups, snapshots and pages too. Calls that are refused and answers that are none are among them.
func TestClientSecretsNeverLeave(t *testing.T) {
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	const id = "eu-west-1_AbCdEf123"
	dir := t.TempDir()
	file := dir + "/b.yaml"
	text := "version: 1\nrules:\n  - name: clients\n    clients:\n      - require: {PreventUserExistenceErrors: ENABLED, EnableTokenRevocation: {present: true}, AllowedOAuthFlows: {without: [implicit]}}\n    watch: [clients]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	weaken := func() {
		fake.PutRich(id)
		for _, client := range []string{cognitotest.RichClient, "mobile"} {
			c := fake.Client(id, client)
			c["PreventUserExistenceErrors"], c["AllowedOAuthFlows"], c["ClientSecret"] = "LEGACY", []any{"code", "implicit"}, clientSecret
			fake.PutClient(id, client, c)
		}
	}
	printed := map[string]string{}
	do := func(args ...string) string {
		var out bytes.Buffer
		run(context.Background(), args, &out, &out, os.Getenv)
		printed[strings.Join(args, " ")] += out.String()
		return out.String()
	}
	weaken()
	for _, format := range all {
		do("plan", "--all", "--baseline", file, "--output", format)
	}
	do("validate", file)
	do("report", "--all", "--baseline", file, "--output", "html")
	do("report", "--all", "--baseline", file, "--output", "ocsf")
	do("snapshot", "--pool", id, "--out", dir+"/snapshot.yaml")
	do("backup", "--all", "--out", dir+"/backups")
	do("plan", "--all", "--baseline", file, "--out", dir+"/saved.plan")
	for _, format := range all {
		weaken()
		do("apply", "--all", "--yes", "--baseline", file, "--backups", dir+"/before", "--output", format)
	}
	weaken()
	if got := do("apply", dir+"/saved.plan", "--yes", "--backups", dir+"/planned"); !strings.Contains(got, "fixed      Clients[mobile].PreventUserExistenceErrors") {
		t.Errorf("the saved plan was not applied:\n%.300s", strings.ReplaceAll(got, clientSecret, "(secret)"))
	}
	saved, err := filepath.Glob(dir + "/planned/*.json")
	if err != nil || len(saved) != 1 {
		t.Fatalf("%v %v", saved, err)
	}
	do("restore", saved[0], "--yes", "--backups", dir+"/restored")
	for _, fixture := range []string{"create-user-pool-client", "update-user-pool-client", "add-user-pool-client-secret", "delete-user-pool-client", "create-user-pool", "update-user-pool", "sweep"} {
		weaken()
		do("replay", "--baseline", file, "--output", "json", "../../event/testdata/"+fixture+".json")
	}
	odd := `{"UserPoolClient":{"ClientId":"other","ClientSecret":"` + clientSecret + `"}}`
	for _, fault := range []cognitotest.Fault{
		{Operation: "UpdateUserPoolClient", Error: "InvalidParameterException", Message: "no"}, {Operation: "UpdateUserPoolClient", Error: "AccessDeniedException", Message: "no"},
		{Operation: "UpdateUserPoolClient", Body: []byte(odd), Apply: true}, {Operation: "UpdateUserPoolClient", Body: []byte(odd[:len(odd)-2])}, {Operation: "UpdateUserPoolClient", Drop: true, Apply: true},
		{Operation: "DescribeUserPoolClient", Body: []byte(odd)}, {Operation: "DescribeUserPoolClient", Body: []byte(odd[:len(odd)-2])},
		{Operation: "DescribeUserPoolClient", Body: []byte(`{"UserPoolClient":"` + clientSecret + `"}`)},
	} {
		weaken()
		fault.Times = 1
		fake.Inject(fault)
		do("apply", "--all", "--yes", "--no-backup", "--baseline", file, "--output", "json")
		fake.ClearFaults()
	}

	for args, output := range printed {
		if i := strings.Index(output, clientSecret); i >= 0 {
			t.Errorf("%s printed the secret of a client, at byte %d", args, i)
		}
		if !strings.Contains(output, "mobile") && strings.HasPrefix(args, "plan") {
			t.Errorf("%s says nothing of the clients, so nothing was tested", args)
		}
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if files++; bytes.Contains(raw, []byte(clientSecret)) || bytes.Contains(raw, []byte(`"ClientSecret"`)) {
			t.Errorf("%s holds the secret of a client", strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil || files < 7 {
		t.Errorf("%d files were looked at: %v", files, err)
	}
	if fake.Client(id, "mobile")["ClientSecret"] != clientSecret {
		t.Error("the secret of a client is not what it was")
	}
}
