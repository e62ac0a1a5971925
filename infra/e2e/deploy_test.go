package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
	"poolkeeper/lambda/mototest"
)

// An account is what the tests ask of the account that was deployed to.
type account struct {
	lambda *lambda.Client
	events *eventbridge.Client
	iam    *iam.Client
	logs   *cloudwatchlogs.Client
	tables *dynamodb.Client
	queues *sqs.Client
}

func connect(endpoint string) account {
	c := aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(endpoint), Credentials: aws.CredentialsProviderFunc(keys),
	}
	return account{
		lambda.NewFromConfig(c), eventbridge.NewFromConfig(c), iam.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c),
		dynamodb.NewFromConfig(c), sqs.NewFromConfig(c),
	}
}

// TestDeploy bootstraps an account, deploys in audit mode, then to enforce, reads back what is there, and removes it.
func TestDeploy(t *testing.T) {
	need(t, "node", "cdk", "moto_server")
	endpoint := mototest.Start(t)
	// moto finds the templates of the bootstrap's bucket by this word in its name.
	const qualifier = "localhost"
	context := []string{"-c", "@aws-cdk/core:bootstrapQualifier=" + qualifier, "--output", t.TempDir()}
	run := func(args ...string) { cdk(t, endpoint, append(args, context...)...) }
	cdk(t, endpoint, "bootstrap", "aws://123456789012/eu-west-1", "--qualifier", qualifier,
		"--toolkit-stack-name", "Toolkit")
	a := connect(endpoint)

	run("deploy", "--require-approval", "never", "-c", "mode=audit")
	auditing := a.function(t)
	if mode := auditing.Environment.Variables["MODE"]; mode != "audit" {
		t.Errorf("MODE is %q", mode)
	}
	a.checkActions(t, auditing, []string{"cognito-idp:DescribeUserPool"}, []string{"cognito-idp:UpdateUserPool"})

	// moto has no change sets of updates, and does not know parameters that keep their defaults.
	run("deploy", "--method", "direct", "--previous-parameters=false", "--require-approval", "never")
	enforcing := a.function(t)
	if *enforcing.FunctionArn != *auditing.FunctionArn || *enforcing.Role != *auditing.Role {
		t.Errorf("the function or its role was replaced: %s, %s", *enforcing.FunctionArn, *enforcing.Role)
	}
	if _, set := enforcing.Environment.Variables["MODE"]; set {
		t.Error("MODE is still set")
	}
	if got := enforcing.Environment.Variables["ROLE_ARN"]; got != *enforcing.Role {
		t.Errorf("ROLE_ARN is %s, the role is %s", got, *enforcing.Role)
	}
	if enforcing.Runtime != types.RuntimeProvidedal2023 || *enforcing.Handler != "bootstrap" ||
		*enforcing.MemorySize != 128 || *enforcing.Timeout != 120 {
		t.Errorf("the function is %s %s %d MB %d s",
			enforcing.Runtime, *enforcing.Handler, *enforcing.MemorySize, *enforcing.Timeout)
	}
	a.checkActions(t, enforcing, []string{"cognito-idp:UpdateUserPool", "iam:PassRole", "dynamodb:PutItem",
		"sqs:SendMessage", "sqs:ReceiveMessage"}, []string{"dynamodb:DeleteItem", "dynamodb:Scan", "events:PutEvents"})
	queues := a.checkQueues(t, enforcing)
	a.checkRules(t, queues)
	a.checkLedger(t, enforcing)

	run("destroy", "--force")
	a.checkGone(t, *enforcing.FunctionArn)
	a.checkLedger(t, enforcing)
}

// function returns the function with our handler.
func (a account) function(t *testing.T) types.FunctionConfiguration {
	t.Helper()
	all, err := a.lambda.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all.Functions {
		if aws.ToString(f.Handler) == "bootstrap" {
			return f
		}
	}
	t.Fatalf("none of %d functions is ours", len(all.Functions))
	return types.FunctionConfiguration{}
}

// actions returns what the function's role may do, from IAM itself.
func (a account) actions(t *testing.T, function types.FunctionConfiguration) []string {
	t.Helper()
	role := (*function.Role)[strings.LastIndex(*function.Role, "/")+1:]
	names, err := a.iam.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String(role)})
	if err != nil || len(names.PolicyNames) != 1 {
		t.Fatalf("the policies of %s are %v (%v)", role, names, err)
	}
	policy, err := a.iam.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{
		RoleName: aws.String(role), PolicyName: aws.String(names.PolicyNames[0]),
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := url.QueryUnescape(*policy.PolicyDocument)
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Statement []struct{ Action any } }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, s := range document.Statement {
		switch action := s.Action.(type) {
		case string:
			actions = append(actions, action)
		case []any:
			for _, one := range action {
				actions = append(actions, fmt.Sprint(one))
			}
		}
	}
	return actions
}

// checkActions fails where the role may not do the first actions, or may do one of the others.
func (a account) checkActions(t *testing.T, function types.FunctionConfiguration, may, mayNot []string) {
	t.Helper()
	actions := a.actions(t, function)
	for _, action := range may {
		if !slices.Contains(actions, action) {
			t.Errorf("the role may not %s", action)
		}
	}
	for _, action := range mayNot {
		if slices.Contains(actions, action) {
			t.Errorf("the role may %s", action)
		}
	}
}

// checkQueues finds the two queues of the function's environment, each with a mapping to the function and the same
// dead-letter queue. It returns their ARNs: that of the changes, of the scans and of the dead letters.
func (a account) checkQueues(t *testing.T, function types.FunctionConfiguration) []string {
	t.Helper()
	var arns []string
	deadLetter := ""
	for _, name := range []string{"QUEUE_URL", "SCAN_QUEUE_URL"} {
		queue := a.queue(t, function.Environment.Variables[name])
		arns = append(arns, queue["QueueArn"])
		var redrive struct {
			DeadLetterTargetArn string
			MaxReceiveCount     int
		}
		if err := json.Unmarshal([]byte(queue["RedrivePolicy"]), &redrive); err != nil {
			t.Fatal(err)
		}
		if deadLetter != "" && redrive.DeadLetterTargetArn != deadLetter || redrive.MaxReceiveCount != 20 ||
			queue["VisibilityTimeout"] != "720" || queue["MessageRetentionPeriod"] != "1209600" {
			t.Errorf("%s is %v", name, queue)
		}
		deadLetter = redrive.DeadLetterTargetArn
		got, err := a.lambda.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{
			EventSourceArn: aws.String(queue["QueueArn"]),
		})
		if err != nil || len(got.EventSourceMappings) != 1 {
			t.Fatalf("the mappings of %s are %v (%v)", name, got, err)
		}
		m := got.EventSourceMappings[0]
		reports := slices.Contains(m.FunctionResponseTypes, types.FunctionResponseTypeReportBatchItemFailures)
		if *m.FunctionArn != *function.FunctionArn || *m.BatchSize != 1 || !reports || *m.State != "Enabled" ||
			m.ScalingConfig == nil || *m.ScalingConfig.MaximumConcurrency != 2 {
			t.Errorf("%s starts the function by %+v", name, m)
		}
	}
	return append(arns, deadLetter)
}

func (a account) queue(t *testing.T, url string) map[string]string {
	t.Helper()
	got, err := a.queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatalf("the queue %q: %v", url, err)
	}
	return got.Attributes
}

// checkLedger finds the table of the function's environment. What was done is known after the removal too.
func (a account) checkLedger(t *testing.T, function types.FunctionConfiguration) {
	t.Helper()
	name := function.Environment.Variables["LEDGER_TABLE"]
	got, err := a.tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		t.Fatalf("the ledger %q: %v", name, err)
	}
	var keys []string
	for _, k := range got.Table.KeySchema {
		keys = append(keys, fmt.Sprint(*k.AttributeName, " ", k.KeyType))
	}
	billing := got.Table.BillingModeSummary
	if !strings.HasPrefix(name, "poolkeeper-") || fmt.Sprint(keys) != "[pk HASH sk RANGE]" ||
		billing == nil || billing.BillingMode != "PAY_PER_REQUEST" {
		t.Errorf("the ledger is %s by %v, %+v", name, keys, billing)
	}
}

// checkRules finds the rules on the default bus: that of the calls, with the names of the event table, sends to the
// first queue, that of the deployments to the second, and the two of the tamper alert to a topic.
func (a account) checkRules(t *testing.T, queues []string) {
	t.Helper()
	rules, err := a.events.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]string{}
	for _, rule := range rules.Rules {
		got, err := a.events.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: rule.Name})
		if err != nil || len(got.Targets) != 1 || rule.State != "ENABLED" {
			t.Fatalf("%s is %s and has the targets %v (%v)", *rule.Name, rule.State, got, err)
		}
		target := got.Targets[0]
		if target.DeadLetterConfig == nil || *target.DeadLetterConfig.Arn != queues[2] {
			t.Errorf("what %s cannot deliver is lost", *rule.Name)
		}
		var pattern struct {
			Source, Account []any
			Detail          struct{ EventName []string }
		}
		if err := json.Unmarshal([]byte(*rule.EventPattern), &pattern); err != nil || len(pattern.Source) != 1 {
			t.Fatalf("%s (%v)", *rule.EventPattern, err)
		}
		source := fmt.Sprint(pattern.Source[0])
		targets[source] = *target.Arn
		slices.Sort(pattern.Detail.EventName)
		if source == "aws.cognito-idp" && !slices.Equal(pattern.Detail.EventName, callsOf(t)) {
			t.Errorf("the pattern is %s", *rule.EventPattern)
		}
		if source == "aws.cloudformation" && !strings.Contains(*rule.EventPattern, ":stack/poolkeeper/") {
			t.Errorf("the pattern is %s", *rule.EventPattern)
		}
	}
	if targets["aws.cognito-idp"] != queues[0] || targets["aws.cloudformation"] != queues[1] ||
		!strings.Contains(targets["map[prefix:aws.]"], ":sns:") || len(rules.Rules) != 6 {
		t.Errorf("%d rules send to %v", len(rules.Rules), targets)
	}
}

// checkGone: the removal leaves the log and the ledger, which are the evidence, and nothing else.
func (a account) checkGone(t *testing.T, function string) {
	t.Helper()
	_, err := a.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String(function)})
	var gone *types.ResourceNotFoundException
	if !errors.As(err, &gone) {
		t.Errorf("the function is still there: %v", err)
	}
	rules, err := a.events.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	if err != nil || len(rules.Rules) != 0 {
		t.Errorf("%d rules are left (%v)", len(rules.Rules), err)
	}
	logs, err := a.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs.LogGroups {
		ofMoto := strings.HasPrefix(*l.LogGroupName, "/aws/lambda/")
		if !ofMoto && !strings.Contains(*l.LogGroupName, "KeeperLog") {
			t.Errorf("%s is left", *l.LogGroupName)
		}
	}
}

// callsOf returns the names of the calls that concern the baseline that ships.
func callsOf(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, call := range event.Table() {
		if concerns(t, call) {
			names = append(names, call.Name)
		}
	}
	return names
}

func concerns(t *testing.T, call event.Name) bool {
	t.Helper()
	required, err := baseline.Parse(baseline.DefaultFile, baseline.Default())
	if err != nil {
		t.Fatal(err)
	}
	return required.Concerns("", baseline.Change{
		Documents: call.Changes, Selection: call.Selection, Watched: call.Watched,
		Deletes: call.Name == event.DeleteUserPool,
	})
}
