package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/jsii-runtime-go"
)

// globalRegion returns the Region where IAM's calls appear on the event bus, for the partition of a Region.
func globalRegion(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "cn-north-1"
	case strings.HasPrefix(region, "us-gov-"):
		return "us-gov-west-1"
	case strings.HasPrefix(region, "eusc-"):
		return "eusc-de-east-1"
	default:
		return "us-east-1"
	}
}

// NewRoleWatchStack creates a stack in the Region where IAM's calls appear. It forwards calls on the stack's roles to
// the bus in the stack's own Region, where the tamper alert notifies people. A stack in the global Region does not need
// one. If the settings require trails, the first of these stacks creates the trail for these calls, unless another
// stack does.
func NewRoleWatchStack(app awscdk.App, id string, s Settings, watched awscdk.Stack, region string) {
	global := globalRegion(region)
	if region == global {
		return
	}
	stack := awscdk.NewStack(app, jsii.String(id+"-role-watch"), &awscdk.StackProps{
		StackName:   jsii.String(fmt.Sprintf("%s-role-watch-%s", s.StackName(), region)),
		Env:         environment(s.Account, global),
		Description: jsii.String("poolkeeper: tells " + region + " of changes to the function's role"),
	})
	watched.AddStackDependency(stack, nil)
	if region == s.Regions[0] && !slices.Contains(s.Regions, global) {
		NewTrail(stack, "Trail", s)
	}
	var calls []any
	for _, pattern := range callsAbout(s.StackName())["Footing"] {
		if fmt.Sprint(pattern["eventSource"]) == "[iam.amazonaws.com]" {
			calls = append(calls, pattern)
		}
	}
	bus := awsevents.EventBus_FromEventBusArn(stack, jsii.String("Bus"),
		jsii.String("arn:"+*stack.Partition()+":events:"+region+":"+*stack.Account()+":event-bus/default"))
	awsevents.NewRule(stack, jsii.String("Calls"), &awsevents.RuleProps{
		Description: jsii.String("poolkeeper: calls that change its roles"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.iam"),
			DetailType: jsii.Strings("AWS API Call via CloudTrail"),
			Detail:     &map[string]any{"$or": calls},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewEventBus(bus, nil)},
	})
}
