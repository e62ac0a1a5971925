package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"poolkeeper/baseline"
)

// A Statement is what the function's role is allowed to do, where a key of the request equals a value, if there is one.
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

// A Location is where a stack is. Its fields may be tokens that CloudFormation resolves.
type Location struct{ Partition, Region, Account string }

func (p Location) arn(service, resource string) string {
	region := p.Region
	if service == "iam" {
		region = ""
	}
	return strings.Join([]string{"arn", p.Partition, service, region, p.Account, resource}, ":")
}

// locationOf returns the location in an ARN, an empty one where it has none.
func locationOf(arn string) Location {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return Location{parts[1], parts[3], parts[4]}
	}
	return Location{}
}

// Permissions returns what the baseline makes necessary, and nothing else.
//
// The reads are those of the documents that it requires something of, and of their companions. The writes are those of
// the documents that an enforcing rule can write. The others accompany every write of a whole document, whether or not
// its caller changes them: the role that a pool sends text messages with is passed, its tags are set again. The README
// gives the reason of each.
func Permissions(s Settings, p Location) []Statement {
	statements := []Statement{statement("ListPools", []string{"*"}, "cognito-idp:ListUserPools")}
	statements = append(statements, onPools(s, p, "ReadPools", readsOf(s.Baseline))...)
	enforced := s.Baseline.Enforced()
	writes := writesOf(enforced)
	if len(writes) == 0 {
		return statements
	}
	statements = append(statements, onPools(s, p, "WritePools", writes)...)
	if roles := smsRoles(s, p); len(roles) > 0 && slices.Contains(writes, updateUserPool) {
		pass := statement("PassSmsRole", roles, "iam:PassRole")
		statements = append(statements, pass.where("iam:PassedToService", "cognito-idp.amazonaws.com"))
	}
	keys := append(slices.Clone(s.KMSKeys), required(s.Baseline, whole(keyForm), "LambdaConfig", "KeyConfiguration")...)
	if keys = p.own(unique(keys)); len(keys) > 0 {
		statements = append(statements, statement("UseKeys", keys, "kms:CreateGrant", "kms:DescribeKey"))
	}
	if within(enforced, "LogConfigurations") {
		statements = append(statements, logDelivery(s.Baseline, p)...)
	}
	if within(enforced, "EmailConfiguration") {
		statements = append(statements, p.serviceRole("MakeEmailRole", "email.cognito-idp.amazonaws.com"))
	}
	return statements
}

const (
	// mostNamed is how many pools are named one by one. A role's policies have room for 10,240 characters, and for 6,144
	// in each of ten beside them.
	mostNamed = 100
	// inOne is how many pools are in one statement: the CDK moves whole statements into the policies beside the role's.
	inOne = 25
)

// onPools allows actions on the pools of the account and Region; only on those named, if every rule names ids and there
// are not too many.
func onPools(s Settings, p Location, sid string, actions []string) []Statement {
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
func (p Location) own(arns []string) []string {
	return slices.DeleteFunc(arns, func(arn string) bool {
		return isRegion(p.Region) && locationOf(arn).Region != p.Region
	})
}

// serviceRole allows making a service's own role, which an account has from the first use of the service on.
func (p Location) serviceRole(sid, service string) Statement {
	roles := []string{p.arn("iam", "role/aws-service-role/"+service+"/*")}
	return statement(sid, roles, "iam:CreateServiceLinkedRole").where("iam:AWSServiceName", service)
}

// smsRoles returns the roles that may be passed: those of the settings and of the baseline, or any, where the settings
// say nothing.
func smsRoles(s Settings, p Location) []string {
	if len(s.SMSRoles) == 0 {
		return []string{p.arn("iam", "role/*")}
	}
	ofBaseline := required(s.Baseline, whole(roleForm), "SmsConfiguration", "SmsMfaConfiguration")
	return unique(append(slices.DeleteFunc(slices.Clone(s.SMSRoles), func(role string) bool { return role == "none" }),
		ofBaseline...))
}

// notifyPermissions returns what it takes to notify the bus and Security Hub, where the settings name them.
func notifyPermissions(s Settings, p Location) []Statement {
	var statements []Statement
	if bus := s.Notify.EventBus; bus != "" {
		if !strings.HasPrefix(bus, "arn:") {
			bus = p.arn("events", "event-bus/"+bus)
		}
		statements = append(statements, statement("PutOutcomes", []string{bus}, "events:PutEvents"))
	}
	if s.Notify.SecurityHub {
		product := []string{p.arn("securityhub", "product/"+p.Account+"/default")}
		statements = append(statements, statement("ImportFindings", product, "securityhub:BatchImportFindings"))
	}
	return statements
}

// readsOf returns the read actions for the documents that the baseline requires something of.
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

// logDelivery returns what it takes to send the logs of a pool somewhere: the deliveries themselves, which know no
// resources, and the destinations that the baseline names.
func logDelivery(b *baseline.Baseline, p Location) []Statement {
	statements := []Statement{statement("DeliverLogs", []string{"*"},
		"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
		"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery")}
	if to := required(b, buckets, "LogConfigurations"); len(to) > 0 {
		statements = append(statements, statement("DeliverToBuckets", to, "s3:GetBucketPolicy", "s3:PutBucketPolicy"))
	}
	if to := p.own(required(b, streams, "LogConfigurations")); len(to) > 0 {
		statements = append(statements, statement("DeliverToStreams", to, "firehose:TagDeliveryStream"),
			p.serviceRole("MakeDeliveryRole", "delivery.logs.amazonaws.com"))
	}
	return statements
}

func unique(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// writesOf returns the write actions that the settings need. UpdateUserPool sets the pool's tags again with every
// write, and may ask for the right to tag. Only a baseline that requires tags can remove one.
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
	slices.Sort(actions)
	return slices.Compact(actions)
}

// within reports whether one of the settings is the named member or part of it.
func within(settings []string, member string) bool {
	return slices.ContainsFunc(settings, func(s string) bool { return s == member || strings.HasPrefix(s, member+".") })
}

// required returns the texts of a form, each once, that enforcing rules require within some of the pool's members.
func required(b *baseline.Baseline, form *regexp.Regexp, members ...string) []string {
	var found []string
	for _, rule := range b.Rules {
		for _, r := range rule.Require {
			wanted := slices.ContainsFunc(members, func(m string) bool { return within([]string{r.Setting}, m) })
			if rule.Mode != baseline.Enforce || !wanted {
				continue
			}
			text, _ := json.Marshal([]any{r.Value, r.Set})
			for _, quoted := range regexp.MustCompile(`"[^"]*"`).FindAllString(string(text), -1) {
				found = append(found, strings.Trim(quoted, `"`))
			}
		}
	}
	return unique(slices.DeleteFunc(found, func(text string) bool { return !form.MatchString(text) }))
}
