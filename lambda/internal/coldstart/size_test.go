package coldstart

import (
	"context"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// limits are what fails. The same numbers stand in the table of lambda/README.md.
var limits = map[string]float64{"zip-amd64-MB": 4.7, "zip-arm64-MB": 4.3, "zip-everything-MB": 5, "init-allocs": 4500}

// measure returns what is the same in every run.
func measure(t testing.TB) map[string]float64 {
	t.Helper()
	return map[string]float64{
		"zip-amd64-MB":      zipped(t, build(t, keeper, deployed, "amd64")),
		"zip-arm64-MB":      zipped(t, build(t, keeper, deployed, "arm64")),
		"zip-everything-MB": zipped(t, build(t, keeper, everything, "amd64")),
		"init-allocs":       initAllocations(t, build(t, keeper, deployed, "")),
	}
}

// TestSize: what is deployed stays small, so that a start has little to load, and what every start does before main,
// used or not, stays little.
func TestSize(t *testing.T) {
	t.Parallel()
	for metric, measured := range measure(t) {
		if measured > limits[metric] {
			t.Errorf("%s is %.2f, more than %.2f", metric, measured, limits[metric])
		}
	}
}

// BenchmarkSize reports what the test holds.
func BenchmarkSize(b *testing.B) {
	for b.Loop() {
		for metric, measured := range measure(b) {
			report(b, metric, measured)
		}
	}
}

// initAllocations starts a function that cannot poll, and returns how often the initialization of its packages
// allocates.
func initAllocations(t testing.TB, binary []string) (sum float64) {
	t.Helper()
	command := exec.CommandContext(context.Background(), binary[0])
	// A faulty environment ends the process right after the start.
	command.Env = []string{"GODEBUG=inittrace=1", "MODE=none"}
	output, _ := command.CombinedOutput()
	// init net/http @1.2 ms, 0.03 ms clock, 5672 bytes, 49 allocs
	packages := regexp.MustCompile(`(?m)^init .*, (\d+) allocs$`).FindAllSubmatch(output, -1)
	if len(packages) < 50 {
		t.Fatalf("%d packages say what they allocate", len(packages))
	}
	for _, p := range packages {
		n, _ := strconv.ParseFloat(string(p[1]), 64)
		sum += n
	}
	return sum
}

// zipped returns the megabytes of a function, compressed as well as zip can, which does as gzip does.
func zipped(t testing.TB, binary []string) float64 {
	t.Helper()
	output := must(exec.CommandContext(context.Background(), "sh", "-c", "gzip -9c "+binary[0]+" | wc -c").Output())(t)
	return must(strconv.ParseFloat(strings.TrimSpace(string(output)), 64))(t) / 1e6
}

// TestFunctionLinksOnlyWhatItNeeds: packages that make every start slower, or that only people need, are not linked,
// and of the services of AWS those that the build is for.
func TestFunctionLinksOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	service := regexp.MustCompile(`(?m)^github\.com/aws/aws-sdk-go-v2/service/(\w+)$`)
	unwanted := regexp.MustCompile(`(?m)^.*(aws-sdk-go-v2/(config|credentials)|service/(sso|signin|sts)|ec2/imds|` +
		`jsonschema|html/template|net/rpc|aws-cdk-go|spf13/cobra|poolkeeper/(infra|lambda/cognitotest)|rapid).*$`)
	for tags, services := range map[string][]string{
		everything: {"cognitoidentityprovider", "dynamodb", "eventbridge", "securityhub", "sns", "sqs"},
		deployed:   {"cognitoidentityprovider", "dynamodb", "eventbridge", "sns", "sqs"},
	} {
		linked, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, keeper).CombinedOutput()
		if err != nil || strings.Count(string(linked), "\n") < 50 {
			t.Fatalf("go list: %v\n%s", err, linked)
		}
		for _, path := range unwanted.FindAllString(string(linked), -1) {
			t.Errorf("the function links %s", path)
		}
		var got []string
		for _, found := range service.FindAllStringSubmatch(string(linked), -1) {
			got = append(got, found[1])
		}
		if slices.Sort(got); !slices.Equal(got, services) {
			t.Errorf("with the tags %s the function links the services %v, want %v", tags, got, services)
		}
	}
}
