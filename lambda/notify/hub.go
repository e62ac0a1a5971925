//go:build !nosecurityhub

package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"

	"poolkeeper/lambda/report"
)

// A Hub maintains one finding for each pool in Security Hub.
type Hub struct {
	Client *securityhub.Client
	Now    func() time.Time
}

// Name returns "Security Hub".
func (Hub) Name() string { return "Security Hub" }

// ToPeople returns false: Security Hub gets every outcome.
func (Hub) ToPeople() bool { return false }

// Send imports the finding of the pool: failed, or passed and archived.
func (h Hub) Send(ctx context.Context, r report.Report) error {
	f, ok := report.FindingOf(r, h.Now())
	if !ok {
		return nil
	}
	finding := ASFF(f)
	out, err := h.Client.BatchImportFindings(ctx,
		&securityhub.BatchImportFindingsInput{Findings: []hubtypes.AwsSecurityFinding{finding}})
	if err != nil {
		return err
	}
	if aws.ToInt32(out.SuccessCount) != 1 {
		failed := errors.New("the finding was not accepted by Security Hub")
		for _, f := range out.FailedFindings {
			failed = errors.Join(failed, fmt.Errorf("%s: %s", aws.ToString(f.ErrorCode), aws.ToString(f.ErrorMessage)))
		}
		return failed
	}
	return nil
}

// ASFF is the finding in the AWS Security Finding Format.
func ASFF(f report.Finding) hubtypes.AwsSecurityFinding {
	partition := "aws"
	if parts := strings.SplitN(f.Pool.ARN, ":", 3); len(parts) == 3 {
		partition = parts[1]
	}
	now := aws.String(f.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
	product := fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%s/default", partition, f.Pool.Region, f.Pool.Account,
		f.Pool.Account)
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
	if f.Failed {
		finding.Compliance.Status = hubtypes.ComplianceStatusFailed
		finding.RecordState = hubtypes.RecordStateActive
		finding.Compliance.RelatedRequirements = related(f.Requirements)
		if f.Remediation != "" {
			advice := &hubtypes.Recommendation{Text: aws.String(f.Remediation)}
			finding.Remediation = &hubtypes.Remediation{Recommendation: advice}
		}
	}
	return finding
}

// The API accepts 32 requirements and does not document their maximum length. Rather leave a name out than have the
// whole finding rejected.
const (
	mostRelated   = 32
	mostOfRelated = 64
)

func related(requirements []string) []string {
	short := slices.DeleteFunc(slices.Clone(requirements), func(r string) bool { return len(r) > mostOfRelated })
	return short[:min(len(short), mostRelated)]
}
