//go:build !nosecurityhub

package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"poolkeeper/lambda/report"
)

// Hub returns the channel that maintains one finding for each pool in Security Hub: failed, or passed and archived.
func Hub(client *securityhub.Client, now func() time.Time) Channel {
	return Channel{Name: "Security Hub", Send: func(ctx context.Context, r report.Report) error {
		f, ok := report.FindingOf(r, now())
		if !ok {
			return nil
		}
		out, err := client.BatchImportFindings(ctx,
			&securityhub.BatchImportFindingsInput{Findings: []hubtypes.AwsSecurityFinding{ASFF(f)}})
		if err != nil || aws.ToInt32(out.SuccessCount) == 1 {
			return err
		}
		failed := errors.New("the finding was not accepted by Security Hub")
		for _, f := range out.FailedFindings {
			failed = errors.Join(failed, fmt.Errorf("%s: %s", aws.ToString(f.ErrorCode), aws.ToString(f.ErrorMessage)))
		}
		return failed
	}}
}

// ASFF is the finding in the AWS Security Finding Format.
func ASFF(f report.Finding) hubtypes.AwsSecurityFinding {
	partition := cmp.Or(f.Pool.Partition, "aws")
	now := aws.String(f.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
	product := fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%[3]s/default", partition, f.Pool.Region, f.Pool.Account)
	finding := hubtypes.AwsSecurityFinding{
		SchemaVersion: aws.String("2018-10-08"), Id: aws.String(f.ID), GeneratorId: aws.String("poolkeeper"),
		AwsAccountId: aws.String(f.Pool.Account), CreatedAt: now, UpdatedAt: now, ProductArn: aws.String(product),
		Types: []string{"Software and Configuration Checks/AWS Security Best Practices"},
		Title: aws.String(f.Title), Description: aws.String(f.Description),
		Severity: &hubtypes.Severity{Label: hubtypes.SeverityLabel(f.Severity)},
		Resources: []hubtypes.Resource{{Type: aws.String("AwsCognitoUserPool"), Id: aws.String(f.Pool.ARN),
			Region: aws.String(f.Pool.Region), Partition: hubtypes.Partition(partition)}},
		Compliance:  &hubtypes.Compliance{Status: hubtypes.ComplianceStatusPassed},
		RecordState: hubtypes.RecordStateArchived,
	}
	if !f.Failed {
		return finding
	}
	finding.Compliance.Status, finding.RecordState = hubtypes.ComplianceStatusFailed, hubtypes.RecordStateActive
	// The API accepts 32 requirements of an undocumented length. Rather leave out a long one than lose the whole finding.
	related := slices.DeleteFunc(slices.Clone(f.Requirements), func(r string) bool { return len(r) > 64 })
	finding.Compliance.RelatedRequirements = related[:min(len(related), 32)]
	if f.Remediation != "" {
		finding.Remediation = &hubtypes.Remediation{
			Recommendation: &hubtypes.Recommendation{Text: aws.String(f.Remediation)}}
	}
	return finding
}
