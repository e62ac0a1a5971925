package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
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

// arn renders one of the fixtures' account and Region.
func arn(service, resource string) string {
	return "arn:aws:" + service + ":eu-west-1:111122223333:" + resource
}

// queueURL renders the URL of a queue.
func queueURL(name string) string { return "https://sqs.eu-west-1.amazonaws.com/111122223333/" + name }

const (
	ourRule     = "poolkeeper-prod-Changes510ED4B0-1ABC"
	ourFunction = "poolkeeper-prod-KeeperFunction7330A899-1ABC"
	ourRole     = "poolkeeper-prod-KeeperRoleEFECB23C-1ABC"
	ourTopic    = "poolkeeper-prod-AlertsTopicCF7C81C9-1ABC"
	ourTable    = "poolkeeper-prod-LedgerC1B2A3D4-1ABC"
	ourLog      = "poolkeeper-prod-KeeperLog94737A1E-1ABC"
	ourAlarm    = "poolkeeper-prod-AlarmsSilent2716AC15-1ABC"
	ourQueue    = "poolkeeper-prod-QueuesChanges510ED4B0-1ABC"
)

// tampering are ways to silence poolkeeper, each with the same call on somebody else's resource, where there is one.
var tampering = []struct {
	service, name, parameter string
	ours, theirs             any
}{
	{"events", "DisableRule", "name", ourRule, "deploy-hook"},
	{"events", "DisableRule", "name", "poolkeeper-prod-Deployment0A1B2C3D-1ABC", "deployments"},
	{"events", "PutRule", "name", "poolkeeper-prod-TamperAlertWiring-1ABC", "poolkeeper-test-Changes"},
	{"events", "RemoveTargets", "rule", ourRule, "deploy-hook"},
	{"events", "PutTargets", "rule", ourRule, "deploy-hook"},
	{"scheduler", "UpdateSchedule", "name", "poolkeeper-prod-Scan576358E8-1ABC", "nightly"},
	{"lambda", "UpdateFunctionCode20150331v2", "functionName", ourFunction, "shop"},
	{"lambda", "UpdateFunctionConfiguration20150331v2", "functionName",
		arn("lambda", "function:"+ourFunction), arn("lambda", "function:shop")},
	{"lambda", "PutFunctionConcurrency20171031", "functionName", "111122223333:function:" + ourFunction, "shop"},
	{"lambda", "UpdateEventSourceMapping20150331", "uUID", "${KeeperOnChange}", "a1b2c3d4"},
	{"lambda", "DeleteEventSourceMapping20150331", "uUID", "${KeeperOnScan}", "a1b2c3d4"},
	{"cloudformation", "DeleteStack", "stackName", "poolkeeper-prod", "poolkeeper-prod-2"},
	{"cloudformation", "DeleteStack", "stackName",
		arn("cloudformation", "stack/poolkeeper-prod/0a1b"), arn("cloudformation", "stack/shop/0a1b")},
	{"cloudtrail", "StopLogging", "name", "management-events", nil},
	{"cloudtrail", "DeleteTrail", "name", arn("cloudtrail", "trail/management-events"), nil},
	{"cloudtrail", "UpdateTrail", "", nil, nil},
	{"cloudtrail", "PutEventSelectors", "trailName", "management-events", nil},
	{"iam", "PutRolePolicy", "roleName", ourRole, "Admin"},
	{"iam", "UpdateAssumeRolePolicy", "roleName", "poolkeeper-prod-SchedulerRoleForTarget-1ABC", "Admin"},
	{"iam", "CreatePolicyVersion", "policyArn",
		"arn:aws:iam::111122223333:policy/poolkeeper-prod-KeeperRoleOverflowPolicy110A12DAE-1ABC",
		"arn:aws:iam::111122223333:policy/Admin"},
	{"sqs", "SetQueueAttributes", "queueUrl", queueURL(ourQueue), queueURL("poolkeeper-test-QueuesChanges510ED4B0-1ABC")},
	{"sqs", "PurgeQueue", "queueUrl", queueURL("poolkeeper-prod-QueuesDeadLetter-1ABC"), queueURL("orders")},
	{"sns", "RemovePermission", "topicArn", arn("sns", ourTopic), arn("sns", "orders")},
	{"sns", "Unsubscribe", "subscriptionArn", arn("sns", ourTopic+":0a1b2c3d"), arn("sns", "orders:0a1b2c3d")},
	{"sns", "SetSubscriptionAttributes", "subscriptionArn", arn("sns", ourTopic+":0a1b"), arn("sns", "orders:0a1b")},
	{"dynamodb", "DeleteTable", "tableName", arn("dynamodb", "table/"+ourTable), arn("dynamodb", "table/orders")},
	{"dynamodb", "UpdateTable", "tableName", ourTable, "orders"},
	{"dynamodb", "UpdateTimeToLive", "tableName", ourTable, "orders"},
	{"dynamodb", "UpdateContinuousBackups", "tableName", ourTable, "poolkeeper-test-LedgerC1B2A3D4-1ABC"},
	{"logs", "DeleteLogStream", "logGroupName", ourLog, "/aws/lambda/shop"},
	{"logs", "PutRetentionPolicy", "logGroupName", ourLog, "/aws/lambda/shop"},
	{"monitoring", "DeleteAlarms", "alarmNames", []any{"shop-5xx", ourAlarm}, []any{"shop-5xx"}},
	{"monitoring", "DisableAlarmActions", "alarmNames", []any{ourAlarm}, []any{}},
	{"kms", "ScheduleKeyDeletion", "keyId", "${AlertsKey9E1197AF}", "another"},
	{"kms", "DisableKey", "keyId", "${AlertsKey.Arn}", "another"},
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
	alerts := func(event map[string]any) bool { return alarming(t, tpl, event) }
	mappings := map[any]any{}
	for id := range tpl.of("AWS::Lambda::EventSourceMapping") {
		mappings["${"+plain(id)+"}"] = "${" + id + "}"
	}
	for _, c := range tampering {
		ours := c.ours
		if id, ok := ours.(string); ok && mappings[id] != nil {
			ours = mappings[id]
		}
		if !alerts(call(c.service+".amazonaws.com", c.name, c.parameter, ours)) {
			t.Errorf("nobody is notified of %s of %v", c.name, c.ours)
		}
		if c.theirs != nil && alerts(call(c.service+".amazonaws.com", c.name, c.parameter, c.theirs)) {
			t.Errorf("people are notified of %s of %v, which is not ours", c.name, c.theirs)
		}
	}
	for _, harmless := range []string{"TagResource", "EnableRule"} {
		if alerts(call("events.amazonaws.com", harmless, "name", ourRule)) {
			t.Errorf("%s silences nothing", harmless)
		}
	}
	// What CloudFormation does for a deployment wakes nobody; what it does with another role does.
	for role, want := range map[string]bool{
		"cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1": false,
		"cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1": true, "Admin": true,
	} {
		made := call("events.amazonaws.com", "PutRule", "name", ourRule)
		made["detail"].(map[string]any)["userIdentity"] = map[string]any{"invokedBy": "cloudformation.amazonaws.com",
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"userName": role}}}
		if alerts(made) != want {
			t.Errorf("people are notified of a deployment by %s: %v", role, !want)
		}
	}
	for stack, want := range map[string]bool{"poolkeeper-prod": true, "poolkeeper-prod-2": false,
		arn("cloudformation", "stack/poolkeeper-prod/0a1b"): true} {
		started := call("cloudformation.amazonaws.com", "ExecuteChangeSet", "stackName", stack)
		if matches(t, patternOf(t, tpl, "TamperAlertDeployed"), started) != want || alerts(started) {
			t.Errorf("a deployment of %s is mailed: %v", stack, !want)
		}
	}
	forged := call("events.amazonaws.com", "DisableRule", "name", ourRule)
	forged["source"] = "my.app"
	if alerts(forged) {
		t.Error("an event that somebody else sent counts as if AWS had sent it")
	}
}

// removals are calls that remove a resource of a type.
var removals = map[string]struct{ source, call, parameter, name string }{
	"AWS::Events::Rule":        {"events.amazonaws.com", "DeleteRule", "name", "NAME"},
	"AWS::Scheduler::Schedule": {"scheduler.amazonaws.com", "DeleteSchedule", "name", "NAME"},
	"AWS::Lambda::Function":    {"lambda.amazonaws.com", "DeleteFunction20150331", "functionName", "NAME"},
	"AWS::IAM::Role":           {"iam.amazonaws.com", "DeleteRolePolicy", "roleName", "NAME"},
	"AWS::SQS::Queue":          {"sqs.amazonaws.com", "DeleteQueue", "queueUrl", queueURL("NAME")},
	"AWS::SNS::Topic":          {"sns.amazonaws.com", "DeleteTopic", "topicArn", arn("sns", "NAME")},
	"AWS::DynamoDB::Table":     {"dynamodb.amazonaws.com", "DeleteTable", "tableName", "NAME"},
	"AWS::Logs::LogGroup":      {"logs.amazonaws.com", "DeleteLogGroup", "logGroupName", "NAME"},
	"AWS::CloudWatch::Alarm":   {"monitoring.amazonaws.com", "DeleteAlarms", "alarmNames", "NAME"},
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
			name := strings.Replace(way.name, "NAME", stack+"-"+id+"-1ABC", 1)
			made := call(way.source, way.call, way.parameter, name)
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
	tpl := templateOf(t, "", map[string]any{"stage": "a23456789-123"})
	reference := regexp.MustCompile(`\{"(Ref|Fn::GetAtt)":("[^"]*"|\["[^"]*","Arn"\])\}`)
	for _, id := range []string{"TamperAlertWiring", "TamperAlertFooting", "TamperAlertReports", "TamperAlertDeployed",
		"Changes", "Deployment"} {
		raw, err := json.Marshal(patternOf(t, tpl, id))
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\{"Fn::Join":.*?\]\]\}`).ReplaceAllString(string(raw), strings.Repeat("k", 80))
		text := reference.ReplaceAllStringFunc(names, func(found string) string {
			if strings.Contains(found, "Ref") && !strings.Contains(found, "AWS::StackId") {
				return strings.Repeat("k", 38) // the id of a key or a mapping
			}
			return strings.Repeat("k", 130)
		})
		if len(text) > 2048 {
			t.Errorf("the pattern of %s has %d characters", id, len(text))
		}
	}
}

const (
	// stranger is what a caller could choose.
	stranger = "`stranger`<!channel> [x](https://evil.example)\"\n"
	// principal has all characters that IAM allows in the name of a role or a user.
	principal = "a+=,.@_-1"
)

// callers are identities, with what the message says of each.
var callers = map[string]struct {
	kind string
	more map[string]any
	by   string
}{
	"a role": {"AssumedRole", map[string]any{"sessionContext": map[string]any{
		"sourceIdentity": stranger,
		"sessionIssuer": map[string]any{
			"type": "Role", "arn": "arn:aws:iam::111122223333:role/" + stranger, "userName": principal,
		}}}, "by: `AssumedRole " + principal + "` of account 111122223333"},
	"a user": {"IAMUser", map[string]any{"userName": principal},
		"by: `IAMUser " + principal + "` of account 111122223333"},
	"the root":    {"Root", nil, "by: `Root ` of account 111122223333"},
	"an outsider": {"AWSAccount", nil, "by: `AWSAccount ` of account 111122223333"},
}

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

// TestTamperMessage: what a person reads has who, what, from where and when, what to do, and a command that finds the
// whole event; a chat gets it in the form that chats accept. Nothing that a caller can choose is in it, and the names
// of roles and users stay within the backquotes that keep a chat from interpreting them.
func TestTamperMessage(t *testing.T) {
	t.Parallel()
	for name, c := range callers {
		event := tamperEvent(c.kind, c.more)
		mail, chat := message(t, "Wiring", nil, event), message(t, "Wiring", chats, event)
		deployed := message(t, "Deployed", chats, event)
		if !strings.HasPrefix(deployed, `"A deployment changes poolkeeper in eu-west-1: DisableRule"`) ||
			!strings.Contains(deployed, c.by) || strings.Contains(deployed, "stranger") {
			t.Errorf("%s: the mail about a deployment:\n%s", name, deployed)
		}
		var custom struct {
			Version, Source string
			Content         struct{ TextType, Title, Description string }
		}
		err := json.Unmarshal([]byte(chat), &custom)
		if err != nil || custom.Version+custom.Source+custom.Content.TextType != "1.0customclient-markdown" {
			t.Fatalf("%s: no message for a chat (%v):\n%s", name, err, chat)
		}
		for _, text := range []string{mail, custom.Content.Title + "\n" + custom.Content.Description} {
			for _, want := range []string{
				"Somebody changed poolkeeper, which protects user pools, in eu-west-1: DisableRule",
				"call: DisableRule of events.amazonaws.com, error: AccessDenied", c.by,
				"from: 198.51.100.23", "when: 2026-10-01T09:15:40Z, account 111122223333",
				"run cdk deploy, which restores poolkeeper", "infra/RUNBOOK.md, section TamperAlert",
				"`aws cloudtrail lookup-events --region eu-west-1 --lookup-attributes " +
					"AttributeKey=EventId,AttributeValue=0c0f7a3e-5b1d-4c57-9d0e-8f2a6b3c4d5e`",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: the message lacks %q:\n%s", name, want, text)
				}
			}
			if strings.Contains(text, "stranger") || strings.Contains(text, "evil") {
				t.Errorf("%s: the message has what the caller chose:\n%s", name, text)
			}
			if strings.Count(text, "`") != 4 {
				t.Errorf("%s: the backquotes do not pair:\n%s", name, text)
			}
		}
	}
}

// message is the warning about an event, composed as EventBridge does: texts as they are, and nothing for what the
// event lacks.
func message(t *testing.T, rule string, settings, event map[string]any) string {
	t.Helper()
	for id, r := range templateOf(t, "", settings).of("AWS::Events::Rule") {
		if !strings.HasPrefix(id, "TamperAlert"+rule) {
			continue
		}
		transformer := at(at(r.Properties, "Targets").([]any)[0], "InputTransformer")
		text := written(at(transformer, "InputTemplate"))
		for name, path := range at(transformer, "InputPathsMap").(map[string]any) {
			value, _ := at(event, strings.Split(strings.TrimPrefix(path.(string), "$."), ".")...).(string)
			if !strings.Contains(text, "<"+name+">") {
				t.Errorf("%s is taken from the event, and not shown", name)
			}
			text = strings.ReplaceAll(text, "<"+name+">", value)
		}
		if missing := regexp.MustCompile(`<\w+>`).FindString(text); missing != "" {
			t.Errorf("nothing replaces %s", missing)
		}
		return text
	}
	t.Fatal("there is no tamper alert")
	return ""
}

// TestRoleWatch: IAM's calls appear in one Region of a partition only, and are forwarded from there, by the one trail
// that is made there.
func TestRoleWatch(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-west-1": "us-east-1", "us-east-1": "us-east-1", "cn-northwest-1": "cn-north-1",
		"us-gov-east-1": "us-gov-west-1", "eusc-de-east-1": "eusc-de-east-1",
	} {
		if got := globalRegion(region); got != want || !isRegion(region) {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
	for regions, trails := range map[string]int{"eu-west-1": 2, "eu-west-1,eu-central-1": 3, "eu-west-1,us-east-1": 2} {
		inApp(t, func(app awscdk.App) {
			NewStacks(app, read(t, "", map[string]any{"regions": regions, "watchRole": "true", "createTrail": true}), false)
			made := 0
			for _, child := range *app.Node().Children() {
				if child.Node().TryFindChild(jsii.String("Trail")) != nil {
					made++
				}
			}
			if made != trails {
				t.Errorf("%s: %d trails, want one in each Region and where IAM's calls appear", regions, made)
			}
		})
	}
	var tpl template
	inApp(t, func(app awscdk.App) {
		NewStacks(app, read(t, "", map[string]any{"regions": "eu-west-1,us-east-1", "watchRole": "true"}), false)
		names := map[string]bool{}
		for _, child := range *app.Node().Children() {
			if stack, ok := child.(awscdk.Stack); ok {
				names[*stack.Node().Id()] = true
			}
		}
		if !names["poolkeeper-eu-west-1-role-watch"] || len(names) != 3 {
			t.Fatalf("the stacks are %v", names)
		}
		watch := app.Node().FindChild(jsii.String("poolkeeper-eu-west-1-role-watch")).(awscdk.Stack)
		if *watch.Region() != "us-east-1" {
			t.Errorf("it is in %s", *watch.Region())
		}
		tpl = parsed(t, textOfStack(t, watch))
	})
	pattern := patternOf(t, tpl, "Calls")
	for role, want := range map[string]bool{
		"poolkeeper-KeeperRoleEFECB23C-1ABC": true, "poolkeeper-SchedulerRoleForTarget-1ABC": true,
		"poolkeeper-role-watch-eu-CallsEventsRole-1ABC": true, ourRole: false, "Admin": false,
	} {
		if got := matches(t, pattern, call("iam.amazonaws.com", "PutRolePolicy", "roleName", role)); got != want {
			t.Errorf("it watches %s: %v", role, got)
		}
	}
	for _, r := range tpl.of("AWS::Events::Rule") {
		bus := written(at(at(r.Properties, "Targets").([]any)[0], "Arn"))
		if bus != "arn:aws:events:eu-west-1:${AccountId}:event-bus/default" {
			t.Errorf("it forwards them to %s", bus)
		}
	}
}
