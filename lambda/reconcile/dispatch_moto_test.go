package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"poolkeeper/lambda/event"
	"poolkeeper/lambda/eventbus"
	"poolkeeper/lambda/mototest"
	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/userpool"
)

// TestDispatchAgainstMoto sweeps pools that an independent server lists, over its bus and a rule like the deployment's, and hands what comes out of the rule to the handler: each pool comes once and is put right.
func TestDispatchAgainstMoto(t *testing.T) {
	t.Parallel()
	url := mototest.Start(t)
	client := sdk(t.Fatalf, url)
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "example"}, nil
	})
	queues := sqs.New(sqs.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials})
	bus := eventbridge.New(eventbridge.Options{Region: "eu-west-1", BaseEndpoint: aws.String(url), Credentials: credentials})
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("function")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("requests"),
		EventPattern: aws.String(`{"source":["poolkeeper"],"account":["123456789012"],"detail-type":["Reconcile User Pool","Sweep"]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("requests"),
		Targets: []bustypes.Target{{Id: aws.String("function"), Arn: aws.String("arn:aws:sqs:eu-west-1:123456789012:function")}}}); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i := range 7 {
		out, err := client.CreateUserPool(t.Context(), &cognito.CreateUserPoolInput{PoolName: aws.String(fmt.Sprint("pool-", i)), DeletionProtection: "INACTIVE"})
		if err != nil {
			t.Fatal(err)
		}
		want[aws.ToString(out.UserPool.Id)] = 1
	}
	r := bench{client: userpool.New(client)}.reconciler(require(t, deletionProtection))
	r.Bus = eventbus.Bus{Client: bus, Name: "default"}
	home := event.Home{Account: "123456789012", Region: "eu-west-1"}
	result, err := r.Handle(t.Context(), []byte(anySweep), home, func(reconcile.Outcome) {})
	if got := result.(reconcile.Sweeping); err != nil || got.Dispatched != 7 || got.Outcome != reconcile.Swept {
		t.Fatalf("%+v: %v", got, err)
	}
	came := map[string]int{}
	for {
		got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			break
		}
		for _, m := range got.Messages {
			if _, err := queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
			result, err := r.Handle(t.Context(), []byte(aws.ToString(m.Body)), home, func(reconcile.Outcome) {})
			out, _ := result.(reconcile.Outcome)
			if err != nil || out.Outcome != reconcile.Remediated || out.Cause.EventName != "Sweep" || out.Cause.EventID == "" {
				t.Errorf("%s: %+v %v", aws.ToString(m.Body), result, err)
			}
			came[out.UserPoolID]++
		}
	}
	if got, _ := json.Marshal(came); len(came) != len(want) {
		t.Errorf("of %d pools came %s", len(want), got)
	}
	for id, n := range want {
		if came[id] != n {
			t.Errorf("%s came %d times", id, came[id])
		}
	}
}
