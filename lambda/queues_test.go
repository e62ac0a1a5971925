package main

import (
	"context"
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

// queues are the two queues of a deployment, on a server that is not ours.
type queues struct {
	api            *sqs.Client
	changes, scans *string
}

func newTestQueues(t *testing.T) queues {
	t.Helper()
	key := func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
	}
	q := queues{api: sqs.New(sqs.Options{Region: "eu-west-1", BaseEndpoint: aws.String(mototest.Start(t)),
		Credentials: aws.CredentialsProviderFunc(key)})}
	for name, url := range map[string]**string{"Changes": &q.changes, "Scans": &q.scans} {
		in := &sqs.CreateQueueInput{QueueName: aws.String(name)}
		if name == "Changes" { // a message that is not put off is soon visible again
			in.Attributes = map[string]string{"VisibilityTimeout": "1"}
		}
		made, err := q.api.CreateQueue(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		*url = made.QueueUrl
	}
	return q
}

// receive returns the SQS event of what is visible in a queue, as Lambda makes it, and the bodies.
func (q queues) receive(t *testing.T, url *string) (payload []byte, bodies []string) {
	t.Helper()
	records := []map[string]any{}
	for range 3 {
		out, err := q.api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			bodies = append(bodies, aws.ToString(m.Body))
			records = append(records, map[string]any{"messageId": m.MessageId, "receiptHandle": m.ReceiptHandle,
				"body": m.Body, "attributes": m.Attributes, "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
				"eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:" + (*url)[strings.LastIndexByte(*url, '/')+1:]})
		}
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return payload, bodies
}

// TestBootstrapBehindQueues runs the built function behind two queues: a scan sends the pools to the scan queue, where
// they are remediated, and a message that is deferred stays in its queue, alone.
func TestBootstrapBehindQueues(t *testing.T) {
	t.Parallel()
	fake, url := served(t)
	ids := []string{"eu-west-1_AbCdEf123", "eu-west-1_Others001"}
	for _, id := range ids {
		pool, mfa := cognitotest.Rich()
		pool["DeletionProtection"] = "INACTIVE"
		fake.Put(id, pool, mfa)
	}
	q := newTestQueues(t)
	f := startFunction(t, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+url, "QUEUE_URL="+*q.changes,
		"SCAN_QUEUE_URL="+*q.scans, "AWS_ENDPOINT_URL_SQS="+(*q.changes)[:strings.LastIndex(*q.changes, "/1")])
	answer := func(payload []byte) string {
		t.Helper()
		got := f.invoke(t, payload)
		if got.IsError {
			t.Fatalf("%s\n%s", got.Payload, f.stop())
		}
		return string(got.Payload)
	}
	send := func(url *string, body string) {
		t.Helper()
		in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(body)}
		if _, err := q.api.SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	const none = `{"batchItemFailures":[]}`

	send(q.scans, string(payload(t, "scan")))
	scan, _ := q.receive(t, q.scans)
	if got := answer(scan); got != none {
		t.Errorf("the scan: %s", got)
	}
	pools, bodies := q.receive(t, q.scans)
	slices.Sort(bodies)
	if len(bodies) != 2 || !strings.Contains(bodies[0], ids[0]) || !strings.Contains(bodies[1], ids[1]) {
		t.Fatalf("the scan sent %q", bodies)
	}
	if got := answer(pools); got != none {
		t.Errorf("its pools: %s", got)
	}
	for _, id := range ids {
		if now, _, _ := fake.Pool(id); now["DeletionProtection"] != "ACTIVE" {
			t.Errorf("%s is not at the baseline", id)
		}
	}

	send(q.changes, "no JSON")
	send(q.changes, string(payload(t, "reconcile-user-pool")))
	fake.Inject(cognitotest.Fault{Operation: "DescribeUserPool", Error: "BrandNewException", Message: "no"})
	changes, _ := q.receive(t, q.changes)
	if got := answer(changes); strings.Count(got, "itemIdentifier") != 1 {
		t.Errorf("one of two messages is deferred: %s", got)
	}
	time.Sleep(2 * time.Second)
	if _, bodies := q.receive(t, q.changes); len(bodies) != 1 || bodies[0] != "no JSON" {
		t.Errorf("the deferred message is not put off: %q\n%s", bodies, f.stop())
	}
}
