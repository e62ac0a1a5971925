package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// everything asks for all that a deployment can have, but for a stage.
var everything = []string{
	"-c", "regions=eu-west-1", "-c", "mode=audit", "-c", "alarmEmail=on-call@example.com", "-c", "scanHours=12",
	"-c", "slackWorkspace=T0123ABCD", "-c", "slackChannel=C0123ABCD", "-c", "logRetentionDays=90",
	"-c", "architecture=x86_64", "-c", "createTrail=true", "-c", "smsRoles=arn:aws:iam::111122223333:role/sms",
	"-c", "kmsKeys=arn:aws:kms:eu-west-1:111122223333:key/abc", "-c", "eventBus=audit",
	"-c", "securityHub=true",
}

// TestValidators: the CDK's own validation, whose findings end a synthesis, cfn-lint and SAM have no finding in any
// template.
func TestValidators(t *testing.T) {
	need(t, "node", "cdk", "cfn-lint", "sam")
	var templates []string
	for _, context := range [][]string{nil, everything, {"-c", "local=http://host.docker.internal:5555"}} {
		dir := t.TempDir()
		clean(t, cdkCommand(t, append([]string{"synth", "-q", "--output", dir}, context...)))
		found, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%v: no template (%v)", context, err)
		}
		templates = append(templates, found...)
	}
	if len(templates) != 3 {
		t.Errorf("%d templates", len(templates))
	}
	output, err := exec.CommandContext(t.Context(), "cfn-lint", templates...).CombinedOutput()
	if err != nil || len(output) > 0 {
		t.Errorf("cfn-lint: %v\n%s", err, output)
	}
	for _, template := range templates {
		command := exec.CommandContext(t.Context(), "sam", "validate", "--lint", "--region", "eu-west-1", "-t", template)
		command.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_EC2_METADATA_DISABLED=true")
		output, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "is a valid SAM Template") {
			t.Errorf("sam validate: %v\n%s", err, output)
		}
	}
}

// TestErrorsBeforeSynthesis: a person reads every error, with the file and the line of a baseline's, and no template is
// made.
func TestErrorsBeforeSynthesis(t *testing.T) {
	need(t, "node", "cdk")
	own := written(t, "version: 1\nrules:\n  - name: a\n    require: {DeletionProtecton: ACTIVE}\n")
	dir := t.TempDir()
	args := []string{"synth", "-q", "--output", dir, "-c", "baseline=" + own, "-c", "mode=dry-run"}
	all, err := cdkCommand(t, args).CombinedOutput()
	if err == nil {
		t.Error("a wrong baseline was synthesized")
	}
	output := string(all)
	for _, want := range []string{
		"poolkeeper: " + own + ":4:15: rules[0].require.DeletionProtecton: ", "did you mean DeletionProtection?",
		`poolkeeper: -c mode: "dry-run" is not audit or enforce`,
	} {
		if !strings.Contains(output, want) {
			t.Errorf("it does not say %q:\n%s", want, output)
		}
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "*.template.json")); len(made) > 0 {
		t.Errorf("it made %v", made)
	}
	if strings.Contains(output, "goroutine") || strings.Contains(output, "panic") {
		t.Errorf("a person reads a trace:\n%s", output)
	}
}

// kept are the resources that an upgrade may neither remove nor replace: what holds evidence, what people subscribed
// to, and what receives events. CloudFormation removes the others after it has made those that replace them.
var kept = []string{
	"AWS::Lambda::Function Keeper/Function", "AWS::IAM::Role Keeper/Role", "AWS::Logs::LogGroup Keeper/Log",
	"AWS::DynamoDB::Table Ledger", "AWS::SNS::Topic Alerts/Topic", "AWS::KMS::Key Alerts/Key",
	"AWS::Events::Rule Changes",
}

// TestUpgrade compares the template of the release that people have deployed with that of now, under other settings:
// no moment passes without rule or function. The file is rewritten when a version is released, and at no other time.
func TestUpgrade(t *testing.T) {
	need(t, "node", "cdk")
	released := must(filepath.Abs("testdata/released.template.json"))(t)
	args := []string{"diff", "poolkeeper", "--exclusively", "--template", released, "--output", t.TempDir()}
	output := cdk(t, append(args, everything...)...)
	if !strings.Contains(output, "[~] AWS::Lambda::Function Keeper/Function") {
		t.Errorf("the comparison does not see that the function changes:\n%s", output)
	}
	replaced := regexp.MustCompile(`(?i)replace|destroy|orphan`)
	for line := range strings.Lines(output) {
		if replaced.MatchString(line) && !strings.HasPrefix(line, "[-] ") {
			t.Errorf("an upgrade would replace something: %s", line)
		}
		for _, resource := range kept {
			if strings.HasPrefix(line, "[-] "+resource+" ") {
				t.Errorf("an upgrade would remove something: %s", line)
			}
		}
	}
}
