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

// A key is one setting of a deployment: what -c calls it, what it is without one, what it does, and how it is read.
type key struct {
	Name, Default, Meaning string
	read                   func(s *Settings, text string) error
}

// keys is the table of all that a deployment can be told.
var keys = []key{
	{"stage", "", "tells several deployments in one account apart: the stack is `poolkeeper-STAGE`", func(s *Settings, text string) error {
		s.Stage = text
		return matching(text, stages, "lower-case letters, digits and hyphens, a letter first, at most 13")
	}},
	{"regions", "", "Regions with user pools, one stack each; without it, the Region of your credentials", func(s *Settings, text string) error {
		s.Regions = list(text)
		if doubled := slices.Compact(slices.Sorted(slices.Values(s.Regions))); len(doubled) != len(s.Regions) {
			return fmt.Errorf("%q names a Region twice", text)
		}
		return each(s.Regions, regions, "a Region such as eu-west-1")
	}},
	{"mode", "", "`audit` turns every rule to audit and takes every right to write from the role; without it, the baseline decides", func(s *Settings, text string) error {
		s.Mode = baseline.Mode(text)
		if s.Mode != baseline.Audit && s.Mode != baseline.Enforce {
			return fmt.Errorf("is %q: say audit or enforce", text)
		}
		return nil
	}},
	{"baseline", "", "the baseline file; without it, `baseline/baseline.yaml`, which the function embeds", func(s *Settings, text string) error {
		s.BaselineFile = text
		return nil
	}},
	{"alarmEmail", "", "addresses that alarms are mailed to; each has to confirm", func(s *Settings, text string) error {
		s.AlarmEmail = list(text)
		for _, address := range s.AlarmEmail {
			if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
				return fmt.Errorf("%q is no e-mail address", address)
			}
		}
		return nil
	}},
	{"slackWorkspace", "", "Slack workspace (its id, `T…`), authorized before in Amazon Q Developer in chat applications", func(s *Settings, text string) error {
		s.SlackWorkspace = text
		return matching(text, slackIDs, "the id of a workspace, such as T0123ABCD")
	}},
	{"slackChannel", "", "Slack channel (its id, `C…`) in that workspace; it can be connected once in an account, so each Region and stage needs one of its own", func(s *Settings, text string) error {
		s.SlackChannel = text
		return matching(text, slackIDs, "the id of a channel, such as C0123ABCD")
	}},
	{"teamsTenant", "", "Microsoft Teams tenant (a UUID), authorized before as above", func(s *Settings, text string) error {
		s.TeamsTenant = text
		return matching(text, uuids, "a UUID")
	}},
	{"teamsTeam", "", "Microsoft Teams team (a UUID)", func(s *Settings, text string) error {
		s.TeamsTeam = text
		return matching(text, uuids, "a UUID")
	}},
	{"teamsChannel", "", "Microsoft Teams channel (its URL-encoded id, `19%3A…`); as with Slack, one for each Region and stage", func(s *Settings, text string) error {
		s.TeamsChannel = text
		return matching(text, teamsChannels, "the id in the channel's link, such as 19%3A…%40thread.tacv2")
	}},
	{"eventBus", "", "EventBridge bus of the Region (its name, or its ARN where it is another account's) that gets every outcome as an event, for others to build on", func(s *Settings, text string) error {
		s.EventBus = text
		return matching(text, buses, "the name or the ARN of an event bus")
	}},
	{"securityHub", "false", "keeps a finding for each pool in Security Hub, which has to be on in the Region", func(s *Settings, text string) (err error) {
		s.SecurityHub, err = boolean(text)
		return err
	}},
	{"ledger", "true", "a DynamoDB table that remembers every write: for `poolkeeper history` and `poolkeeper undo`, and against duplicate events, flapping and lost updates", func(s *Settings, text string) (err error) {
		s.Ledger, err = boolean(text)
		return err
	}},
	{"sweepHours", "6", "every pool is looked at every so many hours, 1 to 84", func(s *Settings, text string) (err error) {
		s.SweepHours, err = number(text, 1, 84)
		return err
	}},
	{"logRetentionDays", "365", "how long the function's log is kept", func(s *Settings, text string) (err error) {
		if s.LogRetentionDays, err = number(text, 1, 3653); err == nil && !slices.Contains(retentions, s.LogRetentionDays) {
			return fmt.Errorf("is %s: CloudWatch Logs knows %s", text, strings.Trim(fmt.Sprint(retentions), "[]"))
		}
		return err
	}},
	{"reservedConcurrency", "", "how many invocations may run at once; off, for a new account's limit of 10 leaves nothing to reserve", func(s *Settings, text string) (err error) {
		s.ReservedConcurrency, err = number(text, 1, 1000)
		return err
	}},
	{"architecture", "arm64", "`arm64` or `x86_64`", func(s *Settings, text string) error {
		s.Architecture = text
		if text != "arm64" && text != "x86_64" {
			return fmt.Errorf("is %q: say arm64 or x86_64", text)
		}
		return nil
	}},
	{"createTrail", "false", "makes a trail that logs management write events, where the account has none", func(s *Settings, text string) (err error) {
		s.CreateTrail, err = boolean(text)
		return err
	}},
	{"smsRoles", "", "ARNs of the roles that pools send text messages with, or `none`, beside those that the baseline requires; without it, the function may pass any role of the account to Cognito, and to nothing else", func(s *Settings, text string) error {
		if text == "none" {
			s.NoSMSRoles = true
			return nil
		}
		s.SMSRoles = list(text)
		return each(s.SMSRoles, roleARNs, "the ARN of a role, or none")
	}},
	{"kmsKeys", "", "ARNs of the KMS keys of pools with custom senders or a key of their own", func(s *Settings, text string) error {
		s.KMSKeys = list(text)
		return each(s.KMSKeys, keyARNs, "the ARN of a KMS key")
	}},
	{"watchRole", "false", "adds a small stack in the Region where IAM logs (us-east-1) that reports changes to the function's role", func(s *Settings, text string) (err error) {
		s.WatchRole, err = boolean(text)
		return err
	}},
	{"local", "false", "a template for `sam local invoke`, not for deployment", func(s *Settings, text string) error {
		local, err := boolean(text)
		s.Local = s.Local || local
		return err
	}},
	{"localEndpoint", "", "URL that the function of a local template takes for Cognito", func(s *Settings, text string) error {
		s.LocalEndpoint, s.Local = text, true
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("%q is no URL", text)
		}
		return nil
	}},
}

// retentions are the days that CloudWatch Logs can keep a log.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

var (
	// A stage is short, for the name of the stack starts the name of every resource and must survive the shortening of long ones: the guard knows
	// poolkeeper's resources by it.
	stages        = regexp.MustCompile(`^[a-z][a-z0-9-]{0,12}$`)
	regions       = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)
	roleARNs      = regexp.MustCompile(`^arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)
	keyARNs       = regexp.MustCompile(`^arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+$`)
	slackIDs      = regexp.MustCompile(`^[0-9A-Z]{1,255}$`)
	buses         = regexp.MustCompile(`^(arn:[\w-]+:events:[\w-]+:\d{12}:event-bus/)?[\w./-]{1,256}$`)
	uuids         = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	teamsChannels = regexp.MustCompile(`^[A-Za-z0-9%._=-]{1,256}$`)
)

func isRegion(text string) bool { return regions.MatchString(text) }

func matching(text string, form *regexp.Regexp, want string) error {
	if !form.MatchString(text) {
		return fmt.Errorf("%q is not %s", text, want)
	}
	return nil
}

func each(texts []string, form *regexp.Regexp, want string) error {
	var faults []error
	for _, text := range texts {
		faults = append(faults, matching(text, form, want))
	}
	return errors.Join(faults...)
}

func list(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		parts = append(parts, strings.TrimSpace(part))
	}
	return parts
}

func number(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("is %q: say a whole number from %d to %d", text, least, most)
	}
	return n, nil
}

func boolean(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("is %q: say true or false", text)
	}
	return text == "true", nil
}
