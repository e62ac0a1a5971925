package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/jsii-runtime-go"
)

// NewDeploymentRule makes the rule that starts a scan at the end of each deployment of the stack, so that a new
// baseline is in force at once. CloudFormation sends the event by itself, and nothing waits for the scan: a pool that
// cannot be fixed fails no deployment.
func NewDeploymentRule(stack awscdk.Stack, id string, queues Queues) awsevents.Rule {
	return awsevents.NewRule(stack, jsii.String(id), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: scans every user pool after a deployment"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.cloudformation"),
			DetailType: jsii.Strings("CloudFormation Stack Status Change"),
			Detail: &map[string]any{
				"stack-id":       []any{stack.StackId()},
				"status-details": map[string]any{"status": []any{"CREATE_COMPLETE", "UPDATE_COMPLETE"}},
			},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSqsQueue(queues.Scans, &awseventstargets.SqsQueueProps{
			Message:         awsevents.RuleTargetInput_FromObject(scanMessage("deployment")),
			DeadLetterQueue: queues.DeadLetter,
		})},
	})
}
