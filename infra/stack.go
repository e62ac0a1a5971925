package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// NewStacks adds a stack for each Region of the settings, all of one name.
func NewStacks(app awscdk.App, s Settings) {
	places := s.Regions
	if len(places) == 0 {
		places = []string{""}
	}
	for _, region := range places {
		id := s.StackName()
		if len(places) > 1 {
			id += "-" + region
		}
		stack := NewStack(app, id, s, region)
		if s.WatchRole {
			NewRoleWatchStack(app, id, s, stack, region)
		}
	}
}

// NewStack puts the whole of poolkeeper into one Region. An empty region is that of the environment.
func NewStack(app awscdk.App, id string, s Settings, region string) awscdk.Stack {
	stack := awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String(s.StackName()),
		Env:         environment(s.Account, region),
		Description: jsii.String("poolkeeper keeps the Cognito user pools of this Region at their baseline"),
	})
	if s.Local {
		NewFunction(stack, "Keeper", s, nil, nil, nil)
		return stack
	}
	alerts := NewAlerts(stack, "Alerts", s)
	undelivered := NewQueue(stack, "Undelivered", "Events that EventBridge could not hand to the function, and warnings of the guard that it could not hand to people")
	unswept := NewQueue(stack, "Unswept", "Sweeps that the schedule could not hand to the function")
	failed := NewQueue(stack, "Failed", "Events that the function gave up on after its last try")

	ledger := NewLedger(stack, "Ledger", s)
	keeper := NewFunction(stack, "Keeper", s, &failed, &alerts, ledger)
	rule := NewTrigger(stack, "Changes", s.Baseline, keeper.Function, undelivered)
	requests := NewRequests(stack, "Requests", keeper.Function, undelivered)
	NewSchedule(stack, "Sweep", keeper.Function, unswept, s.SweepHours)
	guard := NewGuard(stack, "Guard", alerts, undelivered)
	trail := NewTrail(stack, "Trail", s)
	alarms := NewAlarms(stack, "Alarms", s, keeper, alerts, map[string]Queue{"Undelivered": undelivered, "Unswept": unswept, "Failed": failed})
	NewDashboard(stack, "Dashboard", keeper, rule, alarms, []Queue{undelivered, unswept, failed})
	NewFirstSweep(stack, "FirstSweep", s, keeper, rule, requests, guard, trail)

	outputs := map[string]*string{
		"FunctionName":        keeper.Name,
		"LogGroupName":        keeper.Log.LogGroupName(),
		"TopicArn":            alerts.Topic.TopicArn(),
		"FailedQueueUrl":      failed.Queue.QueueUrl(),
		"UndeliveredQueueUrl": undelivered.Queue.QueueUrl(),
		"UnsweptQueueUrl":     unswept.Queue.QueueUrl(),
		"BaselineDigest":      jsii.String(s.Baseline.Digest),
		"Mode":                jsii.String(modeOf(s)),
	}
	if ledger != nil {
		outputs["LedgerTableName"] = ledger.TableName()
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: outputs[name]})
	}
	return stack
}

// modeOf says in a word what the deployment does.
func modeOf(s Settings) string {
	if len(s.Baseline.Enforced()) == 0 {
		return "audit"
	}
	return "enforce"
}

func environment(account, region string) *awscdk.Environment {
	var e awscdk.Environment
	if account != "" && region != "" {
		e.Account = jsii.String(account)
	}
	if region != "" {
		e.Region = jsii.String(region)
	}
	return &e
}
