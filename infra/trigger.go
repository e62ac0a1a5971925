package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/baseline"
	"poolkeeper/lambda/event"
)

// heard returns the names of the calls that can change what the baseline owns or watches, of some pool.
func heard(required *baseline.Baseline) []string {
	var names []string
	for _, call := range event.Table() {
		if concerns(required, call) {
			names = append(names, call.Name)
		}
	}
	return names
}

func concerns(required *baseline.Baseline, call event.Name) bool {
	return required.Concerns("", baseline.Change{Documents: call.Changes, Selection: call.Selection, Watched: call.Watched, Deletes: call.Name == event.DeleteUserPool})
}

// NewTrigger makes the rule on the default bus that hands the function every successful call that can change what a baseline owns.
//
// The pattern says nothing of the caller: whoever holds the function's own role would go unseen. The event of the function's own write costs two reads.
func NewTrigger(stack awscdk.Stack, id string, required *baseline.Baseline, function awslambda.IFunction, undelivered Queue) awsevents.Rule {
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
				"eventName":   jsii.Strings(heard(required)...),
				// Cognito writes an empty code into some records of calls that succeeded.
				"errorCode": awsevents.Match_AnyOf(awsevents.Match_DoesNotExist(), awsevents.Match_NullValue(), awsevents.Match_ExactString(jsii.String(""))),
			},
		},
		Targets: handedTo(function, undelivered),
	})
}

// handedTo makes the function the target of a rule. What it cannot be handed within a day lies in the queue.
func handedTo(function awslambda.IFunction, undelivered Queue) *[]awsevents.IRuleTarget {
	return &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(function, &awseventstargets.LambdaFunctionProps{
		DeadLetterQueue: undelivered.Queue,
		MaxEventAge:     awscdk.Duration_Hours(jsii.Number(24)),
		RetryAttempts:   jsii.Number(185),
	})}
}
