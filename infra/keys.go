package main

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"poolkeeper/baseline"
)

// A key is one setting of a deployment: what -c calls it, its default, what it does, and how it is read.
type key struct {
	Name, Default, Meaning string
	read                   func(s *Settings, text string) error
}

// keys is the table of all settings of a deployment.
var keys = []key{
	{"stage", "", "tells several deployments in one account apart: the stack is `poolkeeper-STAGE`",
		text(func(s *Settings) *string { return &s.Stage }, stages,
			"lower-case letters, digits and hyphens, a letter first, at most 13")},
	{"regions", "", "Regions with user pools, one stack each; without it, the Region of your credentials",
		func(s *Settings, text string) error {
			s.Regions = list(text)
			if len(slices.Compact(slices.Sorted(slices.Values(s.Regions)))) != len(s.Regions) {
				return fmt.Errorf("%q names a Region twice", text)
			}
			return each(s.Regions, regions, "a Region such as eu-west-1")
		}},
	{"mode", "", "`audit` turns every rule to audit and takes every right to write from the role; without it, the " +
		"baseline decides",
		func(s *Settings, text string) error {
			s.Mode = baseline.Mode(text)
			return oneOf(text, string(baseline.Audit), string(baseline.Enforce))
		}},
	{"baseline", "", "the baseline file; without it, `baseline/baseline.yaml`, which the function embeds",
		text(func(s *Settings) *string { return &s.BaselineFile }, anything, "")},
	{"alarmEmail", "", "addresses that alarms are mailed to; each has to confirm",
		func(s *Settings, text string) error {
			s.Notify.AlarmEmail = list(text)
			for _, address := range s.Notify.AlarmEmail {
				if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
					return fmt.Errorf("%q is no e-mail address", address)
				}
			}
			return nil
		}},
	{"slackWorkspace", "", "Slack workspace (its id, `T…`), authorized before in Amazon Q Developer in chat applications",
		text(func(s *Settings) *string { return &s.Notify.SlackWorkspace }, slackIDs,
			"the id of a workspace, such as T0123ABCD")},
	{"slackChannel", "", "Slack channel (its id, `C…`) in that workspace; it can be connected once in an account, so " +
		"each Region and stage needs one of its own",
		text(func(s *Settings) *string { return &s.Notify.SlackChannel }, slackIDs,
			"the id of a channel, such as C0123ABCD")},
	{"teamsTenant", "", "Microsoft Teams tenant (a UUID), authorized before as above",
		text(func(s *Settings) *string { return &s.Notify.TeamsTenant }, uuids, "a UUID")},
	{"teamsTeam", "", "Microsoft Teams team (a UUID)",
		text(func(s *Settings) *string { return &s.Notify.TeamsTeam }, uuids, "a UUID")},
	{"teamsChannel", "", "Microsoft Teams channel (its URL-encoded id, `19%3A…`); as with Slack, one for each Region " +
		"and stage",
		text(func(s *Settings) *string { return &s.Notify.TeamsChannel }, teamsChannels,
			"the id in the channel's link, such as 19%3A…%40thread.tacv2")},
	{"eventBus", "", "EventBridge bus of the Region (its name, or its ARN where it is another account's) that gets " +
		"every outcome as an event, for others to build on",
		text(func(s *Settings) *string { return &s.Notify.EventBus }, buses, "the name or the ARN of an event bus")},
	{"securityHub", "false", "keeps a finding for each pool in Security Hub, which has to be on in the Region",
		func(s *Settings, text string) error { return boolean(&s.Notify.SecurityHub, text) }},
	{"scanHours", "6", "every pool is scanned every so many hours, 1 to 84",
		func(s *Settings, text string) error { return number(&s.ScanHours, text, 1, 84) }},
	{"logRetentionDays", "365", "how long the function's log is kept",
		func(s *Settings, text string) error {
			err := number(&s.LogRetentionDays, text, 1, 3653)
			if err == nil && !slices.Contains(retentions, s.LogRetentionDays) {
				return fmt.Errorf("is %s: CloudWatch Logs knows %s", text, strings.Trim(fmt.Sprint(retentions), "[]"))
			}
			return err
		}},
	{"architecture", "arm64", "`arm64` or `x86_64`",
		func(s *Settings, text string) error {
			s.Architecture = text
			return oneOf(text, "arm64", "x86_64")
		}},
	{"createTrail", "false", "makes a trail that logs management write events, where the account has none",
		func(s *Settings, text string) error { return boolean(&s.CreateTrail, text) }},
	{"smsRoles", "", "ARNs of the roles that pools send text messages with, or `none`, beside those that the baseline " +
		"requires; without it, the function may pass any role of the account to Cognito, and to nothing else",
		func(s *Settings, text string) error {
			if text == "none" {
				s.Access.NoSMSRoles = true
				return nil
			}
			s.Access.SMSRoles = list(text)
			return each(s.Access.SMSRoles, roleARNs, "the ARN of a role, or none")
		}},
	{"kmsKeys", "", "ARNs of the KMS keys of pools with custom senders or a key of their own",
		func(s *Settings, text string) error {
			s.Access.KMSKeys = list(text)
			return each(s.Access.KMSKeys, keyARNs, "the ARN of a KMS key")
		}},
	{"watchRole", "false", "adds a small stack in the Region where IAM logs (us-east-1) that reports changes to the " +
		"function's role",
		func(s *Settings, text string) error { return boolean(&s.WatchRole, text) }},
	{"local", "false", "a template for `sam local invoke`, not for deployment",
		func(s *Settings, text string) error { return boolean(&s.Local, text) }},
	{"localEndpoint", "", "URL that the function of a local template uses for Cognito",
		func(s *Settings, text string) error {
			s.LocalEndpoint = text
			if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return fmt.Errorf("%q is no URL", text)
			}
			return nil
		}},
}

// removed are the keys of earlier versions, with what to do instead.
var removed = map[string]string{
	"sweepHours": "is called scanHours now",
	"ledger":     "is gone: the ledger is always deployed. Leave the key out",
	"reservedConcurrency": "is gone: the queues limit the function to two invocations each, and new accounts " +
		"have no concurrency to reserve. Leave the key out",
}

// retentions are the days that CloudWatch Logs can keep a log.
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

var (
	// A stage is short, for the name of the stack starts the name of every resource and must survive the shortening of
	// long ones: the tamper alert knows poolkeeper's resources by it.
	stages        = regexp.MustCompile(`^[a-z][a-z0-9-]{0,12}$`)
	regions       = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)
	roleARNs      = regexp.MustCompile(`^arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)
	keyARNs       = regexp.MustCompile(`^arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+$`)
	slackIDs      = regexp.MustCompile(`^[0-9A-Z]{1,255}$`)
	buses         = regexp.MustCompile(`^(arn:[\w-]+:events:[\w-]+:\d{12}:event-bus/)?[\w./-]{1,256}$`)
	uuids         = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	teamsChannels = regexp.MustCompile(`^[A-Za-z0-9%._=-]{1,256}$`)
	anything      = regexp.MustCompile("")
)

func isRegion(text string) bool { return regions.MatchString(text) }

// text reads a text of a form into a field.
func text(field func(*Settings) *string, form *regexp.Regexp, want string) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		*field(s) = text
		return matching(text, form, want)
	}
}

func matching(text string, form *regexp.Regexp, want string) error {
	if !form.MatchString(text) {
		return fmt.Errorf("%q is not %s", text, want)
	}
	return nil
}

func each(texts []string, form *regexp.Regexp, want string) error {
	var errs []error
	for _, text := range texts {
		errs = append(errs, matching(text, form, want))
	}
	return errors.Join(errs...)
}

func oneOf(text, first, second string) error {
	if text != first && text != second {
		return fmt.Errorf("is %q: say %s or %s", text, first, second)
	}
	return nil
}

func list(text string) []string {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func number(to *int, text string, least, most int) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return fmt.Errorf("is %q: say a whole number from %d to %d", text, least, most)
	}
	*to = n
	return nil
}

func boolean(to *bool, text string) error {
	*to = text == "true"
	return oneOf(text, "true", "false")
}
