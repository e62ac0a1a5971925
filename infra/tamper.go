package main

import (
	_ "embed" // for tamper.json
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// tamperCalls are the ways to silence poolkeeper, as EventBridge's patterns of CloudTrail's details: what leads events
// to the function, what the function depends on, what notifies people. They are in several parts, as a pattern may not
// be longer than 2,048 characters. Calls that were refused count too. The names of Lambda's calls end with a date:
// DeleteFunction20150331. A filter that nothing passes has the effect of no subscription.
//
// CloudFormation's names begin with that of the stack and the resource's id. Ids begin with a capital letter and stages
// with a small one, so no stage matches another whose name it begins with.
//
//go:embed tamper.json
var tamperCalls string

// callsAbout returns the patterns of each part, for a stack, with more words to replace and what they stand for.
func callsAbout(stack string, words ...string) map[string][]map[string]any {
	watch := stack + "-role-watch-" // CloudFormation keeps 24 characters of a long name
	words = append(words, "{stack}", stack, "{watch}", watch[:min(len(watch), 24)])
	var parts map[string][]map[string]any
	if err := json.Unmarshal([]byte(strings.NewReplacer(words...).Replace(tamperCalls)), &parts); err != nil {
		panic(err) // the file is part of the program
	}
	return parts
}

// NewTamperAlert makes the rules that notify people, without the function, when somebody removes or changes a part of
// poolkeeper. What CloudFormation does for a deployment of the CDK is no tampering: only CloudFormation can have the
// role that the CDK's bootstrap made for it. The deployment itself is reported by mail, which says who started it.
func NewTamperAlert(stack awscdk.Stack, id string, keeper Keeper, alerts Alerts, queues Queues) {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	words := []string{"{onChange}", *keeper.OnChange.EventSourceMappingId(), "{onScan}",
		*keeper.OnScan.EventSourceMappingId()}
	if alerts.Key != nil {
		words = append(words, "{keyId}", *alerts.Key.KeyId(), "{keyArn}", *alerts.Key.KeyArn())
	}
	parts := callsAbout(*stack.StackName(), words...)
	deployer := strings.Join([]string{"cdk", *stack.Synthesizer().BootstrapQualifier(), "cfn-exec-role", *stack.Account(),
		*stack.Region()}, "-")
	others := map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{"userName": []any{
		map[string]any{"exists": false}, map[string]any{"anything-but": []any{deployer}},
	}}}}
	var warn, all []*string
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		detail := map[string]any{"$or": parts[part], "userIdentity": others}
		to := &awsevents.CfnRule_TargetProperty{
			Arn: alerts.Topic.TopicArn(), RoleArn: alerts.RuleRole, InputTransformer: warning(*stack.StackName(), alerts.Chat),
		}
		if part == "Deployed" {
			detail, to.Arn, to.RoleArn = parts[part][0], alerts.Mail.TopicArn(), nil
			to.InputTransformer = notice(*stack.StackName())
		}
		to.Id = jsii.String("Topic")
		to.DeadLetterConfig = &awsevents.CfnRule_DeadLetterConfigProperty{Arn: queues.DeadLetter.QueueArn()}
		// The CDK's target for a topic would let any rule of any account publish to it, so this is a plain rule.
		rule := awsevents.NewCfnRule(scope, jsii.String(part), &awsevents.CfnRuleProps{
			Description: jsii.String("poolkeeper: calls that change poolkeeper itself"),
			State:       jsii.String("ENABLED"),
			EventPattern: map[string]any{
				"source":      []any{map[string]any{"prefix": "aws."}}, // nobody but AWS sends these
				"detail-type": []any{"AWS API Call via CloudTrail"},
				"detail":      detail,
			},
			Targets: []any{to},
		}).AttrArn()
		all = append(all, rule)
		if part == "Deployed" {
			alerts.Mail.AddToResourcePolicy(fromRules("sns:Publish", alerts.Mail.TopicArn(), []*string{rule}))
		} else {
			warn = append(warn, rule)
		}
	}
	if alerts.Key != nil {
		alerts.Topic.AddToResourcePolicy(fromRules("sns:Publish", alerts.Topic.TopicArn(), warn))
	}
	queues.DeadLetter.AddToResourcePolicy(fromRules("sqs:SendMessage", queues.DeadLetter.QueueArn(), all))
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
	return transformer(false, "A deployment changes "+stack+" in <region>: <call>",
		"If it is yours, there is nothing to do. If not: infra/RUNBOOK.md, section TamperAlert.")
}

// warning is what people read of tampering.
func warning(stack string, chat bool) *awsevents.CfnRule_InputTransformerProperty {
	return transformer(chat, "Somebody changed "+stack+", which keeps user pools, in <region>: <call>",
		"User pools may be unprotected now: run cdk deploy, which restores poolkeeper, and investigate the caller. "+
			"What to do: infra/RUNBOOK.md, section TamperAlert.")
}

// transformer writes a title, the details and what to do. A chat channel accepts only its own form of message, which is
// readable in a mail too. No chat makes a link or a mention of what is in backquotes.
func transformer(chat bool, title, toDo string) *awsevents.CfnRule_InputTransformerProperty {
	lines := append(slices.Clone(details), toDo)
	template := `"` + title + "\"\n\"" + strings.Join(lines, "\"\n\"") + `"`
	if chat {
		template = `{"version":"1.0","source":"custom","content":{"textType":"client-markdown","title":"` + title +
			`","description":"` + strings.Join(lines, `\n`) + `"}}`
	}
	return &awsevents.CfnRule_InputTransformerProperty{InputPathsMap: &facts, InputTemplate: jsii.String(template)}
}
