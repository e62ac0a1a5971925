package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"poolkeeper/baseline"
)

// A Statement allows actions to the function's role, optionally on the condition that a request key has a value.
type Statement struct {
	Sid                string
	Actions, Resources []string
	Key, Value         string
}

func statement(sid string, resources []string, actions ...string) Statement {
	return Statement{Sid: sid, Actions: actions, Resources: resources}
}

func (s Statement) where(key, value string) Statement {
	s.Key, s.Value = key, value
	return s
}

const updateUserPool = "cognito-idp:UpdateUserPool"

// in returns the ARN of a resource at the location of another ARN, whose parts may be tokens that CloudFormation
// resolves.
func in(location arn.ARN, service, resource string) string {
	location.Service, location.Resource = service, resource
	if service == "iam" {
		location.Region = ""
	}
	return location.String()
}

// regionOf returns the Region in an ARN, or "".
func regionOf(text string) string {
	parsed, _ := arn.Parse(text)
	return parsed.Region
}

// Permissions returns the permissions that the baseline and the settings need, and no others.
//
// The read actions are for the documents with requirements and their companions. The write actions are for the
// documents that rules in enforce mode can write. Every write of a whole document also needs other permissions, even
// for values that it does not change: to pass the role for text messages, and to set the tags again. The README has the
// reason for each permission.
func Permissions(s Settings, p arn.ARN) []Statement {
	enforced := s.Baseline.Enforced()
	writes := writesOf(enforced)
	all := []Statement{statement("ListPools", []string{"*"}, "cognito-idp:ListUserPools")}
	all = append(all, onPools(s, p, "ReadPools", readsOf(s.Baseline))...)
	all = append(all, onPools(s, p, "WritePools", writes)...)
	if slices.Contains(writes, updateUserPool) {
		pass := statement("PassSmsRole", smsRoles(s, p), "iam:PassRole")
		all = append(all, pass.where("iam:PassedToService", "cognito-idp.amazonaws.com"))
	}
	if len(writes) > 0 {
		keys := append(required(s.Baseline, keyForm, "LambdaConfig", "KeyConfiguration"), s.KMSKeys...)
		all = append(all, statement("UseKeys", own(p, unique(keys)), "kms:CreateGrant", "kms:DescribeKey"))
	}
	if within(enforced, "LogConfigurations") {
		all = append(all, logDelivery(s.Baseline, p)...)
	}
	if within(enforced, "EmailConfiguration") {
		all = append(all, serviceRole(p, "MakeEmailRole", "email.cognito-idp.amazonaws.com"))
	}
	if bus := s.Notify.EventBus; bus != "" && s.Local == "" {
		if !strings.HasPrefix(bus, "arn:") {
			bus = in(p, "events", "event-bus/"+bus)
		}
		all = append(all, statement("PutOutcomes", []string{bus}, "events:PutEvents"))
	}
	if s.Notify.SecurityHub && s.Local == "" {
		product := []string{in(p, "securityhub", "product/"+p.AccountID+"/default")}
		all = append(all, statement("ImportFindings", product, "securityhub:BatchImportFindings"))
	}
	return slices.DeleteFunc(all, func(s Statement) bool { return len(s.Actions) == 0 || len(s.Resources) == 0 })
}

const (
	// mostNamed is the largest number of pools that are listed separately. A role can have 10,240 characters in inline
	// policies and 6,144 in each of ten managed policies.
	mostNamed = 100
	// inOne is the number of pools in one statement: the CDK moves whole statements to managed policies.
	inOne = 25
)

// onPools allows actions on the pools of the account and Region, or only on the listed pools if every rule names ids
// and there are not too many.
func onPools(s Settings, p arn.ARN, sid string, actions []string) []Statement {
	ids, only := s.Baseline.IDs()
	if ids = inRegion(ids, p.Region); !only || len(ids) > mostNamed {
		ids = []string{"*"}
	}
	for i, id := range ids {
		ids[i] = in(p, "cognito-idp", "userpool/"+id)
	}
	var all []Statement
	for some := range slices.Chunk(ids, inOne) {
		all = append(all, statement(sid, some, actions...))
		if n := len(all); n > 1 {
			all[n-1].Sid += strconv.Itoa(n)
		}
	}
	return all
}

// own removes the ARNs of other Regions if the Region is known.
func own(p arn.ARN, arns []string) []string {
	return slices.DeleteFunc(arns, func(arn string) bool { return isRegion(p.Region) && regionOf(arn) != p.Region })
}

// serviceRole allows creating the service-linked role of a service, which an account gets with the first use of the
// service.
func serviceRole(p arn.ARN, sid, service string) Statement {
	roles := []string{in(p, "iam", "role/aws-service-role/"+service+"/*")}
	return statement(sid, roles, "iam:CreateServiceLinkedRole").where("iam:AWSServiceName", service)
}

// smsRoles returns the roles that may be passed: those of the settings and of the baseline, or any role if the settings
// name none.
func smsRoles(s Settings, p arn.ARN) []string {
	if len(s.SMSRoles) == 0 {
		return []string{in(p, "iam", "role/*")}
	}
	roles := append(required(s.Baseline, roleForm, "SmsConfiguration", "SmsMfaConfiguration"), s.SMSRoles...)
	return unique(slices.DeleteFunc(roles, func(role string) bool { return role == "none" }))
}

func readsOf(b *baseline.Baseline) []string {
	var actions []string
	for _, kind := range baseline.WithCompanions(b.Owns("")) {
		d, _ := kind.Table()
		actions = append(actions, "cognito-idp:"+d.ReadCall)
		if d.PerClient {
			actions = append(actions, "cognito-idp:ListUserPoolClients")
		}
	}
	return unique(actions)
}

// logDelivery returns the permissions to deliver a pool's logs: for the deliveries, which have no resource ARNs, and
// for the destinations in the baseline.
func logDelivery(b *baseline.Baseline, p arn.ARN) []Statement {
	const member = "LogConfigurations"
	statements := []Statement{statement("DeliverLogs", []string{"*"},
		"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
		"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
		statement("DeliverToBuckets", required(b, `arn:[\w-]+:s3:::[^"]*`, member),
			"s3:GetBucketPolicy", "s3:PutBucketPolicy")}
	if to := own(p, required(b, `arn:[\w-]+:firehose:[^"]*`, member)); len(to) > 0 {
		statements = append(statements, statement("DeliverToStreams", to, "firehose:TagDeliveryStream"),
			serviceRole(p, "MakeDeliveryRole", "delivery.logs.amazonaws.com"))
	}
	return statements
}

func unique(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// writesOf returns the write actions that the settings need. UpdateUserPool sets the pool's tags again with every
// write, and may need the permission to tag. Only a baseline that requires tags can remove a tag.
func writesOf(enforced []string) []string {
	var actions []string
	for _, setting := range enforced {
		for _, d := range baseline.WrittenWith(setting) {
			actions = append(actions, "cognito-idp:"+d.WriteCall)
		}
	}
	if slices.Contains(actions, updateUserPool) {
		actions = append(actions, "cognito-idp:TagResource")
	}
	if within(enforced, "UserPoolTags") {
		actions = append(actions, "cognito-idp:UntagResource")
	}
	return unique(actions)
}

// within reports whether one of the settings is the named member or part of it.
func within(settings []string, member string) bool {
	return slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s+".", member+".") })
}

// required returns the texts of one form that rules in enforce mode require within some members of the pool, without
// duplicates.
func required(b *baseline.Baseline, form string, members ...string) []string {
	var found []string
	for _, rule := range b.Rules {
		for _, r := range rule.Require {
			wanted := slices.ContainsFunc(members, func(m string) bool { return within([]string{r.Setting}, m) })
			if rule.Mode != baseline.Enforce || !wanted {
				continue
			}
			text, _ := json.Marshal([]any{r.Value, r.Set})
			for _, quoted := range regexp.MustCompile(`"(`+form+`)"`).FindAllStringSubmatch(string(text), -1) {
				found = append(found, quoted[1])
			}
		}
	}
	return unique(found)
}
