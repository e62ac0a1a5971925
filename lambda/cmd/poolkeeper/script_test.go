package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	"github.com/spf13/pflag"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/report/stream"
)

var update = flag.Bool("update", false, "rewrite the golden files of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"poolkeeper": main})
}

// TestScripts runs the command line as its users do. Each script has a fake with two pools of its own: one at the
// baseline that ships, and one without deletion protection.
func TestScripts(t *testing.T) {
	t.Parallel()
	commands := map[string]func(*testscript.TestScript, bool, []string){
		// status N COMMAND... runs the command and checks its exit status.
		"status": func(ts *testscript.TestScript, _ bool, args []string) {
			got := "0"
			if err := ts.Exec(args[1], args[2:]...); err != nil {
				got = strings.TrimPrefix(err.Error(), "exit status ")
			}
			if got != args[0] {
				ts.Fatalf("exit status %s, want %s", got, args[0])
			}
		},
		// pool ID MEMBER VALUE checks what the fake holds at the top level of a pool.
		"pool": func(ts *testscript.TestScript, _ bool, args []string) {
			pool, _, _ := ts.Value("fake").(*cognitotest.Server).Pool(args[0])
			if got := fmt.Sprint(pool[args[1]]); got != args[2] {
				ts.Fatalf("%s of %s is %s", args[1], args[0], got)
			}
		},
		// ledger makes a ledger of its own for the script.
		"ledger": func(ts *testscript.TestScript, _ bool, _ []string) { makeLedger(t, ts) },
		// deploy FILE makes the stack $STACK with a ledger and that baseline, or changes its baseline.
		"deploy": func(ts *testscript.TestScript, _ bool, args []string) {
			if ts.Getenv("STACK") == "" {
				table := makeLedger(t, ts)
				ts.Setenv("STACK", "stack-"+table)
				ts.Setenv("TABLE", table)
				ts.Setenv("LEDGER_TABLE", "")
			}
			publish(t, motoServer(t), ts.Getenv("STACK"), ts.Getenv("TABLE"), args[0], ts.ReadFile(args[0]))
		},
		// record names the first record that the last command printed as $RECORD.
		"record": func(ts *testscript.TestScript, _ bool, _ []string) {
			ts.Setenv("RECORD", recordID.FindString(ts.ReadFile("stdout")))
		},
	}
	for name, change := range changes {
		commands[name] = func(ts *testscript.TestScript, _ bool, args []string) {
			change(ts.Value("fake").(*cognitotest.Server), args)
		}
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: *update, Setup: setup, Cmds: commands})
}

// setup starts the fake of a script, and sets its environment.
func setup(e *testscript.Env) error {
	fake := cognitotest.New(cognitotest.Contract)
	url, err := fake.Start("")
	if err != nil {
		return err
	}
	e.Defer(func() { _ = fake.Close() })
	pool, mfa := cognitotest.Rich()
	fake.Put("eu-west-1_Healthy01", pool, mfa)
	weakPool(fake, "eu-west-1_AbCdEf123")
	folder, err := os.Getwd()
	e.Vars = append(e.Vars, "AWS_ENDPOINT_URL="+url, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example", "AWS_EC2_METADATA_DISABLED=true", "HOME="+e.WorkDir,
		"EVENTS="+folder+"/../../event/testdata")
	e.Values["fake"] = fake
	return err
}

// changes are the commands of scripts that change the fake.
var changes = map[string]func(*cognitotest.Server, []string){
	// whole ID plants a pool with all its documents.
	"whole": func(fake *cognitotest.Server, args []string) { fake.PutRich(args[0]) },
	// weaken ID weakens the risk configuration of a pool, and a client of it.
	"weaken": func(fake *cognitotest.Server, args []string) {
		fake.PutRisk(args[0], "", map[string]any{})
		client := fake.Client(args[0], cognitotest.RichClient)
		client["PreventUserExistenceErrors"] = "LEGACY"
		client["CallbackURLs"] = []any{"https://app.example.com/callback", "https://evil.example"}
		fake.PutClient(args[0], cognitotest.RichClient, client)
	},
	// rogue ID adds a client to a pool.
	"rogue": func(fake *cognitotest.Server, args []string) {
		client := fake.Client(args[0], cognitotest.RichClient)
		client["ClientId"] = "5rogue"
		fake.PutClient(args[0], "5rogue", client)
	},
	// fault OPERATION ID ERROR makes that call about that pool fail from now on, nofault ends all faults.
	"fault": func(fake *cognitotest.Server, args []string) {
		fake.Inject(cognitotest.Fault{Operation: args[0], PoolID: args[1], Error: args[2], Message: "no"})
	},
	"nofault": func(fake *cognitotest.Server, _ []string) { fake.ClearFaults() },
}

var recordID = regexp.MustCompile(`eu-west-1_\w+\.\d{8}T\d{6}\.\d{6}Z(-[0-9a-f]{8})?`)

var moto struct {
	once sync.Once
	url  string
}

// motoServer is started for the first script that asks for a ledger.
func motoServer(t *testing.T) string {
	moto.once.Do(func() { moto.url = mototest.Start(t) })
	return moto.url
}

// makeLedger makes a table as the deployment does, and names it to the script.
func makeLedger(t *testing.T, ts *testscript.TestScript) (table string) {
	name, url := fmt.Sprintf("ledger-%d", time.Now().UnixNano()), motoServer(t)
	mototest.Table(t, url, name)
	ts.Setenv("LEDGER_TABLE", name)
	for _, service := range []string{"DYNAMODB", "CLOUDFORMATION", "STS"} {
		ts.Setenv("AWS_ENDPOINT_URL_"+service, url)
	}
	return name
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
	client, body := cloudformation.NewFromConfig(mototest.Config(url)), aws.String(string(template))
	_, err = client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: body})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		_, err = client.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: body})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// connected starts a fake that the environment names.
func connected(t *testing.T, modes ...cognitotest.Mode) *cognitotest.Server {
	t.Helper()
	fake := start(t, append(modes, cognitotest.Contract)[0])
	t.Cleanup(func() { _ = fake.Close() })
	return fake
}

// start is connected for one of many fakes: the caller closes it.
func start(t *testing.T, mode cognitotest.Mode) *cognitotest.Server {
	t.Helper()
	fake := cognitotest.New(mode)
	url, err := fake.Start("")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "LEDGER_TABLE": ""} {
		t.Setenv(name, v)
	}
	return fake
}

func nameOf(one command) string { return strings.Fields(one.use)[0] }

// A result is what a command printed, and its exit status.
type result struct {
	status         int
	stdout, stderr string
}

// started returns the state of a command whose only flags are switches that are on.
func started(in io.Reader, out, err io.Writer, on ...string) *cli {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range on {
		flags.Bool(name, true, "")
	}
	return &cli{in: in, out: out, err: err, notes: err, sleep: noSleep, flags: flags,
		output: stream.Text}
}

func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func execute(ctx context.Context, args string) result {
	var stdout, stderr bytes.Buffer
	status := started(os.Stdin, &stdout, &stderr).run(ctx, strings.Fields(args))
	told := shipped.ReplaceAllString(stderr.String(), "")
	return result{status, stdout.String(), told}
}

// expect runs a command, and checks its exit status and what is among the words that it prints.
func expect(t *testing.T, args string, status int, words ...string) result {
	t.Helper()
	got := execute(t.Context(), args)
	if got.status != status {
		t.Errorf("%s: exit status %d, want %d:\n%s%s", args, got.status, status, got.stdout, got.stderr)
	}
	for _, want := range words {
		if !strings.Contains(got.stdout+got.stderr, want) {
			t.Errorf("%s says nothing of %s:\n%s%s", args, want, got.stdout, got.stderr)
		}
	}
	return got
}

// shipped is what is said of a baseline that nobody chose; one test looks for it.
var shipped = regexp.MustCompile("(?m)^using the built-in baseline.*\n")

// write makes a file of a test.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// weakPool plants a pool without deletion protection.
func weakPool(fake *cognitotest.Server, id string) {
	pool, mfa := cognitotest.Rich()
	pool["DeletionProtection"] = "INACTIVE"
	fake.Put(id, pool, mfa)
}
