package e2e

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// everything asks for all that a deployment can have, but for a stage.
var everything = []string{
	"-c", "regions=eu-west-1", "-c", "mode=audit", "-c", "alarmEmail=on-call@example.com", "-c", "slackWorkspace=T0123ABCD", "-c", "slackChannel=C0123ABCD", "-c", "sweepHours=12",
	"-c", "logRetentionDays=90", "-c", "reservedConcurrency=2", "-c", "architecture=x86_64", "-c", "createTrail=true", "-c", "smsRoles=arn:aws:iam::111122223333:role/sms",
	"-c", "kmsKeys=arn:aws:kms:eu-west-1:111122223333:key/abc", "-c", "watchRole=true", "-c", "eventBus=audit", "-c", "securityHub=true", "-c", "teamsTenant=00000000-1111-2222-3333-444444444444",
	"-c", "teamsTeam=00000000-1111-2222-3333-555555555555", "-c", "teamsChannel=19%3Aabc%40thread.tacv2",
}

// TestValidators: the CDK's own validation, whose findings end a synthesis, and cfn-lint have nothing to say of any template.
func TestValidators(t *testing.T) {
	need(t, "node", "cdk", "cfn-lint")
	var templates []string
	for _, context := range [][]string{nil, everything, {"-c", "localEndpoint=http://host.docker.internal:5555"}} {
		dir := t.TempDir()
		cdkValidates(t, append([]string{"synth", "-q", "--output", dir}, context...)...)
		found, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%v: no template (%v)", context, err)
		}
		templates = append(templates, found...)
	}
	if len(templates) != 4 {
		t.Errorf("%d templates", len(templates))
	}
	// W3005: the CDK writes down dependencies that references imply.
	if output, err := exec.CommandContext(t.Context(), "cfn-lint", append([]string{"--ignore-checks", "W3005", "--"}, templates...)...).CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("cfn-lint: %v\n%s", err, output)
	}
}

// TestSynthesisBuilds: the function that lies beside a template is that of the template's own settings, also where another was built before.
func TestSynthesisBuilds(t *testing.T) {
	need(t, "node", "cdk", "make")
	for _, on := range []string{"true", "false"} {
		dir := t.TempDir()
		cdk(t, "", "synth", "-q", "--output", dir, "-c", "securityHub="+on)
		found, err := filepath.Glob(filepath.Join(dir, "asset.*", "bootstrap"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%d functions (%v)", len(found), err)
		}
		binary, err := buildinfo.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		linked := slices.ContainsFunc(binary.Deps, func(m *debug.Module) bool { return strings.HasSuffix(m.Path, "/service/securityhub") })
		if len(binary.Deps) < 5 || linked != (on == "true") {
			t.Errorf("-c securityHub=%s: of %d modules, Security Hub is linked: %v", on, len(binary.Deps), linked)
		}
	}
}

// TestFaultsBeforeSynthesis: a person reads every fault, with the file and the line of a baseline's, and no template is made.
func TestFaultsBeforeSynthesis(t *testing.T) {
	need(t, "node", "cdk")
	own := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(own, []byte("version: 1\nrules:\n  - name: a\n    require: {DeletionProtecton: ACTIVE}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	all, err := cdkCommand(t, "", []string{"synth", "-q", "--output", dir, "-c", "baseline=" + own, "-c", "mode=dry-run"}).CombinedOutput()
	if err == nil {
		t.Error("a faulty baseline was synthesized")
	}
	output := string(all)
	for _, want := range []string{"poolkeeper: " + own + ":4:15: rules[0].require.DeletionProtecton: there is no such setting, did you mean DeletionProtection?", `poolkeeper: -c mode: is "dry-run": say audit or enforce`} {
		if !strings.Contains(output, want) {
			t.Errorf("nothing says %q:\n%s", want, output)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.template.json")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	if strings.Contains(output, "goroutine") || strings.Contains(output, "panic") {
		t.Errorf("a person reads a trace:\n%s", output)
	}
}

// givenUp are the resources that an upgrade may remove, for something else does their work: the function tells the counts of its outcomes by itself.
var givenUp = regexp.MustCompile(`^\[-\] AWS::Logs::MetricFilter Alarms/(LeftWrong|DriftFound)Count `)

// TestUpgrade compares the template of the release that people have deployed with that of now, under other settings: nothing that is there is replaced or
// removed, so that no moment passes without rule or function. The file is rewritten when a version is released, and at no other time.
func TestUpgrade(t *testing.T) {
	need(t, "node", "cdk")
	released, err := filepath.Abs("testdata/released.template.json")
	if err != nil {
		t.Fatal(err)
	}
	output := cdk(t, "", append([]string{"diff", "poolkeeper", "--exclusively", "--template", released, "--output", t.TempDir()}, everything...)...)
	if !strings.Contains(output, "[~] AWS::Lambda::Function Keeper/Function") {
		t.Errorf("the comparison does not see that the function changes:\n%s", output)
	}
	replaced := regexp.MustCompile(`(?i)replace|destroy|orphan`)
	for line := range strings.Lines(output) {
		if !givenUp.MatchString(line) && (replaced.MatchString(line) || strings.HasPrefix(line, "[-] AWS::")) {
			t.Errorf("an upgrade would do away with something: %s", line)
		}
	}
}
