package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

var update = flag.Bool("update", false, "rewrite the golden files of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"poolkeeper": main})
}

// TestScripts runs the command line as its users do. Each script has a fake with two pools of its own: one at the
// baseline that ships, and one without deletion protection.
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
		Setup: setup,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"pool": pool, "whole": onFake(whole), "weaken": onFake(weaken), "rogue": onFake(rogue), "fault": onFake(fault),
			"nofault": onFake(noFault), "status": status,
			// ledger: makes a ledger of its own for the script.
			"ledger": func(ts *testscript.TestScript, _ bool, _ []string) { makeLedger(t, ts) },
			"deploy": func(ts *testscript.TestScript, _ bool, args []string) { deploy(t, ts, args[0]) },
			// record: names the record that was printed as $RECORD.
			"record": func(ts *testscript.TestScript, _ bool, _ []string) { findRecord(ts) },
		},
	})
}

// setup starts the fake of a script, and sets its environment.
func setup(e *testscript.Env) error {
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start()
	if err != nil {
		return err
	}
	e.Defer(func() { _ = fake.Close() })
	pool, mfa := cognitotest.Rich()
	fake.Put("eu-west-1_Healthy01", pool, mfa)
	weakPool(fake, "eu-west-1_AbCdEf123")
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	for name, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_EC2_METADATA_DISABLED": "true",
		"HOME": e.WorkDir, "EVENTS": folder + "/../../event/testdata"} {
		e.Setenv(name, v)
	}
	e.Values["fake"] = fake
	return nil
}

// pool ID MEMBER VALUE checks what the fake holds at the top level of a pool.
func pool(ts *testscript.TestScript, neg bool, args []string) {
	fake, ok := ts.Value("fake").(*cognitotest.Server)
	if !ok || len(args) != 3 {
		ts.Fatalf("usage: pool ID MEMBER VALUE")
	}
	pool, _, _ := fake.Pool(args[0])
	if got := fmt.Sprint(pool[args[1]]); (got == args[2]) == neg {
		ts.Fatalf("%s of %s is %s", args[1], args[0], got)
	}
}

// status N COMMAND... runs the command and checks its exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// onFake is a command of scripts that changes the fake.
func onFake(change func(*cognitotest.Server, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		fake, ok := ts.Value("fake").(*cognitotest.Server)
		if !ok {
			ts.Fatalf("the script has no fake")
		}
		change(fake, args)
	}
}

// whole ID plants a pool with all its documents.
func whole(fake *cognitotest.Server, args []string) { fake.PutRich(args[0]) }

// weaken ID weakens the risk configuration of a pool, and a client of it.
func weaken(fake *cognitotest.Server, args []string) {
	fake.PutRisk(args[0], "", map[string]any{})
	client := fake.Client(args[0], cognitotest.RichClient)
	client["PreventUserExistenceErrors"] = "LEGACY"
	client["CallbackURLs"] = []any{"https://app.example.com/callback", "https://evil.example"}
	fake.PutClient(args[0], cognitotest.RichClient, client)
}

// rogue ID adds a client to a pool.
func rogue(fake *cognitotest.Server, args []string) {
	client := fake.Client(args[0], cognitotest.RichClient)
	client["ClientId"] = "5rogue"
	fake.PutClient(args[0], "5rogue", client)
}

// fault OPERATION ID ERROR makes that call about that pool fail from now on.
func fault(fake *cognitotest.Server, args []string) {
	fake.Inject(cognitotest.Fault{Operation: args[0], PoolID: args[1], Error: args[2], Message: "no"})
}

// nofault ends all faults.
func noFault(fake *cognitotest.Server, _ []string) { fake.ClearFaults() }
