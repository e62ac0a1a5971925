package main

import (
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdadestinations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// functionName is what `sam local invoke` calls the function.
const functionName = "Poolkeeper"

// A Keeper is the function with its role and its log.
type Keeper struct {
	Function awslambda.Function
	Name     *string // as CloudFormation makes it
	Role     awsiam.Role
	Log      awslogs.LogGroup
}

// NewFunction makes the function. An event that it gives up on goes to the failed queue; a local template has none.
//
// It tells the alerts' topic, and the bus and Security Hub of the settings, sweeps over the default bus and remembers in the ledger; a local one does none of it.
func NewFunction(stack awscdk.Stack, id string, s Settings, failed *Queue, alerts *Alerts, ledger awsdynamodb.Table) Keeper {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	log := awslogs.NewLogGroup(scope, jsii.String("Log"), &awslogs.LogGroupProps{
		// It is the evidence of what was changed and why, and outlives the stack until its retention has passed.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	log.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(s.LogRetentionDays))
	role := awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("poolkeeper: reads user pools, and writes them where the baseline says so"),
	})
	log.GrantWrite(role)
	place := Place{*stack.Partition(), *stack.Region(), *stack.Account()}
	for _, statement := range Permissions(s, place) {
		role.AddToPolicy(policyStatement(statement))
	}
	environment := variables(s, role, alerts)
	maps.Copy(environment, remember(role, ledger))
	if alerts != nil {
		for _, statement := range telling(s, place) {
			role.AddToPolicy(policyStatement(statement))
		}
		role.AddToPolicy(policyStatement(Statement{Sid: "TellPeople", Actions: []string{"sns:Publish"}, Resources: []string{*alerts.Topic.TopicArn()}}))
		role.AddToPolicy(policyStatement(Statement{Sid: "UseTopicKey", Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{*alerts.Key.KeyArn()}}))
	}
	props := &awslambda.FunctionProps{
		Description:           jsii.String("poolkeeper: puts user pools back to their baseline"),
		Runtime:               awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:          architecture(s.Architecture),
		Handler:               jsii.String("bootstrap"),
		Code:                  awslambda.Code_FromAsset(jsii.String(s.Code), nil),
		Role:                  role,
		MemorySize:            jsii.Number(128),
		Timeout:               awscdk.Duration_Minutes(jsii.Number(15)), // a sweep takes its time; each call of an event is bounded by itself
		LogGroup:              log,
		LoggingFormat:         awslambda.LoggingFormat_JSON,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO,
		SystemLogLevelV2:      awslambda.SystemLogLevel_INFO,
		Tracing:               awslambda.Tracing_ACTIVE,
		Environment:           &environment,
	}
	if s.ReservedConcurrency > 0 {
		props.ReservedConcurrentExecutions = jsii.Number(s.ReservedConcurrency)
	}
	if failed != nil {
		props.OnFailure = awslambdadestinations.NewSqsDestination(failed.Queue)
		props.RetryAttempts = jsii.Number(2)
		props.MaxEventAge = awscdk.Duration_Hours(jsii.Number(6))
	}
	function := awslambda.NewFunction(scope, jsii.String("Function"), props)
	function.Node().DefaultChild().(awslambda.CfnFunction).AddMetadata(jsii.String("SamResourceId"), functionName)
	return Keeper{Function: function, Name: function.FunctionName(), Role: role, Log: log}
}

// variables are the function's environment, but for the ledger. A local template leaves out the role: SAM has no value for it, and makes one up that is none.
func variables(s Settings, role awsiam.Role, alerts *Alerts) map[string]*string {
	// Below 1,769 MB a function has less than one vCPU: threads beside each other only take turns, and cost their changes.
	v := map[string]*string{"GOMAXPROCS": jsii.String("1")}
	if !s.Local {
		v["ROLE_ARN"] = role.RoleArn()
	}
	if alerts != nil {
		v["TOPIC_ARN"] = alerts.Topic.TopicArn()
		v["SWEEP_BUS"] = jsii.String(sweepBus)
		if s.EventBus != "" {
			v["EVENT_BUS"] = jsii.String(s.EventBus)
		}
		if s.SecurityHub {
			v["SECURITY_HUB"] = jsii.String("on")
		}
	}
	if s.Mode != "" {
		v["MODE"] = jsii.String(string(s.Mode))
	}
	if s.BaselineFile != "" {
		v["BASELINE_FILE"] = jsii.String("/var/task/" + baselineInCode)
	}
	if s.LocalEndpoint != "" {
		v["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = jsii.String(s.LocalEndpoint)
	}
	return v
}

func architecture(name string) awslambda.Architecture {
	if name == "x86_64" {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

func policyStatement(s Statement) awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Sid: jsii.String(s.Sid), Actions: jsii.Strings(s.Actions...), Resources: jsii.Strings(s.Resources...)}
	if s.Conditions != nil {
		conditions := map[string]any{}
		for operator, keys := range s.Conditions {
			conditions[operator] = keys
		}
		props.Conditions = &conditions
	}
	return awsiam.NewPolicyStatement(props)
}
