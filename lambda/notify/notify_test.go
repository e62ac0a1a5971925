package notify_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/notify"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

var credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
})

// deleted names the outcome of an event that tells that a pool is gone which a rule names: its word is drifted.
const deleted reconcile.Word = "deleted"

func outcome(word reconcile.Word) reconcile.Outcome {
	out := reconcile.Outcome{Outcome: word, UserPoolID: "eu-west-1_AbCdEf123", PoolName: "customers", PoolARN: "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf123",
		Baseline: "sha256:ab", Cause: event.Cause{EventID: "0c0f7a3e", EventName: "UpdateUserPool", Actor: "arn:aws:sts::123456789012:assumed-role/AppAdmin/mallory"},
		Drifts: []reconcile.Drift{}, Writes: []string{}}
	switch word {
	case reconcile.Remediated:
		out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE", State: reconcile.Fixed})
		out.Writes = []string{"UpdateUserPool"}
	case reconcile.Unconverged:
		out.Writes, out.Reason = []string{"UpdateUserPool"}, "settings moved that were not to: UserPoolTags.team"
	case reconcile.Partial:
		out.Writes, out.Reason = []string{"UpdateUserPool"}, "needs PLUS"
		out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE", State: reconcile.Fixed},
			reconcile.Drift{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED", State: reconcile.NotFixable, Reason: "needs PLUS"})
	case reconcile.Drifted:
		out.Reason = "the rule only audits"
		out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "DeletionProtection", Rule: "every-pool", Want: "ACTIVE", Have: "INACTIVE", State: reconcile.Reported, Reason: out.Reason, Left: reconcile.LeftAudited})
	case deleted:
		out.Outcome, out.PoolName, out.Critical, out.Reason, out.Cause.EventName = reconcile.Drifted, "", true, "the user pool was deleted", "DeleteUserPool"
		out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "UserPool", Rule: "crown", Want: "a pool that a rule names", Have: "deleted", State: reconcile.Reported, Reason: "deleted by " + out.Cause.Actor})
	case reconcile.Ignored:
		out.Reason = reconcile.GoneReason
	case reconcile.Unfixable:
		out.Reason = "needs PLUS"
		out.Drifts = append(out.Drifts, reconcile.Drift{Setting: "UserPoolAddOns.AdvancedSecurityMode", Rule: "every-pool", Want: "ENFORCED", State: reconcile.NotFixable, Reason: "needs PLUS"})
	}
	return out
}

// TestTopic publishes to a topic with a queue, and reads what came out of it: the report, with the attributes that a subscription filters by.
func TestTopic(t *testing.T) {
	t.Parallel()
	url := mototest.Start(t)
	queues := sqs.New(sqs.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials})
	topics := sns.New(sns.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials})
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:eu-west-1:123456789012:q"),
		Attributes: map[string]string{"FilterPolicy": `{"severity":["HIGH","CRITICAL"],"rule":["every-pool"]}`}}); err != nil {
		t.Fatal(err)
	}
	channel := notify.Topic{Client: topics, ARN: aws.ToString(topic.TopicArn)}
	for _, word := range []reconcile.Word{reconcile.Unchanged, reconcile.Remediated, reconcile.Unfixable} {
		if err := channel.Send(t.Context(), report.New(outcome(word), "test")); err != nil {
			t.Fatal(err)
		}
	}
	if d, ok := report.NewDigest(reconcile.Sweeping{Outcome: reconcile.Swept, Pools: 2, Outcomes: map[reconcile.Word]int{reconcile.Drifted: 2}}, "eu-west-1", "test"); !ok ||
		len(notify.SendDigest(t.Context(), []notify.Channel{channel, notify.Bus{}}, d)) > 0 {
		t.Error("the digest of a sweep was not sent")
	}
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Messages) != 1 {
		t.Fatalf("%d messages passed the filter, want the one of severity HIGH", len(got.Messages))
	}
	var envelope struct{ Message, Subject string }
	var r report.Report
	if err := json.Unmarshal([]byte(aws.ToString(got.Messages[0].Body)), &envelope); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(envelope.Message), &r); err != nil {
		t.Fatalf("%v: %s", err, envelope.Message)
	}
	if r.Outcome != reconcile.Unfixable || r.Schema != report.SchemaName || envelope.Subject != "[HIGH] customers unfixable: AdvancedSecurityMode, by mallory" {
		t.Errorf("%+v %q", r, envelope.Subject)
	}
}

// TestLogsKeepMetrics puts the lines of the metrics into CloudWatch Logs and reads them back as they were: they are made of the log and of nothing else.
func TestLogsKeepMetrics(t *testing.T) {
	t.Parallel()
	logs := cloudwatchlogs.New(cloudwatchlogs.Options{Region: "eu-west-1", BaseEndpoint: aws.String(mototest.Start(t)), Credentials: credentials})
	group, stream := aws.String("/aws/lambda/keeper"), aws.String("s")
	if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	now := time.Now()
	if err := report.Metrics(&b, "keeper", now, outcome(reconcile.Remediated), report.Counts{Calls: 4}); err != nil {
		t.Fatal(err)
	}
	var events []logtypes.InputLogEvent
	for line := range strings.Lines(b.String()) {
		events = append(events, logtypes.InputLogEvent{Timestamp: aws.Int64(now.UnixMilli()), Message: aws.String(strings.TrimSpace(line))})
	}
	if _, err := logs.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events}); err != nil {
		t.Fatal(err)
	}
	got, err := logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: stream, StartFromHead: aws.Bool(true)})
	if err != nil || len(got.Events) != 2 {
		t.Fatalf("%d lines, %v", len(got.Events), err)
	}
	for i, e := range got.Events {
		if aws.ToString(e.Message) != aws.ToString(events[i].Message) || !strings.Contains(aws.ToString(e.Message), `"_aws":{"CloudWatchMetrics":`) {
			t.Errorf("%s", aws.ToString(e.Message))
		}
	}
}

// TestBus puts events onto a bus that a rule of somebody else's listens to.
func TestBus(t *testing.T) {
	t.Parallel()
	url := mototest.Start(t)
	queues := sqs.New(sqs.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials})
	bus := eventbridge.New(eventbridge.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials})
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":["poolkeeper"],"detail-type":["User Pool Remediated"]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []bustypes.Target{{Id: aws.String("q"), Arn: aws.String("arn:aws:sqs:eu-west-1:123456789012:q")}}}); err != nil {
		t.Fatal(err)
	}
	channel := notify.Bus{Client: bus, Bus: "default"}
	for _, word := range []reconcile.Word{reconcile.Unfixable, reconcile.Remediated} {
		if err := channel.Send(t.Context(), report.New(outcome(word), "test")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Messages) != 1 {
		t.Fatalf("%d events, want one", len(got.Messages))
	}
	var e struct {
		Source     string
		DetailType string `json:"detail-type"`
		Detail     report.Report
		Resources  []string
	}
	if err := json.Unmarshal([]byte(aws.ToString(got.Messages[0].Body)), &e); err != nil {
		t.Fatal(err)
	}
	if e.Source != notify.Source || e.DetailType != "User Pool Remediated" || e.Detail.Outcome != reconcile.Remediated || len(e.Resources) != 1 {
		t.Errorf("%+v", e)
	}
}

// TestSend: a channel that fails is named, and stops no other.
func TestSend(t *testing.T) {
	t.Parallel()
	nowhere := func() aws.Config {
		return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:9"), Credentials: credentials, RetryMaxAttempts: 1}
	}
	errs, heard := notify.Send(t.Context(), []notify.Channel{notify.Topic{Client: sns.NewFromConfig(nowhere()), ARN: "arn"}, notify.Bus{Client: eventbridge.NewFromConfig(nowhere()), Bus: "default"}},
		report.New(outcome(reconcile.Unfixable), "test"))
	if len(errs) != 2 || heard {
		t.Fatalf("heard %v, %v", heard, errs)
	}
	for i, name := range []string{"telling SNS: ", "telling EventBridge: "} {
		if !strings.HasPrefix(errs[i].Error(), name) {
			t.Errorf("%v", errs[i])
		}
	}
}
