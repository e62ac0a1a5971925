package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// addLedger adds the table for the function's leases and records.
func (d *deployment) addLedger(id string) {
	d.ledger = awsdynamodb.NewTable(d.stack, jsii.String(id), &awsdynamodb.TableProps{
		PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("pk"), Type: awsdynamodb.AttributeType_STRING},
		SortKey:      &awsdynamodb.Attribute{Name: jsii.String("sk"), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:  awsdynamodb.BillingMode_PAY_PER_REQUEST,
		// Encrypted with an AWS owned key, the default. The stack's own key is deleted with the stack, and then the
		// records would be unreadable.
		TimeToLiveAttribute: jsii.String("expires"),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		// Like the log, it is the evidence of changes and earlier values.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}
