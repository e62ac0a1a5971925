package main

import (
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// A Statement is what the function's role is allowed of other people's resources. What it is allowed of the stack's own, its log and queue and traces, the
// constructs grant where they make them.
type Statement struct {
	Sid        string
	Actions    []string // sorted
	Resources  []string
	Conditions map[string]map[string]string // operator to key to value
}

// A Place is where a stack stands. Its fields may be tokens that CloudFormation fills in.
type Place struct{ Partition, Region, Account string }

func (p Place) arn(service, resource string) string {
	region := p.Region
	if service == "iam" {
		region = ""
	}
	return strings.Join([]string{"arn", p.Partition, service, region, p.Account, resource}, ":")
}

// Permissions returns what the baseline makes necessary, and nothing else.
//
// The reads are those of the documents that it owns, and of their companions. The writes are those of the documents that an enforcing rule can want
// written. The others accompany every write of a whole document, whether or not its caller changes them: the role that a pool sends text
// messages with is passed on, its tags are set again. The README says the reason of each.
func Permissions(s Settings, p Place) []Statement {
	pools := []string{p.arn("cognito-idp", "userpool/*")}
	if ids, only := s.Baseline.IDs(); only {
		pools = nil
		for _, id := range inRegion(ids, p.Region) {
			pools = append(pools, p.arn("cognito-idp", "userpool/"+id))
		}
	}
	reads := readsOf(s.Baseline)
	statements := []Statement{
		{Sid: "ListPools", Actions: []string{"cognito-idp:ListUserPools"}, Resources: []string{"*"}},
		{Sid: "ReadPools", Actions: reads, Resources: pools},
	}
	enforced := s.Baseline.Enforced()
	writes := writesOf(enforced)
	if len(writes) == 0 {
		return statements
	}
	statements = append(statements, Statement{Sid: "WritePools", Actions: writes, Resources: pools})
	if !s.NoSMSRoles && slices.Contains(writes, "cognito-idp:UpdateUserPool") {
		roles := s.SMSRoles
		if len(roles) == 0 {
			roles = []string{p.arn("iam", "role/*")}
		}
		statements = append(statements, Statement{Sid: "PassSmsRole", Actions: []string{"iam:PassRole"}, Resources: roles,
			Conditions: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "cognito-idp.amazonaws.com"}}})
	}
	if keys := keysOf(s); len(keys) > 0 {
		statements = append(statements, Statement{Sid: "UseKeys", Actions: []string{"kms:CreateGrant", "kms:DescribeKey"}, Resources: keys})
	}
	if owns(enforced, "LogConfigurations") {
		statements = append(statements, logDelivery(s.Baseline)...)
	}
	if owns(enforced, "EmailConfiguration") {
		statements = append(statements, Statement{Sid: "MakeEmailRole", Actions: []string{"iam:CreateServiceLinkedRole"},
			Resources:  []string{p.arn("iam", "role/aws-service-role/email.cognito-idp.amazonaws.com/*")},
			Conditions: map[string]map[string]string{"StringEquals": {"iam:AWSServiceName": "email.cognito-idp.amazonaws.com"}}})
	}
	return statements
}

// telling returns what it takes to tell itself of the pools of a sweep, and the bus and Security Hub, where they are to be told.
func telling(s Settings, p Place) []Statement {
	statements := []Statement{{Sid: "SendSweeps", Actions: []string{"events:PutEvents"}, Resources: []string{p.arn("events", "event-bus/"+sweepBus)}}}
	if s.EventBus != "" {
		bus := s.EventBus
		if !strings.HasPrefix(bus, "arn:") {
			bus = p.arn("events", "event-bus/"+bus)
		}
		statements = append(statements, Statement{Sid: "TellBus", Actions: []string{"events:PutEvents"}, Resources: []string{bus}})
	}
	if s.SecurityHub {
		statements = append(statements, Statement{Sid: "TellSecurityHub", Actions: []string{"securityhub:BatchImportFindings"}, Resources: []string{p.arn("securityhub", "product/"+p.Account+"/default")}})
	}
	return statements
}

// readsOf returns the read actions for the documents that the baseline owns.
func readsOf(b *baseline.Baseline) []string {
	var actions []string
	for _, kind := range baseline.WithCompanions(b.Owns("")) {
		d, _ := kind.Table()
		actions = append(actions, "cognito-idp:"+d.ReadCall)
		if d.PerClient {
			actions = append(actions, "cognito-idp:ListUserPoolClients")
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// logDelivery returns what it takes to send the logs of a pool somewhere: the deliveries themselves, which know no resources, and the destinations that the baseline names.
func logDelivery(b *baseline.Baseline) []Statement {
	statements := []Statement{{Sid: "DeliverLogs", Resources: []string{"*"}, Actions: []string{"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
		"logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"}}}
	var buckets, streams []string
	for _, rule := range b.Rules {
		for _, r := range rule.Require {
			if rule.Mode == baseline.Enforce && owns([]string{r.Setting}, "LogConfigurations") {
				for _, arn := range textsIn([]any{r.Value, r.Set}) {
					switch {
					case strings.Contains(arn, ":s3:::"):
						buckets = append(buckets, arn)
					case strings.Contains(arn, ":firehose:"):
						streams = append(streams, arn)
					}
				}
			}
		}
	}
	if len(buckets) > 0 {
		statements = append(statements, Statement{Sid: "DeliverToBuckets", Actions: []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy"}, Resources: unique(buckets)})
	}
	if len(streams) > 0 {
		statements = append(statements, Statement{Sid: "DeliverToStreams", Actions: []string{"firehose:TagDeliveryStream"}, Resources: unique(streams)})
	}
	return statements
}

func unique(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// writesOf returns the write actions that the settings need. UpdateUserPool sets the pool's tags again with every write, and may ask for the right to
// tag; only a baseline that owns tags can remove one.
func writesOf(enforced []string) []string {
	var actions []string
	for _, setting := range enforced {
		for _, d := range baseline.WrittenWith(setting) {
			actions = append(actions, "cognito-idp:"+d.WriteCall)
		}
	}
	if slices.Contains(actions, "cognito-idp:UpdateUserPool") {
		actions = append(actions, "cognito-idp:TagResource")
	}
	if owns(enforced, "UserPoolTags") {
		actions = append(actions, "cognito-idp:UntagResource")
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// owns says whether one of the settings is the named member or lies in it.
func owns(settings []string, member string) bool {
	return slices.ContainsFunc(settings, func(s string) bool { return s == member || strings.HasPrefix(s, member+".") })
}

// keysOf returns the KMS keys that the deployment was told of, and those that the baseline itself requires of pools.
func keysOf(s Settings) []string {
	keys := slices.Clone(s.KMSKeys)
	for _, rule := range s.Baseline.Rules {
		for _, r := range rule.Require {
			if rule.Mode == baseline.Enforce && keyed(r.Setting) {
				keys = append(keys, keysIn(r.Value)...)
				keys = append(keys, keysIn(r.Set)...)
			}
		}
	}
	return unique(keys)
}

// keyed says whether KMS keys stand in the setting.
func keyed(setting string) bool {
	return owns([]string{setting}, "LambdaConfig") || owns([]string{setting}, "KeyConfiguration")
}

func keysIn(v any) []string {
	return slices.DeleteFunc(textsIn(v), func(text string) bool { return !keyARNs.MatchString(text) })
}

// textsIn returns the texts in a value, at any depth.
func textsIn(v any) []string {
	var found []string
	switch v := v.(type) {
	case string:
		found = append(found, v)
	case map[string]any:
		for _, e := range v {
			found = append(found, textsIn(e)...)
		}
	case []any:
		for _, e := range v {
			found = append(found, textsIn(e)...)
		}
	}
	return found
}
