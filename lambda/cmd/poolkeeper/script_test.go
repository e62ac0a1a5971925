package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/rogpeppe/go-internal/testscript"

	"poolkeeper/baseline"
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

// motoServer is started for the first script that asks for a ledger.
var motoServer struct {
	once sync.Once
	url  string
}

// findRecord names to the script the first record that its last command printed.
func findRecord(ts *testscript.TestScript) {
	found := recordID.FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("no record was printed")
	}
	ts.Setenv("RECORD", found)
}

var recordID = regexp.MustCompile(`eu-west-1_\w+\.\d{8}T\d{6}\.\d{6}Z(-[0-9a-f]{8})?`)

// makeLedger makes a table as the deployment does, and names it to the script.
func makeLedger(t *testing.T, ts *testscript.TestScript) (table string) {
	motoServer.once.Do(func() { motoServer.url = mototest.Start(t) })
	url := motoServer.url
	name := fmt.Sprintf("ledger-%d", time.Now().UnixNano())
	mototest.Table(t, url, name)
	ts.Setenv("LEDGER_TABLE", name)
	for _, service := range []string{"DYNAMODB", "CLOUDFORMATION", "STS"} {
		ts.Setenv("AWS_ENDPOINT_URL_"+service, url)
	}
	return name
}

// deploy FILE makes the stack $STACK with a ledger and that baseline, or changes its baseline.
func deploy(t *testing.T, ts *testscript.TestScript, file string) {
	name, table := ts.Getenv("STACK"), ts.Getenv("TABLE")
	if name == "" {
		table = makeLedger(t, ts)
		name = "stack-" + table
		ts.Setenv("STACK", name)
		ts.Setenv("TABLE", table)
		ts.Setenv("LEDGER_TABLE", "")
	}
	publish(t, motoServer.url, name, table, file, ts.ReadFile(file))
}

// publish makes a stack in eu-west-1 that publishes a baseline and a ledger, or changes it.
func publish(t *testing.T, url, name, table, file, text string) {
	t.Helper()
	required, err := baseline.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	quoted := strconv.QuoteToASCII(text)
	template, err := json.Marshal(map[string]any{
		"Metadata": map[string]any{"poolkeeper": map[string]string{"file": file, "baseline": quoted[1 : len(quoted)-1],
			"digest": required.Digest, "mode": "enforce", "build": "1a2b3c4d5e6f"}},
		"Resources": map[string]any{"Topic": map[string]any{"Type": "AWS::SNS::Topic"}},
		"Outputs":   map[string]any{"LedgerTableName": map[string]string{"Value": table}},
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded := aws.Config{Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
	client := cloudformation.NewFromConfig(loaded)
	_, err = client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name,
		TemplateBody: aws.String(string(template))})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		_, err = client.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: &name,
			TemplateBody: aws.String(string(template))})
	}
	if err != nil {
		t.Fatal(err)
	}
}
