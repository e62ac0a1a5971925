package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewLedger makes the table in which the function remembers what it did, or returns nil where the deployment wants none.
func NewLedger(scope constructs.Construct, id string, s Settings) awsdynamodb.Table {
	if !s.Ledger {
		return nil
	}
	return awsdynamodb.NewTable(scope, jsii.String(id), &awsdynamodb.TableProps{
		PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("pk"), Type: awsdynamodb.AttributeType_STRING},
		SortKey:      &awsdynamodb.Attribute{Name: jsii.String("sk"), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:  awsdynamodb.BillingMode_PAY_PER_REQUEST,
		// Encrypted as every table is, with a key that AWS owns. The stack's key goes with the stack, and the records would be unreadable from then on; nobody can disable this one.
		TimeToLiveAttribute:              jsii.String("expires"),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		// As the log, it is the evidence of what was changed, and what it was before.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}

// remember lets the role do with the table what the function does, which neither scans it nor deletes of it, and returns what the function is told of it.
func remember(role awsiam.Role, ledger awsdynamodb.Table) map[string]*string {
	if ledger == nil {
		return nil
	}
	role.AddToPolicy(policyStatement(Statement{Sid: "KeepLedger", Actions: []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}, Resources: []string{*ledger.TableArn()}}))
	return map[string]*string{"LEDGER_TABLE": ledger.TableName()}
}
