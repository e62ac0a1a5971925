package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

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
	context["watchRole"] = true
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
			form := `^/poolkeeper-prod(-role-watch)?/` + a.where + `(/.*)? .*AwsSolutions-` + a.finding
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
