package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// Settings are what the CDK context says about a deployment, read and checked.
type Settings struct {
	Stage            string   // "" or a name that tells several deployments in one account apart
	Regions          []string // one stack each; none is the Region of the environment
	Account          string   // "" is that of the environment
	Mode             baseline.Mode
	Baseline         *baseline.Baseline // in the mode
	BaselineFile     string             // "" is the one that the function embeds
	Architecture     string             // "arm64" or "x86_64"
	ScanHours        int
	LogRetentionDays int
	Notify           Notify
	SMSRoles         []string // ARNs or "none"; empty is every role of the account
	KMSKeys          []string // ARNs
	CreateTrail      bool
	WatchRole        bool
	Local            string // "" is a deployment, "true" or a URL a template for SAM
	Code             Code
}

// Code is what the function is built of.
type Code struct {
	Dir      string // the folder with its binary
	Commit   string
	Baseline []byte // the baseline file
}

// Notify is whom the deployment notifies.
type Notify struct {
	AlarmEmail                           []string
	SlackWorkspace, SlackChannel         string
	TeamsTenant, TeamsTeam, TeamsChannel string
	Topic                                string // ARN of another account's; "" is one of the stack's own
	EventBus                             string // name or ARN; "" is none
	SecurityHub                          bool
}

// StackName returns the name of the stack, which starts the name of every resource.
func (s Settings) StackName() string {
	if s.Stage == "" {
		return "poolkeeper"
	}
	return "poolkeeper-" + s.Stage
}

// ReadAll reads the settings of every deployment: that of the context, or, where it names a file of environments, one
// for each of them, whose keys go before those of the context.
func ReadAll(
	context map[string]any, getenv func(string) string, readFile func(string) ([]byte, error),
) ([]Settings, []error) {
	file, _ := context["environments"].(string)
	if file == "" {
		s, errs := ReadSettings(context, getenv, readFile)
		return []Settings{s}, errs
	}
	var environments []map[string]any
	text, err := readFile(file)
	if err == nil {
		err = json.Unmarshal(text, &environments)
	}
	if err != nil {
		return nil, []error{fmt.Errorf("-c environments: %s: %w", file, err)}
	}
	var all []Settings
	var errs []error
	seen := map[string]bool{}
	for i, environment := range environments {
		merged := maps.Clone(context)
		maps.Copy(merged, environment)
		s, found := ReadSettings(merged, getenv, readFile)
		if s.Account == "" || len(s.Regions) == 0 {
			found = append(found, errors.New("name the account and the regions"))
		}
		for _, region := range s.Regions {
			id := s.StackName() + " in " + s.Account + " " + region
			if seen[id] {
				found = append(found, fmt.Errorf("%s is named twice: give one a stage", id))
			}
			seen[id] = true
		}
		for _, err := range found {
			errs = append(errs, fmt.Errorf("%s, entry %d: %w", file, i+1, err))
		}
		all = append(all, s)
	}
	return all, errs
}

// ReadSettings reads the CDK context. Values may be texts, as those of the command line are, or numbers, booleans and
// lists, as in cdk.json. It returns every error of the context and of the baseline. With an error, the settings are not
// to be used.
func ReadSettings(
	context map[string]any, getenv func(string) string, readFile func(string) ([]byte, error),
) (Settings, []error) {
	s := Settings{Account: getenv("CDK_DEFAULT_ACCOUNT")}
	var errs []error
	known := make([]string, 0, len(keys))
	for _, k := range keys {
		known = append(known, k.Name)
		text, err := textOf(context[k.Name])
		if err == nil && text == "" {
			text = k.Default
		}
		if err == nil && text != "" {
			err = k.read(&s, text)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("-c %s: %w", k.Name, err))
		}
	}
	errs = append(errs, unknownKeys(context, known)...)
	errs = append(errs, s.contradictions()...)
	return s, append(errs, s.readBaseline(readFile)...)
}

// unknownKeys finds the keys that look misspelled. The context is shared: a key that resembles none of ours is somebody
// else's.
func unknownKeys(context map[string]any, known []string) []error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if slices.Contains(known, key) || strings.ContainsAny(key, "@:/") {
			continue
		}
		if near := baseline.Nearest(key, known); near != "" {
			errs = append(errs, fmt.Errorf("-c %s is no key, did you mean %s?", key, near))
		}
	}
	return errs
}

// contradictions finds what cannot work together, or in a Region.
func (s Settings) contradictions() []error {
	var errs []error
	refuse := func(when bool, format string, args ...any) {
		if when {
			errs = append(errs, fmt.Errorf("-c "+format, args...))
		}
	}
	n := s.Notify
	refuse((n.SlackWorkspace == "") != (n.SlackChannel == ""), "slackWorkspace and -c slackChannel: give both or neither")
	refuse((n.TeamsTenant == "") != (n.TeamsTeam == "") || (n.TeamsTeam == "") != (n.TeamsChannel == ""),
		"teamsTenant, -c teamsTeam and -c teamsChannel: give all or none")
	refuse(len(slices.Compact(slices.Sorted(slices.Values(s.Regions)))) != len(s.Regions),
		"regions: %q names a Region twice", s.Regions)
	refuse(n.Topic != "" && n.SlackChannel+n.TeamsChannel != "",
		"notifyTopic: connect a channel where the topic is, and leave its keys out here")
	refuse(s.WatchRole && len(s.Regions) == 0, "watchRole: name the Regions as well, with -c regions")
	refuse(s.Local != "" && len(s.Regions) > 1, "regions: a local template is for one Region")
	const once = ": a channel can be connected once in an account, and here are %d Regions: deploy each by itself, with " +
		"a channel of its own"
	refuse(n.SlackChannel != "" && len(s.Regions) > 1, "slackChannel"+once, len(s.Regions))
	refuse(n.TeamsChannel != "" && len(s.Regions) > 1, "teamsChannel"+once, len(s.Regions))
	topic, bus := locationOf(n.Topic).Region, locationOf(n.EventBus).Region
	for _, region := range s.Regions {
		refuse(topic != "" && topic != region, "notifyTopic: the topic is in %s, and alarms in %s publish to topics of "+
			"their own Region only: name one there", topic, region)
		refuse(bus != "" && bus != region, "eventBus: the bus is in %s, and a function in %s puts events onto buses of "+
			"its own Region only: name one there, with a rule that forwards them", bus, region)
	}
	for _, key := range s.KMSKeys {
		refuse(len(s.Regions) > 0 && !slices.Contains(s.Regions, locationOf(key).Region),
			"kmsKeys: %s is in none of the Regions", key)
	}
	return errs
}

// readBaseline loads the baseline as the function does, so that what the function would refuse is refused here.
func (s *Settings) readBaseline(readFile func(string) ([]byte, error)) []error {
	file, data := baseline.DefaultFile, baseline.Default()
	if s.BaselineFile != "" {
		var err error
		if data, err = readFile(s.BaselineFile); err != nil {
			return []error{fmt.Errorf("-c baseline: %w", err)}
		}
		file = s.BaselineFile
	}
	b, err := baseline.Parse(file, data)
	if err != nil {
		var errs []error
		for line := range strings.Lines(err.Error()) {
			errs = append(errs, errors.New(strings.TrimSpace(line)))
		}
		return errs
	}
	if s.Mode == baseline.Audit {
		b = b.InMode(baseline.Audit)
	}
	s.Baseline, s.Code.Baseline = b, data
	ids, only := b.IDs()
	var errs []error
	for _, region := range s.Regions {
		if only && len(inRegion(ids, region)) == 0 {
			errs = append(errs, fmt.Errorf("-c regions: %s selects pools by their ids, and none is in %s", file, region))
		}
	}
	return errs
}

// inRegion returns the ids of the pools of a Region; all of them where the Region is not known yet.
func inRegion(ids []string, region string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !strings.HasPrefix(id, region+"_") && isRegion(region)
	})
}

// textOf returns a value of the context as the command line would have it.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string, bool, float64, int:
		return strings.TrimSpace(fmt.Sprint(v)), nil
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			part, err := textOf(e)
			if err != nil {
				return "", err
			}
			parts[i] = part
		}
		return strings.Join(parts, ","), nil
	default:
		return "", fmt.Errorf("is %v, which is no text, number, boolean or list", v)
	}
}
