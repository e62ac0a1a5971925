package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call is an event of CloudTrail of a refused call.
func call(source, name, parameter string, value any) map[string]any {
	service, _, _ := strings.Cut(source, ".")
	detail := map[string]any{"eventSource": source, "eventName": name, "errorCode": "AccessDenied"}
	if parameter != "" {
		detail["requestParameters"] = map[string]any{parameter: value, "other": "x"}
	}
	return map[string]any{"source": "aws." + service, "detail-type": "AWS API Call via CloudTrail", "detail": detail}
}

// arn is an ARN in the fixtures' account and Region.
func arnOf(service, resource string) string {
	return "arn:aws:" + service + ":eu-west-1:111122223333:" + resource
}

const (
	ourRule = "poolkeeper-prod-Changes510ED4B0-1ABC"
	ourRole = "poolkeeper-prod-KeeperRoleEFECB23C-1ABC"
)

// A tampering is a way to silence poolkeeper, and the same call on somebody else's resource, where there is one.
type tampering struct {
	Service, Name, Parameter string
	Ours, Theirs             any
}

// alarming reports whether a rule that wakes people matches an event.
func alarming(t *testing.T, tpl template, event map[string]any) bool {
	t.Helper()
	return slices.ContainsFunc([]string{"Footing", "Reports", "Wiring"}, func(part string) bool {
		return matches(t, patternOf(t, tpl, "TamperAlert"+part), event)
	})
}

// TestTamperAlert: each way to silence poolkeeper notifies people, and the same call on somebody else's resource does
// not. Refused calls count: they are attempts.
func TestTamperAlert(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", everything)
	expect := func(want bool, event map[string]any) {
		if got := alarming(t, tpl, event); got != want {
			t.Errorf("people are notified: %v, of %v", got, event)
		}
	}
	for _, c := range rows[[]tampering](t, "tampering.json") {
		expect(true, call(c.Service+".amazonaws.com", c.Name, c.Parameter, c.Ours))
		if c.Theirs != nil {
			expect(false, call(c.Service+".amazonaws.com", c.Name, c.Parameter, c.Theirs))
		}
	}
	for _, harmless := range []string{"TagResource", "EnableRule"} {
		expect(false, call("events.amazonaws.com", harmless, "name", ourRule))
	}
	// What CloudFormation does for a deployment wakes nobody; what it does with another role does.
	for role, want := range map[string]bool{
		"cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1": false,
		"cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1": true, "Admin": true,
	} {
		made := call("events.amazonaws.com", "PutRule", "name", ourRule)
		made["detail"].(map[string]any)["userIdentity"] = map[string]any{"invokedBy": "cloudformation.amazonaws.com",
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"userName": role}}}
		expect(want, made)
	}
	for stack, want := range map[string]bool{"poolkeeper-prod": true, "poolkeeper-prod-2": false,
		arnOf("cloudformation", "stack/poolkeeper-prod/0a1b"): true} {
		started := call("cloudformation.amazonaws.com", "ExecuteChangeSet", "stackName", stack)
		if expect(false, started); matches(t, patternOf(t, tpl, "TamperAlertDeployed"), started) != want {
			t.Errorf("a deployment of %s is mailed: %v", stack, !want)
		}
	}
	forged := call("events.amazonaws.com", "DisableRule", "name", ourRule)
	forged["source"] = "my.app" // somebody else sent it
	expect(false, forged)
}

// removals are calls that remove a resource of a type.
var removals = map[string]struct{ source, call, parameter, name string }{
	"AWS::Events::Rule":        {"events.amazonaws.com", "DeleteRule", "name", "NAME"},
	"AWS::Scheduler::Schedule": {"scheduler.amazonaws.com", "DeleteSchedule", "name", "NAME"},
	"AWS::Lambda::Function":    {"lambda.amazonaws.com", "DeleteFunction20150331", "functionName", "NAME"},
	"AWS::IAM::Role":           {"iam.amazonaws.com", "DeleteRolePolicy", "roleName", "NAME"},
	"AWS::SQS::Queue": {"sqs.amazonaws.com", "DeleteQueue", "queueUrl",
		"https://sqs.eu-west-1.amazonaws.com/111122223333/NAME"},
	"AWS::SNS::Topic":        {"sns.amazonaws.com", "DeleteTopic", "topicArn", arnOf("sns", "NAME")},
	"AWS::DynamoDB::Table":   {"dynamodb.amazonaws.com", "DeleteTable", "tableName", "NAME"},
	"AWS::Logs::LogGroup":    {"logs.amazonaws.com", "DeleteLogGroup", "logGroupName", "NAME"},
	"AWS::CloudWatch::Alarm": {"monitoring.amazonaws.com", "DeleteAlarms", "alarmNames", "NAME"},
}

// TestTamperAlertKnowsItsStack: the removal of each resource of a stack notifies people by the rules of that stack, and
// not by those of another stage, though one name begins with the other.
func TestTamperAlertKnowsItsStack(t *testing.T) {
	t.Parallel()
	stages := map[string]template{"poolkeeper": templateOf(t, "", nil), "poolkeeper-prod": templateOf(t, "", everything)}
	for stack, tpl := range stages {
		seen := map[string]bool{}
		for id, r := range tpl.Resources {
			way, known := removals[r.Type]
			if !known {
				continue
			}
			seen[r.Type] = true
			made := call(way.source, way.call, way.parameter, strings.Replace(way.name, "NAME", stack+"-"+id+"-1ABC", 1))
			for watching, rules := range stages {
				if alerts := alarming(t, rules, made); alerts != (watching == stack) {
					t.Errorf("the rules of %s match the removal of %s of %s: %v", watching, id, stack, alerts)
				}
			}
		}
		if len(seen) != len(removals) {
			t.Errorf("%s has only %v", stack, seen)
		}
	}
}

// TestPatternsFit: EventBridge takes no pattern of more than 2,048 characters. References count as the longest that
// they can become.
func TestPatternsFit(t *testing.T) {
	t.Parallel()
	for id, rule := range templateOf(t, "", map[string]any{"stage": "a23456789-123"}).of("AWS::Events::Rule") {
		raw, err := json.Marshal(replaced(rule.Properties["EventPattern"], func(function map[string]any) any {
			longest := 130 // an ARN
			if function["Fn::Join"] != nil {
				longest = 80 // the name of the role that deploys
			} else if ref := fmt.Sprint(function["Ref"]); function["Ref"] != nil && ref != "AWS::StackId" {
				longest = 38 // the id of a key or a mapping
			}
			return strings.Repeat("k", longest)
		}))
		if err != nil || len(raw) > 2048 {
			t.Errorf("the pattern of %s has %d characters (%v)", id, len(raw), err)
		}
	}
}

const (
	// stranger is what a caller could choose.
	stranger = "`stranger`<!channel> [x](https://evil.example)\"\n"
	// principal has all characters that IAM allows in the name of a role or a user.
	principal = "a+=,.@_-1"
)

// tamperEvent is a call of an identity that chooses all that it can.
func tamperEvent(kind string, more map[string]any) map[string]any {
	who := map[string]any{
		"type": kind, "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:x/" + stranger,
		"principalId": "AROAEXAMPLEID000000001:" + stranger, "invokedBy": stranger,
	}
	maps.Copy(who, more)
	return map[string]any{
		"region": "eu-west-1", "account": "111122223333", "resources": []any{stranger},
		"detail": map[string]any{
			"eventName": "DisableRule", "eventSource": "events.amazonaws.com", "errorCode": "AccessDenied",
			"errorMessage": stranger, "userAgent": stranger, "userIdentity": who, "sourceIPAddress": "198.51.100.23",
			"eventTime": "2026-10-01T09:15:40Z", "eventID": "0c0f7a3e-5b1d-4c57-9d0e-8f2a6b3c4d5e",
			"requestParameters": map[string]any{"name": "poolkeeper-" + stranger, "description": stranger},
			"tlsDetails":        map[string]any{"clientProvidedHostHeader": stranger},
		},
	}
}

const (
	somebody = "Somebody changed poolkeeper, which protects user pools, in eu-west-1: DisableRule"
	told     = "call: DisableRule of events.amazonaws.com, error: AccessDenied\n" +
		"by: `%s` of account 111122223333\n" +
		"from: 198.51.100.23\nwhen: 2026-10-01T09:15:40Z, account 111122223333\n" +
		"see the whole event: `aws cloudtrail lookup-events --region eu-west-1 --lookup-attributes " +
		"AttributeKey=EventId,AttributeValue=0c0f7a3e-5b1d-4c57-9d0e-8f2a6b3c4d5e`\n"
	redeploy = "User pools may be unprotected now: run cdk deploy, which restores poolkeeper, and investigate the " +
		"caller. What to do: infra/RUNBOOK.md, section TamperAlert."
)

// TestTamperMessage: what a person reads has who, what, from where and when, what to do, and a command that finds the
// whole event; a chat gets it in the form that chats accept. Nothing that a caller can choose is in it, and the names
// of roles and users stay within the backquotes that keep a chat from interpreting them.
func TestTamperMessage(t *testing.T) {
	t.Parallel()
	for by, event := range map[string]map[string]any{
		"AssumedRole " + principal: tamperEvent("AssumedRole", map[string]any{"sessionContext": map[string]any{
			"sourceIdentity": stranger, "sessionIssuer": map[string]any{
				"type": "Role", "arn": "arn:aws:iam::111122223333:role/" + stranger, "userName": principal,
			}}}),
		"IAMUser " + principal: tamperEvent("IAMUser", map[string]any{"userName": principal}),
		"Root ":                tamperEvent("Root", nil),
	} {
		quoted := func(lines string) string { return `"` + strings.ReplaceAll(lines, "\n", "\"\n\"") + `"` }
		details := fmt.Sprintf(told, by)
		if diff := cmp.Diff(quoted(somebody+"\n"+details+redeploy), shown(t, "Wiring", nil, event)); diff != "" {
			t.Errorf("the mail to %s (-want +got):\n%s", by, diff)
		}
		deployed := "A deployment changes poolkeeper in eu-west-1: DisableRule\n" + details +
			"If you made it, there is nothing to do. If not: infra/RUNBOOK.md, section TamperAlert."
		if diff := cmp.Diff(quoted(deployed), shown(t, "Deployed", chats, event)); diff != "" {
			t.Errorf("the mail about a deployment by %s (-want +got):\n%s", by, diff)
		}
		want := map[string]any{"version": "1.0", "source": "custom", "content": map[string]any{
			"textType": "client-markdown", "title": somebody, "description": details + redeploy}}
		if diff := cmp.Diff(want, decoded([]byte(shown(t, "Wiring", chats, event)))); diff != "" {
			t.Errorf("the chat message on %s (-want +got):\n%s", by, diff)
		}
	}
}

// shown is the warning about an event, composed as EventBridge does: texts as they are, and nothing for what the
// event lacks.
func shown(t *testing.T, rule string, settings, event map[string]any) string {
	t.Helper()
	transformer := at(targetOf(templateOf(t, "", settings).one(t, "TamperAlert"+rule)), "InputTransformer")
	text := written(at(transformer, "InputTemplate"))
	for name, path := range at(transformer, "InputPathsMap").(map[string]any) {
		value, _ := at(event, strings.Split(strings.TrimPrefix(path.(string), "$."), ".")...).(string)
		if !strings.Contains(text, "<"+name+">") {
			t.Errorf("%s is taken from the event, and not shown", name)
		}
		text = strings.ReplaceAll(text, "<"+name+">", value)
	}
	return text
}
