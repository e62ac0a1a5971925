package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"poolkeeper/lambda/cognitotest"
	"poolkeeper/lambda/mototest"
)

// A testQueue is a queue of a deployment, on a server that is not ours.
type testQueue struct {
	api *sqs.Client
	url string
}

func newTestQueue(t *testing.T, api *sqs.Client, name, visibilityTimeout string) testQueue {
	t.Helper()
	made := must(api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name),
		Attributes: map[string]string{"VisibilityTimeout": visibilityTimeout}}))(t)
	return testQueue{api, aws.ToString(made.QueueUrl)}
}

func (q testQueue) send(t *testing.T, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		in := &sqs.SendMessageInput{QueueUrl: aws.String(q.url), MessageBody: aws.String(body)}
		must(q.api.SendMessage(t.Context(), in))(t)
	}
}

// deliver invokes the function with what is visible in the queue, and deletes what did not fail, as Lambda does. It
// returns the bodies, and those that failed.
func (q testQueue) deliver(t *testing.T, f *function) (bodies, failed []string) {
	t.Helper()
	records, byID := []map[string]any{}, map[string]types.Message{}
	for range 3 {
		out := must(q.api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(q.url),
			MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}}))(t)
		for _, m := range out.Messages {
			bodies = append(bodies, aws.ToString(m.Body))
			byID[aws.ToString(m.MessageId)] = m
			records = append(records, map[string]any{"messageId": m.MessageId, "receiptHandle": m.ReceiptHandle,
				"body": m.Body, "attributes": m.Attributes, "eventSource": "aws:sqs",
				"eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:" + q.url[strings.LastIndexByte(q.url, '/')+1:]})
		}
	}
	slices.Sort(bodies)
	payload, _ := json.Marshal(map[string]any{"Records": records})
	got := f.invoke(t, payload)
	var answer map[string][]map[string]string
	if err := json.Unmarshal(got.Payload, &answer); err != nil || got.IsError || answer["batchItemFailures"] == nil {
		t.Fatalf("%s (%v)\n%s", got.Payload, err, f.stop())
	}
	for _, of := range answer["batchItemFailures"] {
		failed = append(failed, aws.ToString(byID[of["itemIdentifier"]].Body))
		delete(byID, of["itemIdentifier"])
	}
	for _, m := range byID {
		in := &sqs.DeleteMessageInput{QueueUrl: aws.String(q.url), ReceiptHandle: m.ReceiptHandle}
		must(q.api.DeleteMessage(t.Context(), in))(t)
	}
	return bodies, failed
}

// waiting returns how many messages are in the queue, visible or not.
func (q testQueue) waiting(t *testing.T) string {
	t.Helper()
	out := must(q.api.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(q.url),
		AttributeNames: []types.QueueAttributeName{"All"}}))(t)
	return out.Attributes["ApproximateNumberOfMessages"] + " and " +
		out.Attributes["ApproximateNumberOfMessagesNotVisible"]
}

// TestBootstrapBehindQueues runs the built function behind two queues. A scan sends the pools to the scan queue, where
// they are remediated. In a batch of mixed messages, each is handled by itself: what is no event that the function
// takes is final, with a reason in the log, and what is deferred stays in its queue, alone.
func TestBootstrapBehindQueues(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	const other = "eu-west-1_Others001"
	weaken(fake)
	pool, mfa, _ := fake.Pool(poolID)
	fake.Put(other, pool, mfa)
	moto := mototest.Start(t)
	api := sqs.NewFromConfig(mototest.Config(moto))
	changes := newTestQueue(t, api, "Changes", "1") // a message that is not put off is soon visible again
	scans := newTestQueue(t, api, "Scans", "30")
	f := start(t, bootstrap, ofCognito(url), "QUEUE_URL="+changes.url, "SCAN_QUEUE_URL="+scans.url,
		"AWS_ENDPOINT_URL_SQS="+moto)

	scans.send(t, string(payload(t, "scan")))
	if _, failed := scans.deliver(t, f); len(failed) > 0 {
		t.Errorf("the scan: %q", failed)
	}
	bodies, failed := scans.deliver(t, f)
	if len(bodies) != 2 || len(failed) > 0 || !strings.Contains(bodies[0], poolID) || !strings.Contains(bodies[1], other) {
		t.Fatalf("the scan sent %q; %q failed", bodies, failed)
	}
	if !protected(fake, poolID) || !protected(fake, other) || scans.waiting(t) != "0 and 0" {
		t.Errorf("the scan did not put the pools right, or left messages: %s", scans.waiting(t))
	}

	weaken(fake)
	bad := []string{"no JSON", "null", "[]", `{"Type": "Notification", "Message": "{}"}`, "{} {}",
		strings.Repeat("[", 5000), `{"source": "aws.cognito-idp", "detail-type": "Unknown"}`,
		`{"source": "poolkeeper", "detail-type": "Reconcile User Pool"}`}
	busy := strings.Replace(string(payload(t, "reconcile-user-pool")), poolID, other, 1)
	changes.send(t, slices.Concat(bad, []string{string(payload(t, "update-user-pool")), busy})...)
	fake.Inject(cognitotest.Fault{PoolID: other, Operation: "DescribeUserPool", Error: "BrandNewException"})
	bodies, failed = changes.deliver(t, f)
	if len(bodies) != 10 || len(failed) != 1 || failed[0] != busy {
		t.Errorf("of %d messages, %q failed", len(bodies), failed)
	}
	time.Sleep(2 * time.Second) // the queue's visibility timeout is over: what is hidden still was put off
	if !protected(fake, poolID) || changes.waiting(t) != "0 and 1" {
		t.Errorf("messages in the queue: %s", changes.waiting(t))
	}
	log := f.stop()
	if n := strings.Count(log, `"outcome":"ignored"`); n < len(bad) {
		t.Errorf("%d of %d bad messages are in the log:\n%s", n, len(bad), log)
	}
	for _, reason := range []string{"malformed: the payload is not a JSON object", `unknown-source: source \"\" is not`,
		"unknown-detail-type", "no-pool-id"} {
		if !strings.Contains(log, reason) {
			t.Errorf("the log does not say %q", reason)
		}
	}
}
