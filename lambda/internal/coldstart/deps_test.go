package coldstart

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestFunctionLinksOnlyWhatItNeeds: packages that make every start slower, or that only people need, are not linked,
// and of the services of AWS those that the build is for. It is the exact guard behind the cold-start benchmark.
func TestFunctionLinksOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	for tags, services := range map[string][]string{
		everything: {"cognitoidentityprovider", "dynamodb", "eventbridge", "securityhub", "sns", "sqs"},
		deployed:   {"cognitoidentityprovider", "dynamodb", "eventbridge", "sns", "sqs"},
	} {
		output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags,
			"poolkeeper/lambda").CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, output)
		}
		linked := strings.Fields(string(output))
		if len(linked) < 50 {
			t.Fatalf("go list names %d packages only", len(linked))
		}
		for _, forbidden := range []string{
			"aws-sdk-go-v2/config", "aws-sdk-go-v2/credentials", "service/sso", "service/ssooidc", "service/signin",
			"service/sts", "feature/ec2/imds",
			"jsonschema", "html/template", "net/rpc", "aws-cdk-go", "spf13/cobra", "poolkeeper/lambda/cognitotest",
			"poolkeeper/infra", "pgregory.net/rapid", "schemagen",
		} {
			for _, path := range linked {
				if strings.Contains(path, forbidden) {
					t.Errorf("the function links %s", path)
				}
			}
		}
		var got []string
		for _, path := range linked {
			if service, ok := strings.CutPrefix(path, "github.com/aws/aws-sdk-go-v2/service/"); ok &&
				!strings.Contains(service, "/") {
				got = append(got, service)
			}
		}
		if slices.Sort(got); !slices.Equal(got, services) {
			t.Errorf("with the tags %s the function links the services %v, want %v", tags, got, services)
		}
	}
}
