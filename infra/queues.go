package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Queues are the two queues of the function and the dead-letter queue.
type Queues struct{ Changes, Scans, DeadLetter awssqs.Queue }

// functionSeconds is the function's timeout.
const functionSeconds = 120

// addQueues adds the queues. Scans have their own queue, so that they never delay a live event.
func (d *deployment) addQueues(id string) {
	scope := d.scope(id)
	deadLetter := newQueue(scope, "DeadLetter", awssqs.QueueProps{})
	incoming := awssqs.QueueProps{
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(6 * functionSeconds)), // as AWS recommends
		// The function delays deferred messages by up to 5 minutes, so 20 tries take more than an hour.
		DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: deadLetter, MaxReceiveCount: jsii.Number(20)},
	}
	d.queues = Queues{newQueue(scope, "Changes", incoming), newQueue(scope, "Scans", incoming), deadLetter}
}

// newQueue creates a queue that requires TLS. It uses SQS managed encryption, which EventBridge and Scheduler can use.
func newQueue(scope constructs.Construct, id string, props awssqs.QueueProps) awssqs.Queue {
	props.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	props.EnforceSSL = jsii.Bool(true)
	props.RetentionPeriod = awscdk.Duration_Days(jsii.Number(14))
	return awssqs.NewQueue(scope, jsii.String(id), &props)
}
