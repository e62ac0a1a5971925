package main

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// sweep returns the event that makes the function look at every pool. Its detail is for the reader of the log.
func sweep(detail map[string]string) string {
	payload, err := json.Marshal(struct {
		Source     string            `json:"source"`
		DetailType string            `json:"detail-type"`
		Detail     map[string]string `json:"detail"`
	}{"poolkeeper", "Sweep", detail})
	if err != nil {
		panic(err) // texts always encode
	}
	return string(payload)
}

// NewSchedule makes the schedule of the sweep, which finds what no event told of: CloudTrail's delivery is best effort.
func NewSchedule(scope constructs.Construct, id string, function awslambda.IFunction, unswept Queue, hours int) awsscheduler.Schedule {
	return awsscheduler.NewSchedule(scope, jsii.String(id), &awsscheduler.ScheduleProps{
		Description: jsii.String("poolkeeper: looks at every user pool"),
		Schedule:    awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Hours(jsii.Number(hours))),
		Target: awsschedulertargets.NewLambdaInvoke(function, &awsschedulertargets.ScheduleTargetBaseProps{
			Input:           awsscheduler.ScheduleTargetInput_FromText(jsii.String(sweep(map[string]string{"reason": "schedule"}))),
			DeadLetterQueue: unswept.Queue,
			RetryAttempts:   jsii.Number(5),
			MaxEventAge:     awscdk.Duration_Hours(jsii.Number(1)), // the next sweep is never far
		}),
	})
}
