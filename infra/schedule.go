package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	messageSource = "poolkeeper"
	scanType      = "Scan"
)

// scanMessage is the event that makes the function scan every pool. The reason is for whoever reads the log.
func scanMessage(reason string) map[string]any {
	return map[string]any{
		"source": messageSource, "detail-type": scanType, "detail": map[string]any{"reason": reason},
	}
}

// NewSchedule makes the schedule of the scan, which finds what no event reported: CloudTrail's delivery is best effort.
func NewSchedule(scope constructs.Construct, id string, queues Queues, hours int) awsscheduler.Schedule {
	message := scanMessage("schedule")
	// Scheduler may deliver twice. The id of its time tells the function that both are one event.
	const scheduledTime = "<aws.scheduler.scheduled-time>"
	message["id"], message["time"] = "schedule/"+scheduledTime, scheduledTime
	return awsscheduler.NewSchedule(scope, jsii.String(id), &awsscheduler.ScheduleProps{
		Description: jsii.String("poolkeeper: scans every user pool"),
		Schedule:    awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Hours(jsii.Number(hours))),
		Target: awsschedulertargets.NewSqsSendMessage(queues.Scans, &awsschedulertargets.SqsSendMessageProps{
			Input:           awsscheduler.ScheduleTargetInput_FromObject(message),
			DeadLetterQueue: queues.DeadLetter,
			RetryAttempts:   jsii.Number(5),
			MaxEventAge:     awscdk.Duration_Hours(jsii.Number(1)), // the next scan is never far
		}),
	})
}
