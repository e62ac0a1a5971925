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

func every(v any) []any {
	if all, ok := v.([]any); ok {
		return all
	}
	return []any{v}
}

// written writes a value with intrinsic functions as a text: ${Name} for a reference, ${Name.Attribute} for an
// attribute.
func written(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + plain(strings.TrimPrefix(ref, "AWS::")) + "}"
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", plain(get[0].(string)), get[1])
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

// plain is a logical id without the hash at its end.
func plain(id string) string { return strings.TrimRight(id, "0123456789ABCDEF") }

// stated renders what the settings and their baseline make necessary, one "action resource [condition]" a line, with
// references to the location of the stack.
func stated(s Settings) []string {
	location := Location{"${Partition}", "${Region}", "${AccountId}"}
	if len(s.Regions) > 0 {
		location.Partition, location.Region = "aws", s.Regions[0]
	}
	var lines []string
	for _, statement := range Permissions(s, location) {
		condition := ""
		if statement.Key != "" {
			condition = fmt.Sprintf(` {"StringEquals":{%q:%q}}`, statement.Key, statement.Value)
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

// namingPools is a baseline that requires something of every document of so many pools.
func namingPools(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("us-gov-west-1_AbCdEf%03d", i)
	}
	return strings.Replace(ownsAll, "eu-west-1_AbCdEf123", strings.Join(ids, ", "), 1)
}

// TestManyPools: a role has room for the pools that are named one by one, each policy within the limits of IAM, where
// the names are the longest and all else is asked for too, and the function waits for all these policies. Where more
// pools are named, the role may do as much with every pool.
func TestManyPools(t *testing.T) {
	t.Parallel()
	one := strings.Join(stated(read(t, namingPools(mostNamed+1), nil)), "\n")
	const all = "cognito-idp:UpdateUserPool arn:${Partition}:cognito-idp:${Region}:${AccountId}:userpool/*"
	if strings.Contains(one, "us-gov-west-1_") || !strings.Contains(one, all) {
		t.Errorf("one more than are named: %s", one)
	}
	pools, waits := 0, []string{}
	tpl := templateOf(t, namingPools(mostNamed), map[string]any{"securityHub": "true", "eventBus": "audit"})
	for id, r := range tpl.Resources {
		most := map[string]int{"AWS::IAM::Policy": 10240, "AWS::IAM::ManagedPolicy": 6144}[r.Type]
		if most == 0 || !strings.HasPrefix(id, "KeeperRole") {
			continue
		}
		waits = append(waits, id)
		if text := sized(at(r.Properties, "PolicyDocument")); len(text) > most {
			t.Errorf("%s has %d characters, and IAM allows %d", id, len(text), most)
		}
		for _, s := range at(r.Properties, "PolicyDocument", "Statement").([]any) {
			if slices.Contains(every(at(s, "Action")), any("cognito-idp:UpdateUserPool")) {
				pools += len(every(at(s, "Resource")))
			}
		}
	}
	if pools != mostNamed || len(waits) < 2 || len(waits) > 11 {
		t.Errorf("%d pools can be written, by %d policies", pools, len(waits))
	}
	slices.Sort(waits)
	for _, f := range tpl.of("AWS::Lambda::Function") {
		only := slices.DeleteFunc(slices.Sorted(slices.Values(f.DependsOn)), func(id string) bool {
			return tpl.Resources[id].Type == "AWS::IAM::Role"
		})
		if diff := cmp.Diff(waits, only); diff != "" {
			t.Errorf("what the function waits for (-want +got):\n%s", diff)
		}
	}
}

// sized is a policy document as IAM counts it, with references as long as they can become.
func sized(document any) string {
	known := strings.NewReplacer(
		"${Partition}", "aws-us-gov", "${Region}", "us-gov-west-1", "${AccountId}", "111122223333")
	text, _ := json.Marshal(replaced(document, func(function map[string]any) any {
		return known.Replace(written(function)) + strings.Repeat("x", 40)
	}))
	return string(text)
}

// replaced returns a value with others in place of intrinsic functions.
func replaced(v any, by func(function map[string]any) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return by(v)
			}
			out[name] = replaced(e, by)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaced(e, by)
		}
		return out
	default:
		return v
	}
}

const (
	anyPool = "arn:${Partition}:cognito-idp:${Region}:${AccountId}:userpool/*"
	anyRole = "arn:${Partition}:iam::${AccountId}:role/"
	toPass  = ` {"StringEquals":{"iam:PassedToService":"cognito-idp.amazonaws.com"}}`
	pass    = "iam:PassRole " + anyRole + "*" + toPass
	email   = "iam:CreateServiceLinkedRole " + anyRole + "aws-service-role/email.cognito-idp.amazonaws.com/* " +
		`{"StringEquals":{"iam:AWSServiceName":"email.cognito-idp.amazonaws.com"}}`
	smsRole   = "arn:aws:iam::111122223333:role/sms"
	otherRole = "arn:aws:iam::111122223333:role/other"
	stream    = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/logs"
	poolKey   = "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444"

	smsRule     = "version: 1\nrules: [{name: a, require: {SmsConfiguration: {SnsCallerArn: '" + smsRole + "'}}}]"
	clientsRule = "rules: [{name: a, clients: [{require: {PreventUserExistenceErrors: ENABLED}}]}]"
	keyRule     = "rules: [{name: a, require: {LambdaConfig: {KMSKeyID: '%s'}}}]"
	logsRule    = "version: 1\nrules: [{name: a, require: {LogConfigurations: {userAuthEvents: {LogLevel: INFO, %s}}}}]"
)

// on renders actions on a resource.
func on(resource string, actions ...string) []string {
	var all []string
	for _, a := range actions {
		all = append(all, "cognito-idp:"+a+" "+resource)
	}
	return all
}

var (
	poolReads = on(anyPool, "DescribeUserPool", "GetUserPoolMfaConfig")
	poolWrite = on(anyPool, "TagResource", "UpdateUserPool")
	mfaWrite  = on(anyPool, "SetUserPoolMfaConfig", "TagResource", "UpdateUserPool")
	logWrite  = on(anyPool, "DescribeUserPool", "GetLogDeliveryConfiguration", "SetLogDeliveryConfiguration")
	fourCalls = []string{"DescribeUserPool", "GetUserPoolMfaConfig", "TagResource", "UpdateUserPool"}
	keyUse    = []string{pass, "kms:CreateGrant " + poolKey, "kms:DescribeKey " + poolKey}
	delivery  = []string{
		"logs:CreateLogDelivery *", "logs:DeleteLogDelivery *", "logs:DescribeLogGroups *",
		"logs:DescribeResourcePolicies *", "logs:GetLogDelivery *", "logs:ListLogDeliveries *",
		"logs:PutResourcePolicy *", "logs:UpdateLogDelivery *",
	}
)

// permissionCases are a table of baselines and settings, with what they make necessary beside listing the pools.
var permissionCases = map[string]struct {
	baseline string
	context  string
	want     [][]string
}{
	"the one that ships": {"", "", [][]string{poolReads, poolWrite, {pass}}},
	"audit":              {"", "mode=audit", [][]string{poolReads}},
	"an audited rule": {"version: 1\nmode: audit\nrules: [{name: a, require: {DeletionProtection: ACTIVE}}]", "",
		[][]string{poolReads}},
	"nothing to write": {fmt.Sprintf(oneRule, "PoolName: {matches: 'prod-*'}"), "", [][]string{poolReads}},
	"enforce":          {"", "mode=enforce", [][]string{poolReads, poolWrite, {pass}}},
	"MFA": {fmt.Sprintf(oneRule, "SoftwareTokenMfaConfiguration: {Enabled: true}"), "",
		[][]string{poolReads, mfaWrite, {pass}}},
	"the SMS sender": {smsRule, "smsRoles=" + smsRole,
		[][]string{poolReads, mfaWrite, {"iam:PassRole " + smsRole + toPass}}},
	"a sender that no setting names": {smsRule, "smsRoles=" + otherRole,
		[][]string{poolReads, mfaWrite, {"iam:PassRole " + smsRole + toPass, "iam:PassRole " + otherRole + toPass}}},
	"no SMS but what is required": {smsRule, "smsRoles=none",
		[][]string{poolReads, mfaWrite, {"iam:PassRole " + smsRole + toPass}}},
	"no SMS": {"", "smsRoles=none", [][]string{poolReads, poolWrite}},
	"tags": {fmt.Sprintf(oneRule, "UserPoolTags: {env: prod}"), "",
		[][]string{poolReads, poolWrite, on(anyPool, "UntagResource"), {pass}}},
	"mail": {fmt.Sprintf(oneRule, "EmailConfiguration: {EmailSendingAccount: DEVELOPER}"), "",
		[][]string{poolReads, poolWrite, {pass, email}}},
	"given keys":   {"", "kmsKeys=" + poolKey, [][]string{poolReads, poolWrite, keyUse}},
	"required key": {"version: 1\n" + fmt.Sprintf(keyRule, poolKey), "", [][]string{poolReads, poolWrite, keyUse}},
	"keys of two Regions": {"version: 1\n" + fmt.Sprintf(keyRule, strings.Replace(poolKey, "eu-west", "us-east", 1)),
		"kmsKeys=" + poolKey + ";regions=eu-west-1", [][]string{
			on("arn:aws:cognito-idp:eu-west-1:${AccountId}:userpool/*", fourCalls...),
			{strings.Replace(pass, "${Partition}", "aws", 1)}, keyUse[1:]}},
	"audited key": {"version: 1\nmode: audit\n" + fmt.Sprintf(keyRule, poolKey), "", [][]string{poolReads}},
	"risk": {baselines["risk"], "",
		[][]string{on(anyPool, "DescribeUserPool", "DescribeRiskConfiguration", "SetRiskConfiguration")}},
	"logs": {baselines["logs"], "",
		[][]string{logWrite, {"s3:GetBucketPolicy arn:aws:s3:::logs", "s3:PutBucketPolicy arn:aws:s3:::logs"}, delivery}},
	"logs to Firehose": {fmt.Sprintf(logsRule, "FirehoseConfiguration: {StreamArn: '"+stream+"'}"), "",
		[][]string{logWrite, {"firehose:TagDeliveryStream " + stream,
			strings.ReplaceAll(email, "email.cognito-idp", "delivery.logs")}, delivery}},
	"clients": {"version: 1\n" + clientsRule, "", [][]string{on(anyPool, "DescribeUserPool", "DescribeUserPoolClient",
		"ListUserPoolClients", "UpdateUserPoolClient")}},
	"audited clients": {"version: 1\nmode: audit\n" + clientsRule, "",
		[][]string{on(anyPool, "DescribeUserPool", "DescribeUserPoolClient", "ListUserPoolClients")}},
	"watched": {"version: 1\nrules: [{name: a, watch: [clients, groups]}]", "",
		[][]string{on(anyPool, "DescribeUserPool")}},
	"others are notified": {"", "mode=audit;eventBus=audit;securityHub=true",
		[][]string{poolReads, {"events:PutEvents arn:${Partition}:events:${Region}:${AccountId}:event-bus/audit",
			"securityhub:BatchImportFindings arn:${Partition}:securityhub:${Region}:${AccountId}:product/${AccountId}/default",
		}}},
	"a bus of another account": {"", "mode=audit;eventBus=arn:aws:events:eu-west-1:222233334444:event-bus/audit",
		[][]string{poolReads, {"events:PutEvents arn:aws:events:eu-west-1:222233334444:event-bus/audit"}}},
	"ids": {fmt.Sprintf(idsRule, "eu-west-1_AbCdEf123, eu-west-1_Zz9"), "", [][]string{
		on(strings.Replace(anyPool, "*", "eu-west-1_AbCdEf123", 1), fourCalls...),
		on(strings.Replace(anyPool, "*", "eu-west-1_Zz9", 1), fourCalls...), {pass}}},
	"ids of the Region": {fmt.Sprintf(idsRule, "eu-west-1_AbCdEf123, us-east-1_Zz9"), "regions=eu-west-1", [][]string{
		on("arn:aws:cognito-idp:eu-west-1:${AccountId}:userpool/eu-west-1_AbCdEf123", fourCalls...),
		{strings.Replace(pass, "${Partition}", "aws", 1)}}},
}

// TestPermissions: the role gets exactly what is necessary.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range permissionCases {
		t.Run(name, func(t *testing.T) {
			want := append(slices.Concat(c.want...), "cognito-idp:ListUserPools *")
			sort.Strings(want)
			if diff := cmp.Diff(want, stated(read(t, c.baseline, contextOf(c.context)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
