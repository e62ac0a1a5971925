package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

// A stack is the deployed stack on this machine, with the fake of Cognito behind it.
type stack struct {
	t       *testing.T
	fake    *cognitotest.Server
	port    string
	cognito *idp.Client
	lambda  *lambda.Client
	sqs     *sqs.Client
	tables  *dynamodb.Client
}

// TestStack deploys to ministack, which runs the built function, holds IAM's policies and delivers events and messages.
func TestStack(t *testing.T) {
	need(t, "node", "cdk", python)
	s := serveStack(t)
	s.cdk("bootstrap", "aws://111122223333/eu-west-1")
	for _, step := range []struct {
		name string
		test func(stack)
	}{
		{"an upgrade, and every document", stack.testDocuments},
		{"a weakened pool is put right, and people are mailed", stack.testWeakened},
		{"30 pools at once", stack.testManyPools},
		{"a full scan", stack.testScan},
		{"two messages about one pool write once", stack.testLease},
		{"a message that fails is kept", stack.testDeadLetter},
		{"the role of an audit cannot write", stack.testAudit},
		{"the removal leaves the evidence", stack.testRemoval},
	} {
		t.Run(step.name, func(t *testing.T) {
			s.t = t
			step.test(s)
		})
	}
}

const python = top + "/.build/ministack/bin/python"

// serveStack starts the fake and ministack.
func serveStack(t *testing.T) stack {
	t.Helper()
	fake, url := cognitotest.Serve(t, cognitotest.Contract)
	port := freePort(t)
	log := must(os.Create(filepath.Join(t.TempDir(), "log")))(t)
	server := exec.CommandContext(context.Background(), ".build/ministack/bin/python", "infra/stack.py", "serve", url)
	server.Dir, server.Env = top, append(os.Environ(), "PORT="+port)
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s", text[max(0, len(text)-20000):])
		}
	})
	c := mototest.Config("http://127.0.0.1:" + port)
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "ministack", SecretAccessKey: "ministack"}, nil
	})
	s := stack{t, fake, port, idp.NewFromConfig(c), lambda.NewFromConfig(c), sqs.NewFromConfig(c),
		dynamodb.NewFromConfig(c)}
	s.until("ministack", func() bool {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	})
	return s
}

func (s stack) cdk(args ...string) {
	s.t.Helper()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	args = append(args, "--output", s.t.TempDir(), "-c", "smsRoles=none", "-c", "architecture="+architecture)
	clean(s.t, cdkCommand(s.t, args, withoutValidation, "AWS_ENDPOINT_URL=http://127.0.0.1:"+s.port,
		"AWS_ACCESS_KEY_ID=ministack", "AWS_SECRET_ACCESS_KEY=ministack"))
}

func (s stack) deploy(context ...string) {
	s.t.Helper()
	s.cdk(append([]string{"deploy", "--require-approval", "never"}, context...)...)
}

// until waits for something that happens by itself.
func (s stack) until(what string, happened func() bool) {
	s.t.Helper()
	for range 450 {
		if happened() {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.t.Fatalf("waited in vain for %s", what)
}

// function returns the function that the stack has.
func (s stack) function() lambdatypes.FunctionConfiguration {
	s.t.Helper()
	all := must(s.lambda.ListFunctions(s.t.Context(), &lambda.ListFunctionsInput{}))(s.t).Functions
	if len(all) != 1 {
		s.t.Fatalf("%v", all)
	}
	return all[0]
}

func (s stack) queue(variable string) *string {
	s.t.Helper()
	return aws.String(s.function().Environment.Variables[variable])
}

// attribute returns what SQS says of a queue.
func (s stack) attribute(queue *string, name sqstypes.QueueAttributeName) string {
	s.t.Helper()
	in := &sqs.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []sqstypes.QueueAttributeName{name}}
	return must(s.sqs.GetQueueAttributes(s.t.Context(), in))(s.t).Attributes[string(name)]
}

func (s stack) send(variable, message string) {
	s.t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: s.queue(variable), MessageBody: &message}
	must(s.sqs.SendMessage(s.t.Context(), in))(s.t)
}

// scan is the message of a full scan, and about that of one pool.
const scan = `{"source": "poolkeeper", "detail-type": "Scan"}`

func about(pool string) string {
	return `{"source": "poolkeeper", "detail-type": "Reconcile User Pool", "detail": {"userPoolId": "` + pool + `"}}`
}

// create makes a pool that meets the baseline.
func (s stack) create(name string) string {
	s.t.Helper()
	made := must(s.cognito.CreateUserPool(s.t.Context(), &idp.CreateUserPoolInput{
		PoolName: &name, UserPoolTier: types.UserPoolTierTypePlus, DeletionProtection: types.DeletionProtectionTypeActive,
		UserPoolAddOns: &types.UserPoolAddOnsType{AdvancedSecurityMode: types.AdvancedSecurityModeTypeEnforced},
		Policies: &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{
			MinimumLength: aws.Int32(12), RequireLowercase: true, RequireUppercase: true, RequireNumbers: true,
			RequireSymbols: true, TemporaryPasswordValidityDays: 7}}}))(s.t)
	return *made.UserPool.Id
}

// weaken is a plain call that says one thing, and takes all else from the pool.
func (s stack) weaken(pool string) {
	s.t.Helper()
	must(s.cognito.UpdateUserPool(s.t.Context(), &idp.UpdateUserPoolInput{UserPoolId: &pool,
		UserPoolTier: types.UserPoolTierTypePlus, DeletionProtection: types.DeletionProtectionTypeInactive}))(s.t)
}

func (s stack) strong(pool string) bool {
	s.t.Helper()
	document, _, _ := s.fake.Pool(pool)
	text := string(must(json.Marshal(document))(s.t))
	return document["DeletionProtection"] == "ACTIVE" && strings.Contains(text, `"AdvancedSecurityMode":"ENFORCED"`) &&
		strings.Contains(text, `"MinimumLength":12`)
}

func (s stack) writes(pool string) int {
	return len(slices.DeleteFunc(s.fake.Calls(), func(c cognitotest.Call) bool {
		return c.PoolID != pool || c.Operation != "UpdateUserPool"
	}))
}

// testWeakened plays the incident of make stack, which has to print what the README shows.
func (s stack) testWeakened() {
	s.deploy()
	readme := must(os.ReadFile(filepath.Join(top, "README.md")))(s.t)
	_, session, _ := strings.Cut(string(readme), "$ make stack\n")
	session, _, _ = strings.Cut(session, "```")
	run(s.t, top, nil, "go", "build", "-o", ".build/poolkeeper", "./lambda/cmd/poolkeeper")
	before, after, short := strings.Cut(session, "  [...]\n")
	printed := run(s.t, top, []string{"PORT=" + s.port}, ".build/ministack/bin/python", "infra/stack.py", "incident")
	varies := regexp.MustCompile(`Fake\d+|\d{8}T[\w.-]+|\d{4}-[\d-]+T[\d:]+Z|request \S+`)
	plain := func(text string) string { return strings.TrimSpace(varies.ReplaceAllString(text, "VARIES")) }
	if !short || !strings.HasPrefix(plain(printed), plain(before)) || !strings.HasSuffix(plain(printed), plain(after)) {
		s.t.Errorf("the README does not show what make stack prints:\n%s", printed)
	}
}

func (s stack) testManyPools() {
	var pools []string
	for i := range 30 {
		pools = append(pools, s.create(fmt.Sprint("shop", i)))
	}
	for _, pool := range pools {
		s.weaken(pool)
	}
	for _, pool := range pools {
		s.until(pool+" to be strong", func() bool { return s.strong(pool) })
	}
	for _, pool := range pools {
		if n := s.writes(pool); n != 2 {
			s.t.Errorf("%s was written %d times, by the weakening and the function", pool, n)
		}
	}
}

func (s stack) testScan() {
	pool := s.create("scanned")
	s.until("the event of the new pool", func() bool { return s.idle("QUEUE_URL") })
	s.fake.Edit(pool, func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
	s.send("SCAN_QUEUE_URL", scan)
	s.until("the scan", func() bool { return s.strong(pool) })
}

func (s stack) testLease() {
	pool := s.create("raced")
	s.until("the event of the new pool", func() bool { return s.idle("QUEUE_URL") && s.idle("SCAN_QUEUE_URL") })
	s.fake.Edit(pool, func(pool, _ map[string]any) { pool["DeletionProtection"] = "INACTIVE" })
	s.fake.Inject(cognitotest.Fault{Operation: "UpdateUserPool", PoolID: pool, Delay: 3 * time.Second, Times: 1})
	s.send("QUEUE_URL", about(pool))
	s.send("SCAN_QUEUE_URL", about(pool))
	s.until("the pool to be strong", func() bool { return s.strong(pool) })
	s.until("both messages to be done", func() bool { return s.idle("QUEUE_URL") && s.idle("SCAN_QUEUE_URL") })
	if n := s.writes(pool); n != 1 {
		s.t.Errorf("it was written %d times", n)
	}
}

// idle reports whether a queue has no message, seen or hidden.
func (s stack) idle(variable string) bool {
	s.t.Helper()
	queue := s.queue(variable)
	return s.attribute(queue, sqstypes.QueueAttributeNameApproximateNumberOfMessages) == "0" &&
		s.attribute(queue, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible) == "0"
}

// testDeadLetter lets a message fail as often as the queue allows, which is less often than in a deployment.
func (s stack) testDeadLetter() {
	queue := s.queue("QUEUE_URL")
	var redrive map[string]any
	text := s.attribute(queue, sqstypes.QueueAttributeNameRedrivePolicy)
	if err := json.Unmarshal([]byte(text), &redrive); err != nil || fmt.Sprint(redrive["maxReceiveCount"]) != "20" {
		s.t.Fatal(text, err)
	}
	redrive["maxReceiveCount"] = 1
	less, _ := json.Marshal(redrive)
	must(s.sqs.SetQueueAttributes(s.t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: queue, Attributes: map[string]string{"RedrivePolicy": string(less)}}))(s.t)
	pool := s.create("failing")
	s.until("the event of the new pool", func() bool { return s.idle("QUEUE_URL") })
	s.fake.Inject(cognitotest.Fault{PoolID: pool, Operation: "DescribeUserPool", Error: "InternalErrorException"})
	defer s.fake.ClearFaults()
	s.weaken(pool)
	name := fmt.Sprint(redrive["deadLetterTargetArn"])
	url := must(s.sqs.GetQueueUrl(s.t.Context(),
		&sqs.GetQueueUrlInput{QueueName: aws.String(name[strings.LastIndex(name, ":")+1:])}))(s.t)
	s.until("the message", func() bool {
		got, err := s.sqs.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl})
		return err == nil && len(got.Messages) == 1 && strings.Contains(*got.Messages[0].Body, pool)
	})
}

// allDocuments requires something of every document.
const allDocuments = `version: 1
rules:
  - name: all
    require:
      DeletionProtection: ACTIVE
      SoftwareTokenMfaConfiguration: {Enabled: true}
      RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
      LogConfigurations: {userAuthEvents: {LogLevel: INFO, S3Configuration: {BucketArn: "arn:aws:s3:::logs"}}}
    clients:
      - require:
          PreventUserExistenceErrors: ENABLED
          RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}
`

// testDocuments upgrades the last release to a baseline that requires something of every document. The function stays
// the same one, and the role that is derived from the baseline suffices to write them all.
func (s stack) testDocuments() {
	const pool, client = "eu-west-1_AbCdEf123", "1example23456789"
	s.fake.PutRich(pool)
	s.fake.Edit(pool, func(pool, mfa map[string]any) {
		pool["DeletionProtection"] = "INACTIVE"
		mfa["SoftwareTokenMfaConfiguration"] = map[string]any{"Enabled": false}
	})
	s.fake.PutRisk(pool, "", map[string]any{})
	s.fake.PutLogs(pool, []any{})
	s.fake.PutClient(pool, client, map[string]any{"ClientName": "web", "PreventUserExistenceErrors": "LEGACY"})
	s.fake.PutRisk(pool, client, map[string]any{})
	run(s.t, top, nil, "make", "-s", "function")
	run(s.t, top, []string{"PORT=" + s.port}, ".build/ministack/bin/python", "infra/stack.py", "release",
		"infra/e2e/testdata/released.template.json")
	released := s.function()
	s.deploy("-c", "alarmEmail=you@example.com", "-c", "baseline="+written(s.t, allDocuments))
	if now := s.function(); *now.FunctionArn != *released.FunctionArn || *now.Role != *released.Role {
		s.t.Errorf("the upgrade replaced %s or its role", *released.FunctionArn)
	}
	s.send("SCAN_QUEUE_URL", scan)
	for _, call := range []string{"UpdateUserPool", "SetUserPoolMfaConfig", "SetRiskConfiguration",
		"SetLogDeliveryConfiguration", "UpdateUserPoolClient"} {
		s.until(call, func() bool {
			return slices.ContainsFunc(s.fake.Calls(), func(c cognitotest.Call) bool { return c.Operation == call })
		})
	}
}

// testAudit: the function that is told to write after all, with the role of an audit, is refused by IAM.
func (s stack) testAudit() {
	s.deploy("-c", "mode=audit")
	after := s.function()
	variables := after.Environment.Variables
	delete(variables, "MODE")
	must(s.lambda.UpdateFunctionConfiguration(s.t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: after.FunctionName, Environment: &lambdatypes.Environment{Variables: variables}}))(s.t)
	pool := s.create("audited")
	s.weaken(pool)
	s.until("the refusal", func() bool {
		answer, err := s.lambda.Invoke(s.t.Context(),
			&lambda.InvokeInput{FunctionName: after.FunctionName, Payload: []byte(about(pool))})
		return err == nil && strings.Contains(string(answer.Payload), `"unfixable"`) &&
			strings.Contains(string(answer.Payload), "AccessDenied")
	})
	if s.strong(pool) || s.writes(pool) != 1 {
		s.t.Error("an audit wrote")
	}
}

func (s stack) testRemoval() {
	table := s.queue("LEDGER_TABLE")
	s.cdk("destroy", "--force")
	all := must(s.lambda.ListFunctions(s.t.Context(), &lambda.ListFunctionsInput{}))(s.t)
	if len(all.Functions) > 0 {
		s.t.Errorf("%v", all)
	}
	must(s.tables.DescribeTable(s.t.Context(), &dynamodb.DescribeTableInput{TableName: table}))(s.t) // it is retained
}
