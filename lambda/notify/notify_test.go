package notify_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// at is how the service at a URL is called.
func at(url string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
		})}
}

const queueARN = "arn:aws:sqs:eu-west-1:123456789012:q"

// queued makes the queue of queueARN, and returns how to read the one message that it has to have then.
func queued(t *testing.T, config aws.Config) (read func(into any)) {
	t.Helper()
	queues := sqs.NewFromConfig(config)
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	return func(into any) {
		t.Helper()
		got, err := queues.ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil || len(got.Messages) != 1 {
			t.Fatalf("%d messages passed the filter, want one: %v", len(got.Messages), err)
		}
		if err := json.Unmarshal([]byte(aws.ToString(got.Messages[0].Body)), into); err != nil {
			t.Fatal(err)
		}
	}
}

// deleted names the outcome of an event about the deletion of a pool that a rule names. Its ending is Drifted.
const deleted outcome.Ending = "deleted"

// The findings of the outcomes.
var (
	fixed = outcome.Finding{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateFixed}
	unfixable = outcome.Finding{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED",
		State: outcome.StateUnfixable, Reason: "needs PLUS"}
	audited = outcome.Finding{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE",
		State: outcome.StateReported, Reason: "the rule only audits", Code: outcome.CodeAudited}
	gone = outcome.Finding{Setting: "UserPool", Rule: "crown", Want: "a pool that a rule names", Have: "deleted",
		State: outcome.StateReported, Code: outcome.CodeDeleted,
		Reason: "deleted by arn:aws:sts::123456789012:assumed-role/AppAdmin/mallory"}
)

func ended(ending outcome.Ending) outcome.Outcome {
	out := outcome.Outcome{Outcome: ending, UserPoolID: "eu-west-1_AbCdEf123", Baseline: "sha256:ab",
		Cause: event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool",
			Actor: "arn:aws:sts::123456789012:assumed-role/AppAdmin/mallory"},
		Drifts: []outcome.Finding{}, Writes: []string{}, Details: outcome.Details{PoolName: "customers",
			PoolARN: "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123"}}
	switch ending {
	case outcome.Remediated:
		out.Writes, out.Drifts = []string{"UpdateUserPool"}, []outcome.Finding{fixed}
	case outcome.Unconverged:
		out.Writes = []string{"UpdateUserPool"}
		out.Reason = "settings changed that no write should have changed: UserPoolTags.team"
	case outcome.Partial:
		out.Writes, out.Reason = []string{"UpdateUserPool"}, unfixable.Reason
		out.Drifts = []outcome.Finding{fixed, unfixable}
	case outcome.Drifted:
		out.Reason, out.Drifts = audited.Reason, []outcome.Finding{audited}
	case deleted:
		out.Outcome, out.Critical, out.Reason = outcome.Drifted, true, "the user pool was deleted"
		out.Details.PoolName, out.Cause.EventName = "", "DeleteUserPool"
		out.Drifts = []outcome.Finding{gone}
	case outcome.Ignored:
		out.Reason = outcome.GoneReason
	case outcome.Unfixable:
		out.Reason, out.Drifts = unfixable.Reason, []outcome.Finding{unfixable}
	}
	return out
}

// reportOf is the report of a run that read all of the pool, of which people are notified where it matters.
func reportOf(ending outcome.Ending) report.Report {
	out := ended(ending)
	r := report.New(out, "test", "")
	r.Notify, r.Whole = report.Notifies(out, false), true
	return r
}

// TestTopic publishes to a topic with a queue, and reads what came out of it: the report, with the attributes that a
// subscription filters by.
func TestTopic(t *testing.T) {
	t.Parallel()
	config := at(mototest.Start(t))
	read, topics := queued(t, config), sns.NewFromConfig(config)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"),
		Endpoint:   aws.String(queueARN),
		Attributes: map[string]string{"FilterPolicy": `{"severity":["HIGH","CRITICAL"],"rule":["every-pool"]}`}})
	if err != nil {
		t.Fatal(err)
	}
	channels := []notify.Channel{notify.Topic{Client: topics, ARN: aws.ToString(topic.TopicArn)}}
	for ending, want := range map[outcome.Ending]bool{outcome.Unchanged: false, outcome.Exempted: false,
		outcome.Remediated: true, outcome.Unfixable: true} {
		if notified, failed := notify.Send(t.Context(), channels, reportOf(ending)); notified != want || failed != nil {
			t.Errorf("%s: notified %v, %v", ending, notified, failed)
		}
	}
	var envelope struct{ Message, Subject string }
	var r report.Report
	read(&envelope)
	if err := json.Unmarshal([]byte(envelope.Message), &r); err != nil {
		t.Fatalf("%v: %s", err, envelope.Message)
	}
	subject := "[HIGH] customers unfixable: AdvancedSecurityMode, after a call by mallory"
	if r.Outcome != outcome.Unfixable || r.Schema != report.SchemaName || envelope.Subject != subject {
		t.Errorf("%+v %q", r, envelope.Subject)
	}
}

// TestBus puts events on a bus to which a rule of somebody else listens.
func TestBus(t *testing.T) {
	t.Parallel()
	config := at(mototest.Start(t))
	read, bus := queued(t, config), eventbridge.NewFromConfig(config)
	_, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"),
		EventPattern: aws.String(`{"source":["poolkeeper"],"detail-type":["User Pool Remediated"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []bustypes.Target{
		{Id: aws.String("q"), Arn: aws.String(queueARN)}}})
	if err != nil {
		t.Fatal(err)
	}
	channel := notify.Bus{Client: bus, Bus: "default"}
	for _, ending := range []outcome.Ending{outcome.Unfixable, outcome.Remediated} {
		if err := channel.Send(t.Context(), reportOf(ending)); err != nil {
			t.Fatal(err)
		}
	}
	var e struct {
		Source     string
		DetailType string `json:"detail-type"`
		Detail     report.Report
		Resources  []string
	}
	read(&e)
	if e.Source != notify.Source || e.DetailType != "User Pool Remediated" || len(e.Resources) != 1 ||
		e.Detail.Outcome != outcome.Remediated {
		t.Errorf("%+v", e)
	}
}
