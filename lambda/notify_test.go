package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"poolkeeper/lambda/mototest"
)

// TestBootstrapNotifies runs the built binary with a topic: people are notified once of what was done, and of nothing
// else. A topic that cannot be reached is logged and counted, and changes no outcome.
func TestBootstrapNotifies(t *testing.T) {
	t.Parallel()
	for name, reachable := range map[string]bool{"a topic": true, "a topic that cannot be reached": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, cognito := served(t)
			weaken(fake)
			sns, wantPublished, wantFailed := &topic{}, 1, 0
			environment := append(serveTopic(t, sns), ofCognito(cognito), "AWS_LAMBDA_FUNCTION_NAME=keeper")
			if !reachable {
				environment[0], wantPublished, wantFailed = "AWS_ENDPOINT_URL_SNS=http://127.0.0.1:9", 0, 1
			}
			f := start(t, bootstrap, environment...)
			f.ends(t, "update-user-pool", "remediated")
			f.ends(t, "update-user-pool", "unchanged")
			output := f.stop()
			published, failed := sns.published, strings.Count(output, "a message could not be sent")
			counted := strings.Count(output, `"NotificationsFailed":1`)
			restored := regexp.MustCompile(`"TimeToRestore":[0-9.]+[,}]`).FindAllString(output, -1)
			if len(published) != wantPublished || failed != wantFailed || counted != wantFailed || len(restored) != 1 {
				t.Errorf("%d messages, %d said not to be sent, %d counted, %d times to restore\n%s", len(published), failed,
					counted, len(restored), output)
			}
			if reachable && (published[0].Get("MessageStructure") != "json" ||
				!strings.HasPrefix(published[0].Get("Subject"), "[LOW] customers remediated: DeletionProtection")) {
				t.Errorf("%v", published[0].Get("Subject"))
			}
		})
	}
}

// TestBootstrapReportsADeletedPool runs the built binary with Security Hub: that a pool which a rule names was
// deleted is a finding that fails, under the ARN that the pool had, which no read shows any more. Of a pool that no
// rule names there is none.
func TestBootstrapReportsADeletedPool(t *testing.T) {
	t.Parallel()
	_, cognito := served(t)
	moto := mototest.Start(t)
	hub := securityhub.NewFromConfig(mototest.Config(moto))
	for _, step := range []struct {
		id, outcome string
		findings    int
	}{{"eu-west-1_Another01", "ignored", 0}, {"eu-west-1_AbCdEf123", "drifted", 1}} {
		file := filepath.Join(t.TempDir(), "baseline.yaml")
		if err := os.WriteFile(file, []byte("version: 1\nrules: [{name: crown, pools: {ids: ["+step.id+
			"]}, require: {DeletionProtection: ACTIVE}}, {name: all, require: {DeletionProtection: ACTIVE}}]"),
			0o600); err != nil {
			t.Fatal(err)
		}
		f := start(t, bootstrap, ofCognito(cognito), "AWS_ENDPOINT_URL_SECURITYHUB="+moto,
			"SECURITY_HUB=on", "BASELINE_FILE="+file)
		f.ends(t, "delete-user-pool", step.outcome)
		output := f.stop()
		got, err := hub.GetFindings(t.Context(), &securityhub.GetFindingsInput{})
		if err != nil || len(got.Findings) != step.findings {
			t.Fatalf("%d findings, want %d: %v\n%s", len(got.Findings), step.findings, err, output)
		}
		for _, finding := range got.Findings {
			const arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEf123"
			if aws.ToString(finding.Resources[0].Id) != arn || finding.Severity.Label != "CRITICAL" ||
				finding.Compliance.Status != "FAILED" || finding.RecordState != "ACTIVE" ||
				!strings.Contains(aws.ToString(finding.Title), "was deleted") {
				t.Errorf("%+v", finding)
			}
		}
	}
}
