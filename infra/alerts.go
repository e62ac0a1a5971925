package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awschatbot"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Alerts are where people are told: a topic under a key of its own, for the services that publish to it may not use AWS's key.
type Alerts struct {
	Topic awssns.Topic
	Key   awskms.Key
	Chat  bool // a chat channel listens, and takes only messages of its own form
}

// NewAlerts makes the topic and subscribes those who are to be told.
func NewAlerts(stack awscdk.Stack, id string, s Settings) Alerts {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	key := awskms.NewKey(scope, jsii.String("Key"), &awskms.KeyProps{
		Description:       jsii.String("poolkeeper: alerts"),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
		PendingWindow:     awscdk.Duration_Days(jsii.Number(7)),
	})
	topic := awssns.NewTopic(scope, jsii.String("Topic"), &awssns.TopicProps{
		DisplayName: jsii.String("poolkeeper"),
		MasterKey:   key,
		EnforceSSL:  jsii.Bool(true),
	})
	// EnforceSSL takes the place of the topic's default policy, so alarms need a statement of their own, in the topic and in the key.
	topic.GrantPublish(awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
	}))
	// EventBridge names no source to the key. The key encrypts nothing but this stack's alerts, and the topic's policy says which rule may publish.
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings("kms:Decrypt", "kms:GenerateDataKey*"),
		Resources:  jsii.Strings("*"),
	}), nil)
	for _, address := range s.AlarmEmail {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(address), nil))
	}
	return Alerts{Topic: topic, Key: key, Chat: subscribeChats(stack, scope, s, topic)}
}

// subscribeChats lets Amazon Q Developer in chat applications post what comes to the topic. The channels may look at alarms and do nothing.
func subscribeChats(stack awscdk.Stack, scope constructs.Construct, s Settings, topic awssns.Topic) bool {
	if s.SlackChannel == "" && s.TeamsChannel == "" {
		return false
	}
	role := awsiam.NewRole(scope, jsii.String("ChatRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("chatbot.amazonaws.com"), nil),
		Description: jsii.String("poolkeeper: lets a chat channel see the alarms that it is told of"),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("cloudwatch:DescribeAlarms"), Resources: jsii.Strings("*")}))
	readers := jsii.Strings("arn:" + *stack.Partition() + ":iam::aws:policy/CloudWatchReadOnlyAccess")
	name := *stack.StackName() + "-" + *stack.Region() // names of channels are the account's, not the Region's
	if s.SlackChannel != "" {
		awschatbot.NewCfnSlackChannelConfiguration(scope, jsii.String("Slack"), &awschatbot.CfnSlackChannelConfigurationProps{
			ConfigurationName: jsii.String(name), SlackWorkspaceId: jsii.String(s.SlackWorkspace), SlackChannelId: jsii.String(s.SlackChannel),
			IamRoleArn: role.RoleArn(), GuardrailPolicies: readers, SnsTopicArns: &[]any{topic.TopicArn()},
		})
	}
	if s.TeamsChannel != "" {
		awschatbot.NewCfnMicrosoftTeamsChannelConfiguration(scope, jsii.String("Teams"), &awschatbot.CfnMicrosoftTeamsChannelConfigurationProps{
			ConfigurationName: jsii.String(name), TeamsTenantId: jsii.String(s.TeamsTenant), TeamId: jsii.String(s.TeamsTeam), TeamsChannelId: jsii.String(s.TeamsChannel),
			IamRoleArn: role.RoleArn(), GuardrailPolicies: readers, SnsTopicArns: &[]*string{topic.TopicArn()},
		})
	}
	return true
}
