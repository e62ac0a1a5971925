// Package queue sends messages to the function's own SQS queues, delays a message that has to be tried again, and scans
// all pools by sending a message for each. It never receives a message: Lambda does.
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
	batch = 10 // SQS accepts no more messages in one call
	tries = 4
	pause = 500 * time.Millisecond // before the second try; each further one waits twice as long
)

// Send sends all messages, and those again that the queue did not accept. The error says how many were not sent. A
// message whose answer was lost may be sent twice.
func (q Queue) Send(ctx context.Context, bodies []string) error {
	unsent := 0
	var failed error
	for some := range slices.Chunk(bodies, batch) {
		left, err := q.sendBatch(ctx, some)
		unsent += len(left)
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return fmt.Errorf("sending %d of %d messages to %s: %w", unsent, len(bodies), q.URL, failed)
	}
	return nil
}

// sendBatch sends one batch, and returns the messages that were not sent, and why.
func (q Queue) sendBatch(ctx context.Context, bodies []string) (left []string, err error) {
	left = bodies
	for try := range tries {
		if try > 0 && q.Sleep(ctx, pause<<(try-1)) != nil {
			return left, err
		}
		if left, err = q.sendOnce(ctx, left); err == nil {
			return nil, nil
		}
	}
	return left, err
}

// sendOnce sends one batch once. What the answer does not confirm counts as not sent.
func (q Queue) sendOnce(ctx context.Context, bodies []string) (left []string, err error) {
	in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.URL)}
	for i, body := range bodies {
		in.Entries = append(in.Entries,
			types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(body)})
	}
	out, err := q.Client.SendMessageBatch(ctx, in)
	if err != nil {
		return bodies, err
	}
	sent := map[string]bool{}
	for _, s := range out.Successful {
		sent[aws.ToString(s.Id)] = true
	}
	for i, body := range bodies {
		if !sent[strconv.Itoa(i)] {
			left = append(left, body)
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	err = errors.New("the answer does not confirm them")
	for _, f := range out.Failed {
		err = fmt.Errorf("%s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
	}
	return left, err
}

// PutOff has a message delivered again after Delay and not before. Receives is how often it was received so far.
func (q Queue) PutOff(ctx context.Context, receiptHandle string, receives int) error {
	_, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(q.URL),
		ReceiptHandle: aws.String(receiptHandle), VisibilityTimeout: int32(Delay(receives).Seconds())})
	if err != nil {
		return fmt.Errorf("delaying a message of %s: %w", q.URL, err)
	}
	return nil
}

const (
	firstDelay = 15 * time.Second
	mostDelay  = 5 * time.Minute
)

// Delay is how long a message waits that was received so often: 15 s, doubled with each receive, at most 5 minutes. The
// 20 receives until the dead-letter queue take more than an hour.
func Delay(receives int) time.Duration {
	if receives > 5 {
		return mostDelay
	}
	return min(firstDelay<<max(0, receives-1), mostDelay)
}
