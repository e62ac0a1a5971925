package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"poolkeeper/baseline"
)

// A key is one setting of a deployment: its name for -c, its default, its description, the format of its value (or of
// each element of a list) as a regular expression and in words, and its field.
type key struct {
	Name, Default, Meaning string
	form, want             string
	field                  func(*Settings) any
}

// keys is the table of all settings of a deployment.
var keys = []key{
	{"stage", "", "distinguishes several deployments in one account: the stack is `poolkeeper-STAGE`",
		// The stage must be short. The tamper alert identifies poolkeeper's resources by the stack name at the
		// beginning of their names, even if a long name is shortened.
		`[a-z][a-z0-9-]{0,12}`, "at most 13 lowercase letters, digits and hyphens, beginning with a letter",
		func(s *Settings) any { return &s.Stage }},
	{"environments", "", "a JSON file with a list of objects, each with the keys of this table that differ for one " +
		"deployment: `account`, `regions`, `stage`, `baseline` and so on; deploy all of them with `--all`",
		".+", "a file", func(*Settings) any { return new(string) }},
	{"account", "", "account of the stacks; the default is the account of your credentials",
		`\d{12}`, "the 12 digits of an account", func(s *Settings) any { return &s.Account }},
	{"regions", "", "Regions with user pools, one stack each; the default is the Region of your credentials",
		regionForm, "a Region such as eu-west-1", func(s *Settings) any { return &s.Regions }},
	{"mode", "", "`audit` sets every rule to audit and removes all write permissions from the role; by default, the " +
		"baseline decides", "audit|enforce", "audit or enforce", func(s *Settings) any { return &s.Mode }},
	{"baseline", "", "the baseline file; the default is `baseline/baseline.yaml`, which is embedded in the function",
		".+", "a file", func(s *Settings) any { return &s.BaselineFile }},
	{"alarmEmail", "", "e-mail addresses for alarms; each must confirm two subscriptions, one for each topic",
		`[^\s@<>]+@[^\s@<>]+`, "an e-mail address", func(s *Settings) any { return &s.Notify.AlarmEmail }},
	{"slackWorkspace", "", "Slack workspace (its id, `T…`); authorize it first in Amazon Q Developer in chat applications",
		slackForm, "the id of a workspace, such as T0123ABCD", func(s *Settings) any { return &s.Notify.SlackWorkspace }},
	{"slackChannel", "", "Slack channel (its id, `C…`) in that workspace; it can be connected only once per account, so " +
		"each Region and stage needs its own channel",
		slackForm, "the id of a channel, such as C0123ABCD", func(s *Settings) any { return &s.Notify.SlackChannel }},
	{"teamsTenant", "", "Microsoft Teams tenant (a UUID); authorize it first, as above",
		uuidForm, "a UUID", func(s *Settings) any { return &s.Notify.TeamsTenant }},
	{"teamsTeam", "", "Microsoft Teams team (a UUID)",
		uuidForm, "a UUID", func(s *Settings) any { return &s.Notify.TeamsTeam }},
	{"teamsChannel", "", "Microsoft Teams channel (its URL-encoded id, `19%3A…`); as with Slack, one for each Region " +
		"and stage", `[A-Za-z0-9%._=-]{1,256}`, "the id in the channel's link, such as 19%3A…%40thread.tacv2",
		func(s *Settings) any { return &s.Notify.TeamsChannel }},
	{"notifyTopic", "", "ARN of an SNS topic for all notifications, instead of the stack's " +
		"own topic; it may be in another account, but in the same Region", `arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}`,
		"the ARN of a topic that is not FIFO", func(s *Settings) any { return &s.Notify.Topic }},
	{"eventBus", "", "EventBridge bus in the Region (its name, or its ARN if it is in another account) that gets " +
		"every outcome as an event",
		`(arn:[\w-]+:events:[\w-]+:\d{12}:event-bus/)?[\w./-]{1,256}`, "the name or the ARN of an event bus",
		func(s *Settings) any { return &s.Notify.EventBus }},
	{"securityHub", "false", "maintains a finding for each pool in Security Hub, which must be enabled in the Region",
		boolForm, boolWant, func(s *Settings) any { return &s.Notify.SecurityHub }},
	{"scanHours", "6", "interval between scans of all pools, in hours, 1 to 84",
		"[1-9]|[1-7][0-9]|8[0-4]", "a whole number from 1 to 84", func(s *Settings) any { return &s.ScanHours }},
	{"logRetentionDays", "365", "retention of the function's log, in days",
		strings.ReplaceAll(retentions, " ", "|"), "a retention that CloudWatch Logs supports: " + retentions,
		func(s *Settings) any { return &s.LogRetentionDays }},
	{"architecture", "arm64", "`arm64` or `x86_64`",
		"arm64|x86_64", "arm64 or x86_64", func(s *Settings) any { return &s.Architecture }},
	{"createTrail", "false", "creates a trail that logs management write events, if the account has none",
		boolForm, boolWant, func(s *Settings) any { return &s.CreateTrail }},
	{"smsRoles", "", "ARNs of the roles that pools use for text messages, or `none`, in addition to those that the " +
		"baseline requires; by default, the function may pass any role of the account, but only to Cognito",
		"none|" + roleForm, "the ARN of a role, or none", func(s *Settings) any { return &s.SMSRoles }},
	{"kmsKeys", "", "ARNs of the KMS keys of pools with custom senders or their own key",
		keyForm, "the ARN of a KMS key", func(s *Settings) any { return &s.KMSKeys }},
	{"watchRole", "false", "adds a small stack in the Region where IAM logs (us-east-1) that reports changes to the " +
		"function's role", boolForm, boolWant, func(s *Settings) any { return &s.WatchRole }},
	{"local", "", "a template for `sam local invoke`, not for deployment: `true`, or the URL that its function uses for " +
		"Cognito", `true|https?://[^/\s]+.*`, "true or a URL", func(s *Settings) any { return &s.Local }},
}

const (
	regionForm = `[a-z]{2,4}(-[a-z]+)+-[0-9]`
	roleForm   = `arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+`
	keyForm    = `arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+`
	slackForm  = `[0-9A-Z]{1,255}`
	uuidForm   = `[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`
	boolForm   = "true|false"
	boolWant   = "true or false"
	retentions = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"
)

func whole(form string) *regexp.Regexp { return regexp.MustCompile("^(" + form + ")$") }

func isRegion(text string) bool { return whole(regionForm).MatchString(text) }

// read validates a value and stores it in its field.
func (k key) read(s *Settings, text string) error {
	parts := []string{text}
	switch field := k.field(s).(type) {
	case *string:
		*field = text
	case *baseline.Mode:
		*field = baseline.Mode(text)
	case *bool:
		*field = text == "true"
	case *int:
		*field, _ = strconv.Atoi(text) // the format allows only numbers
	case *[]string:
		parts = strings.Split(text, ",")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		*field = parts
	}
	for _, part := range parts {
		if !whole(k.form).MatchString(part) {
			return fmt.Errorf("%q is not %s", part, k.want)
		}
	}
	return nil
}
