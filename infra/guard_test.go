package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// call is an event of CloudTrail as the guard sees it.
func call(source, name, parameter string, value any) map[string]any {
	service, _, _ := strings.Cut(source, ".")
	detail := map[string]any{"eventSource": source, "eventName": name, "errorCode": "AccessDenied"}
	if parameter != "" {
		detail["requestParameters"] = map[string]any{parameter: value, "other": "x"}
	}
	return map[string]any{"source": "aws." + service, "detail-type": "AWS API Call via CloudTrail", "detail": detail}
}

// TestGuard: each way to silence poolkeeper is told, and the same call on somebody else's resource is not. Refused calls count: they are attempts.
func TestGuard(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", everything)
	patterns := []map[string]any{patternOf(t, tpl, "GuardWiring"), patternOf(t, tpl, "GuardFooting")}
	told := func(event map[string]any) bool {
		return matches(t, patterns[0], event) || matches(t, patterns[1], event)
	}
	for _, c := range []struct {
		source, name, parameter string
		ours, theirs            any
	}{
		{"events.amazonaws.com", "DisableRule", "name", "poolkeeper-prod-Changes510ED4B0-1ABC", "deploy-hook"},
		{"events.amazonaws.com", "DeleteRule", "name", "poolkeeper-prod-Changes510ED4B0-1ABC", "poolkeeper2-Changes"},
		{"events.amazonaws.com", "PutRule", "name", "poolkeeper-prod-GuardWiring-1ABC", "poolkeeper-test-Changes"},
		{"events.amazonaws.com", "RemoveTargets", "rule", "poolkeeper-prod-Changes510ED4B0-1ABC", "deploy-hook"},
		{"events.amazonaws.com", "PutTargets", "rule", "poolkeeper-prod-Changes510ED4B0-1ABC", "deploy-hook"},
		{"scheduler.amazonaws.com", "DeleteSchedule", "name", "poolkeeper-prod-Sweep576358E8-1ABC", "nightly"},
		{"scheduler.amazonaws.com", "UpdateSchedule", "name", "poolkeeper-prod-Sweep576358E8-1ABC", "nightly"},
		{"lambda.amazonaws.com", "UpdateFunctionCode20150331v2", "functionName", "poolkeeper-prod-KeeperFunction7330A899-1ABC", "shop"},
		{"lambda.amazonaws.com", "UpdateFunctionConfiguration20150331v2", "functionName", "arn:aws:lambda:eu-west-1:111122223333:function:poolkeeper-prod-KeeperFunction7330A899-1ABC", "arn:aws:lambda:eu-west-1:111122223333:function:shop"},
		{"lambda.amazonaws.com", "DeleteFunction20150331", "functionName", "poolkeeper-prod-KeeperFunction7330A899-1ABC", "shop"},
		{"lambda.amazonaws.com", "PutFunctionConcurrency20171031", "functionName", "111122223333:function:poolkeeper-prod-KeeperFunction7330A899-1ABC", "shop"},
		{"lambda.amazonaws.com", "PutFunctionEventInvokeConfig", "functionName", "poolkeeper-prod-KeeperFunction7330A899-1ABC", "shop"},
		{"lambda.amazonaws.com", "RemovePermission20150331v2", "functionName", "poolkeeper-prod-KeeperFunction7330A899-1ABC", "shop"},
		{"cloudformation.amazonaws.com", "DeleteStack", "stackName", "poolkeeper-prod", "poolkeeper-prod-2"},
		{"cloudformation.amazonaws.com", "DeleteStack", "stackName", "arn:aws:cloudformation:eu-west-1:111122223333:stack/poolkeeper-prod/0a1b", "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b"},
		{"cloudtrail.amazonaws.com", "StopLogging", "name", "management-events", nil},
		{"cloudtrail.amazonaws.com", "DeleteTrail", "name", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/management-events", nil},
		{"cloudtrail.amazonaws.com", "UpdateTrail", "", nil, nil},
		{"cloudtrail.amazonaws.com", "PutEventSelectors", "trailName", "management-events", nil},
		{"iam.amazonaws.com", "PutRolePolicy", "roleName", "poolkeeper-prod-KeeperRoleEFECB23C-1ABC", "Admin"},
		{"iam.amazonaws.com", "DetachRolePolicy", "roleName", "poolkeeper-prod-KeeperRoleEFECB23C-1ABC", "Admin"},
		{"iam.amazonaws.com", "UpdateAssumeRolePolicy", "roleName", "poolkeeper-prod-SchedulerRoleForTarget-1ABC", "Admin"},
		{"iam.amazonaws.com", "CreatePolicyVersion", "policyArn", "arn:aws:iam::111122223333:policy/poolkeeper-prod-KeeperRoleOverflowPolicy110A12DAE-1ABC", "arn:aws:iam::111122223333:policy/Admin"},
		{"sqs.amazonaws.com", "DeleteQueue", "queueUrl", "https://sqs.eu-west-1.amazonaws.com/111122223333/poolkeeper-prod-Failed178E83A2-1ABC", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"},
		{"sqs.amazonaws.com", "RemovePermission", "queueUrl", "https://sqs.eu-west-1.amazonaws.com/111122223333/poolkeeper-prod-Failed178E83A2-1ABC", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"},
		{"sqs.amazonaws.com", "PurgeQueue", "queueUrl", "https://sqs.eu-west-1.amazonaws.com/111122223333/poolkeeper-prod-Unswept-1ABC", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"},
		{"sns.amazonaws.com", "DeleteTopic", "topicArn", "arn:aws:sns:eu-west-1:111122223333:poolkeeper-prod-AlertsTopicCF7C81C9-1ABC", "arn:aws:sns:eu-west-1:111122223333:orders"},
		{"sns.amazonaws.com", "RemovePermission", "topicArn", "arn:aws:sns:eu-west-1:111122223333:poolkeeper-prod-AlertsTopicCF7C81C9-1ABC", "arn:aws:sns:eu-west-1:111122223333:orders"},
		{"sns.amazonaws.com", "Unsubscribe", "subscriptionArn", "arn:aws:sns:eu-west-1:111122223333:poolkeeper-prod-AlertsTopicCF7C81C9-1ABC:0a1b2c3d", "arn:aws:sns:eu-west-1:111122223333:orders:0a1b2c3d"},
		{"sns.amazonaws.com", "SetSubscriptionAttributes", "subscriptionArn", "arn:aws:sns:eu-west-1:111122223333:poolkeeper-prod-AlertsTopicCF7C81C9-1ABC:0a1b2c3d", "arn:aws:sns:eu-west-1:111122223333:orders:0a1b2c3d"},
		{"dynamodb.amazonaws.com", "DeleteTable", "tableName", "poolkeeper-prod-LedgerC1B2A3D4-1ABC", "orders"},
		{"dynamodb.amazonaws.com", "DeleteTable", "tableName", "arn:aws:dynamodb:eu-west-1:111122223333:table/poolkeeper-prod-LedgerC1B2A3D4-1ABC", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"},
		{"dynamodb.amazonaws.com", "UpdateTable", "tableName", "poolkeeper-prod-LedgerC1B2A3D4-1ABC", "orders"},
		{"dynamodb.amazonaws.com", "UpdateTimeToLive", "tableName", "poolkeeper-prod-LedgerC1B2A3D4-1ABC", "orders"},
		{"dynamodb.amazonaws.com", "UpdateContinuousBackups", "tableName", "poolkeeper-prod-LedgerC1B2A3D4-1ABC", "poolkeeper-test-LedgerC1B2A3D4-1ABC"},
		{"events.amazonaws.com", "DisableRule", "name", "poolkeeper-prod-Requests0A1B2C3D-1ABC", "requests"},
		{"logs.amazonaws.com", "DeleteLogGroup", "logGroupName", "poolkeeper-prod-KeeperLog94737A1E-1ABC", "/aws/lambda/shop"},
		{"logs.amazonaws.com", "DeleteLogStream", "logGroupName", "poolkeeper-prod-KeeperLog94737A1E-1ABC", "/aws/lambda/shop"},
		{"logs.amazonaws.com", "PutRetentionPolicy", "logGroupName", "poolkeeper-prod-KeeperLog94737A1E-1ABC", "/aws/lambda/shop"},
		{"monitoring.amazonaws.com", "DeleteAlarms", "alarmNames", []any{"shop-5xx", "poolkeeper-prod-AlarmsSilent2716AC15-1ABC"}, []any{"shop-5xx"}},
		{"monitoring.amazonaws.com", "DisableAlarmActions", "alarmNames", []any{"poolkeeper-prod-AlarmsSilent2716AC15-1ABC"}, []any{}},
		{"kms.amazonaws.com", "ScheduleKeyDeletion", "keyId", "${AlertsKey9E1197AF}", "another"},
		{"kms.amazonaws.com", "DisableKey", "keyId", "${AlertsKey.Arn}", "another"},
	} {
		if !told(call(c.source, c.name, c.parameter, c.ours)) {
			t.Errorf("%s of %v is not told", c.name, c.ours)
		}
		if c.theirs != nil && told(call(c.source, c.name, c.parameter, c.theirs)) {
			t.Errorf("%s of %v is told, and is none of ours", c.name, c.theirs)
		}
	}
	for _, harmless := range []string{"TagResource", "EnableRule"} {
		if told(call("events.amazonaws.com", harmless, "name", "poolkeeper-prod-Changes510ED4B0-1ABC")) {
			t.Errorf("%s silences nothing", harmless)
		}
	}
	forged := call("events.amazonaws.com", "DisableRule", "name", "poolkeeper-prod-Changes510ED4B0-1ABC")
	forged["source"] = "my.app"
	if told(forged) {
		t.Error("an event of somebody's own is told as if AWS had sent it")
	}
}

// TestGuardKnowsItsStack: whatever of a stack poolkeeper stands on, to do away with it is told by the guard of that stack, and not by that of another stage, though one name begins with the other.
func TestGuardKnowsItsStack(t *testing.T) {
	t.Parallel()
	ways := map[string]struct{ source, call, parameter, name string }{
		"AWS::Events::Rule":        {"events.amazonaws.com", "DeleteRule", "name", "NAME"},
		"AWS::Scheduler::Schedule": {"scheduler.amazonaws.com", "DeleteSchedule", "name", "NAME"},
		"AWS::Lambda::Function":    {"lambda.amazonaws.com", "DeleteFunction20150331", "functionName", "NAME"},
		"AWS::IAM::Role":           {"iam.amazonaws.com", "DeleteRolePolicy", "roleName", "NAME"},
		"AWS::SQS::Queue":          {"sqs.amazonaws.com", "DeleteQueue", "queueUrl", "https://sqs.eu-west-1.amazonaws.com/111122223333/NAME"},
		"AWS::SNS::Topic":          {"sns.amazonaws.com", "DeleteTopic", "topicArn", "arn:aws:sns:eu-west-1:111122223333:NAME"},
		"AWS::DynamoDB::Table":     {"dynamodb.amazonaws.com", "DeleteTable", "tableName", "NAME"},
		"AWS::Logs::LogGroup":      {"logs.amazonaws.com", "DeleteLogGroup", "logGroupName", "NAME"},
		"AWS::CloudWatch::Alarm":   {"monitoring.amazonaws.com", "DeleteAlarms", "alarmNames", "NAME"},
	}
	spared := regexp.MustCompile("^(AWS679|FirstSweep)") // the first sweep is made by a function of the CDK, which keeps nothing
	guards := map[string][]map[string]any{}
	stages := map[string]template{"poolkeeper": templateOf(t, "", nil), "poolkeeper-prod": templateOf(t, "", everything)}
	for stack, tpl := range stages {
		guards[stack] = []map[string]any{patternOf(t, tpl, "GuardWiring"), patternOf(t, tpl, "GuardFooting")}
	}
	for stack, tpl := range stages {
		seen := map[string]bool{}
		for id, r := range tpl.Resources {
			way, known := ways[r.Type]
			if !known || spared.MatchString(id) {
				continue
			}
			seen[r.Type] = true
			made := call(way.source, way.call, way.parameter, strings.Replace(way.name, "NAME", stack+"-"+id+"-1ABC", 1))
			for guard, patterns := range guards {
				if told := matches(t, patterns[0], made) || matches(t, patterns[1], made); told != (guard == stack) {
					t.Errorf("the guard of %s tells of %s of %s: %v", guard, id, stack, told)
				}
			}
		}
		if len(seen) != len(ways) {
			t.Errorf("%s has only %v", stack, seen)
		}
	}
}

// TestGuardPatternsFit: EventBridge takes no pattern of more than 2,048 characters. References are counted as the longest they can become.
func TestGuardPatternsFit(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", map[string]any{"stage": "a23456789-123"})
	for _, id := range []string{"GuardWiring", "GuardFooting", "Changes", "Requests"} {
		raw, err := json.Marshal(patternOf(t, tpl, id))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(raw), `{"Ref":"AlertsKey9E1197AF"}`, strings.Repeat("k", 38))
		text = strings.ReplaceAll(text, `{"Fn::GetAtt":["AlertsKey9E1197AF","Arn"]}`, strings.Repeat("k", 90))
		if len(text) > 2048 {
			t.Errorf("the pattern of %s has %d characters", id, len(text))
		}
	}
}

// TestGuardMessage: what a person reads has who, what, from where and when, what to do, and a command that finds the whole event; a chat gets it in the form that chats take. Nothing that a caller
// can choose is in it, and the names that whoever makes a role or a user can choose stay within the backquotes that keep a chat from giving them a meaning.
func TestGuardMessage(t *testing.T) {
	t.Parallel()
	const stranger = "`stranger`<!channel> [x](https://evil.example)\"\n"
	const name = "a+=,.@_-1" // all that IAM takes in the name of a role or a user
	identity := func(kind string, more map[string]any) map[string]any {
		who := map[string]any{"type": kind, "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:x/" + stranger, "principalId": "AROAEXAMPLEID000000001:" + stranger,
			"invokedBy": stranger}
		maps.Copy(who, more)
		return who
	}
	session := map[string]any{"sessionContext": map[string]any{"sourceIdentity": stranger, "sessionIssuer": map[string]any{"type": "Role", "arn": "arn:aws:iam::111122223333:role/" + stranger, "userName": name}}}
	for kind, c := range map[string]struct {
		who map[string]any
		by  string
	}{
		"a role":      {identity("AssumedRole", session), "by: `AssumedRole " + name + "` of account 111122223333"},
		"a user":      {identity("IAMUser", map[string]any{"userName": name}), "by: `IAMUser " + name + "` of account 111122223333"},
		"the root":    {identity("Root", nil), "by: `Root ` of account 111122223333"},
		"an outsider": {identity("AWSAccount", nil), "by: `AWSAccount ` of account 111122223333"},
	} {
		event := map[string]any{
			"region": "eu-west-1", "account": "111122223333", "resources": []any{stranger},
			"detail": map[string]any{
				"eventName": "DisableRule", "eventSource": "events.amazonaws.com", "errorCode": "AccessDenied", "errorMessage": stranger, "userAgent": stranger, "userIdentity": c.who,
				"sourceIPAddress": "198.51.100.23", "eventTime": "2026-10-01T09:15:40Z", "eventID": "0c0f7a3e-5b1d-4c57-9d0e-8f2a6b3c4d5e",
				"requestParameters": map[string]any{"name": "poolkeeper-" + stranger, "description": stranger}, "tlsDetails": map[string]any{"clientProvidedHostHeader": stranger},
			},
		}
		mail := filledIn(t, nil, event)
		chat := filledIn(t, chats, event)
		var custom struct {
			Version, Source string
			Content         struct{ TextType, Title, Description string }
		}
		if err := json.Unmarshal([]byte(chat), &custom); err != nil || custom.Version != "1.0" || custom.Source != "custom" || custom.Content.TextType != "client-markdown" {
			t.Fatalf("%s: no message for a chat (%v):\n%s", kind, err, chat)
		}
		for _, text := range []string{mail, custom.Content.Title + "\n" + custom.Content.Description} {
			for _, want := range []string{"Somebody touched poolkeeper, which keeps user pools, in eu-west-1: DisableRule", "call: DisableRule of events.amazonaws.com, error: AccessDenied", c.by,
				"from: 198.51.100.23", "when: 2026-10-01T09:15:40Z, account 111122223333", "run cdk deploy, which puts poolkeeper back",
				"`aws cloudtrail lookup-events --region eu-west-1 --lookup-attributes AttributeKey=EventId,AttributeValue=0c0f7a3e-5b1d-4c57-9d0e-8f2a6b3c4d5e`"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: the message lacks %q:\n%s", kind, want, text)
				}
			}
			if strings.Contains(text, "stranger") || strings.Contains(text, "evil") {
				t.Errorf("%s: the message holds what the caller chose:\n%s", kind, text)
			}
			if strings.Count(text, "`") != 4 {
				t.Errorf("%s: the backquotes do not pair:\n%s", kind, text)
			}
		}
	}
}

// filledIn is the guard's message about an event, put together as EventBridge does: texts as they are, and nothing for what the event lacks.
func filledIn(t *testing.T, settings, event map[string]any) string {
	t.Helper()
	for id, r := range templateOf(t, "", settings).of("AWS::Events::Rule") {
		if !strings.HasPrefix(id, "GuardWiring") {
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
		if left := regexp.MustCompile(`<\w+>`).FindString(text); left != "" {
			t.Errorf("nothing fills in %s", left)
		}
		return text
	}
	t.Fatal("there is no guard")
	return ""
}

// TestGlobalRegion: where the calls of IAM appear, in each partition with user pools.
func TestGlobalRegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"eu-west-1": "us-east-1", "us-east-1": "us-east-1", "cn-northwest-1": "cn-north-1", "us-gov-east-1": "us-gov-west-1", "eusc-de-east-1": "eusc-de-east-1"} {
		if got := globalRegion(region); got != want || !isRegion(region) {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

// TestRoleWatchHasATrail: where the deployment makes the trails, there is one and only one where the calls of IAM appear.
func TestRoleWatchHasATrail(t *testing.T) {
	t.Parallel()
	for regions, want := range map[string]string{"eu-west-1": "[eu-west-1]", "eu-west-1,eu-central-1": "[eu-west-1]", "eu-west-1,us-east-1": "[]"} {
		for _, on := range []bool{true, false} {
			var made []string
			inApp(t, func(app awscdk.App) {
				s := read(t, "", map[string]any{"regions": regions, "watchRole": "true", "createTrail": on})
				for _, region := range s.Regions {
					NewRoleWatchStack(app, region, s, awscdk.NewStack(app, jsii.String(region), nil), region)
					if watch := app.Node().TryFindChild(jsii.String(region + "-role-watch")); watch != nil && watch.Node().TryFindChild(jsii.String("Trail")) != nil {
						made = append(made, region)
					}
				}
			})
			if on && fmt.Sprint(made) != want || !on && made != nil {
				t.Errorf("%s, asked for %v: a trail for %v, want %s", regions, on, made, want)
			}
		}
	}
}

// TestRoleWatch: IAM's calls appear in one Region only, from where they are handed on.
func TestRoleWatch(t *testing.T) {
	t.Parallel()
	var tpl template
	inApp(t, func(app awscdk.App) {
		NewStacks(app, read(t, "", map[string]any{"regions": "eu-west-1,us-east-1", "watchRole": "true"}))
		names := map[string]bool{}
		for _, child := range *app.Node().Children() {
			if stack, ok := child.(awscdk.Stack); ok {
				names[*stack.Node().Id()] = true
			}
		}
		if !names["poolkeeper-eu-west-1-role-watch"] || names["poolkeeper-us-east-1-role-watch"] || len(names) != 3 {
			t.Fatalf("the stacks are %v", names)
		}
		watch := app.Node().FindChild(jsii.String("poolkeeper-eu-west-1-role-watch")).(awscdk.Stack)
		if *watch.Region() != "us-east-1" {
			t.Errorf("it stands in %s", *watch.Region())
		}
		tpl = parsed(t, textOfStack(t, watch))
	})
	pattern := patternOf(t, tpl, "Calls")
	for role, want := range map[string]bool{"poolkeeper-KeeperRoleEFECB23C-1ABC": true, "poolkeeper-SchedulerRoleForTarget-1ABC": true, "poolkeeper-role-watch-eu-CallsEventsRole-1ABC": true,
		"poolkeeper-prod-KeeperRoleEFECB23C-1ABC": false, "Admin": false} {
		if got := matches(t, pattern, call("iam.amazonaws.com", "PutRolePolicy", "roleName", role)); got != want {
			t.Errorf("it watches %s: %v", role, got)
		}
	}
	for _, r := range tpl.of("AWS::Events::Rule") {
		if arn := written(at(at(r.Properties, "Targets").([]any)[0], "Arn")); arn != "arn:aws:events:eu-west-1:${AccountId}:event-bus/default" {
			t.Errorf("it hands them to %s", arn)
		}
	}
}
