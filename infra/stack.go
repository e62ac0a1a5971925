package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// NewStacks adds a stack for each Region of the settings, all with the same name. If there are settings for several
// environments, the ids include the accounts.
func NewStacks(app awscdk.App, s Settings, several bool) {
	regions := s.Regions
	if len(regions) == 0 {
		regions = []string{""}
	}
	for _, region := range regions {
		id := s.StackName()
		if several {
			id += "-" + s.Account
		}
		if several || len(regions) > 1 {
			id += "-" + region
		}
		NewStack(app, id, s, region)
	}
}

// NewStack adds the stack for one Region. An empty region means the Region of the environment.
func NewStack(app awscdk.App, id string, s Settings, region string) awscdk.Stack {
	stack := awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
		StackName:   jsii.String(s.StackName()),
		Env:         environment(s.Account, region),
		Description: jsii.String("poolkeeper keeps the Cognito user pools of this Region at their baseline"),
	})
	if s.Local != "" {
		NewFunction(stack, "Keeper", s, nil)
		return stack
	}
	r := Resources{NewQueues(stack, "Queues"), NewAlerts(stack, "Alerts", s), NewLedger(stack, "Ledger")}
	keeper := NewFunction(stack, "Keeper", s, &r)
	rule := NewTrigger(stack, "Changes", s.Baseline, r.Queues)
	NewScans(stack, r.Queues, s.ScanHours)
	NewTamperAlert(stack, "TamperAlert", keeper, r.Alerts, r.Queues)
	NewTrail(stack, "Trail", s)
	alarms := NewAlarms(stack, "Alarms", s, keeper, r.Alerts, r.Queues)
	NewDashboard(stack, "Dashboard", keeper, rule, alarms, r.Queues)

	publish(stack, s)
	outputs := map[string]*string{
		"FunctionName":       keeper.Name,
		"LogGroupName":       keeper.Log.LogGroupName(),
		"TopicArn":           r.Alerts.Topic.TopicArn(),
		"ChangesQueueUrl":    r.Queues.Changes.QueueUrl(),
		"ScansQueueUrl":      r.Queues.Scans.QueueUrl(),
		"DeadLetterQueueUrl": r.Queues.DeadLetter.QueueUrl(),
		"LedgerTableName":    r.Ledger.TableName(),
		"BaselineDigest":     jsii.String(s.Baseline.Digest),
		"Mode":               jsii.String(modeOf(s)),
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: outputs[name]})
	}
	return stack
}

// publish adds the deployed baseline to the metadata of the template, where the command line reads it. This costs
// nothing, is rolled back with the stack, and is readable for everyone who may read the stack.
func publish(stack awscdk.Stack, s Settings) {
	// CloudFormation returns non-ASCII characters as question marks.
	text := strconv.QuoteToASCII(string(s.Code.Baseline))
	stack.TemplateOptions().SetMetadata(&map[string]any{"poolkeeper": map[string]any{
		"file": filepath.Base(s.Baseline.File), "baseline": text[1 : len(text)-1], "digest": s.Baseline.Digest,
		"mode": modeOf(s), "build": s.Code.Commit,
	}})
}

// modeOf returns the mode of the deployment in one word.
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
