package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// A Topic publishes to SNS: a text for e-mail, a custom notification for chat channels (HTTPS), and the report as JSON
// for all other protocols.
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

// mostRules is the largest size of the rule names, in bytes. report.MaxMessage leaves room for it.
const mostRules = 12 * 1024

// ruleList returns a list of the rules, shortened to mostRules, or "" if there are none.
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

// A Bus puts each report on an EventBridge bus, with the source "poolkeeper" and a detail-type for each outcome, such
// as "User Pool Remediated".
type Bus struct {
	Client *eventbridge.Client
	Bus    string // name or ARN
}

// Source is the source of the events.
const Source = "poolkeeper"

// Name returns "EventBridge".
func (Bus) Name() string { return "EventBridge" }

// ToPeople returns false.
func (Bus) ToPeople() bool { return false }

// DetailType returns the detail-type of an outcome.
func DetailType(ending outcome.Ending) string { return "User Pool " + report.Title(string(ending)) }

// Send puts one event, except for the outcome Ignored.
func (b Bus) Send(ctx context.Context, r report.Report) error {
	if r.Outcome == outcome.Ignored {
		return nil
	}
	entry := bustypes.PutEventsRequestEntry{Source: aws.String(Source), DetailType: aws.String(DetailType(r.Outcome)),
		Detail: aws.String(report.JSON(r)), EventBusName: aws.String(b.Bus)}
	if r.UserPool.ARN != "" {
		entry.Resources = []string{r.UserPool.ARN}
	}
	out, err := b.Client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []bustypes.PutEventsRequestEntry{entry}})
	if err != nil {
		return err
	}
	if len(out.Entries) != 1 {
		return errors.New("the response has no result for the event")
	}
	if e := out.Entries[0]; aws.ToString(e.EventId) == "" {
		return fmt.Errorf("%s: %s", aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
	}
	return nil
}
