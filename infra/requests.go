package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"poolkeeper/lambda/event"
)

// sweepBus is the bus on which the function puts the pools of a sweep. It is the one that its other events come from.
const sweepBus = "default"

// NewRequests makes the rule on the default bus that hands the function what it asks itself for: the pools of a sweep, one by one, and the sweep that goes on.
//
// Who may put events onto the bus may ask as well. All that it brings about is that pools are looked at. What another deployment on the bus asks itself for is not for this one: each would answer the
// other's pools, and go on with the other's sweep, over and over.
func NewRequests(stack awscdk.Stack, id string, function awslambda.IFunction, undelivered Queue) awsevents.Rule {
	return awsevents.NewRule(stack, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: the pools of a sweep"),
		EventPattern: &awsevents.EventPattern{
			// As with the calls, nobody else's.
			Account: &[]*string{stack.Account()},
			Region:  &[]*string{stack.Region()},
			Source:  jsii.Strings(event.Source),
			// Never what it reports: the outcome of an event would be an event that has an outcome.
			DetailType: jsii.Strings(event.ReconcilePool, event.SweepPools),
			Detail:     &map[string]any{"function": awsevents.Match_AnyOf(awsevents.Match_DoesNotExist(), awsevents.Match_ExactString(function.FunctionName()))},
		},
		Targets: handedTo(function, undelivered),
	})
}
