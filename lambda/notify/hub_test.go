//go:build !nosecurityhub

package notify_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"poolkeeper/baseline"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestASFF has the finding of every outcome: it fails and is active, or it passes and is archived.
func TestASFF(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../report/testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		r, _ := golden(t, name)
		f, ok := report.FindingOf(r, time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC))
		if !ok {
			continue
		}
		text, err := json.MarshalIndent(notify.ASFF(f), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = fmt.Appendf(got, "-- %s --\n%s\n", name, text)
	}
	if *update {
		if err := os.WriteFile("testdata/asff.txtar", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/asff.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestASFFLimits: whatever the outcome holds, the finding stays within what Security Hub takes.
func TestASFFLimits(t *testing.T) {
	t.Parallel()
	_, unfixable := golden(t, "unfixable")
	rapid.Check(t, func(t *rapid.T) {
		out := unfixable
		nasty := rapid.SampledFrom([]string{"x", "é", "\U0001f512", "\"", "\n"}).Draw(t, "text")
		out.Details.PoolName = strings.Repeat(nasty, 128)
		out.Reason = strings.Repeat(nasty, rapid.IntRange(0, 5000).Draw(t, "reason"))
		out.Cause.Actor = strings.Repeat(nasty, rapid.IntRange(0, 512).Draw(t, "actor"))
		out.Drifts = nil
		for _, c := range baseline.Controls() {
			out.Drifts = append(out.Drifts, outcome.Finding{Setting: c.Setting, Rule: "r", State: outcome.StateUnfixable,
				Reason: out.Reason})
		}
		found, _ := report.FindingOf(report.New(out, "test", ""), time.Now())
		f := notify.ASFF(found)
		for name, c := range map[string]struct {
			text *string
			most int
		}{"Id": {f.Id, 512}, "Title": {f.Title, 256}, "Description": {f.Description, 1024},
			"Remediation": {f.Remediation.Recommendation.Text, 512}} {
			if n := utf8.RuneCountInString(aws.ToString(c.text)); n == 0 || n > c.most {
				t.Fatalf("%s has %d characters", name, n)
			}
		}
		if n := len(f.Compliance.RelatedRequirements); n == 0 || n > 32 {
			t.Fatalf("%d requirements", n)
		}
		for _, r := range f.Compliance.RelatedRequirements {
			if r == "" || utf8.RuneCountInString(r) > 64 {
				t.Fatalf("the requirement %q", r)
			}
		}
	})
}

// TestHub imports a finding and reads it back: it fails, and passes once a whole read found the pool right. A run that
// read only a part of the pool cannot pass it. The finding of a deleted pool that a rule names fails for good, and a
// late event does not change it.
func TestHub(t *testing.T) {
	t.Parallel()
	hub := securityhub.NewFromConfig(mototest.Config(mototest.Start(t)))
	clock := time.Date(2026, 10, 1, 9, 15, 40, 0, time.UTC)
	channel := notify.Hub(hub, func() time.Time { clock = clock.Add(time.Minute); return clock })
	const failed, active, passed, archived = "FAILED", "ACTIVE", "PASSED", "ARCHIVED"
	for _, step := range []struct {
		name          string
		part          bool
		status, state string
	}{{"unfixable", false, failed, active}, {"remediated", true, failed, active},
		{"remediated", false, passed, archived}, {"partial", false, failed, active},
		{"unchanged", false, passed, archived}, {"unconverged", false, failed, active},
		{"drifted", true, failed, active}, {"deferred", false, failed, active},
		{"exempted", false, passed, archived}, {"deleted", true, failed, active}, {"ignored", false, failed, active}} {
		r, _ := golden(t, step.name)
		r.Whole = !step.part
		if err := channel.Send(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		got, err := hub.GetFindings(t.Context(), &securityhub.GetFindingsInput{})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Findings) != 1 {
			t.Fatalf("%d findings, want the one of the pool", len(got.Findings))
		}
		f := got.Findings[0]
		id := "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEf123/poolkeeper"
		if string(f.Compliance.Status) != step.status || string(f.RecordState) != step.state || aws.ToString(f.Id) != id {
			t.Errorf("%s: %+v", step.name, f)
		}
		related := f.Compliance.RelatedRequirements
		if step.name == "unfixable" && (len(related) == 0 || related[0] != "Security Hub Cognito.1") {
			t.Errorf("%v", related)
		}
	}
}

// TestHubUnclearAnswers: a success that does not say that the finding was accepted counts as a failure.
func TestHubUnclearAnswers(t *testing.T) {
	t.Parallel()
	accepts(t, func(c aws.Config) notify.Channel { return notify.Hub(securityhub.NewFromConfig(c), time.Now) },
		map[string]bool{
			`{}`: false, `{"FailedCount":0}`: false, `{"FailedCount":0,"SuccessCount":1}`: true,
			`{"FailedCount":1,"SuccessCount":0,"FailedFindings":[{"ErrorCode":"InvalidInput","ErrorMessage":"no"}]}`: false,
		})
}
