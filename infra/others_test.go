package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// TestEventRuler: AWS's own matcher of EventBridge patterns says of every pattern of the stack and every fixture what
// the matcher of these tests says.
func TestEventRuler(t *testing.T) {
	t.Parallel()
	jars := installed(t, "../.build/ruler/*.jar")
	var lines bytes.Buffer
	var want []bool
	var names []string
	for id, rule := range templateOf(t, ownsAll, everything).of("AWS::Events::Rule") {
		pattern, _ := at(rule.Properties, "EventPattern").(map[string]any)
		if pattern == nil {
			continue // a schedule
		}
		resolved := replaced(pattern, func(function map[string]any) any { return located(written(function)) })
		for name, payload := range fixtures(t) {
			object := decoded(payload)
			if object == nil {
				continue
			}
			line, err := json.Marshal(map[string]any{"pattern": resolved, "event": object})
			if err != nil {
				t.Fatal(err)
			}
			lines.Write(append(line, '\n'))
			want = append(want, matches(t, pattern, object))
			names = append(names, id+" and "+name)
		}
	}
	command := exec.Command("java", "-cp", strings.Join(jars, ":"), "others/Matches.java")
	command.Stdin = &lines
	command.Stderr = os.Stderr
	answer, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(answer))
	if len(got) != len(want) {
		t.Fatalf("%d answers to %d questions", len(got), len(want))
	}
	matched := 0
	for i, says := range got {
		if (says == "true") != want[i] {
			t.Errorf("%s: event-ruler says %s", names[i], says)
		}
		if want[i] {
			matched++
		}
	}
	t.Logf("%d pairs of a pattern and an event, %d of which match", len(want), matched)
}

// installed returns the files of a tool. Without them the test is skipped, and fails in CI.
func installed(t *testing.T, files string) []string {
	t.Helper()
	found, err := filepath.Glob(files)
	switch {
	case err != nil:
		t.Fatal(err)
	case len(found) == 0 && os.Getenv("CI") == "true":
		t.Fatal("make others installs what is missing: " + files)
	case len(found) == 0:
		t.Skip("make others installs what is missing: " + files)
	}
	return found
}

// meant are the findings of Parliament that are meant, by a part of their line, each with its reason.
var meant = map[string]string{
	`["cloudwatch:DescribeAlarms"]`:     "the action takes no resource",
	"but does allow s3:PutBucketPolicy": "SetLogDeliveryConfiguration writes the policy of a bucket that logs go to",
}

// TestParliament: Parliament, a checker of IAM policies, finds nothing in any policy of the stack but what is meant.
func TestParliament(t *testing.T) {
	t.Parallel()
	parliament := installed(t, "../.build/parliament/bin/parliament")[0]
	tpl := templateOf(t, ownsAll, everything)
	arns := map[string]string{}
	for id, kind := range map[string]string{"AWS::SQS::Queue": "sqs:eu-west-1:111122223333:queue",
		"AWS::DynamoDB::Table":  "dynamodb:eu-west-1:111122223333:table/table",
		"AWS::SNS::Topic":       "sns:eu-west-1:111122223333:topic",
		"AWS::Lambda::Function": "lambda:eu-west-1:111122223333:function:name",
		"AWS::KMS::Key":         "kms:eu-west-1:111122223333:key/abc",
		"AWS::Logs::LogGroup":   "logs:eu-west-1:111122223333:log-group:group:*",
		"AWS::IAM::Role":        "iam::111122223333:role/role"} {
		for name := range tpl.of(id) {
			arns[name] = "arn:aws:" + kind
		}
	}
	n := 0
	for id, policy := range tpl.of("AWS::IAM::Policy") {
		text, err := json.Marshal(withARNs(at(policy.Properties, "PolicyDocument"), arns))
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command(parliament, "--json", "--string", string(text))
		said, _ := command.CombinedOutput()
		for line := range strings.Lines(string(said)) {
			known := slices.ContainsFunc(slices.Collect(maps.Keys(meant)), func(part string) bool {
				return strings.Contains(line, part)
			})
			if !known {
				t.Errorf("%s: %s", id, line)
			}
		}
		n++
	}
	if n < 3 {
		t.Errorf("%d policies", n)
	}
}

// withARNs returns a policy with ARNs in place of references.
func withARNs(v any, arns map[string]string) any {
	return replaced(v, func(function map[string]any) any {
		if id, ok := function["Ref"].(string); ok {
			return cmp.Or(arns[id], located(written(function)))
		}
		if join, ok := function["Fn::Join"].([]any); ok {
			text := fmt.Sprint(withARNs(join[1], arns).([]any)...)
			return strings.ReplaceAll(text, "${Partition}", "aws")
		}
		return arns[function["Fn::GetAtt"].([]any)[0].(string)]
	})
}

// accepted are the findings of AwsSolutions that stay, each with the reason. A finding that is not here fails, and so
// does a row that nothing finds.
var accepted = []struct{ where, finding, reason string }{
	{"Keeper/Role", `IAM5\[Resource::\*\]`, "ListUserPools and the two of X-Ray know no resources"},
	{"Keeper/Role", `IAM5\[Resource::arn:.*:userpool/\*\]`,
		"the baseline that ships selects every pool; one that names ids only is limited to them"},
	{"Keeper/Role", `IAM5\[Resource::arn:.*:role/\*\]`, "any pool may send text messages with a role of its own; " +
		"passing it is limited to Cognito, and -c smsRoles names the roles"},
	{"Alerts/ChatRole", `IAM5\[Resource::\*\]`, "DescribeAlarms knows no resources that are of use to a chat"},
	{"Trail/Bucket", `S1`, "a bucket for the log of a log has no end"},
}

// TestNag checks the stacks, with everything in them, against cdk-nag's AwsSolutions.
func TestNag(t *testing.T) {
	t.Parallel()
	context := maps.Clone(everything)
	delete(context, "smsRoles")
	s := read(t, "", context)
	var found []string
	inApp(t, func(app awscdk.App) {
		// With this flag findings end the synthesis, and the text of them is lost.
		app.Node().SetContext(jsii.String("@aws-cdk/core:annotationsInValidationReport"), false)
		NewStacks(app, s, false)
		checks := cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(false)})
		awscdk.Aspects_Of(app).Add(checks, nil)
		for _, child := range *app.Node().Children() {
			if stack, ok := child.(awscdk.Stack); ok {
				found = append(found, findings(stack)...)
			}
		}
	})
	used := map[int]bool{}
	for _, finding := range found {
		known := false
		for i, a := range accepted {
			form := `^/poolkeeper-prod/` + a.where + `(/.*)? .*AwsSolutions-` + a.finding
			if regexp.MustCompile(form).MatchString(finding) {
				known, used[i] = true, true
			}
		}
		if !known {
			t.Error(finding)
		}
	}
	for i, a := range accepted {
		if !used[i] {
			t.Errorf("nothing finds %s in %s any more: remove the row", a.finding, a.where)
		}
	}
}

// findings are the errors and warnings of the pack, "path message" each.
func findings(stack awscdk.Stack) []string {
	annotations := assertions.Annotations_FromStack(stack)
	only := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
	var all []string
	for _, m := range slices.Concat(*annotations.FindError(jsii.String("*"), only),
		*annotations.FindWarning(jsii.String("*"), only)) {
		//nolint:staticcheck // the assertions of this release return the older of two types
		all = append(all, fmt.Sprint(*m.Id, " ", m.Entry.Data))
	}
	return all
}
