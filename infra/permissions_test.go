package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	oneRule = "version: 1\nrules: [{name: a, require: {%s}}]"
	idsRule = "version: 1\nrules: [{name: a, pools: {ids: [%s]}, require: {DeletionProtection: ACTIVE}}]"
)

// allowed renders the policies of the function's role as the deployed template has them, one "action resource [condition]" a line, with the place's
// references written out.
func allowed(t *testing.T, tpl template) []string {
	t.Helper()
	var role string
	for _, f := range tpl.of("AWS::Lambda::Function") {
		if at(f.Properties, "Handler") == "bootstrap" {
			role = fmt.Sprint(at(f.Properties, "Role", "Fn::GetAtt").([]any)[0])
		}
	}
	if at(tpl.Resources[role].Properties, "ManagedPolicyArns") != nil || at(tpl.Resources[role].Properties, "Policies") != nil {
		t.Error("the role has policies beside the one that is looked at")
	}
	var lines []string
	for _, p := range tpl.of("AWS::IAM::Policy") {
		if fmt.Sprint(at(p.Properties, "Roles")) != fmt.Sprint([]any{map[string]any{"Ref": role}}) {
			continue
		}
		for _, s := range at(p.Properties, "PolicyDocument", "Statement").([]any) {
			if at(s, "Effect") != "Allow" {
				t.Errorf("a statement of effect %v", at(s, "Effect"))
			}
			condition := ""
			if c := at(s, "Condition"); c != nil {
				raw, _ := json.Marshal(c)
				condition = " " + string(raw)
			}
			for _, action := range every(at(s, "Action")) {
				for _, resource := range every(at(s, "Resource")) {
					lines = append(lines, fmt.Sprint(action, " ", written(resource), condition))
				}
			}
		}
	}
	sort.Strings(lines)
	return lines
}

func every(v any) []any {
	if all, ok := v.([]any); ok {
		return all
	}
	return []any{v}
}

// written writes a value with intrinsic functions as a text: ${Name} for a reference, ${Name.Attribute} for an attribute.
func written(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + strings.TrimPrefix(ref, "AWS::") + "}"
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", strings.TrimRight(get[0].(string), "0123456789ABCDEF"), get[1])
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var text strings.Builder
			for _, part := range join[1].([]any) {
				text.WriteString(written(part))
			}
			return text.String()
		}
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// stated renders as allowed does what the settings and their baseline make necessary.
func stated(s Settings) []string {
	place := Place{"${Partition}", "${Region}", "${AccountId}"}
	if len(s.Regions) > 0 {
		place.Partition, place.Region = "aws", s.Regions[0]
	}
	var lines []string
	for _, statement := range append(Permissions(s, place), telling(s, place)...) {
		condition := ""
		if statement.Conditions != nil {
			raw, _ := json.Marshal(statement.Conditions)
			condition = " " + string(raw)
		}
		for _, action := range statement.Actions {
			for _, resource := range statement.Resources {
				lines = append(lines, action+" "+resource+condition)
			}
		}
	}
	sort.Strings(lines)
	return lines
}

// TestRole: the function's role may do what is stated, and of the stack's own resources what the function does with them, and nothing else.
func TestRole(t *testing.T) {
	t.Parallel()
	own := []string{
		"dynamodb:GetItem ${Ledger.Arn}", "dynamodb:PutItem ${Ledger.Arn}", "dynamodb:Query ${Ledger.Arn}", "dynamodb:UpdateItem ${Ledger.Arn}",
		"logs:CreateLogStream ${KeeperLog.Arn}", "logs:PutLogEvents ${KeeperLog.Arn}",
		"kms:Decrypt ${AlertsKey.Arn}", "kms:GenerateDataKey ${AlertsKey.Arn}", "sns:Publish ${AlertsTopicCF7C81C9}",
		"sqs:GetQueueAttributes ${Failed.Arn}", "sqs:GetQueueUrl ${Failed.Arn}", "sqs:SendMessage ${Failed.Arn}",
		"xray:PutTelemetryRecords *", "xray:PutTraceSegments *",
	}
	for name, c := range map[string]struct {
		baseline string
		context  map[string]any
	}{"plain": {"", nil}, "audit": {"", map[string]any{"mode": "audit"}}, "everything": {"", everything}, "owns all": {ownsAll, nil}} {
		want := slices.Concat(stated(read(t, c.baseline, c.context)), own)
		sort.Strings(want)
		if diff := cmp.Diff(want, allowed(t, templateOf(t, c.baseline, c.context))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestManyPools: a role has room for the pools that are named one by one, each within the limits of IAM, where the names are the longest and all else is asked for too. Where there are more it may do as
// much of every pool.
func TestManyPools(t *testing.T) {
	t.Parallel()
	named := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("us-gov-west-1_AbCdEf%03d", i)
		}
		return strings.Replace(ownsAll, "eu-west-1_AbCdEf123", strings.Join(ids, ", "), 1)
	}
	if got := strings.Join(stated(read(t, named(mostNamed+1), nil)), "\n"); strings.Contains(got, "us-gov-west-1_") || !strings.Contains(got, "cognito-idp:UpdateUserPool arn:${Partition}:cognito-idp:${Region}:${AccountId}:userpool/*") {
		t.Errorf("one more than are named: %s", got)
	}
	written, beside := 0, 0
	for id, r := range templateOf(t, named(mostNamed), map[string]any{"securityHub": "true", "eventBus": "audit"}).Resources {
		most := map[string]int{"AWS::IAM::Policy": 10240, "AWS::IAM::ManagedPolicy": 6144}[r.Type]
		if most == 0 || !strings.HasPrefix(id, "KeeperRole") {
			continue
		}
		if text := sized(at(r.Properties, "PolicyDocument")); len(text) > most {
			t.Errorf("%s has %d characters, and IAM takes %d", id, len(text), most)
		}
		for _, s := range at(r.Properties, "PolicyDocument", "Statement").([]any) {
			if slices.Contains(every(at(s, "Action")), any("cognito-idp:UpdateUserPool")) {
				written += len(every(at(s, "Resource")))
			}
		}
		if r.Type == "AWS::IAM::ManagedPolicy" {
			beside++
		}
	}
	if written != mostNamed || beside == 0 || beside > 10 {
		t.Errorf("%d pools can be written, by %d policies beside the role's own", written, beside)
	}
}

// sized is a policy document as IAM counts it, with references as long as they can become.
func sized(document any) string {
	var long func(v any) any
	long = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if v["Ref"] != nil || v["Fn::GetAtt"] != nil || v["Fn::Join"] != nil {
				return strings.NewReplacer("${Partition}", "aws-us-gov", "${Region}", "us-gov-west-1", "${AccountId}", "111122223333").Replace(written(v)) + strings.Repeat("x", 40)
			}
			all := map[string]any{}
			for k, e := range v {
				all[k] = long(e)
			}
			return all
		case []any:
			all := make([]any, len(v))
			for i, e := range v {
				all[i] = long(e)
			}
			return all
		default:
			return v
		}
	}
	text, _ := json.Marshal(long(document))
	return string(text)
}

// TestPermissions: nothing more and nothing less, for a table of baselines.
func TestPermissions(t *testing.T) {
	t.Parallel()
	const (
		pools  = "arn:${Partition}:cognito-idp:${Region}:${AccountId}:userpool/*"
		pass   = `iam:PassRole arn:${Partition}:iam::${AccountId}:role/* {"StringEquals":{"iam:PassedToService":"cognito-idp.amazonaws.com"}}`
		email  = `iam:CreateServiceLinkedRole arn:${Partition}:iam::${AccountId}:role/aws-service-role/email.cognito-idp.amazonaws.com/* {"StringEquals":{"iam:AWSServiceName":"email.cognito-idp.amazonaws.com"}}`
		sms    = "arn:aws:iam::111122223333:role/sms"
		stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/logs"
		key    = "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"
	)
	always := []string{"cognito-idp:ListUserPools *", "events:PutEvents arn:${Partition}:events:${Region}:${AccountId}:event-bus/default"}
	on := func(resource string, actions ...string) []string {
		var all []string
		for _, a := range actions {
			all = append(all, "cognito-idp:"+a+" "+resource)
		}
		return all
	}
	deliveries := []string{"logs:CreateLogDelivery *", "logs:DeleteLogDelivery *", "logs:DescribeLogGroups *", "logs:DescribeResourcePolicies *", "logs:GetLogDelivery *", "logs:ListLogDeliveries *",
		"logs:PutResourcePolicy *", "logs:UpdateLogDelivery *"}
	reads := on(pools, "DescribeUserPool", "GetUserPoolMfaConfig")
	first := on(pools, "TagResource", "UpdateUserPool")
	both := append(slices.Clone(first), on(pools, "SetUserPoolMfaConfig")...)
	for name, c := range map[string]struct {
		baseline string
		context  map[string]any
		want     [][]string
		reason   string
	}{
		"the one that ships": {"", nil, [][]string{reads, first, {pass}}, "it owns settings of the first document only"},
		"audit":              {"", map[string]any{"mode": "audit"}, [][]string{reads}, "nothing is written"},
		"an audited rule":    {"version: 1\nmode: audit\nrules: [{name: a, require: {DeletionProtection: ACTIVE}}]", nil, [][]string{reads}, "the file says audit"},
		"nothing to write":   {fmt.Sprintf(oneRule, "PoolName: {matches: 'prod-*'}"), nil, [][]string{reads}, "a requirement without a value is reported only"},
		"enforce said":       {"", map[string]any{"mode": "enforce"}, [][]string{reads, first, {pass}}, "as without it"},
		"MFA":                {fmt.Sprintf(oneRule, "SoftwareTokenMfaConfiguration: {Enabled: true}"), nil, [][]string{reads, both, {pass}}, "UpdateUserPool brings the sender back"},
		"the SMS sender": {fmt.Sprintf(oneRule, "SmsConfiguration: {SnsCallerArn: '"+sms+"'}"), map[string]any{"smsRoles": sms}, [][]string{reads, both,
			{strings.Replace(pass, "arn:${Partition}:iam::${AccountId}:role/*", sms, 1)}}, "one fact in two documents"},
		"a sender that no setting names": {fmt.Sprintf(oneRule, "SmsConfiguration: {SnsCallerArn: '"+sms+"'}"), map[string]any{"smsRoles": "arn:aws:iam::111122223333:role/other"}, [][]string{reads, both,
			{strings.Replace(pass, "arn:${Partition}:iam::${AccountId}:role/*", sms, 1), strings.Replace(pass, "arn:${Partition}:iam::${AccountId}:role/*", "arn:aws:iam::111122223333:role/other", 1)}}, "the baseline requires it"},
		"no SMS but what is required": {fmt.Sprintf(oneRule, "SmsConfiguration: {SnsCallerArn: '"+sms+"'}"), map[string]any{"smsRoles": "none"}, [][]string{reads, both,
			{strings.Replace(pass, "arn:${Partition}:iam::${AccountId}:role/*", sms, 1)}}, "the baseline requires it"},
		"no SMS":       {"", map[string]any{"smsRoles": "none"}, [][]string{reads, first}, "no pool sends text messages"},
		"tags":         {fmt.Sprintf(oneRule, "UserPoolTags: {env: prod}"), nil, [][]string{reads, first, on(pools, "UntagResource"), {pass}}, "a required tag set may lack one"},
		"mail":         {fmt.Sprintf(oneRule, "EmailConfiguration: {EmailSendingAccount: DEVELOPER}"), nil, [][]string{reads, first, {pass, email}}, "the first pool that sends through SES needs Cognito's role"},
		"given keys":   {"", map[string]any{"kmsKeys": key}, [][]string{reads, first, {pass, "kms:CreateGrant " + key, "kms:DescribeKey " + key}}, "custom senders use them"},
		"required key": {fmt.Sprintf(oneRule, "LambdaConfig: {KMSKeyID: '"+key+"'}"), nil, [][]string{reads, first, {pass, "kms:CreateGrant " + key, "kms:DescribeKey " + key}}, "the baseline names it"},
		"keys of two Regions": {fmt.Sprintf(oneRule, "LambdaConfig: {KMSKeyID: '"+strings.Replace(key, "eu-west-1", "us-east-1", 1)+"'}"), map[string]any{"kmsKeys": key, "regions": "eu-west-1"}, [][]string{
			on("arn:aws:cognito-idp:eu-west-1:${AccountId}:userpool/*", "DescribeUserPool", "GetUserPoolMfaConfig", "TagResource", "UpdateUserPool"),
			{strings.Replace(pass, "${Partition}", "aws", 1), "kms:CreateGrant " + key, "kms:DescribeKey " + key}}, "a pool's key is of its Region"},
		"audited key": {"version: 1\nmode: audit\nrules: [{name: a, require: {LambdaConfig: {KMSKeyID: '" + key + "'}}}]", nil, [][]string{reads}, "it is not written"},
		"risk": {fmt.Sprintf(oneRule, "RiskConfiguration: {CompromisedCredentialsRiskConfiguration: {Actions: {EventAction: BLOCK}}}"), nil,
			[][]string{on(pools, "DescribeUserPool", "DescribeRiskConfiguration", "SetRiskConfiguration")}, "the pool itself is only looked at for its name and tags"},
		"logs": {fmt.Sprintf(oneRule, "LogConfigurations: {userAuthEvents: {LogLevel: INFO, S3Configuration: {BucketArn: 'arn:aws:s3:::logs'}}, userNotification: {absent: true}}"), nil,
			[][]string{on(pools, "DescribeUserPool", "GetLogDeliveryConfiguration", "SetLogDeliveryConfiguration"), {"s3:GetBucketPolicy arn:aws:s3:::logs", "s3:PutBucketPolicy arn:aws:s3:::logs"},
				deliveries}, "a delivery is made in the caller's name"},
		"logs to Firehose": {fmt.Sprintf(oneRule, "LogConfigurations: {userAuthEvents: {LogLevel: INFO, FirehoseConfiguration: {StreamArn: '"+stream+"'}}}"), nil,
			[][]string{on(pools, "DescribeUserPool", "GetLogDeliveryConfiguration", "SetLogDeliveryConfiguration"), {"firehose:TagDeliveryStream " + stream, strings.ReplaceAll(email, "email.cognito-idp", "delivery.logs")},
				deliveries}, "the first delivery of an account to a stream needs the role of CloudWatch Logs"},
		"clients": {"version: 1\nrules: [{name: a, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]}]", nil,
			[][]string{on(pools, "DescribeUserPool", "DescribeUserPoolClient", "ListUserPoolClients", "UpdateUserPoolClient")}, "clients are found by listing them"},
		"audited clients": {"version: 1\nmode: audit\nrules: [{name: a, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]}]", nil,
			[][]string{on(pools, "DescribeUserPool", "DescribeUserPoolClient", "ListUserPoolClients")}, "nothing is written"},
		"watched": {"version: 1\nrules: [{name: a, watch: [clients, groups]}]", nil, [][]string{on(pools, "DescribeUserPool")}, "what is watched is told by the event"},
		"others are told": {"", map[string]any{"mode": "audit", "eventBus": "audit", "securityHub": "true"}, [][]string{reads, {"events:PutEvents arn:${Partition}:events:${Region}:${AccountId}:event-bus/audit",
			"securityhub:BatchImportFindings arn:${Partition}:securityhub:${Region}:${AccountId}:product/${AccountId}/default"}}, "a bus and Security Hub"},
		"a bus elsewhere": {"", map[string]any{"mode": "audit", "eventBus": "arn:aws:events:eu-west-1:222233334444:event-bus/audit"}, [][]string{reads,
			{"events:PutEvents arn:aws:events:eu-west-1:222233334444:event-bus/audit"}}, "a bus of another account"},
		"ids": {fmt.Sprintf(idsRule, "eu-west-1_AbCdEf123, eu-west-1_Zz9"), nil, [][]string{
			on(strings.Replace(pools, "*", "eu-west-1_AbCdEf123", 1), "DescribeUserPool", "GetUserPoolMfaConfig", "TagResource", "UpdateUserPool"),
			on(strings.Replace(pools, "*", "eu-west-1_Zz9", 1), "DescribeUserPool", "GetUserPoolMfaConfig", "TagResource", "UpdateUserPool"), {pass}}, "no other pool is meant"},
		"ids of the Region": {fmt.Sprintf(idsRule, "eu-west-1_AbCdEf123, us-east-1_Zz9"), map[string]any{"regions": "eu-west-1"}, [][]string{
			on("arn:aws:cognito-idp:eu-west-1:${AccountId}:userpool/eu-west-1_AbCdEf123", "DescribeUserPool", "GetUserPoolMfaConfig", "TagResource", "UpdateUserPool"),
			{strings.Replace(pass, "${Partition}", "aws", 1)}}, "the others are elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, c.baseline, c.context)
			want := slices.Concat(append(c.want, always)...)
			if len(s.Regions) > 0 { // what is deployed to is known then
				for i := range want {
					want[i] = strings.Replace(want[i], "arn:${Partition}:events:${Region}", "arn:aws:events:eu-west-1", 1)
				}
			}
			sort.Strings(want)
			if diff := cmp.Diff(want, stated(s)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
