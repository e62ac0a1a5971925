package main

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/lambda/event"
)

// A sweep is the event that makes the function look at every pool. Its detail is for the reader of the log.
type sweep struct {
	ID         string            `json:"id,omitempty"`
	Time       string            `json:"time,omitempty"`
	Source     string            `json:"source"`
	DetailType string            `json:"detail-type"`
	Detail     map[string]string `json:"detail"`
}

// json returns the event. What stands in angle brackets stays as it is: the scheduler puts something else in its place.
func (s sweep) json() string {
	s.Source, s.DetailType = event.Source, event.SweepPools
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // texts always encode
	}
	return strings.TrimSpace(b.String())
}

// scheduled is the sweep of one time of the schedule: the scheduler may hand it over several times, and then it is one event that comes again.
var scheduled = sweep{ID: "schedule/<aws.scheduler.scheduled-time>", Time: "<aws.scheduler.scheduled-time>", Detail: map[string]string{"reason": "schedule"}}

// NewSchedule makes the schedule of the sweep, which finds what no event told of: CloudTrail's delivery is best effort.
func NewSchedule(scope constructs.Construct, id string, function awslambda.IFunction, unswept Queue, hours int) awsscheduler.Schedule {
	return awsscheduler.NewSchedule(scope, jsii.String(id), &awsscheduler.ScheduleProps{
		Description: jsii.String("poolkeeper: looks at every user pool"),
		Schedule:    awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Hours(jsii.Number(hours))),
		Target: awsschedulertargets.NewLambdaInvoke(function, &awsschedulertargets.ScheduleTargetBaseProps{
			Input:           awsscheduler.ScheduleTargetInput_FromText(jsii.String(scheduled.json())),
			DeadLetterQueue: unswept.Queue,
			RetryAttempts:   jsii.Number(5),
			MaxEventAge:     awscdk.Duration_Hours(jsii.Number(1)), // the next sweep is never far
		}),
	})
}
