package main

import (
	"regexp"
	"slices"
	"strconv"
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
	statements := append([]Statement{{Sid: "ListPools", Actions: []string{"cognito-idp:ListUserPools"}, Resources: []string{"*"}}}, onPools(s, p, "ReadPools", readsOf(s.Baseline))...)
	enforced := s.Baseline.Enforced()
	writes := writesOf(enforced)
	if len(writes) == 0 {
		return statements
	}
	statements = append(statements, onPools(s, p, "WritePools", writes)...)
	if roles := smsRoles(s, p); len(roles) > 0 && slices.Contains(writes, "cognito-idp:UpdateUserPool") {
		statements = append(statements, Statement{Sid: "PassSmsRole", Actions: []string{"iam:PassRole"}, Resources: roles,
			Conditions: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "cognito-idp.amazonaws.com"}}})
	}
	keys := append(slices.Clone(s.KMSKeys), required(s.Baseline, keyARNs, "LambdaConfig", "KeyConfiguration")...)
	if keys = p.own(unique(keys)); len(keys) > 0 {
		statements = append(statements, Statement{Sid: "UseKeys", Actions: []string{"kms:CreateGrant", "kms:DescribeKey"}, Resources: keys})
	}
	if owns(enforced, "LogConfigurations") {
		statements = append(statements, logDelivery(s.Baseline, p)...)
	}
	if owns(enforced, "EmailConfiguration") {
		statements = append(statements, p.serviceRole("MakeEmailRole", "email.cognito-idp.amazonaws.com"))
	}
	return statements
}

const (
	// mostNamed is how many pools are named one by one. Policies have room for 10,240 characters in a role, and for 6,144 in each of ten beside it.
	mostNamed = 100
	// inOne is how many pools stand in one statement: what a role has no room for, the CDK moves by whole statements.
	inOne = 25
)

// onPools lets something be done to the pools of the account and Region; only to those named, if every rule names ids and there are not too many.
func onPools(s Settings, p Place, sid string, actions []string) []Statement {
	ids, only := s.Baseline.IDs()
	if ids = inRegion(ids, p.Region); !only || len(ids) > mostNamed {
		return []Statement{{Sid: sid, Actions: actions, Resources: []string{p.arn("cognito-idp", "userpool/*")}}}
	}
	var statements []Statement
	for some := range slices.Chunk(ids, inOne) {
		next := Statement{Sid: sid, Actions: actions}
		if n := len(statements); n > 0 {
			next.Sid += strconv.Itoa(n + 1)
		}
		for _, id := range some {
			next.Resources = append(next.Resources, p.arn("cognito-idp", "userpool/"+id))
		}
		statements = append(statements, next)
	}
	return statements
}

// own drops the ARNs of other Regions, where the Region is known.
func (p Place) own(arns []string) []string {
	return slices.DeleteFunc(arns, func(arn string) bool { return isRegion(p.Region) && regionOf(arn) != p.Region })
}

// serviceRole lets a service's own role be made, which an account has from the first use of the service on.
func (p Place) serviceRole(sid, service string) Statement {
	return Statement{Sid: sid, Actions: []string{"iam:CreateServiceLinkedRole"}, Resources: []string{p.arn("iam", "role/aws-service-role/"+service+"/*")},
		Conditions: map[string]map[string]string{"StringEquals": {"iam:AWSServiceName": service}}}
}

// smsRoles returns the roles that may be passed on: those of the settings and of the baseline, or any, where the settings say nothing.
func smsRoles(s Settings, p Place) []string {
	if len(s.SMSRoles) == 0 && !s.NoSMSRoles {
		return []string{p.arn("iam", "role/*")}
	}
	return unique(append(slices.Clone(s.SMSRoles), required(s.Baseline, roleARNs, "SmsConfiguration", "SmsMfaConfiguration")...))
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

// Where a pool's logs can be sent to, beside a group of CloudWatch Logs.
var (
	buckets = regexp.MustCompile(`^arn:[\w-]+:s3:::`)
	streams = regexp.MustCompile(`^arn:[\w-]+:firehose:`)
)

// logDelivery returns what it takes to send the logs of a pool somewhere: the deliveries themselves, which know no resources, and the destinations that the baseline names.
func logDelivery(b *baseline.Baseline, p Place) []Statement {
	statements := []Statement{{Sid: "DeliverLogs", Resources: []string{"*"}, Actions: []string{"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
		"logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"}}}
	if to := required(b, buckets, "LogConfigurations"); len(to) > 0 {
		statements = append(statements, Statement{Sid: "DeliverToBuckets", Actions: []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy"}, Resources: to})
	}
	if to := p.own(required(b, streams, "LogConfigurations")); len(to) > 0 {
		statements = append(statements, Statement{Sid: "DeliverToStreams", Actions: []string{"firehose:TagDeliveryStream"}, Resources: to},
			p.serviceRole("MakeDeliveryRole", "delivery.logs.amazonaws.com"))
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

// required returns the texts of a form, each once, that enforcing rules require within some of the pool's members.
func required(b *baseline.Baseline, form *regexp.Regexp, members ...string) []string {
	var found []string
	for _, rule := range b.Rules {
		for _, r := range rule.Require {
			within := slices.ContainsFunc(members, func(member string) bool { return owns([]string{r.Setting}, member) })
			if rule.Mode == baseline.Enforce && within {
				found = append(found, textsIn([]any{r.Value, r.Set})...)
			}
		}
	}
	return unique(slices.DeleteFunc(found, func(text string) bool { return !form.MatchString(text) }))
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
