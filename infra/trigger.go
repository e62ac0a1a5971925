package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// callsOf returns the names of the calls that can change anything that the baseline requires or watches.
func callsOf(required *baseline.Baseline) []string {
	var names []string
	for _, call := range event.Table() {
		if required.Concerns("", call.Change()) {
			names = append(names, call.Name)
		}
	}
	return names
}

// addTrigger adds the rule on the default bus that sends to the Changes queue every successful call that can change
// anything that the baseline requires or watches.
//
// The pattern does not filter by caller, because otherwise an attacker with the function's role would be invisible. The
// events of the function's own writes only cost reads.
func (d *deployment) addTrigger(id string) awsevents.Rule {
	// Some records of successful Cognito calls have an empty error code.
	succeeded := awsevents.Match_AnyOf(
		awsevents.Match_DoesNotExist(), awsevents.Match_NullValue(), awsevents.Match_ExactString(jsii.String("")))
	return awsevents.NewRule(d.stack, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: calls that change user pools"),
		EventPattern: &awsevents.EventPattern{
			// A bus can also get events from other accounts and Regions.
			Account: &[]*string{d.stack.Account()}, Region: &[]*string{d.stack.Region()},
			Source: jsii.Strings("aws.cognito-idp"), DetailType: jsii.Strings("AWS API Call via CloudTrail"),
			Detail: &map[string]any{
				"eventSource": jsii.Strings("cognito-idp.amazonaws.com"),
				"eventName":   jsii.Strings(callsOf(d.Baseline)...),
				"errorCode":   succeeded,
			},
		},
		// EventBridge retries for a day and then sends the event to the dead-letter queue.
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(d.queues.Changes, &awseventstargets.SqsQueueProps{
			DeadLetterQueue: d.queues.DeadLetter,
		})},
	})
}

// scanMessage returns the event that makes the function scan all pools. The reason appears in the log.
func scanMessage(reason string) map[string]any {
	return map[string]any{"source": "poolkeeper", "detail-type": "Scan", "detail": map[string]any{"reason": reason}}
}

// addScans adds what starts scans: the schedule, which finds drift without an event because CloudTrail's delivery is
// best effort, and a rule for the end of each deployment of the stack, so that a new baseline takes effect at once.
// CloudFormation emits that event, and nothing waits for the scan, so a pool that cannot be fixed does not fail the
// deployment.
func (d *deployment) addScans() {
	message := scanMessage("schedule")
	// Scheduler may deliver twice. The scheduled time as the id tells the function that both are the same event.
	const scheduledTime = "<aws.scheduler.scheduled-time>"
	message["id"], message["time"] = "schedule/"+scheduledTime, scheduledTime
	awsscheduler.NewSchedule(d.stack, jsii.String("Scan"), &awsscheduler.ScheduleProps{
		Description: jsii.String("poolkeeper: scans every user pool"),
		Schedule:    awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Hours(jsii.Number(d.ScanHours))),
		Target: awsschedulertargets.NewSqsSendMessage(d.queues.Scans, &awsschedulertargets.SqsSendMessageProps{
			Input:           awsscheduler.ScheduleTargetInput_FromObject(message),
			DeadLetterQueue: d.queues.DeadLetter,
			RetryAttempts:   jsii.Number(5),
			MaxEventAge:     awscdk.Duration_Hours(jsii.Number(1)), // the next scan follows soon
		}),
	})
	awsevents.NewRule(d.stack, jsii.String("Deployment"), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: scans every user pool after a deployment"),
		EventPattern: &awsevents.EventPattern{
			Source: jsii.Strings("aws.cloudformation"), DetailType: jsii.Strings("CloudFormation Stack Status Change"),
			Detail: &map[string]any{
				"stack-id":       []any{d.stack.StackId()},
				"status-details": map[string]any{"status": []any{"CREATE_COMPLETE", "UPDATE_COMPLETE"}},
			},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(d.queues.Scans, &awseventstargets.SqsQueueProps{
			Message:         awsevents.RuleTargetInput_FromObject(scanMessage("deployment")),
			DeadLetterQueue: d.queues.DeadLetter,
		})},
	})
}
