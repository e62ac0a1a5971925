package notify

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"poolkeeper/lambda/report"
)

// A Topic publishes to SNS: a readable text for mail, a custom notification for chat channels (HTTPS), and the report
// as JSON for everything else.
type Topic struct {
	Client *sns.Client
	ARN    string
}

// Name returns "SNS".
func (Topic) Name() string { return "SNS" }

// ToPeople returns true.
func (Topic) ToPeople() bool { return true }

// Send publishes one message, with attributes that a subscription can filter by.
func (t Topic) Send(ctx context.Context, r report.Report) error {
	attributes := map[string]snstypes.MessageAttributeValue{"outcome": attribute(string(r.Outcome)),
		"severity": attribute(string(r.Severity)), "pool": attribute(r.UserPool.ID)}
	if list := ruleList(r.Rules()); list != "" {
		attributes["rule"] = snstypes.MessageAttributeValue{DataType: aws.String("String.Array"),
			StringValue: aws.String(list)}
	}
	_, err := t.Client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(t.ARN), MessageStructure: aws.String("json"),
		Subject: aws.String(report.Subject(r)), Message: aws.String(report.Message(r)), MessageAttributes: attributes})
	return err
}

// mostRules is how many bytes the names of the rules may take of the room that report.MaxMessage leaves.
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

func attribute(v string) snstypes.MessageAttributeValue {
	return snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
}
