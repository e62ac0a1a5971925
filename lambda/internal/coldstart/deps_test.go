package coldstart

import (
	"os/exec"
	"strings"
	"testing"
)

// TestFunctionLinksOnlyWhatItNeeds: packages that make every start slower, or that only people need, are not linked. It is the exact guard behind the
// cold-start benchmark.
func TestFunctionLinksOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "poolkeeper/lambda").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, output)
	}
	linked := strings.Fields(string(output))
	if len(linked) < 50 {
		t.Fatalf("go list names %d packages only", len(linked))
	}
	for _, forbidden := range []string{
		"aws-sdk-go-v2/config", "aws-sdk-go-v2/credentials", "service/sso", "service/ssooidc", "service/signin", "service/sts", "feature/ec2/imds",
		"jsonschema", "html/template", "net/rpc", "aws-cdk-go", "spf13/cobra", "poolkeeper/lambda/cognitotest", "poolkeeper/infra", "pgregory.net/rapid", "schemagen",
	} {
		for _, path := range linked {
			if strings.Contains(path, forbidden) {
				t.Errorf("the function links %s", path)
			}
		}
	}
}
