package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

var update = flag.Bool("update", false, "write the goldens of the scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"poolkeeper": main})
}

// TestScripts runs the command line as its users do. Each script has a fake with two pools of its own: one at the baseline that ships, and one
// without deletion protection.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Condition: func(condition string) (bool, error) {
			if condition != "moto" {
				return false, fmt.Errorf("no condition %s", condition)
			}
			_, err := exec.LookPath("moto_server")
			return err == nil || mototest.Required(), nil
		},
		Setup: func(e *testscript.Env) error {
			fake := cognitotest.New(cognitotest.Contract)
			url, err := fake.Start()
			if err != nil {
				return err
			}
			e.Defer(func() { _ = fake.Close() })
			pool, mfa := cognitotest.Rich()
			fake.Put("eu-west-1_Healthy01", pool, mfa)
			pool["DeletionProtection"] = "INACTIVE"
			fake.Put("eu-west-1_AbCdEf123", pool, mfa)
			e.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", url)
			e.Setenv("AWS_REGION", "eu-west-1")
			e.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
			e.Setenv("AWS_SECRET_ACCESS_KEY", "example")
			e.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			e.Setenv("HOME", e.WorkDir)
			events, err := os.Getwd()
			if err != nil {
				return err
			}
			e.Setenv("EVENTS", events+"/../../event/testdata")
			e.Values["fake"] = fake
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// pool ID MEMBER VALUE: what the fake holds at the top level of a pool.
			"pool": func(ts *testscript.TestScript, neg bool, args []string) {
				fake, ok := ts.Value("fake").(*cognitotest.Server)
				if !ok || len(args) != 3 {
					ts.Fatalf("usage: pool ID MEMBER VALUE")
				}
				pool, _, _ := fake.Pool(args[0])
				if got := fmt.Sprint(pool[args[1]]); (got == args[2]) == neg {
					ts.Fatalf("%s of %s is %s", args[1], args[0], got)
				}
			},
			// whole ID: plants a pool with all its documents. weaken ID: weakens the risk configuration and a client of it.
			"whole": func(ts *testscript.TestScript, _ bool, args []string) {
				if fake, ok := ts.Value("fake").(*cognitotest.Server); ok {
					fake.PutRich(args[0])
				}
			},
			"weaken": func(ts *testscript.TestScript, _ bool, args []string) {
				if fake, ok := ts.Value("fake").(*cognitotest.Server); ok {
					fake.PutRisk(args[0], "", map[string]any{})
					client := fake.Client(args[0], cognitotest.RichClient)
					client["PreventUserExistenceErrors"], client["CallbackURLs"] = "LEGACY", []any{"https://app.example.com/callback", "https://evil.example"}
					fake.PutClient(args[0], cognitotest.RichClient, client)
				}
			},
			// rogue ID: adds a client to a pool. nofault: ends all faults.
			"rogue": func(ts *testscript.TestScript, _ bool, args []string) {
				if fake, ok := ts.Value("fake").(*cognitotest.Server); ok {
					client := fake.Client(args[0], cognitotest.RichClient)
					client["ClientId"] = "5rogue"
					fake.PutClient(args[0], "5rogue", client)
				}
			},
			"nofault": func(ts *testscript.TestScript, _ bool, _ []string) {
				if fake, ok := ts.Value("fake").(*cognitotest.Server); ok {
					fake.ClearFaults()
				}
			},
			// fault OPERATION ID ERROR: makes that call about that pool fail from now on.
			"fault": func(ts *testscript.TestScript, _ bool, args []string) {
				fake, ok := ts.Value("fake").(*cognitotest.Server)
				if !ok || len(args) != 3 {
					ts.Fatalf("usage: fault OPERATION ID ERROR")
				}
				fake.Inject(cognitotest.Fault{Operation: args[0], PoolID: args[1], Error: args[2], Message: "no"})
			},
			// ledger: makes a ledger of its own for the script.
			"ledger": func(ts *testscript.TestScript, _ bool, _ []string) { makeLedger(t, ts) },
			// record: names the record that was printed as $RECORD.
			"record": func(ts *testscript.TestScript, _ bool, _ []string) { findRecord(ts) },
			// status N COMMAND...: runs the command and demands its exit status.
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				got := "0"
				if err != nil {
					got = strings.TrimPrefix(err.Error(), "exit status ")
				}
				if got != args[0] {
					ts.Fatalf("exit status %s, want %s", got, args[0])
				}
			},
		},
	})
}

// TestOutputsHoldNoSecrets runs every verb over a pool full of planted secrets and looks for them in all that is printed.
func TestOutputsHoldNoSecrets(t *testing.T) {
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	fake.PutRich("eu-west-1_AbCdEf123")
	for name, v := range map[string]string{"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"} {
		t.Setenv(name, v)
	}
	file := t.TempDir() + "/b.yaml"
	text := "version: 1\nrules:\n  - name: texts\n    require:\n      EmailVerificationMessage: \"Other {####} CANARY-wanted\"\n      SmsConfiguration: {ExternalId: CANARY-wanted-id}\n      SmsVerificationMessage: \"{####}" +
		"\"\n      EmailMfaConfiguration: {Message: \"Other {####} CANARY-wanted\"}\n" +
		"      RiskConfiguration: {AccountTakeoverRiskConfiguration: {NotifyConfiguration: {BlockEmail: {Subject: CANARY-wanted-subject}}}}\n" +
		"    clients:\n      - require: {EnableTokenRevocation: false, AnalyticsConfiguration: {ExternalId: CANARY-wanted-analytics}, RiskConfiguration: {absent: true}}\n" +
		"    watch: [clients, triggers]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	run(context.Background(), []string{"apply", "--all", "--yes", "--no-backup", "--baseline", file}, &output, &output, os.Getenv)
	fake.PutRich("eu-west-1_AbCdEf123")
	fake.Inject(cognitotest.Fault{Operation: "SetUserPoolMfaConfig", Error: "InvalidParameterException",
		Message: "Value 'Other {####} CANARY-wanted' at 'emailMfaConfiguration.message' failed to satisfy constraint: CANARY-external-id, CANARY-wanted-id"})
	for _, format := range all {
		run(context.Background(), []string{"validate", file, "--output", format}, &output, &output, os.Getenv)
		run(context.Background(), []string{"plan", "--all", "--baseline", file, "--output", format}, &output, &output, os.Getenv)
	}
	for _, args := range [][]string{
		{"backup", "--all", "--out", t.TempDir()}, {"replay", "--baseline", file, "../../event/testdata/update-user-pool.json"},
		{"replay", "--audit", "--output", "json", "--baseline", file, "../../event/testdata/update-user-pool.json"}, {"demo"}} {
		run(context.Background(), args, &output, &output, os.Getenv)
	}
	for _, fixture := range []string{"create-user-pool-client", "update-user-pool-client", "add-user-pool-client-secret"} {
		run(context.Background(), []string{"replay", "--baseline", file, "../../event/testdata/" + fixture + ".json"}, &output, &output, os.Getenv)
	}
	run(context.Background(), []string{"snapshot", "--pool", "eu-west-1_AbCdEf123"}, &output, &output, os.Getenv)
	saved := t.TempDir()
	run(context.Background(), []string{"backup", "--all", "--out", saved}, &output, &output, os.Getenv)
	// A backup holds the texts of the pool, for its owner; the secrets of its clients it does not.
	files, err := filepath.Glob(saved + "/*.json")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if raw, err := os.ReadFile(files[0]); err != nil || strings.Contains(string(raw), "CANARYclientsecret") || !strings.Contains(string(raw), "CANARY-invite-sms") {
		t.Errorf("a backup holds the secret of a client, or not the texts of the pool: %v", err)
	}
	if i := strings.Index(output.String(), "CANARY"); i >= 0 {
		t.Errorf("a planted secret was printed, at byte %d", i)
	}
	if !strings.Contains(output.String(), "(hidden: ") {
		t.Error("no masked value was printed, so nothing was tested")
	}
}
