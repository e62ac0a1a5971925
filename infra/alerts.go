package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awschatbot"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Alerts are the resources that notify people.
type Alerts struct {
	Topic awssns.ITopic
	Key   awskms.Key // key of the topic; nil if the topic is from another stack
	// Mail is a topic without a key and without chat channels: for messages that are not urgent, and in case the other
	// topic fails.
	Mail     awssns.Topic
	Chat     bool    // a chat channel is subscribed, which accepts only its own message format
	RuleRole *string // the role that EventBridge needs to publish to an external topic
}

// addAlerts adds the topics and their subscriptions. The topic has its own key, because its publishers cannot use
// the AWS managed key.
func (d *deployment) addAlerts(id string) {
	scope, alerts := d.scope(id), &d.alerts
	alerts.Mail = d.newTopic(scope, "Mail", nil)
	if d.Notify.Topic != "" {
		alerts.Topic = awssns.Topic_FromTopicArn(scope, jsii.String("Shared"), jsii.String(d.Notify.Topic))
		role := awsiam.NewRole(scope, jsii.String("RuleRole"), &awsiam.RoleProps{
			AssumedBy:   awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
			Description: jsii.String("poolkeeper: lets its rules publish to the topic of another account"),
		})
		allow(role, alerts.permissions(d.Settings))
		alerts.RuleRole = role.RoleArn()
		return
	}
	alerts.Key = awskms.NewKey(scope, jsii.String("Key"), &awskms.KeyProps{
		Description: jsii.String("poolkeeper: alerts"), EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY, PendingWindow: awscdk.Duration_Days(jsii.Number(7)),
	})
	alerts.Topic, alerts.Chat = d.newTopic(scope, "Topic", alerts.Key), d.Notify.SlackChannel != ""
	// EventBridge sends no source ARN to the key. The key encrypts only this stack's alerts, and the topic's policy
	// restricts which rules may publish.
	alerts.Key.Grant(awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
		jsii.String("kms:Decrypt"), jsii.String("kms:GenerateDataKey*"))
	if !alerts.Chat {
		return
	}
	// Amazon Q Developer in chat applications posts the messages. The channel may only read alarms.
	role := awsiam.NewRole(scope, jsii.String("ChatRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("chatbot.amazonaws.com"), nil),
		Description: jsii.String("poolkeeper: lets a chat channel read the alarms that it is notified of"),
	})
	allow(role, []Statement{statement("ReadAlarms", []string{"*"}, "cloudwatch:DescribeAlarms")})
	awschatbot.NewCfnSlackChannelConfiguration(scope, jsii.String("Slack"), &awschatbot.CfnSlackChannelConfigurationProps{
		ConfigurationName: jsii.String(*d.stack.StackName() + "-" + *d.stack.Region()), // unique in the whole account
		GuardrailPolicies: jsii.Strings("arn:" + *d.stack.Partition() + ":iam::aws:policy/CloudWatchReadOnlyAccess"),
		SlackWorkspaceId:  jsii.String(d.Notify.SlackWorkspace), SlackChannelId: jsii.String(d.Notify.SlackChannel),
		IamRoleArn: role.RoleArn(), SnsTopicArns: &[]any{alerts.Topic.TopicArn()},
	})
}

// newTopic creates a topic that alarms may publish to. EnforceSSL replaces the default policy of a topic, so alarms
// need their own statement.
func (d *deployment) newTopic(scope constructs.Construct, id string, key awskms.IKey) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{
		DisplayName: jsii.String("poolkeeper"), MasterKey: key, EnforceSSL: jsii.Bool(true),
	})
	topic.GrantPublish(awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": d.stack.Account()}},
	}))
	for _, address := range d.Notify.AlarmEmail {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(address), nil))
	}
	return topic
}

// permissions returns the permissions to publish. The key of an external topic is not known here.
func (a Alerts) permissions(s Settings) []Statement {
	publish := statement("PublishAlerts", []string{*a.Topic.TopicArn()}, "sns:Publish")
	keys := statement("UseTopicKey", nil, "kms:Decrypt", "kms:GenerateDataKey")
	if a.Key != nil {
		keys.Resources = []string{*a.Key.KeyArn()}
	} else {
		location, _ := arn.Parse(s.Notify.Topic)
		keys.Resources = []string{in(location, "kms", "key/*")}
		keys = keys.where("kms:ViaService", "sns."+location.Region+".amazonaws.com")
	}
	return []Statement{publish, keys}
}
