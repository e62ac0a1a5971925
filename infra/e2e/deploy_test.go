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
}

func connect(endpoint string) account {
	c := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(endpoint), Credentials: aws.CredentialsProviderFunc(keys)}
	return account{lambda.NewFromConfig(c), eventbridge.NewFromConfig(c), iam.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c), dynamodb.NewFromConfig(c)}
}

// TestDeploy bootstraps an account, deploys in audit mode, then to enforce, reads back what is there, and removes it.
func TestDeploy(t *testing.T) {
	need(t, "node", "cdk", "moto_server")
	endpoint := mototest.Start(t)
	// moto finds the templates of the bootstrap's bucket by this word in its name.
	const qualifier = "localhost"
	context := []string{"-c", "@aws-cdk/core:bootstrapQualifier=" + qualifier, "--output", t.TempDir()}
	cdk(t, endpoint, "bootstrap", "aws://123456789012/eu-west-1", "--qualifier", qualifier, "--toolkit-stack-name", "Toolkit")
	a := connect(endpoint)

	cdk(t, endpoint, append([]string{"deploy", "--require-approval", "never", "-c", "mode=audit"}, context...)...)
	function := a.function(t)
	if mode := function.Environment.Variables["MODE"]; mode != "audit" {
		t.Errorf("MODE is %q", mode)
	}
	if actions := a.actions(t, function); slices.Contains(actions, "cognito-idp:UpdateUserPool") || !slices.Contains(actions, "cognito-idp:DescribeUserPool") {
		t.Errorf("in audit mode the role may %v", actions)
	}

	// moto has no change sets of updates, and does not know parameters that were left at their defaults.
	cdk(t, endpoint, append([]string{"deploy", "--method", "direct", "--previous-parameters=false", "--require-approval", "never"}, context...)...)
	enforcing := a.function(t)
	if *enforcing.FunctionArn != *function.FunctionArn || *enforcing.Role != *function.Role {
		t.Errorf("the function or its role was replaced: %s, %s", *enforcing.FunctionArn, *enforcing.Role)
	}
	if _, set := enforcing.Environment.Variables["MODE"]; set {
		t.Error("MODE is still set")
	}
	if got := enforcing.Environment.Variables["ROLE_ARN"]; got != *enforcing.Role {
		t.Errorf("ROLE_ARN is %s, the role is %s", got, *enforcing.Role)
	}
	if enforcing.Runtime != types.RuntimeProvidedal2023 || *enforcing.Handler != "bootstrap" || *enforcing.MemorySize != 128 || *enforcing.Timeout != 900 {
		t.Errorf("the function is %s %s %d MB %d s", enforcing.Runtime, *enforcing.Handler, *enforcing.MemorySize, *enforcing.Timeout)
	}
	if actions := a.actions(t, enforcing); !slices.Contains(actions, "cognito-idp:UpdateUserPool") || !slices.Contains(actions, "iam:PassRole") {
		t.Errorf("to enforce the role may %v", actions)
	}
	a.checkRules(t, *enforcing.FunctionArn)
	a.checkLedger(t, enforcing)

	cdk(t, endpoint, append([]string{"destroy", "--force"}, context...)...)
	a.checkGone(t, *enforcing.FunctionArn)
	a.checkLedgerStays(t, enforcing.Environment.Variables["LEDGER_TABLE"])
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
	policy, err := a.iam.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(names.PolicyNames[0])})
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

// checkLedger finds the table that the function is told of.
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
	if !strings.HasPrefix(name, "poolkeeper-") || fmt.Sprint(keys) != "[pk HASH sk RANGE]" || got.Table.BillingModeSummary == nil || got.Table.BillingModeSummary.BillingMode != "PAY_PER_REQUEST" {
		t.Errorf("the ledger is %s by %v, %+v", name, keys, got.Table.BillingModeSummary)
	}
	if actions := a.actions(t, function); !slices.Contains(actions, "dynamodb:PutItem") || slices.Contains(actions, "dynamodb:DeleteItem") || slices.Contains(actions, "dynamodb:Scan") {
		t.Errorf("the role may %v", actions)
	}
	if bus := function.Environment.Variables["SWEEP_BUS"]; bus != "default" {
		t.Errorf("sweeps go to the bus %q", bus)
	}
}

// checkRules finds the rules on the default bus that start the function: that of the calls, with the names of the event table, and that of its own requests.
func (a account) checkRules(t *testing.T, function string) {
	t.Helper()
	rules, err := a.events.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, rule := range rules.Rules {
		targets, err := a.events.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: rule.Name})
		if err != nil || len(targets.Targets) != 1 {
			t.Fatalf("%s has the targets %v (%v)", *rule.Name, targets, err)
		}
		target := targets.Targets[0]
		if target.DeadLetterConfig == nil || !strings.Contains(*target.DeadLetterConfig.Arn, "Undelivered") {
			t.Errorf("what %s cannot deliver is lost", *rule.Name)
		}
		if *target.Arn != function {
			if !strings.Contains(*target.Arn, ":sns:") {
				t.Errorf("%s goes to %s", *rule.Name, *target.Arn)
			}
			continue
		}
		var pattern struct {
			Source, Account []string
			DetailType      []string `json:"detail-type"`
			Detail          struct{ EventName []string }
		}
		if err := json.Unmarshal([]byte(*rule.EventPattern), &pattern); err != nil || len(pattern.Source) != 1 {
			t.Fatalf("%s (%v)", *rule.EventPattern, err)
		}
		found[pattern.Source[0]]++
		slices.Sort(pattern.Detail.EventName)
		calls := slices.Equal(pattern.Detail.EventName, heard(t)) && slices.Equal(pattern.DetailType, []string{"AWS API Call via CloudTrail"})
		asked := len(pattern.Detail.EventName) == 0 && slices.Equal(pattern.DetailType, []string{event.ReconcilePool, event.SweepPools})
		if rule.State != "ENABLED" || !slices.Equal(pattern.Account, []string{"123456789012"}) || pattern.Source[0] == event.Source && !asked || pattern.Source[0] != event.Source && !calls {
			t.Errorf("the rule is %s, with the pattern %s", rule.State, *rule.EventPattern)
		}
	}
	if found["aws.cognito-idp"] != 1 || found[event.Source] != 1 || len(found) != 2 || len(rules.Rules) != 4 {
		t.Errorf("of %d rules the function is started by %v", len(rules.Rules), found)
	}
}

// checkGone looks for what the removal left behind: the log and the ledger, which are the evidence, and nothing else.
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
		if !strings.Contains(*l.LogGroupName, "KeeperLog") && !strings.HasPrefix(*l.LogGroupName, "/aws/lambda/") { // moto's own
			t.Errorf("%s is left", *l.LogGroupName)
		}
	}
}

// checkLedgerStays: what was done is known after the removal too.
func (a account) checkLedgerStays(t *testing.T, name string) {
	t.Helper()
	if _, err := a.tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)}); err != nil {
		t.Errorf("the ledger is gone: %v", err)
	}
}

// heard returns the names of the calls that the baseline which ships has to hear of.
func heard(t *testing.T) []string {
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
	return required.Concerns("", baseline.Change{Documents: call.Changes, Selection: call.Selection, Watched: call.Watched, Deletes: call.Name == event.DeleteUserPool})
}
