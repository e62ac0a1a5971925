package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A Queue keeps what could not be handled, for two weeks, and is watched by an alarm.
type Queue struct {
	Queue   awssqs.Queue
	Meaning string // what lies in it, as the alarm says it
}

// NewQueue makes an encrypted queue that only TLS reaches.
func NewQueue(scope constructs.Construct, id, meaning string) Queue {
	return Queue{Meaning: meaning, Queue: awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
	})}
}
