package main

import (
	_ "embed" // for tamper.json
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// tamperCalls are EventBridge patterns for the calls that can disable poolkeeper: they change the delivery of events to
// the function, its dependencies, or the notification of people. There are several patterns, because one can have at
// most 2,048 characters. Failed calls match too. The names of Lambda's calls end with a date: DeleteFunction20150331. A
// filter that nothing passes has the same effect as a deleted subscription.
//
// Names from CloudFormation begin with the stack name and the resource id. Ids begin with an uppercase letter and
// stages with a lowercase letter, so a stage does not match another one that begins with its name.
//
//go:embed tamper.json
var tamperCalls string

// deployed is the part whose rule sends an e-mail about a deployment. All others send warnings.
const deployed = "Deployed"

// tamperPatterns returns the patterns of each part.
func (d *deployment) tamperPatterns() (parts map[string][]map[string]any) {
	words := []string{"{stack}", *d.stack.StackName(), "{onChange}", *d.keeper.OnChange.EventSourceMappingId(),
		"{onScan}", *d.keeper.OnScan.EventSourceMappingId()}
	if key := d.alerts.Key; key != nil {
		words = append(words, "{keyId}", *key.KeyId(), "{keyArn}", *key.KeyArn())
	}
	if err := json.Unmarshal([]byte(strings.NewReplacer(words...).Replace(tamperCalls)), &parts); err != nil {
		panic(err) // the file is part of the program
	}
	return parts
}

// addTamperAlert adds the rules that notify people, without the function, if somebody removes or changes a part of
// poolkeeper. Changes that CloudFormation makes for a CDK deployment are excluded: only CloudFormation can use the role
// that the CDK's bootstrap created for it. The deployment itself is reported by e-mail, with the caller.
func (d *deployment) addTamperAlert(id string) {
	scope, stack, alerts, deadLetter := d.scope(id), d.stack, d.alerts, d.queues.DeadLetter
	name, parts := *stack.StackName(), d.tamperPatterns()
	deployer := strings.Join([]string{"cdk", *stack.Synthesizer().BootstrapQualifier(), "cfn-exec-role", *stack.Account(),
		*stack.Region()}, "-")
	others := map[string]any{"sessionContext": map[string]any{"sessionIssuer": map[string]any{"userName": []any{
		map[string]any{"exists": false}, map[string]any{"anything-but": []any{deployer}},
	}}}}
	var warnings, all []*string
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		detail := map[string]any{"$or": parts[part], "userIdentity": others}
		to := awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Topic"), Arn: alerts.Topic.TopicArn(), RoleArn: alerts.RuleRole,
			DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: deadLetter.QueueArn()},
			InputTransformer: message(alerts.Chat, "Somebody changed "+name+", which protects user pools, in <region>: <call>",
				"User pools may be unprotected now: run cdk deploy, which restores poolkeeper, and investigate the caller. "+
					"What to do: infra/RUNBOOK.md, section TamperAlert."),
		}
		if part == deployed {
			detail, to.Arn, to.RoleArn = parts[part][0], alerts.Mail.TopicArn(), nil
			to.InputTransformer = message(false, "A deployment changes "+name+" in <region>: <call>",
				"If you made it, there is nothing to do. If not: infra/RUNBOOK.md, section TamperAlert.")
		}
		// The CDK's target for a topic would allow any rule of any account to publish to it, so this is a plain rule.
		rule := awsevents.NewCfnRule(scope, jsii.String(part), &awsevents.CfnRuleProps{
			Description: jsii.String("poolkeeper: calls that change poolkeeper itself"), State: jsii.String("ENABLED"),
			EventPattern: map[string]any{
				"source":      []any{map[string]any{"prefix": "aws."}}, // only AWS can send these
				"detail-type": []any{"AWS API Call via CloudTrail"},
				"detail":      detail,
			},
			Targets: []any{to},
		}).AttrArn()
		all = append(all, rule)
		if part == deployed {
			alerts.Mail.AddToResourcePolicy(fromRules("sns:Publish", alerts.Mail.TopicArn(), rule))
		} else {
			warnings = append(warnings, rule)
		}
	}
	if alerts.Key != nil {
		alerts.Topic.AddToResourcePolicy(fromRules("sns:Publish", alerts.Topic.TopicArn(), warnings...))
	}
	deadLetter.AddToResourcePolicy(fromRules("sqs:SendMessage", deadLetter.QueueArn(), all...))
}

// fromRules allows EventBridge an action on a resource, only for these rules.
func fromRules(action string, resource *string, rules ...*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("TamperAlert"), Actions: jsii.Strings(action), Resources: &[]*string{resource},
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rules}},
	})
}

// facts are the fields of the event in a warning. Missing fields, such as an error, stay empty. EventBridge inserts
// texts without escaping, and chat applications interpret some of them, so no text is used that a caller can choose: no
// user agent, no session name, and no ARN, because the path of a user may contain any character. Names of roles and
// users consist only of letters, digits and +=,.@_-.
var facts = map[string]*string{
	"region": jsii.String("$.region"), "account": jsii.String("$.account"),
	"call": jsii.String("$.detail.eventName"), "service": jsii.String("$.detail.eventSource"),
	"error": jsii.String("$.detail.errorCode"), "type": jsii.String("$.detail.userIdentity.type"),
	"role": jsii.String("$.detail.userIdentity.sessionContext.sessionIssuer.userName"),
	"user": jsii.String("$.detail.userIdentity.userName"), "home": jsii.String("$.detail.userIdentity.accountId"),
	"from": jsii.String("$.detail.sourceIPAddress"), "when": jsii.String("$.detail.eventTime"),
	"event": jsii.String("$.detail.eventID"),
}

// message builds a message from a title, details of the call and what to do. A chat channel accepts only messages of
// its own format, which is readable in an e-mail, too. In backquotes, chat applications create no links or mentions.
func message(chat bool, title, toDo string) *awsevents.CfnRule_InputTransformerProperty {
	lines := []string{
		"call: <call> of <service>, error: <error>",
		"by: `<type> <role><user>` of account <home>",
		"from: <from>",
		"when: <when>, account <account>",
		"see the whole event: `aws cloudtrail lookup-events --region <region>" +
			" --lookup-attributes AttributeKey=EventId,AttributeValue=<event>`",
		toDo,
	}
	template := `"` + title + "\"\n\"" + strings.Join(lines, "\"\n\"") + `"`
	if chat {
		template = `{"version":"1.0","source":"custom","content":{"textType":"client-markdown","title":"` + title +
			`","description":"` + strings.Join(lines, `\n`) + `"}}`
	}
	return &awsevents.CfnRule_InputTransformerProperty{InputPathsMap: &facts, InputTemplate: jsii.String(template)}
}
