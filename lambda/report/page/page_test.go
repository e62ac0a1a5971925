package page

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

var now = time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)

// pools makes the page of so many pools of the baseline that ships, in two accounts and three Regions: most are as
// required, every seventh differs, and one cannot be read.
func pools(t *testing.T, n int) string {
	t.Helper()
	required, err := baseline.Parse("baseline.yaml", baseline.Default())
	if err != nil {
		t.Fatal(err)
	}
	p := New(now)
	p.Require(required)
	for i := range n {
		region := []string{"eu-west-1", "us-east-1", "ap-southeast-2"}[i%3]
		account := []string{"111122223333", "444455556666"}[i/3%2]
		id := fmt.Sprintf("%s_Pool%05d", region, i)
		out := outcome.Outcome{Outcome: outcome.Unchanged, UserPoolID: id, Details: outcome.Details{
			PoolName: fmt.Sprintf("customers-%d", i), PoolARN: "arn:aws:cognito-idp:" + region + ":" + account + ":userpool/" + id}}
		var unread error
		switch i % 7 {
		case 0:
			out.Outcome, out.Writes = outcome.Drifted, []string{"UpdateUserPool"}
			out.Drifts = []outcome.Finding{{Setting: "DeletionProtection", Rule: "every-pool", Have: "INACTIVE",
				Want: "ACTIVE", State: outcome.StatePlanned}, {Setting: "Policies.PasswordPolicy.MinimumLength", Rule: "every-pool",
				Have: 6, Want: ">= 12", State: outcome.StatePlanned}, {Setting: "Clients[web].PreventUserExistenceErrors",
				Rule: "every-pool", Have: "LEGACY", Want: "ENABLED", State: outcome.StatePlanned}}
		case 3:
			out.Outcome = outcome.Exempted
			out.Drifts = []outcome.Finding{{Setting: "MfaConfiguration", Rule: "every-pool", Have: "OFF", Want: "one of ON, OPTIONAL",
				State: outcome.StateExempted, Reason: "until 2027-01-31T00:00:00Z, identity-team: migration"}}
		case 5:
			if i == 5 {
				unread = errors.New("calling DescribeUserPool: AccessDeniedException: no")
			}
		}
		preview := outcome.Preview{Outcome: out}
		for _, rule := range required.Rules {
			for _, r := range rule.Require {
				preview.Required = append(preview.Required, r.Setting)
			}
		}
		p.Add(id, preview, unread)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSamples(t *testing.T) {
	for _, n := range []int{1, 12, 500} {
		_ = os.WriteFile(fmt.Sprintf("/tmp/page%d.html", n), []byte(pools(t, n)), 0o600)
	}
}
