package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// An attempt is a way to silence poolkeeper: calls of a service, and where their request names what is touched.
type attempt struct {
	service string   // eventSource without ".amazonaws.com"
	calls   []string // prefixes, for the names of some services end with an API version; none is every call that writes
	field   string   // the request's parameter, or "" where every call counts, whatever it touches
	match   func(stack string) []any
}

// CloudFormation makes the names of a stack's resources: they begin with that of the stack and the id of the resource. Ids begin with a capital letter and stages with a small one, so that no stage is
// taken for another whose name it begins with.
func named(ids ...string) func(stack string) []any {
	return func(stack string) (rules []any) {
		for _, id := range ids {
			rules = append(rules, prefix(stack+"-"+id))
		}
		return rules
	}
}

// after is named for the names that stand in an ARN or a URL, after something.
func after(before string, ids ...string) func(stack string) []any {
	return func(stack string) (rules []any) {
		for _, id := range ids {
			rules = append(rules, wildcard(before+stack+"-"+id+"*"))
		}
		return rules
	}
}

func either(one, other func(stack string) []any) func(stack string) []any {
	return func(stack string) []any { return append(one(stack), other(stack)...) }
}

func wholeStack(stack string) []any { return []any{stack, wildcard("arn:*:stack/" + stack + "/*")} }

// roles are those of the function, its schedule and its chat channels, and that of the role watch, of whose longer name CloudFormation keeps 24 characters.
func roles(stack string) []any {
	watch := stack + "-role-watch-"
	return append(named("Alerts", "Keeper", "Scheduler")(stack), prefix(watch[:min(len(watch), 24)]))
}

func prefix(text string) map[string]any   { return map[string]any{"prefix": text} }
func wildcard(text string) map[string]any { return map[string]any{"wildcard": text} }

// attempts are all that is watched for, in two parts: a pattern may not be longer than 2,048 characters. Calls that were refused count too.
var attempts = map[string][]attempt{
	// What wires the function to its events.
	"Wiring": {
		{"events", []string{"DeleteRule", "DisableRule", "PutRule"}, "name", named("Changes", "Guard", "Requests")},
		{"events", []string{"PutTargets", "RemoveTargets"}, "rule", named("Changes", "Guard", "Requests")},
		{"scheduler", []string{"DeleteSchedule", "UpdateSchedule"}, "name", named("Sweep")},
		{"lambda", []string{"DeleteFunction", "PutFunction", "RemovePermission", "UpdateFunction"}, "functionName", either(named("Keeper"), after("*:function:", "Keeper"))},
		{"sqs", []string{"DeleteQueue", "PurgeQueue", "RemovePermission", "SetQueueAttributes"}, "queueUrl", after("https://*/", "Failed", "Undelivered", "Unswept")},
		{"cloudformation", []string{"DeleteStack"}, "stackName", wholeStack},
		{"cloudtrail", []string{"DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"}, "", nil},
	},
	// What the function and its alarms stand on.
	"Footing": {
		{"iam", nil, "roleName", roles},
		{"iam", nil, "policyArn", after("arn:*:policy/", "Keeper")}, // what the role itself has no room for
		{"sns", []string{"DeleteTopic", "RemovePermission", "SetTopicAttributes"}, "topicArn", after("arn:*:", "Alerts")},
		{"sns", []string{"SetSubscriptionAttributes", "Unsubscribe"}, "subscriptionArn", after("arn:*:", "Alerts")}, // a filter that nothing passes is as good as no subscription
		{"dynamodb", []string{"DeleteTable", "UpdateContinuousBackups", "UpdateTable", "UpdateTimeToLive"}, "tableName", either(named("Ledger"), after("arn:*:table/", "Ledger"))},
		{"logs", []string{"DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy"}, "logGroupName", named("Keeper")},
		{"monitoring", []string{"DeleteAlarms", "DisableAlarmActions"}, "alarmNames", named("Alarms")},
		{"monitoring", []string{"PutMetricAlarm"}, "alarmName", named("Alarms")},
	},
}

// NewGuard makes the rules that tell people, without the function, when somebody does away with a part of poolkeeper. A deployment does the same, and is
// told as well: an exception for CloudFormation would be the way around.
func NewGuard(stack awscdk.Stack, id string, alerts Alerts, undelivered Queue) constructs.IDependable {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	watched := *stack.StackName()
	parts := map[string][]any{}
	for name, some := range attempts {
		for _, a := range some {
			parts[name] = append(parts[name], a.pattern(watched))
		}
	}
	// The key is the one resource that has no name of the stack's.
	parts["Footing"] = append(parts["Footing"], map[string]any{
		"eventSource":       []any{"kms.amazonaws.com"},
		"eventName":         []any{"DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"},
		"requestParameters": map[string]any{"keyId": []any{alerts.Key.KeyId(), alerts.Key.KeyArn()}},
	})
	var rules []*string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		// The construct for a topic as a target would let any rule of any account publish to it, so the rule is made of plain properties.
		rule := awsevents.NewCfnRule(scope, jsii.String(name), &awsevents.CfnRuleProps{
			Description: jsii.String("poolkeeper: calls that could silence it"),
			State:       jsii.String("ENABLED"),
			EventPattern: map[string]any{
				"source":      []any{prefix("aws.")}, // nobody but AWS sends these
				"detail-type": []any{"AWS API Call via CloudTrail"},
				"detail":      map[string]any{"$or": parts[name]},
			},
			Targets: []any{&awsevents.CfnRule_TargetProperty{
				Id: jsii.String("Topic"), Arn: alerts.Topic.TopicArn(), InputTransformer: warning(watched, alerts.Chat),
				DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: undelivered.Queue.QueueArn()},
			}},
		})
		rules = append(rules, rule.AttrArn())
	}
	undelivered.Queue.AddToResourcePolicy(fromRules("sqs:SendMessage", undelivered.Queue.QueueArn(), rules))
	alerts.Topic.AddToResourcePolicy(fromRules("sns:Publish", alerts.Topic.TopicArn(), rules))
	return scope
}

// fromRules lets EventBridge do something to a resource, for these rules only.
func fromRules(action string, resource *string, rules []*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Guard"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings(action),
		Resources:  &[]*string{resource},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rules}},
	})
}

func (a attempt) pattern(stack string) map[string]any {
	p := map[string]any{"eventSource": []any{a.service + ".amazonaws.com"}}
	var calls []any
	for _, c := range a.calls {
		if a.service == "lambda" {
			calls = append(calls, prefix(c)) // DeleteFunction20150331
		} else {
			calls = append(calls, c)
		}
	}
	if len(calls) > 0 {
		p["eventName"] = calls
	}
	if a.field != "" {
		p["requestParameters"] = map[string]any{a.field: a.match(stack)}
	}
	return p
}

// facts are what a warning takes from the event. What an event lacks, as most lack an error, stays empty. EventBridge fills texts in as they are, and chats give some a meaning, so there is none
// that a caller can choose: no user agent, no name of a session, no ARN, for the path of a user may hold any character. Names of roles and users are of letters, digits and +=,.@_- only.
var facts = map[string]*string{
	"region": jsii.String("$.region"), "account": jsii.String("$.account"), "call": jsii.String("$.detail.eventName"), "service": jsii.String("$.detail.eventSource"),
	"error": jsii.String("$.detail.errorCode"), "type": jsii.String("$.detail.userIdentity.type"), "role": jsii.String("$.detail.userIdentity.sessionContext.sessionIssuer.userName"),
	"user": jsii.String("$.detail.userIdentity.userName"), "home": jsii.String("$.detail.userIdentity.accountId"),
	"from": jsii.String("$.detail.sourceIPAddress"), "when": jsii.String("$.detail.eventTime"), "event": jsii.String("$.detail.eventID"),
}

// warning is what people read. A chat channel takes only its own form of message, which is readable in a mail too. What is in backquotes no chat makes a link or a mention of.
func warning(stack string, chat bool) *awsevents.CfnRule_InputTransformerProperty {
	title := "Somebody touched " + stack + ", which keeps user pools, in <region>: <call>"
	lines := []string{
		"call: <call> of <service>, error: <error>",
		"by: `<type> <role><user>` of account <home>",
		"from: <from>",
		"when: <when>, account <account>",
		"see all of it: `aws cloudtrail lookup-events --region <region> --lookup-attributes AttributeKey=EventId,AttributeValue=<event>`",
		"If this is no deployment of yours, user pools may be unguarded now: run cdk deploy, which puts poolkeeper back, and look into the caller.",
	}
	template := quoted(title)
	for _, line := range lines {
		template += "\n" + quoted(line)
	}
	if chat {
		template = `{"version":"1.0","source":"custom","content":{"textType":"client-markdown","title":` + quoted(title) +
			`,"description":` + quoted(strings.Join(lines, "\n")) + `}}`
	}
	return &awsevents.CfnRule_InputTransformerProperty{InputPathsMap: &facts, InputTemplate: jsii.String(template)}
}

// quoted writes a text of ours as JSON, with the marks of what is filled in.
func quoted(text string) string { return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"` }
