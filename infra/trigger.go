package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// callsOf returns the names of the calls that can change anything that the baseline requires or watches.
func callsOf(required *baseline.Baseline) []string {
	var names []string
	for _, call := range event.Table() {
		if concerns(required, call) {
			names = append(names, call.Name)
		}
	}
	return names
}

func concerns(required *baseline.Baseline, call event.Name) bool {
	return required.Concerns("", baseline.Change{
		Documents: call.Changes, Selection: call.Selection, Watched: call.Watched,
		Deletes: call.Name == event.DeleteUserPool,
	})
}

// NewTrigger creates the rule on the default bus that sends to the Changes queue every successful call that can change
// anything that the baseline requires or watches.
//
// The pattern does not filter by caller, because otherwise an attacker with the function's role would be invisible. The
// events of the function's own writes only cost reads.
func NewTrigger(stack awscdk.Stack, id string, required *baseline.Baseline, queues Queues) awsevents.Rule {
	// Some records of successful Cognito calls have an empty error code.
	succeeded := awsevents.Match_AnyOf(
		awsevents.Match_DoesNotExist(), awsevents.Match_NullValue(), awsevents.Match_ExactString(jsii.String("")))
	return awsevents.NewRule(stack, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: calls that change user pools"),
		EventPattern: &awsevents.EventPattern{
			// A bus can also get events from other accounts and Regions.
			Account:    &[]*string{stack.Account()},
			Region:     &[]*string{stack.Region()},
			Source:     jsii.Strings("aws.cognito-idp"),
			DetailType: jsii.Strings("AWS API Call via CloudTrail"),
			Detail: &map[string]any{
				"eventSource": jsii.Strings("cognito-idp.amazonaws.com"),
				"eventName":   jsii.Strings(callsOf(required)...),
				"errorCode":   succeeded,
			},
		},
		// EventBridge retries for a day and then sends the event to the dead-letter queue.
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(queues.Changes, &awseventstargets.SqsQueueProps{
			DeadLetterQueue: queues.DeadLetter,
		})},
	})
}
