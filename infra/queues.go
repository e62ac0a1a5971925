package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Queues are the two queues in front of the function and the one for what could not be delivered or handled.
type Queues struct{ Changes, Scans, DeadLetter awssqs.Queue }

const (
	// functionSeconds is the function's timeout.
	functionSeconds = 120
	// visibilitySeconds is how long a message that was received stays hidden: AWS recommends six timeouts.
	visibilitySeconds = 6 * functionSeconds
	// maxReceives is after how many tries a message goes to the dead-letter queue. The function puts deferred
	// messages off for up to 5 minutes, so that is more than an hour.
	maxReceives = 20
)

// NewQueues makes the queues. Scans have one of their own, so that they never delay a live event.
func NewQueues(stack awscdk.Stack, id string) Queues {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	deadLetter := newQueue(scope, "DeadLetter", awssqs.QueueProps{})
	incoming := awssqs.QueueProps{
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(visibilitySeconds)),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: deadLetter, MaxReceiveCount: jsii.Number(maxReceives)},
	}
	return Queues{newQueue(scope, "Changes", incoming), newQueue(scope, "Scans", incoming), deadLetter}
}

// newQueue makes a queue that only TLS reaches, under SQS's own key, which EventBridge and Scheduler may use.
func newQueue(scope constructs.Construct, id string, props awssqs.QueueProps) awssqs.Queue {
	props.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	props.EnforceSSL = jsii.Bool(true)
	props.RetentionPeriod = awscdk.Duration_Days(jsii.Number(14))
	return awssqs.NewQueue(scope, jsii.String(id), &props)
}
