package e2e

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"poolkeeper/baseline"
	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

// everyRule is the baseline that ships, with its example "strict" beside the rule that is in force.
func everyRule() string {
	text := string(baseline.Default())
	from := strings.Index(text, "#  - name: strict")
	rule, _, _ := strings.Cut(text[from:], "#    watch:")
	inForce, _, _ := strings.Cut(text, "# More, to choose from")
	return inForce + strings.ReplaceAll("\n"+rule, "\n#", "\n")
}

// TestProwler: on a pool and a client that poolkeeper brought to the strict example, every check of Prowler passes that
// is about Cognito, but for the web ACL, which is another service's.
func TestProwler(t *testing.T) {
	t.Parallel()
	prowler := must(filepath.Abs(filepath.Join(top, ".build", "prowler", "bin", "prowler")))(t)
	need(t, prowler)
	fake, url := cognitotest.Serve(t, cognitotest.Contract)
	fake.PutRich("eu-west-1_AbCdEf123")
	folder := t.TempDir()
	environment := append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
		"AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL="+mototest.Start(t),
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url)
	run(t, top, environment, "go", "run", "./lambda/cmd/poolkeeper", "apply", "--all", "--yes", "--baseline",
		written(t, everyRule()), "--backups", folder)
	folders := must(filepath.Glob(filepath.Join(filepath.Dir(prowler), "..", "lib", "python3*", "site-packages", "prowler",
		"providers", "aws", "services", "cognito", "cognito_user_pool_*")))(t)
	arguments := []string{"aws", "--region", "eu-west-1", "--output-formats", "csv", "--output-directory", folder,
		"--ignore-exit-code-3", "--no-banner", "--checks"}
	for _, check := range folders {
		if name := filepath.Base(check); name != "cognito_user_pool_waf_acl_attached" {
			arguments = append(arguments, name)
		}
	}
	run(t, folder, environment, prowler, arguments...)
	found := must(filepath.Glob(filepath.Join(folder, "prowler-output-*.csv")))(t)
	if len(found) != 1 {
		t.Fatal(found)
	}
	checks := map[string]string{}
	for _, row := range table(t, found[0]) {
		checks[row["CHECK_ID"]] = row["STATUS"]
		if row["STATUS"] != "PASS" {
			t.Errorf("%s: %s", row["CHECK_ID"], row["STATUS_EXTENDED"])
		}
	}
	if len(folders) < 16 || len(checks) != len(folders)-1 {
		t.Errorf("%d checks of %d: %v", len(checks), len(folders), checks)
	}
}

// table reads a file of Prowler's.
func table(t *testing.T, path string) []map[string]string {
	t.Helper()
	reader := csv.NewReader(bytes.NewReader(must(os.ReadFile(path))(t)))
	reader.Comma = ';'
	lines := must(reader.ReadAll())(t)
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}
