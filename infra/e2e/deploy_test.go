package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"poolkeeper/lambda/mototest"
)

// TestDeploy bootstraps an account of moto's, deploys in audit mode, then to enforce, reads the function back, and
// removes it. moto and ministack, which TestStack deploys to, implement CloudFormation independently of each other.
func TestDeploy(t *testing.T) {
	need(t, "node", "cdk", "moto_server")
	endpoint := mototest.Start(t)
	// moto finds the templates of the bootstrap's bucket by this word in its name.
	const qualifier = "localhost"
	output := t.TempDir()
	run := func(args ...string) {
		args = append(args, "-c", "@aws-cdk/core:bootstrapQualifier="+qualifier, "-c", "alarmEmail=you@example.com",
			"--output", output)
		clean(t, cdkCommand(t, args, withoutValidation, "AWS_ENDPOINT_URL="+endpoint))
	}
	functions := func() []types.FunctionConfiguration {
		client := lambda.NewFromConfig(mototest.Config(endpoint))
		return must(client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}))(t).Functions
	}

	run("bootstrap", "aws://123456789012/eu-west-1", "--qualifier", qualifier, "--toolkit-stack-name", "Toolkit")
	run("deploy", "--require-approval", "never", "-c", "mode=audit")
	auditing := functions()
	if len(auditing) != 1 || auditing[0].Environment.Variables["MODE"] != "audit" {
		t.Fatalf("%d functions", len(auditing))
	}
	// moto has no change sets of updates, and does not know parameters that keep their defaults.
	run("deploy", "--method", "direct", "--previous-parameters=false", "--require-approval", "never")
	enforcing := functions()
	if len(enforcing) != 1 || *enforcing[0].FunctionArn != *auditing[0].FunctionArn ||
		enforcing[0].Environment.Variables["MODE"] != "" || *enforcing[0].Timeout != 120 {
		t.Errorf("%d functions", len(enforcing))
	}
	run("destroy", "--force")
	if left := functions(); len(left) != 0 {
		t.Errorf("%d functions are left", len(left))
	}
}
