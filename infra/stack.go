package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
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

// A deployment is a stack with its settings and the resources that others refer to.
type deployment struct {
	stack awscdk.Stack
	Settings
	queues Queues
	alerts Alerts
	ledger awsdynamodb.Table
	keeper Keeper
}

func (d *deployment) scope(id string) constructs.Construct {
	return constructs.NewConstruct(d.stack, jsii.String(id))
}

// NewStack adds the stack for one Region. An empty region means the Region of the environment.
func NewStack(app awscdk.App, id string, s Settings, region string) awscdk.Stack {
	env := &awscdk.Environment{}
	if region != "" {
		env.Region = jsii.String(region)
		if s.Account != "" {
			env.Account = jsii.String(s.Account)
		}
	}
	stack := awscdk.NewStack(app, jsii.String(id), &awscdk.StackProps{
		StackName: jsii.String(s.StackName()), Env: env,
		Description: jsii.String("poolkeeper keeps the Cognito user pools of this Region at their baseline"),
	})
	d := &deployment{stack: stack, Settings: s}
	if s.Local != "" {
		d.addFunction("Keeper")
		return stack
	}
	d.addQueues("Queues")
	d.addAlerts("Alerts")
	d.addLedger("Ledger")
	d.addFunction("Keeper")
	rule := d.addTrigger("Changes")
	d.addScans()
	d.addTamperAlert("TamperAlert")
	if s.CreateTrail {
		d.addTrail("Trail")
	}
	d.addDashboard("Dashboard", rule, d.addAlarms("Alarms"))
	d.publish()
	return stack
}

// publish adds outputs, and metadata with the deployed baseline, which the command line reads. Metadata costs nothing,
// is rolled back with the stack, and is readable for everyone who may read the stack.
func (d *deployment) publish() {
	mode := "enforce"
	if len(d.Baseline.Enforced()) == 0 {
		mode = "audit"
	}
	// CloudFormation returns non-ASCII characters as question marks.
	text := strconv.QuoteToASCII(string(d.Code.Baseline))
	d.stack.TemplateOptions().SetMetadata(&map[string]any{"poolkeeper": map[string]any{
		"file": filepath.Base(d.Baseline.File), "baseline": text[1 : len(text)-1], "digest": d.Baseline.Digest,
		"mode": mode, "build": d.Code.Commit,
	}})
	outputs := map[string]*string{
		"FunctionName": d.keeper.Function.FunctionName(), "LogGroupName": d.keeper.Log.LogGroupName(),
		"ChangesQueueUrl": d.queues.Changes.QueueUrl(), "ScansQueueUrl": d.queues.Scans.QueueUrl(),
		"DeadLetterQueueUrl": d.queues.DeadLetter.QueueUrl(), "LedgerTableName": d.ledger.TableName(),
		"TopicArn": d.alerts.Topic.TopicArn(), "BaselineDigest": jsii.String(d.Baseline.Digest), "Mode": jsii.String(mode),
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		awscdk.NewCfnOutput(d.stack, jsii.String(name), &awscdk.CfnOutputProps{Value: outputs[name]})
	}
}
