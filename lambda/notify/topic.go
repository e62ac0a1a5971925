package notify

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"poolkeeper/lambda/report"
)

// A Topic publishes to SNS: a readable text to mail, a custom notification to chat channels (HTTPS), and the report as JSON to everything else.
type Topic struct {
	Client *sns.Client
	ARN    string
}

// Name returns "SNS".
func (Topic) Name() string { return "SNS" }

// Send publishes one message. An outcome that people are not told of is not published.
func (t Topic) Send(ctx context.Context, r report.Report) error {
	if !r.Told {
		return nil
	}
	attributes := map[string]snstypes.MessageAttributeValue{"outcome": attribute(string(r.Outcome)), "severity": attribute(string(r.Severity)), "pool": attribute(r.UserPool.ID)}
	if list := ruleList(r.Rules()); list != "" {
		attributes["rule"] = snstypes.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: aws.String(list)}
	}
	return t.publish(ctx, report.Subject(r), report.Message(r), attributes)
}

// mostRules is how many bytes the names of the rules may have, of the room that report.MaxMessage leaves.
const mostRules = 12 * 1024

// ruleList is a list of as many of the rules as there is room for, or "" where there are none.
func ruleList(rules []string) string {
	for ; len(rules) > 0; rules = rules[:len(rules)/2] {
		if list, err := json.Marshal(rules); err == nil && len(list) <= mostRules {
			return string(list)
		}
	}
	return ""
}

// Digest publishes what there is to tell of a sweep as a whole.
func (t Topic) Digest(ctx context.Context, d report.Digest) error {
	return t.publish(ctx, report.DigestSubject(d), report.DigestMessage(d),
		map[string]snstypes.MessageAttributeValue{"outcome": attribute("swept"), "severity": attribute(string(d.Severity))})
}

func (t Topic) publish(ctx context.Context, subject, message string, attributes map[string]snstypes.MessageAttributeValue) error {
	_, err := t.Client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(t.ARN), Subject: aws.String(subject), Message: aws.String(message), MessageStructure: aws.String("json"),
		MessageAttributes: attributes})
	return err
}

func attribute(v string) snstypes.MessageAttributeValue {
	return snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
}
