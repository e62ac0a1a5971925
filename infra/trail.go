package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudtrail"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// addTrail adds a trail of management write events. Without a trail EventBridge gets no such events. Most accounts have
// one, and a second copy has costs.
func (d *deployment) addTrail(id string) {
	scope := d.scope(id)
	bucket := awss3.NewBucket(scope, jsii.String("Bucket"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		// Not the stack's key, which is deleted with the stack: then the log would be unreadable.
		Encryption:      awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned:       jsii.Bool(true),
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                  awscdk.Duration_Days(jsii.Number(365)),
			NoncurrentVersionExpiration: awscdk.Duration_Days(jsii.Number(30)),
		}},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN, // an audit log must not be deleted with the stack
	})
	awscloudtrail.NewTrail(scope, jsii.String("Trail"), &awscloudtrail.TrailProps{
		Bucket: bucket, EnableFileValidation: jsii.Bool(true), IsMultiRegionTrail: jsii.Bool(false),
		ManagementEvents:           awscloudtrail.ReadWriteType_WRITE_ONLY,
		IncludeGlobalServiceEvents: jsii.Bool(true), // in IAM's Region, the tamper alert needs IAM's calls
	})
}
