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

// An attempt is a way to silence poolkeeper: calls of a service, and where their request names what they change. A star
// in a name is any text, STACK is the name of the stack. CloudFormation's names begin with that of the stack and the
// resource's id. Ids begin with a capital letter and stages with a small one, so no stage matches another whose name it
// begins with.
type attempt struct {
	service string   // eventSource without ".amazonaws.com"
	calls   []string // none is every call that writes
	field   string   // the request's parameter, or "" where every call counts, whatever it changes
	names   []string
}

// attempts are all that is watched for. They are in several parts, as a pattern may not be longer than 2,048
// characters. Calls that were refused count too.
var attempts = map[string][]attempt{
	// What leads events to the function.
	"Wiring": {
		{"events", []string{"DeleteRule", "DisableRule", "PutRule"}, "name", ourRules},
		{"events", []string{"PutTargets", "RemoveTargets"}, "rule", ourRules},
		{"scheduler", []string{"DeleteSchedule", "UpdateSchedule"}, "name", []string{"STACK-Scan*"}},
		// The names of Lambda's calls end with a date: DeleteFunction20150331.
		{"lambda", []string{"DeleteFunction*", "PutFunction*", "RemovePermission*", "UpdateFunction*"}, "functionName",
			[]string{"STACK-Keeper*", "*:function:STACK-Keeper*"}},
		{"sqs", []string{"DeleteQueue", "PurgeQueue", "RemovePermission", "SetQueueAttributes"}, "queueUrl",
			[]string{"https://*/STACK-Queues*"}},
		{"cloudformation", []string{"DeleteStack"}, "stackName", ourStack},
	},
	// What the function depends on.
	"Footing": {
		{"cloudtrail", []string{"DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"}, "", nil},
		// The roles of the chat channels, the function, its schedule and the role watch.
		{"iam", nil, "roleName", []string{"STACK-Alerts*", "STACK-Keeper*", "STACK-Scheduler*", "WATCH*"}},
		{"iam", nil, "policyArn", []string{"arn:*:policy/STACK-Keeper*"}}, // what the role itself has no room for
		{"dynamodb", []string{"DeleteTable", "UpdateContinuousBackups", "UpdateTable", "UpdateTimeToLive"}, "tableName",
			[]string{"STACK-Ledger*", "arn:*:table/STACK-Ledger*"}},
		{"logs", []string{"DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy"}, "logGroupName",
			[]string{"STACK-Keeper*"}},
	},
	// What notifies people.
	"Reports": {
		{"sns", []string{"DeleteTopic", "RemovePermission", "SetTopicAttributes"}, "topicArn",
			[]string{"arn:*:STACK-Alerts*"}},
		// A filter that nothing passes has the effect of no subscription.
		{"sns", []string{"SetSubscriptionAttributes", "Unsubscribe"}, "subscriptionArn", []string{"arn:*:STACK-Alerts*"}},
		{"monitoring", []string{"DeleteAlarms", "DisableAlarmActions"}, "alarmNames", []string{"STACK-Alarms*"}},
		{"monitoring", []string{"PutMetricAlarm"}, "alarmName", []string{"STACK-Alarms*"}},
	},
}

// deployment is how a deployment changes a stack.
var deployment = attempt{"cloudformation", []string{"ExecuteChangeSet", "UpdateStack"}, "stackName", ourStack}

var ourStack = []string{"STACK", "arn:*:stack/STACK/*"}

var ourRules = []string{"STACK-Changes*", "STACK-Deployment*", "STACK-TamperAlert*"}

// pattern matches an attempt on a stack. CloudFormation keeps 24 characters of the longer name of the role watch.
func (a attempt) pattern(stack string) map[string]any {
	watch := stack + "-role-watch-"
	named := strings.NewReplacer("STACK", stack, "WATCH", watch[:min(len(watch), 24)])
	p := map[string]any{"eventSource": []any{a.service + ".amazonaws.com"}}
	if len(a.calls) > 0 {
		p["eventName"] = matchers(a.calls)
	}
	if a.field != "" {
		names := make([]string, len(a.names))
		for i, name := range a.names {
			names[i] = named.Replace(name)
		}
		p["requestParameters"] = map[string]any{a.field: matchers(names)}
	}
	return p
}

// matchers write texts with stars as EventBridge does.
func matchers(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		start, starred := strings.CutSuffix(text, "*")
		switch {
		case strings.Contains(start, "*"):
			all[i] = map[string]any{"wildcard": text}
		case starred:
			all[i] = map[string]any{"prefix": start}
		default:
			all[i] = text
		}
	}
	return all
}

// NewTamperAlert makes the rules that notify people, without the function, when somebody removes or changes a part of
// poolkeeper. What CloudFormation does for a deployment of the CDK is no tampering: only CloudFormation can have the
// role that the CDK's bootstrap made for it. The deployment itself is reported by mail, which says who started it.
func NewTamperAlert(stack awscdk.Stack, id string, keeper Keeper, alerts Alerts, queues Queues) {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	watched := *stack.StackName()
	parts := map[string][]any{}
	for name, some := range attempts {
		for _, a := range some {
			parts[name] = append(parts[name], a.pattern(watched))
		}
	}
	parts["Wiring"] = append(parts["Wiring"], onMappings(keeper))
	if alerts.Key != nil {
		parts["Reports"] = append(parts["Reports"], map[string]any{
			"eventSource":       []any{"kms.amazonaws.com"},
			"eventName":         []any{"DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"},
			"requestParameters": map[string]any{"keyId": []any{alerts.Key.KeyId(), alerts.Key.KeyArn()}},
		})
	}
	deployer := strings.Join([]string{"cdk", *stack.Synthesizer().BootstrapQualifier(), "cfn-exec-role", *stack.Account(),
		*stack.Region()}, "-")
	others := map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{"userName": []any{
		map[string]any{"exists": false}, map[string]any{"anything-but": []any{deployer}},
	}}}}
	var rules []*string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		detail := map[string]any{"$or": parts[name], "userIdentity": others}
		rules = append(rules, toTopic(scope, name, detail, queues, &awsevents.CfnRule_TargetProperty{
			Arn: alerts.Topic.TopicArn(), RoleArn: alerts.RuleRole, InputTransformer: warning(watched, alerts.Chat),
		}))
	}
	deployed := toTopic(scope, "Deployed", deployment.pattern(watched), queues, &awsevents.CfnRule_TargetProperty{
		Arn: alerts.Mail.TopicArn(), InputTransformer: notice(watched),
	})
	if alerts.Key != nil {
		alerts.Topic.AddToResourcePolicy(fromRules("sns:Publish", alerts.Topic.TopicArn(), rules))
	}
	alerts.Mail.AddToResourcePolicy(fromRules("sns:Publish", alerts.Mail.TopicArn(), []*string{deployed}))
	rules = append(rules, deployed)
	queues.DeadLetter.AddToResourcePolicy(fromRules("sqs:SendMessage", queues.DeadLetter.QueueArn(), rules))
}

// toTopic makes a rule for calls with such a detail, and returns its ARN. The CDK's target for a topic would let any
// rule of any account publish to it, so this is a plain rule.
func toTopic(
	scope constructs.Construct, name string, detail map[string]any, queues Queues, to *awsevents.CfnRule_TargetProperty,
) *string {
	to.Id = jsii.String("Topic")
	to.DeadLetterConfig = &awsevents.CfnRule_DeadLetterConfigProperty{Arn: queues.DeadLetter.QueueArn()}
	return awsevents.NewCfnRule(scope, jsii.String(name), &awsevents.CfnRuleProps{
		Description: jsii.String("poolkeeper: calls that change poolkeeper itself"),
		State:       jsii.String("ENABLED"),
		EventPattern: map[string]any{
			"source":      matchers([]string{"aws.*"}), // nobody but AWS sends these
			"detail-type": []any{"AWS API Call via CloudTrail"},
			"detail":      detail,
		},
		Targets: []any{to},
	}).AttrArn()
}

// onMappings matches the calls that disable or remove what starts the function. They name a mapping by its id.
func onMappings(keeper Keeper) map[string]any {
	var ids []any
	for _, mapping := range keeper.Mappings {
		ids = append(ids, mapping.EventSourceMappingId())
	}
	return map[string]any{
		"eventSource":       []any{"lambda.amazonaws.com"},
		"eventName":         matchers([]string{"DeleteEventSourceMapping*", "UpdateEventSourceMapping*"}),
		"requestParameters": map[string]any{"uUID": ids},
	}
}

// fromRules lets EventBridge do something to a resource, for these rules only.
func fromRules(action string, resource *string, rules []*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("TamperAlert"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings(action),
		Resources:  &[]*string{resource},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rules}},
	})
}

// facts are what a warning takes from the event. What an event lacks, as most lack an error, stays empty. EventBridge
// inserts texts as they are, and chats give some a meaning, so no text is taken that a caller can choose: no user
// agent, no name of a session, no ARN, for the path of a user may hold any character. Names of roles and users consist
// of letters, digits and +=,.@_- only.
var facts = map[string]*string{
	"region": jsii.String("$.region"), "account": jsii.String("$.account"),
	"call": jsii.String("$.detail.eventName"), "service": jsii.String("$.detail.eventSource"),
	"error": jsii.String("$.detail.errorCode"), "type": jsii.String("$.detail.userIdentity.type"),
	"role": jsii.String("$.detail.userIdentity.sessionContext.sessionIssuer.userName"),
	"user": jsii.String("$.detail.userIdentity.userName"), "home": jsii.String("$.detail.userIdentity.accountId"),
	"from": jsii.String("$.detail.sourceIPAddress"), "when": jsii.String("$.detail.eventTime"),
	"event": jsii.String("$.detail.eventID"),
}

// details are what a message says of the call.
var details = []string{
	"call: <call> of <service>, error: <error>",
	"by: `<type> <role><user>` of account <home>",
	"from: <from>",
	"when: <when>, account <account>",
	"see all of it: `aws cloudtrail lookup-events --region <region>" +
		" --lookup-attributes AttributeKey=EventId,AttributeValue=<event>`",
}

// notice is the mail about a deployment.
func notice(stack string) *awsevents.CfnRule_InputTransformerProperty {
	lines := append([]string{"A deployment changes " + stack + " in <region>: <call>"}, details...)
	lines = append(lines, "If it is yours, there is nothing to do. If not: infra/RUNBOOK.md, section TamperAlert.")
	return &awsevents.CfnRule_InputTransformerProperty{InputPathsMap: &facts, InputTemplate: jsii.String(plainText(lines))}
}

func plainText(lines []string) string {
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = quoted(line)
	}
	return strings.Join(texts, "\n")
}

// warning is what people read. A chat channel accepts only its own form of message, which is readable in a mail too. No
// chat makes a link or a mention of what is in backquotes.
func warning(stack string, chat bool) *awsevents.CfnRule_InputTransformerProperty {
	title := "Somebody changed " + stack + ", which keeps user pools, in <region>: <call>"
	lines := append(slices.Clone(details), "User pools may be unprotected now: run cdk deploy, which restores "+
		"poolkeeper, and investigate the caller. What to do: infra/RUNBOOK.md, section TamperAlert.")
	template := plainText(append([]string{title}, lines...))
	if chat {
		template = `{"version":"1.0","source":"custom","content":{"textType":"client-markdown","title":` + quoted(title) +
			`,"description":` + quoted(strings.Join(lines, "\n")) + `}}`
	}
	return &awsevents.CfnRule_InputTransformerProperty{InputPathsMap: &facts, InputTemplate: jsii.String(template)}
}

// quoted writes a text of ours as JSON, with the marks of what is inserted.
func quoted(text string) string { return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"` }
