package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"poolkeeper/baseline"
)

// Settings are the validated settings of a deployment from the CDK context.
type Settings struct {
	Stage            string   // "" or a name that distinguishes several deployments in one account
	Regions          []string // one stack each; if empty, the Region of the environment
	Account          string   // "" is the account of the environment
	Mode             baseline.Mode
	Baseline         *baseline.Baseline // with the mode applied
	BaselineFile     string             // "" is the embedded baseline
	Architecture     string             // "arm64" or "x86_64"
	ScanHours        int
	LogRetentionDays int
	Notify           Notify
	SMSRoles         []string // ARNs or "none"; if empty, every role of the account
	KMSKeys          []string // ARNs
	CreateTrail      bool
	Local            string // "" is a deployment; "true" or a URL is a template for SAM
	Code             Code
}

// Code is the code of the function.
type Code struct {
	Dir      string // the directory with the binary
	Commit   string
	Baseline []byte // the baseline file
}

// Notify has the recipients of notifications.
type Notify struct {
	AlarmEmail                   []string
	SlackWorkspace, SlackChannel string
	Topic                        string // ARN of an external topic; "" is the stack's own topic
	EventBus                     string // name or ARN; "" is none
	SecurityHub                  bool
}

// A key is a setting of a deployment: its name for -c, its default, the format of its value (or of each element of a
// list) as a regular expression and in words, and its field. README.md has its meaning.
type key struct {
	name, fallback, form, want string
	field                      any
}

func (s *Settings) keys() []key {
	n := &s.Notify
	return []key{
		// The stage must be short. The tamper alert identifies poolkeeper's resources by the stack name at the beginning
		// of their names, even if a long name is shortened.
		{"stage", "", `[a-z][a-z0-9-]{0,12}`,
			"at most 13 lowercase letters, digits and hyphens, beginning with a letter", &s.Stage},
		{"environments", "", ".+", "a file", new(string)},
		{"account", "", `\d{12}`, "the 12 digits of an account", &s.Account},
		{"regions", "", regionForm, "a Region such as eu-west-1", &s.Regions},
		{"mode", "", "audit|enforce", "audit or enforce", (*string)(&s.Mode)},
		{"baseline", "", ".+", "a file", &s.BaselineFile},
		{"alarmEmail", "", `[^\s@<>]+@[^\s@<>]+`, "an e-mail address", &n.AlarmEmail},
		{"slackWorkspace", "", slackForm, "the id of a workspace, such as T0123ABCD", &n.SlackWorkspace},
		{"slackChannel", "", slackForm, "the id of a channel, such as C0123ABCD", &n.SlackChannel},
		{"notifyTopic", "", `arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}`, "the ARN of a topic that is not FIFO", &n.Topic},
		{"eventBus", "", `(arn:[\w-]+:events:[\w-]+:\d{12}:event-bus/)?[\w./-]{1,256}`,
			"the name or the ARN of an event bus", &n.EventBus},
		{"securityHub", "false", boolForm, boolWant, &n.SecurityHub},
		{"scanHours", "6", "[1-9]|[1-7][0-9]|8[0-4]", "a whole number from 1 to 84", &s.ScanHours},
		{"logRetentionDays", "365", strings.ReplaceAll(retentions, " ", "|"),
			"a retention that CloudWatch Logs supports: " + retentions, &s.LogRetentionDays},
		{"architecture", "arm64", "arm64|x86_64", "arm64 or x86_64", &s.Architecture},
		{"createTrail", "false", boolForm, boolWant, &s.CreateTrail},
		{"smsRoles", "", "none|" + roleForm, "the ARN of a role, or none", &s.SMSRoles},
		{"kmsKeys", "", keyForm, "the ARN of a KMS key", &s.KMSKeys},
		{"local", "", `true|https?://[^/\s]+.*`, "true or a URL", &s.Local},
	}
}

const (
	regionForm = `[a-z]{2,4}(-[a-z]+)+-[0-9]`
	roleForm   = `arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+`
	keyForm    = `arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+`
	slackForm  = `[0-9A-Z]{1,255}`
	boolForm   = "true|false"
	boolWant   = "true or false"
	retentions = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"
)

func whole(form string) *regexp.Regexp { return regexp.MustCompile("^(" + form + ")$") }

func isRegion(text string) bool { return whole(regionForm).MatchString(text) }

// read validates a value and stores it in its field.
func (k key) read(text string) error {
	parts := []string{text}
	switch field := k.field.(type) {
	case *string:
		*field = text
	case *bool:
		*field = text == "true"
	case *int:
		*field, _ = strconv.Atoi(text) // the format allows only numbers
	case *[]string:
		parts = regexp.MustCompile(`\s*,\s*`).Split(text, -1)
		*field = parts
	}
	for _, part := range parts {
		if !whole(k.form).MatchString(part) {
			return fmt.Errorf("%q is not %s", part, k.want)
		}
	}
	return nil
}

// StackName returns the name of the stack, with which the names of all its resources begin.
func (s Settings) StackName() string {
	if s.Stage == "" {
		return "poolkeeper"
	}
	return "poolkeeper-" + s.Stage
}

type fileReader = func(name string) ([]byte, error)

// ReadAll reads the settings of all deployments: the one of the context, or, if the context names a file of
// environments, one for each of them. Keys of an environment override those of the context.
func ReadAll(context map[string]any, getenv func(string) string, readFile fileReader) ([]Settings, []error) {
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
				found = append(found, fmt.Errorf("%s is used twice: set a stage for one of them", id))
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

// ReadSettings reads the CDK context. Values may be texts, as on the command line, or numbers, booleans and lists, as
// in cdk.json. It returns all errors of the context and of the baseline. If there is an error, do not use the settings.
func ReadSettings(context map[string]any, getenv func(string) string, readFile fileReader) (Settings, []error) {
	s := Settings{Account: getenv("CDK_DEFAULT_ACCOUNT")}
	var errs []error
	var known []string
	for _, k := range s.keys() {
		known = append(known, k.name)
		text, err := textOf(context[k.name])
		if text = cmp.Or(text, k.fallback); err == nil && text != "" {
			err = k.read(text)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("-c %s: %w", k.name, err))
		}
	}
	// The context is shared, so keys that do not resemble ours may belong to others.
	for _, key := range slices.Sorted(maps.Keys(context)) {
		near := baseline.Nearest(key, known)
		if near != "" && !slices.Contains(known, key) && !strings.ContainsAny(key, "@:/") {
			errs = append(errs, fmt.Errorf("-c %s is not a key, did you mean %s?", key, near))
		}
	}
	errs = append(errs, s.contradictions()...)
	return s, append(errs, s.readBaseline(readFile)...)
}

// contradictions finds settings that do not work together, or not in a Region.
func (s Settings) contradictions() (errs []error) {
	refuse := func(when bool, format string, args ...any) {
		if when {
			errs = append(errs, fmt.Errorf("-c "+format, args...))
		}
	}
	n := s.Notify
	refuse((n.SlackWorkspace == "") != (n.SlackChannel == ""), "slackWorkspace and -c slackChannel: set both or neither")
	refuse(len(slices.Compact(slices.Sorted(slices.Values(s.Regions)))) != len(s.Regions),
		"regions: %q names a Region twice", s.Regions)
	refuse(n.Topic != "" && n.SlackChannel != "",
		"notifyTopic: connect the chat channel in the deployment of the topic, and leave its keys out here")
	refuse(s.Local != "" && len(s.Regions) > 1, "regions: a local template is for one Region")
	refuse(n.SlackChannel != "" && len(s.Regions) > 1, "slackChannel: a channel can be connected only once per account, "+
		"but there are %d Regions: deploy each separately, with its own channel", len(s.Regions))
	topic, bus := regionOf(n.Topic), regionOf(n.EventBus)
	for _, region := range s.Regions {
		refuse(topic != "" && topic != region, "notifyTopic: the topic is in %s, but alarms in %s can publish only to "+
			"topics of their own Region: use a topic there", topic, region)
		refuse(bus != "" && bus != region, "eventBus: the bus is in %s, but a function in %s can put events only on "+
			"buses of its own Region: use a bus there, with a rule that forwards them", bus, region)
	}
	for _, key := range s.KMSKeys {
		refuse(len(s.Regions) > 0 && !slices.Contains(s.Regions, regionOf(key)),
			"kmsKeys: %s is not in any of the Regions", key)
	}
	return errs
}

// readBaseline loads the baseline as the function does, so that a baseline that the function would reject is rejected
// here.
func (s *Settings) readBaseline(readFile fileReader) (errs []error) {
	file, data := cmp.Or(s.BaselineFile, baseline.DefaultFile), baseline.Default()
	if s.BaselineFile != "" {
		var err error
		if data, err = readFile(file); err != nil {
			return []error{fmt.Errorf("-c baseline: %w", err)}
		}
	}
	b, err := baseline.Parse(file, data)
	if err != nil {
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
	for _, region := range s.Regions {
		if only && len(inRegion(ids, region)) == 0 {
			errs = append(errs, fmt.Errorf("-c regions: %s selects pools by their ids, but none is in %s", file, region))
		}
	}
	return errs
}

// inRegion returns the ids of the pools in a Region, or all ids if the Region is not known yet.
func inRegion(ids []string, region string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !strings.HasPrefix(id, region+"_") && isRegion(region)
	})
}

// textOf returns a value of the context in the form of the command line.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string, bool, float64, int:
		return strings.TrimSpace(fmt.Sprint(v)), nil
	case []any:
		parts, errs := make([]string, len(v)), make([]error, len(v))
		for i, e := range v {
			parts[i], errs[i] = textOf(e)
		}
		return strings.Join(parts, ","), cmp.Or(errs...)
	default:
		return "", fmt.Errorf("is %v, which is not a text, number, boolean or list", v)
	}
}
