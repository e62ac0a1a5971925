package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A Keeper is the function with its log and event sources.
type Keeper struct {
	Function awslambda.Function
	Log      awslogs.LogGroup
	OnChange awslambda.EventSourceMapping
	OnScan   awslambda.EventSourceMapping
}

// addFunction adds the function. In a local template there are no resources for it.
func (d *deployment) addFunction(id string) {
	scope, stack, s := d.scope(id), d.stack, d.Settings
	log := awslogs.NewLogGroup(scope, jsii.String("Log"), &awslogs.LogGroupProps{
		// The log is the evidence of changes and their reasons. It remains after the stack is deleted, until its
		// retention ends.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	log.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(s.LogRetentionDays))
	role := awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("poolkeeper: reads user pools, and writes them as the baseline requires"),
	})
	log.GrantWrite(role)
	location := arn.ARN{Partition: *stack.Partition(), Region: *stack.Region(), AccountID: *stack.Account()}
	allow(role, Permissions(s, location))
	if s.Local == "" {
		allow(role, d.permissions())
		allow(role, d.alerts.permissions(s))
		if len(s.SMSRoles) == 0 && slices.Contains(writesOf(s.Baseline.Enforced()), updateUserPool) {
			awscdk.Annotations_Of(role).AddWarningV2(jsii.String("poolkeeper:smsRoles"), jsii.String("the function may pass "+
				"any role of the account to Cognito. To restrict it to the roles that pools use for text messages, set -c "+
				"smsRoles=ARN,ARN (or none); `poolkeeper permissions` lists them"), nil)
		}
	}
	environment := d.variables(role)
	function := awslambda.NewFunction(scope, jsii.String("Function"), &awslambda.FunctionProps{
		Description: jsii.String("poolkeeper: brings user pools back to their baseline"), Role: role,
		Code: awslambda.Code_FromAsset(jsii.String(s.Code.Dir), nil), Handler: jsii.String("bootstrap"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_Custom(jsii.String(s.Architecture), nil),
		MemorySize:   jsii.Number(128), Timeout: awscdk.Duration_Seconds(jsii.Number(functionSeconds)),
		LogGroup: log, LoggingFormat: awslambda.LoggingFormat_JSON, Tracing: awslambda.Tracing_ACTIVE,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO, SystemLogLevelV2: awslambda.SystemLogLevel_INFO,
		Environment: &environment,
	})
	resource := function.Node().DefaultChild().(awslambda.CfnFunction)
	resource.AddMetadata(jsii.String("SamResourceId"), "Poolkeeper") // for sam local invoke
	// The CDK adds a dependency on the role to which the function refers anyway; cfn-lint reports that.
	resource.AddMetadata(jsii.String("cfn-lint"), map[string]any{
		"config": map[string]any{"ignore_checks": jsii.Strings("W3005")},
	})
	d.keeper = Keeper{Function: function, Log: log}
	if s.Local == "" {
		d.keeper.OnChange = d.startOn(scope, "OnChange", d.queues.Changes)
		d.keeper.OnScan = d.startOn(scope, "OnScan", d.queues.Scans)
	}
}

// startOn starts the function for each message of a queue, with at most two concurrent invocations: more would not be
// faster because of the API's rate limits.
func (d *deployment) startOn(in constructs.Construct, id string, queue awssqs.Queue) awslambda.EventSourceMapping {
	return awslambda.NewEventSourceMapping(in, jsii.String(id), &awslambda.EventSourceMappingProps{
		Target: d.keeper.Function, EventSourceArn: queue.QueueArn(), ReportBatchItemFailures: jsii.Bool(true),
		BatchSize: jsii.Number(1), MaxConcurrency: jsii.Number(2),
	})
}

// permissions returns the function's permissions on the stack's resources. It can neither scan the table nor delete
// items.
func (d *deployment) permissions() []Statement {
	changes, scans := *d.queues.Changes.QueueArn(), *d.queues.Scans.QueueArn()
	return []Statement{
		statement("ReceiveMessages", []string{changes, scans},
			"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
		statement("SendScans", []string{scans}, "sqs:SendMessage"),
		statement("UseLedger", []string{*d.ledger.TableArn()},
			"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
	}
}

// variables returns the function's environment variables. A local template leaves out those that only CloudFormation
// can resolve.
func (d *deployment) variables(role awsiam.Role) map[string]*string {
	// Below 1,769 MB a function has less than one vCPU, so more threads would only add context switches.
	v := map[string]*string{"GOMAXPROCS": jsii.String("1"), "MODE": jsii.String(string(d.Mode))}
	if d.Local == "" {
		v["ROLE_ARN"] = role.RoleArn()
		v["TOPIC_ARN"] = d.alerts.Topic.TopicArn()
		v["STACK_NAME"] = d.stack.StackName()
		v["LEDGER_TABLE"] = d.ledger.TableName()
		v["QUEUE_URL"] = d.queues.Changes.QueueUrl()
		v["SCAN_QUEUE_URL"] = d.queues.Scans.QueueUrl()
		v["EVENT_BUS"] = jsii.String(d.Notify.EventBus)
		if d.Notify.SecurityHub {
			v["SECURITY_HUB"] = jsii.String("on")
		}
	}
	if d.BaselineFile != "" {
		v["BASELINE_FILE"] = jsii.String("/var/task/" + baselineInCode)
	}
	if d.Local != "true" {
		v["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = jsii.String(d.Local)
	}
	maps.DeleteFunc(v, func(_ string, value *string) bool { return *value == "" })
	return v
}

func allow(role awsiam.Role, statements []Statement) {
	for _, s := range statements {
		props := &awsiam.PolicyStatementProps{
			Sid: jsii.String(s.Sid), Actions: jsii.Strings(s.Actions...), Resources: jsii.Strings(s.Resources...),
		}
		if s.Key != "" {
			props.Conditions = &map[string]any{"StringEquals": map[string]any{s.Key: s.Value}}
		}
		role.AddToPolicy(awsiam.NewPolicyStatement(props))
	}
}
