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

// Topic returns the channel that publishes to an SNS topic, with one message for each report: a text for e-mail, a
// custom notification for chat channels (HTTPS), and the report as JSON for all other protocols. Subscriptions can
// filter by the attributes of the message.
func Topic(client *sns.Client, arn string) Channel {
	return Channel{Name: "SNS", ToPeople: true, Send: func(ctx context.Context, r report.Report) error {
		attributes := map[string]snstypes.MessageAttributeValue{"outcome": attribute("String", string(r.Outcome)),
			"severity": attribute("String", string(r.Severity)), "pool": attribute("String", r.UserPool.ID)}
		if list := ruleList(r.Rules()); list != "" {
			attributes["rule"] = attribute("String.Array", list)
		}
		_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(arn), MessageStructure: aws.String("json"),
			Subject: aws.String(report.Subject(r)), Message: aws.String(report.Message(r)), MessageAttributes: attributes})
		return err
	}}
}

func attribute(kind, value string) snstypes.MessageAttributeValue {
	return snstypes.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(value)}
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

// Bus returns the channel that puts each report on an EventBridge bus, given by name or ARN, with the source
// "poolkeeper" and a detail-type for each outcome, such as "User Pool Remediated". Ignored events are left out.
func Bus(client *eventbridge.Client, bus string) Channel {
	return Channel{Name: "EventBridge", Send: func(ctx context.Context, r report.Report) error {
		if r.Outcome == outcome.Ignored {
			return nil
		}
		entry := bustypes.PutEventsRequestEntry{Source: aws.String("poolkeeper"), EventBusName: aws.String(bus),
			DetailType: aws.String(DetailType(r.Outcome)), Detail: aws.String(report.JSON(r))}
		if r.UserPool.ARN != "" {
			entry.Resources = []string{r.UserPool.ARN}
		}
		out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []bustypes.PutEventsRequestEntry{entry}})
		switch {
		case err != nil:
			return err
		case len(out.Entries) != 1:
			return errors.New("the response has no result for the event")
		case aws.ToString(out.Entries[0].EventId) == "":
			return fmt.Errorf("%s: %s", aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
		}
		return nil
	}}
}

// DetailType returns the detail-type of an outcome.
func DetailType(ending outcome.Ending) string { return "User Pool " + report.Title(string(ending)) }
