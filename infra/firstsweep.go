package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/customresources"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewFirstSweep makes a deployment that changes the code or the baseline end with a sweep, so that the change is in force at once. The sweep is
// handed over and not waited for: a pool that cannot be put right fails no deployment, and neither does a sweep that could not be handed over, for the
// schedule's comes soon. All of after is in place before it starts.
func NewFirstSweep(scope constructs.Construct, id string, s Settings, keeper Keeper, after ...constructs.IDependable) {
	here := constructs.NewConstruct(scope, jsii.String(id))
	log := awslogs.NewLogGroup(here, jsii.String("Log"), &awslogs.LogGroupProps{Retention: awslogs.RetentionDays_ONE_MONTH, RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	asset := awscdk.FileSystem_Fingerprint(jsii.String(s.Code), nil)
	call := &customresources.AwsSdkCall{
		Service: jsii.String("Lambda"),
		Action:  jsii.String("invoke"),
		Parameters: map[string]any{
			"FunctionName":   keeper.Name,
			"InvocationType": "Event",
			// What a deployment can change stands in the payload, and a changed payload is what makes CloudFormation call again.
			"Payload": sweep{Detail: map[string]string{"reason": "deployment", "code": *asset, "baseline": s.Baseline.Digest, "mode": string(s.Mode)}}.json(),
		},
		OutputPaths:              jsii.Strings("StatusCode"),
		PhysicalResourceId:       customresources.PhysicalResourceId_Of(jsii.String("first-sweep")),
		IgnoreErrorCodesMatching: jsii.String(".*"),
	}
	first := customresources.NewAwsCustomResource(here, jsii.String("Call"), &customresources.AwsCustomResourceProps{
		ResourceType:        jsii.String("Custom::FirstSweep"),
		OnUpdate:            call,
		InstallLatestAwsSdk: jsii.Bool(false),
		LogGroup:            log,
		Policy: customresources.AwsCustomResourcePolicy_FromStatements(&[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("lambda:InvokeFunction"), Resources: &[]*string{keeper.Function.FunctionArn()},
		})}),
	})
	first.Node().AddDependency(keeper.Role)
	for _, other := range after {
		if other != nil {
			first.Node().AddDependency(other)
		}
	}
}
