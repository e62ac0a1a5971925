package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"poolkeeper/baseline"
)

// Settings are what a deployment is told by the CDK context, read and found without fault.
type Settings struct {
	Stage   string   // "" or a name that tells several deployments in one account apart
	Regions []string // one stack each; none is the Region of the environment
	Account string   // "" is that of the environment
	Mode    baseline.Mode

	Baseline     *baseline.Baseline // in the mode
	BaselineFile string             // "" is the one that the function embeds
	Architecture string             // "arm64" or "x86_64"

	SweepHours          int
	LogRetentionDays    int
	ReservedConcurrency int // 0 reserves none

	AlarmEmail                           []string
	SlackWorkspace, SlackChannel         string
	TeamsTenant, TeamsTeam, TeamsChannel string
	SMSRoles                             []string // ARNs; none is every role of the account
	NoSMSRoles                           bool
	KMSKeys                              []string // ARNs
	EventBus                             string   // name or ARN; "" is none
	SecurityHub                          bool
	Ledger                               bool
	CreateTrail, WatchRole, Local        bool
	LocalEndpoint                        string
	Code                                 string // the folder with the function's binary
}

// StackName returns the name of the stack, which starts the name of every resource.
func (s Settings) StackName() string {
	if s.Stage == "" {
		return "poolkeeper"
	}
	return "poolkeeper-" + s.Stage
}

// ReadSettings reads the CDK context. Values may be texts, as those of the command line are, or numbers, booleans and lists, as in cdk.json. It returns
// every fault of the context and of the baseline; with one, the settings are not to be used.
func ReadSettings(context map[string]any, getenv func(string) string, readFile func(string) ([]byte, error)) (Settings, []error) {
	s := Settings{Account: getenv("CDK_DEFAULT_ACCOUNT")}
	var faults []error
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
			faults = append(faults, fmt.Errorf("-c %s: %w", k.Name, err))
		}
	}
	faults = append(faults, misspelt(context, known)...)
	faults = append(faults, s.contradictions()...)
	return s, append(faults, s.readBaseline(readFile)...)
}

// misspelt finds the keys that were meant to be others. A key that is near none of ours is somebody else's: the context is shared.
func misspelt(context map[string]any, known []string) []error {
	var faults []error
	for key := range context {
		if slices.Contains(known, key) || strings.ContainsAny(key, "@:/") {
			continue
		}
		if near := baseline.Nearest(key, known); near != "" {
			faults = append(faults, fmt.Errorf("-c %s is no key, did you mean %s?", key, near))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return faults
}

func (s Settings) contradictions() []error {
	var faults []error
	if (s.SlackWorkspace == "") != (s.SlackChannel == "") {
		faults = append(faults, errors.New("-c slackWorkspace and -c slackChannel: give both or neither"))
	}
	if (s.TeamsTenant == "") != (s.TeamsTeam == "") || (s.TeamsTeam == "") != (s.TeamsChannel == "") {
		faults = append(faults, errors.New("-c teamsTenant, -c teamsTeam and -c teamsChannel: give all or none"))
	}
	if s.WatchRole && len(s.Regions) == 0 {
		faults = append(faults, errors.New("-c watchRole: name the Regions as well, with -c regions"))
	}
	if s.Local && len(s.Regions) > 1 {
		faults = append(faults, errors.New("-c regions: a local template is for one Region"))
	}
	for _, channel := range []struct{ key, id string }{{"slackChannel", s.SlackChannel}, {"teamsChannel", s.TeamsChannel}} {
		if channel.id != "" && len(s.Regions) > 1 {
			faults = append(faults, fmt.Errorf("-c %s: a channel can be connected once in an account, and here are %d Regions: deploy each by itself, with a channel of its own", channel.key, len(s.Regions)))
		}
	}
	return append(faults, s.elsewhere()...)
}

// elsewhere finds what is named in a Region where it is of no use.
func (s Settings) elsewhere() []error {
	var faults []error
	for _, region := range s.Regions {
		if bus := regionOf(s.EventBus); bus != "" && bus != region {
			faults = append(faults, fmt.Errorf("-c eventBus: the bus is in %s, and a function in %s puts events onto buses of its own Region only: name one there, with a rule that hands them on", bus, region))
		}
	}
	for _, key := range s.KMSKeys {
		if len(s.Regions) > 0 && !slices.Contains(s.Regions, regionOf(key)) {
			faults = append(faults, fmt.Errorf("-c kmsKeys: %s is of none of the Regions", key))
		}
	}
	return faults
}

// regionOf returns the Region in an ARN, or "" where there is none.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

// readBaseline loads the baseline through the package that the function uses, so that what the function would refuse is refused here.
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
	var faults baseline.Faults
	if errors.As(err, &faults) {
		all := make([]error, len(faults))
		for i, f := range faults {
			all[i] = f
		}
		return all
	}
	if err != nil {
		return []error{err}
	}
	if s.Mode == baseline.Audit {
		b = b.InMode(baseline.Audit)
	}
	s.Baseline = b
	ids, only := b.IDs()
	var missing []error
	for _, region := range s.Regions {
		if only && len(inRegion(ids, region)) == 0 {
			missing = append(missing, fmt.Errorf("-c regions: %s selects pools by their ids, and none is of %s", file, region))
		}
	}
	return missing
}

// inRegion returns the ids of the pools whose Region it is; any id may be of a Region that is not known yet.
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
	case string:
		return strings.TrimSpace(v), nil
	case bool, float64, int:
		return fmt.Sprint(v), nil
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
