package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"poolkeeper/baseline"
)

type command struct {
	use, short, long, example string
	formats                   []string // the first is the default
	options                   []option
	run                       func(*cli, context.Context, []string) error
}

// An option is a flag. Its default value has its type. A text may be a variable of the environment.
type option struct {
	name  string
	value any
	help  string
}

var (
	forPools = []string{"text", "json", "markdown", "sarif", "junit"}
	forLists = []string{"text", "json"}
	onlyText = []string{"text"}

	stackName = option{"stack", "poolkeeper",
		"CloudFormation stack that has the baseline, the mode and the ledger; '' is none"}
	ledgerTable = option{"ledger", "$LEDGER_TABLE",
		"DynamoDB table of the ledger (default $LEDGER_TABLE, or the stack's); without it nothing is recorded"}
	baselineFile = option{"baseline", "$BASELINE_FILE",
		"baseline file (default $BASELINE_FILE, or the stack's, or the built-in one)"}

	// The options of commands on selected pools, on several accounts and Regions, and of those that write.
	ofPools = []option{{"pool", []string(nil), "id of a user pool; may be given several times"},
		{"all", false, "every user pool of the account and Region"}}
	ofPlaces = []option{{allRegions, false, "every enabled Region that has Cognito"}, stackName}
	ofWrites = []option{{"yes", false, "write without asking"}, ledgerTable,
		{"backups", "poolkeeper-backups", "folder for backups of the pools before they are written"},
		{"no-backup", false, "save no backups"}}
)

var commands = []command{{
	use: "demo", formats: onlyText, run: (*cli).demo,
	short:   "Show an incident and its remediation with an embedded fake of Cognito; needs no AWS account",
	example: "  poolkeeper demo\n  poolkeeper demo --serve 127.0.0.1:5555",
	options: []option{{"serve", "", "only serve the fake, with a weakened pool, on this address"}},
}, {
	use: "validate [FILE]", formats: forPools, run: (*cli).validate,
	short:   "Check a baseline file: show all errors and warnings with their positions",
	example: "  poolkeeper validate --strict baseline/baseline.yaml",
	options: []option{{"strict", false, "fail on warnings too, such as an expired exemption"}},
}, {
	use: "plan (--pool ID... | --all) [--out FILE]", formats: forPools, run: (*cli).plan,
	short: "Show what would be written to bring pools to the baseline; writes nothing",
	long: "Reads the pools, compares them with the baseline and shows each drift, what would be written, and why\n" +
		"a drift cannot be fixed.",
	example: "  poolkeeper plan --all\n  poolkeeper plan --all --profile dev,prod --all-regions\n" +
		"  poolkeeper plan --pool eu-west-1_AbCdEf123 --out tonight.plan",
	options: slices.Concat(ofPools, ofPlaces, []option{baselineFile,
		{"out", "", "save the plan to this file, for apply"}}),
}, {
	use: "apply (PLANFILE | --pool ID... | --all) [--yes]", formats: forPools, run: (*cli).apply,
	short: "Show the plan, ask, write, and verify",
	long: "Shows the plan, asks, and then writes each pool, reads it again and verifies it, as the function does. The\n" +
		"state of each pool is saved to a file before the pool is written, for restore. A saved plan is rejected\n" +
		"if a pool has changed since. Ctrl-C stops between two pools.",
	example: "  poolkeeper apply --pool eu-west-1_AbCdEf123\n  poolkeeper apply tonight.plan --yes",
	options: slices.Concat(ofPools, ofPlaces, ofWrites, []option{baselineFile}),
}, {
	use: "backup (--pool ID... | --all) --out DIR", formats: forLists, run: (*cli).backup,
	short: "Save the whole state of pools, one file per pool",
	long: "Saves everything that the API returns for each pool as raw JSON, for restore. The files contain message " +
		"texts and\nexternal ids, so only their owner can read them.",
	example: "  poolkeeper backup --all --out backups",
	options: slices.Concat(ofPools, []option{{"out", "", "folder for the files"}}),
}, {
	use: "restore FILE [--yes]", formats: forPools, run: (*cli).restore,
	short: "Bring a pool back to the state in a backup",
	long: "Uses the backup as the baseline of that pool and works like apply: it shows what would be written,\n" +
		"asks, writes and verifies. It names each setting that becomes weaker, and lists settings that no call can restore.",
	example: "  poolkeeper restore poolkeeper-backups/eu-west-1_AbCdEf123.20261001T091540.000000Z.json",
	options: slices.Concat(ofWrites, []option{stackName}),
}, {
	use: "replay EVENT.json...", formats: forPools, run: (*cli).replay,
	short: "Handle events one after the other, as the function does",
	long: "Handles the events in each EVENT.json (- is standard input) as the function does, and prints the\n" +
		"outcomes. A file contains an EventBridge event, a CloudTrail record, {\"Records\": [...]}, or the output\n" +
		"of aws cloudtrail lookup-events. This reads and WRITES the pools that the events name, at the endpoint\n" +
		"and with the credentials of the environment (AWS_PROFILE, AWS_REGION,\n" +
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, ...); --audit only reports. With --ledger, the writes are\n" +
		"recorded in the ledger of the deployment.",
	example: "  poolkeeper replay --audit lambda/event/testdata/update-user-pool.json",
	options: []option{baselineFile, ledgerTable,
		{"audit", false, "report drift, write nothing (the default if MODE is audit)"}},
}, {
	use: "history [--pool ID...] [--since DURATION]", formats: forLists, run: (*cli).history,
	short: "List the writes to pools, and their reasons",
	long: "Lists the records of the ledger, the newest first: what was written, when, after whose call, and how it\n" +
		"ended. undo takes the id of a record. For writes that were not verified, the record shows what may have been\n" +
		"written, and what to do.",
	example: "  poolkeeper history --pool eu-west-1_AbCdEf123\n" +
		"  poolkeeper history --since 24h --region eu-west-1,us-east-1 --output json",
	options: slices.Concat(ofPlaces, []option{ledgerTable,
		{"pool", []string(nil), "id of a user pool; may be repeated (default: every pool)"},
		{"since", 30 * 24 * time.Hour, "how far to look back"}}),
}, {
	use: "undo RECORD [--yes] --ledger TABLE", formats: forPools, run: (*cli).undo,
	short: "Undo the changes of a remediation",
	long: "Sets the settings that a record of the ledger changed back to their earlier values. It works\n" +
		"like apply: it shows what would be written, asks, writes and verifies. It names each setting that\n" +
		"becomes weaker. All other settings keep their values. Unless the settings are exempted or the baseline\n" +
		"changes, the function fixes them at the next event or scan.",
	example: "  poolkeeper undo " + exampleRecord + " --ledger poolkeeper-ledger",
	options: slices.Concat(ofWrites, []option{stackName}),
}, {
	use: "explain SETTING", formats: forLists, run: (*cli).explain,
	short:   "Describe a setting: its values, the call that writes it, the checks that cover it, and warnings",
	example: "  poolkeeper explain UserPoolAddOns.AdvancedSecurityMode",
}, {
	use: "snapshot --pool ID [--out FILE]", formats: onlyText, run: (*cli).snapshot,
	short: "Write a baseline from a live pool",
	long: "Requires the security settings as the pool has them (at least this password length, exactly these\n" +
		"triggers), and lists the rest as comments. The pool is in sync with the result, which only audits until\n" +
		"its mode changes.",
	example: "  poolkeeper snapshot --pool eu-west-1_AbCdEf123 --out baseline.yaml",
	options: []option{{"pool", []string(nil), "id of the user pool"},
		{"out", "", "file to write (default standard output)"}, {"force", false, "overwrite the file"}},
}, {
	use: "report (--pool ID... | --all) --output html", formats: []string{"html", "ocsf"}, run: (*cli).report,
	short: "Write an HTML page about pools and their baseline; changes no pool",
	long: "Reads the pools as plan does and writes one HTML page to standard output: a table of pools and settings\n" +
		"of the baseline, with current and required values and the ends of exemptions. The page needs\n" +
		"no other file, works without scripts, and prints. --output ocsf writes one Compliance Finding of the\n" +
		"Open Cybersecurity Schema Framework for each pool, one per line.",
	example: "  poolkeeper report --all --output html > pools.html\n  poolkeeper report --all --output ocsf",
	options: slices.Concat(ofPools, ofPlaces, []option{baselineFile}),
}, {
	use: "permissions", formats: forLists, run: (*cli).permissions,
	short: "List the roles that user pools use to send text messages, for the deployment",
	long: "Every write of a pool passes its role for text messages to Cognito. The setting smsRoles of the\n" +
		"deployment lists the roles that the function may pass. This command prints it for the pools of the Region.",
	example: "  poolkeeper permissions",
}, {
	use: "conformance", formats: onlyText, run: (*cli).conformance,
	short: "Check poolkeeper's assumptions about Cognito against AWS, with temporary pools",
	example: "  poolkeeper conformance --region eu-west-1\n" +
		"  poolkeeper conformance --region eu-west-1 --with plus,sms=ROLE_ARN,ses=IDENTITY_ARN,lambda=FUNCTION_ARN",
	options: []option{{"with", []string(nil), "what the account offers: plus (creates pools of the tier PLUS, which " +
		"have costs only with users), sms=ROLE_ARN, ses=IDENTITY_ARN, lambda=FUNCTION_ARN"},
		{"out", "", "write the results to this file, as JSON"},
		{"against", "", "show what differs from the results in this file"},
		{"clean", false, "only delete test pools that a killed run left behind"}, {"yes", false, "do not ask"}},
}, {
	use: "version", formats: onlyText, run: (*cli).version,
	short:   "Show the build and its built-in baseline, as --version does",
	example: "  poolkeeper version",
}}

func didYouMean(before, name string, names []string) string {
	if near := baseline.Nearest(name, names); near != "" {
		return ", did you mean " + before + near + "?"
	}
	return ""
}

// likelyFile suggests the file that was probably meant.
func likelyFile(path string) string {
	folder, name := filepath.Split(path)
	found, _ := os.ReadDir(filepath.Dir(path))
	var names []string
	for _, f := range found {
		if f.Name() != name { // a link to nowhere
			names = append(names, f.Name())
		}
	}
	return didYouMean(folder, name, names)
}

// unknown returns an error for an unknown name, with a suggestion or a hint where the names are listed.
func unknown(what, before, name string, names []string, command *cobra.Command) error {
	if meant := didYouMean(before, name, names); meant != "" {
		return errors.New(what + meant)
	}
	return fmt.Errorf("%s; %s --help lists them", what, command.CommandPath())
}

func flagError(command *cobra.Command, err error) error {
	if args := command.Flags().Args(); !command.HasParent() && len(args) > 0 {
		return noCommand(command, args) // the flag may be one of the command that was meant
	}
	if none, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		command.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
		name, dashes := none.GetSpecifiedName(), "--"
		if short := none.GetSpecifiedShortnames(); short != "" {
			name, dashes = short, "-" // -pool is read as -p -o -o -l
		}
		return unknown(command.Name()+" has no flag "+dashes+name, "--", name, names, command)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("--%s needs a value", missing.GetSpecifiedName())
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		wants := map[string]string{"bool": "true or false", "duration": "a duration such as 24h or 90m"}
		flag := invalid.GetFlag()
		return fmt.Errorf("--%s is %q: it takes %s", flag.Name, invalid.GetValue(), wants[flag.Value.Type()])
	}
	return err
}

func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return unknown(fmt.Sprintf("there is no command %q", args[0]), "", args[0], names, root)
}

// argumentOf returns the argument in a command's usage (FILE, [FILE] or FILE...) and its name, or "" if it has none.
func argumentOf(command *cobra.Command) (usage, name string) {
	usage = strings.Fields(command.Use + " -")[1]
	if name = strings.Trim(usage, "([.])"); strings.HasPrefix(name, "-") {
		return "", ""
	}
	return usage, name
}

func countArguments(command *cobra.Command, args []string) error {
	usage, name := argumentOf(command)
	switch help := command.CommandPath() + " --help"; {
	case len(args) == 0 && name != "" && strings.HasPrefix(usage, name): // without a bracket, it is required
		return fmt.Errorf("%s needs %s; see %s", command.Name(), name, help)
	case len(args) > 0 && name == "":
		return fmt.Errorf("%s takes only flags, but %q is not a flag; see %s", command.Name(), args[0], help)
	case len(args) > 1 && !strings.HasSuffix(usage, "..."):
		return fmt.Errorf("%s takes one %s, not %d: %s", command.Name(), name, len(args), strings.Join(args, " "))
	default:
		return nil
	}
}
