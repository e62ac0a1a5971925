// Package queue sends messages to the function's own SQS queues, delays messages that must be retried, and scans all
// pools by sending a message for each. It does not receive messages; Lambda does.
package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A Queue is an SQS queue, by its URL. It is safe for concurrent use.
type Queue struct {
	Client *sqs.Client
	URL    string
	Sleep  func(context.Context, time.Duration) error
}

const (
	batch = 10 // largest number of messages in one SQS call
	tries = 4
	pause = 500 * time.Millisecond // before the second try; doubled for each further one
)

// Send sends all messages, and repeats a batch that the queue did not accept completely: a message may be sent twice.
func (q Queue) Send(ctx context.Context, bodies []string) error {
	var failed error
	for some := range slices.Chunk(bodies, batch) {
		err := q.sendOnce(ctx, some)
		for try := 0; err != nil && try < tries-1 && q.Sleep(ctx, pause<<try) == nil; try++ {
			err = q.sendOnce(ctx, some)
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return fmt.Errorf("sending %d messages to %s: %w", len(bodies), q.URL, failed)
	}
	return nil
}

func (q Queue) sendOnce(ctx context.Context, bodies []string) error {
	in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL)}
	for i, body := range bodies {
		in.Entries = append(in.Entries,
			types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(body)})
	}
	out, err := q.Client.SendMessageBatch(ctx, in)
	switch {
	case err != nil:
		return err
	case len(out.Failed) > 0:
		return fmt.Errorf("%s: %s", aws.ToString(out.Failed[0].Code), aws.ToString(out.Failed[0].Message))
	case len(out.Successful) < len(bodies):
		return errors.New("the response does not confirm them")
	}
	return nil
}

// PutOff delays the next delivery of a message by Delay. Receives is how often it was received so far.
func (q Queue) PutOff(ctx context.Context, receiptHandle string, receives int) error {
	_, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(q.URL),
		ReceiptHandle: aws.String(receiptHandle), VisibilityTimeout: int32(Delay(receives).Seconds())})
	if err != nil {
		return fmt.Errorf("delaying a message of %s: %w", q.URL, err)
	}
	return nil
}

// Delay returns the delay of a message: 15 s, doubled with each receive, at most 5 minutes. The 20 receives before the
// dead-letter queue take more than an hour.
func Delay(receives int) time.Duration {
	return min(15*time.Second<<min(10, max(0, receives-1)), 5*time.Minute)
}
