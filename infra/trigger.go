package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// callsOf returns the names of the calls that can change what the baseline requires or watches, of some pool.
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

// NewTrigger makes the rule on the default bus that sends the Changes queue every successful call that can change what
// a baseline requires or watches.
//
// The pattern says nothing of the caller: whoever held the function's own role would be invisible. The event of the
// function's own write costs its reads.
func NewTrigger(stack awscdk.Stack, id string, required *baseline.Baseline, queues Queues) awsevents.Rule {
	// Cognito writes an empty code into some records of calls that succeeded.
	succeeded := awsevents.Match_AnyOf(
		awsevents.Match_DoesNotExist(), awsevents.Match_NullValue(), awsevents.Match_ExactString(jsii.String("")))
	return awsevents.NewRule(stack, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: calls that change user pools"),
		EventPattern: &awsevents.EventPattern{
			// A bus may be sent the events of other accounts and Regions.
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
		// EventBridge tries for a day, and then gives up to the dead-letter queue.
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(queues.Changes, &awseventstargets.SqsQueueProps{
			DeadLetterQueue: queues.DeadLetter,
		})},
	})
}
