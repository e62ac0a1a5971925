package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

// documented are the commands of README.md and infra/RUNBOOK.md in the order in which they are run, each with its exit
// status and what is among the words that it prints.
var documented = []struct {
	command string
	status  int
	prints  string
}{
	{"make help", 0, "deploy the stack on this machine"},
	{"make demo", 0, " other settings unchanged."},
	{"make install", 0, "put it on PATH: export"},
	{"poolkeeper conformance --region eu-west-1 --out facts.json", 0, "256 facts: "},
	{"aws cloudtrail describe-trails", 0, `"Name": "NAME"`},
	{"aws cloudtrail get-trail-status --name NAME", 0, `"IsLogging": true`},
	{"poolkeeper plan --all", 2, "drifted  eu-west-1_AbCdEf123"},
	{"poolkeeper plan --all --out tonight.plan", 2, "saved to tonight.plan"},
	{"poolkeeper plan --all --stack $STACK", 2, "drifted  eu-west-1_AbCdEf123"},
	{"poolkeeper apply --pool POOL --stack $STACK", 0, "Done: 1 remediated."},
	{"poolkeeper apply --all --stack $STACK", 0, "Done: nothing to write."},
	{"poolkeeper history --pool POOL --stack $STACK", 0, "DeletionProtection: INACTIVE -> ACTIVE"},
	{"poolkeeper undo RECORD --stack $STACK", 0, "WEAKENS   DeletionProtection"},
	{"poolkeeper validate baseline/baseline.yaml", 0, "no errors"},
	{`aws logs tail "$(output LogGroupName)" --since 1h`, 0, `"events"`},
	{`aws sns get-topic-attributes --topic-arn "$(output TopicArn)"`, 0, `"KmsMasterKeyId"`},
	{`aws events list-rules --name-prefix "$STACK-Changes" --query 'Rules[].[Name,State]' --output text`, 0, "\tENABLED"},
	{`aws dynamodb describe-table --table-name "$(output LedgerTableName)"`, 0, `"TableStatus": "ACTIVE"`},
	{`aws sqs send-message --queue-url "$(output ScansQueueUrl)" --message-body ` +
		`'{"source":"poolkeeper","detail-type":"Scan"}'`, 0, `"MessageId"`},
	{`aws sqs receive-message --queue-url "$(output DeadLetterQueueUrl)" --max-number-of-messages 10 ` +
		`--visibility-timeout 0`, 0, "Reconcile User Pool"},
	{`aws sqs start-message-move-task --source-arn "$(arn DeadLetterQueueUrl)" ` +
		`--destination-arn "$(arn ChangesQueueUrl)"`, 0, `"TaskHandle"`},
	{`aws sqs purge-queue --queue-url "$(output DeadLetterQueueUrl)"`, 0, ""},
	{"aws lambda get-account-settings", 0, `"UnreservedConcurrentExecutions"`},
	{`aws lambda list-event-source-mappings --function-name "$(output FunctionName)" ` +
		`--query 'EventSourceMappings[].UUID' --output text ` +
		`| xargs -n 1 aws lambda update-event-source-mapping --no-enabled --uuid`, 0, `"State": "Disabled"`},
	{"aws cloudformation detect-stack-drift --stack-name $STACK", 0, `"StackDriftDetectionId"`},
	{"aws cloudformation describe-stack-resource-drifts --stack-name $STACK", 0, `"StackResourceDriftStatus"`},
}

// elsewhere are the commands that something else runs: a file, and what stands in it.
var elsewhere = map[string][2]string{
	"make test":  {"Makefile", "for part in lint vuln stale test "},
	"make stack": {stacks, "func TestStack("},
	"poolkeeper history --pool eu-west-1_Fake00002 --stack poolkeeper": {stacks, "testWeakened"},
	"aws cognito-idp update-user-pool --user-pool-tier PLUS --deletion-protection INACTIVE " +
		"--user-pool-id eu-west-1_Fake00002": {stacks, "testWeakened"},
	"npm ci --prefix infra":            {".ci/run", "npm ci --prefix infra"},
	"npx --prefix infra cdk bootstrap": {stacks, `"bootstrap"`},
	"npx --prefix infra cdk deploy -c mode=audit -c alarmEmail=you@example.com": {stacks, `"mode=audit"`},
	"npx --prefix infra cdk deploy -c alarmEmail=you@example.com":               {stacks, `"alarmEmail=you@example.com"`},
	"npx --prefix infra cdk deploy":                                             {stacks, "stack) deploy("},
	"cdk deploy":                                                                {stacks, "stack) deploy("},
	"cdk deploy -c mode=audit":                                                  {stacks, `"mode=audit"`},
}

const (
	stacks     = "infra/e2e/stack_test.go"
	repository = "../../../"
)

// TestDocumentedCommands runs every command of the README and of the runbook in a shell, as it stands but for its
// placeholders, against a fake and against moto's server, which has the template that is deployed.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	setup, found := commandsOf(t, "README.md", "infra/RUNBOOK.md")
	for command, by := range elsewhere {
		text, err := os.ReadFile(repository + by[0])
		if err != nil || !strings.Contains(string(text), by[1]) {
			t.Errorf("%s: %s has no %s: %v", command, by[0], by[1], err)
		}
		delete(found, command)
	}
	shell := newShell(t, setup)
	for _, run := range documented {
		if !found[run.command] {
			t.Errorf("no document has the command: %s", run.command)
		}
		delete(found, run.command)
		if status, printed := shell(run.command); status != run.status || !strings.Contains(printed, run.prints) {
			t.Errorf("%s\nends in %d and has no %q:\n%s", run.command, status, run.prints, printed)
		}
	}
	for command := range found {
		t.Errorf("no test runs the command: %s", command)
	}
}

// TestCommandTable: the README has a row for each command, and a script runs it.
func TestCommandTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(repository + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := ""
	paths, _ := filepath.Glob("testdata/script/*.txtar")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		scripts += string(text)
	}
	for _, command := range commands {
		name := nameOf(command)
		row := regexp.MustCompile("(?m)^\\| .*`" + name + "\\b")
		if !strings.Contains(scripts, "poolkeeper "+name) || !row.Match(readme) && name != "demo" && name != "version" {
			t.Errorf("%s has no script, or no row in the README", name)
		}
	}
}

var (
	programs = `((?:poolkeeper|make|npm|npx|cdk|aws) [^#]*)`
	wrapped  = regexp.MustCompile(`\\\n *`)
	inCode   = regexp.MustCompile(`^` + programs + `$`)
	inBlock  = regexp.MustCompile(`^(?:.*: )?` + programs)
)

// commandsOf returns the commands in the code of documents, and the lines of shell that prepare for them.
func commandsOf(t *testing.T, documents ...string) (setup string, found map[string]bool) {
	t.Helper()
	found = map[string]bool{}
	for _, name := range documents {
		text, err := os.ReadFile(repository + name)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```") {
			if i%2 == 0 {
				for j, code := range strings.Split(part, "`") {
					if command := strings.Join(strings.Fields(code), " "); j%2 == 1 && inCode.MatchString(command) {
						found[command] = true
					}
				}
				continue
			}
			_, part, _ = strings.Cut(part, "\n") // after the language
			session := strings.HasPrefix(part, "$ ")
			for line := range strings.Lines(wrapped.ReplaceAllString(part, " ")) {
				command, typed := strings.CutPrefix(strings.TrimSpace(line), "$ ")
				switch words := inBlock.FindStringSubmatch(command); {
				case strings.Contains(command, "() {") || strings.HasPrefix(command, "export "):
					setup += command + "\n"
				case words != nil && session == typed:
					found[recordID.ReplaceAllString(strings.Join(strings.Fields(words[1]), " "), "RECORD")] = true
				}
			}
		}
	}
	return setup, found
}

// wrapper is an AWS CLI that speaks to moto's server. What moto does not have is checked against the model of the API,
// and answered with a sample. Only version 2 of the CLI has "logs tail".
const wrapper = `#!/bin/sh
PATH=${PATH#*:}
case "$1 $2" in
"logs tail") exec aws --endpoint-url "$AWS_ENDPOINT_URL" logs filter-log-events --log-group-name "$3" ;;
*" start-message-move-task" | *" get-account-settings" | *" detect-stack-drift" | *-drifts)
	exec aws "$@" --generate-cli-skeleton output ;;
*) exec aws --endpoint-url "$AWS_ENDPOINT_URL" "$@" ;;
esac
`

// prepare makes what the commands are about.
const prepare = `
assets=cdk-hnb659fds-assets-123456789012-eu-west-1
aws s3 mb s3://$assets
aws s3api put-object --bucket $assets --key "$(grep -oE '[0-9a-f]{64}\.zip' template)"
aws cloudformation create-stack --stack-name poolkeeper --template-body file://template --capabilities CAPABILITY_IAM
aws s3 mb s3://trail
aws cloudtrail create-trail --name NAME --s3-bucket-name trail
aws cloudtrail start-logging --name NAME
aws events put-rule --name RULE --schedule-expression 'rate(1 day)'
aws sqs send-message --queue-url "$(output DeadLetterQueueUrl)" --message-body '{"detail-type": "Reconcile User Pool"}'`

// newShell returns a shell that runs a command.
func newShell(t *testing.T, setup string) func(string) (status int, printed string) {
	t.Helper()
	moto := mototest.Start(t)
	if _, err := exec.LookPath("aws"); err != nil && !mototest.Required() {
		t.Skip("aws is not on PATH: pip install awscli")
	}
	fake, url := cognitotest.Serve(t, cognitotest.Contract)
	weakPool(fake, "eu-west-1_AbCdEf123")
	folder, record := t.TempDir(), ""
	template, err := os.ReadFile(repository + "infra/testdata/enforce.golden.json")
	for name, text := range map[string]string{"bin/aws": wrapper, "template": string(template),
		"baseline/baseline.yaml": "version: 1\nrules: [{name: all, require: {DeletionProtection: ACTIVE}}]"} {
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	run := func(command string) (status int, printed string) {
		t.Helper()
		command = strings.NewReplacer("POOL", "eu-west-1_AbCdEf123", "RECORD", record).Replace(command)
		shell := exec.CommandContext(t.Context(), "bash", "-c", setup+command)
		shell.Dir, shell.Stdin = folder, strings.NewReader("yes\n")
		if strings.HasPrefix(command, "make ") {
			shell.Dir = repository
		}
		shell.Env = append(os.Environ(), "PATH="+folder+"/bin:"+os.Getenv("PATH"), "GOBIN="+folder,
			"AWS_ENDPOINT_URL="+moto, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url, "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
			"AWS_SECRET_ACCESS_KEY=example", "AWS_DEFAULT_REGION=eu-west-1", "AWS_PAGER=")
		output, err := shell.CombinedOutput()
		if shell.ProcessState == nil {
			t.Fatal(err)
		}
		if found := recordID.Find(output); found != nil {
			record = string(found)
		}
		return shell.ProcessState.ExitCode(), string(output)
	}
	if status, printed := run("set -e" + prepare); status != 0 {
		t.Fatalf("the server is not prepared:\n%s", printed)
	}
	return run
}
