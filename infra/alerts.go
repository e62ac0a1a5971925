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

// Alerts are what notifies people: a topic under a key of its own, for its publishers may not use AWS's key.
type Alerts struct {
	Topic awssns.Topic
	Key   awskms.Key
	Chat  bool // a chat channel is subscribed, and accepts only messages of its own form
}

// NewAlerts makes the topic and its subscriptions.
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
	// EnforceSSL replaces the topic's default policy, so alarms need a statement of their own, in the topic and the key.
	topic.GrantPublish(awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
	}))
	// EventBridge names no source to the key. The key encrypts nothing but this stack's alerts, and the topic's policy
	// says which rules may publish.
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings("kms:Decrypt", "kms:GenerateDataKey*"),
		Resources:  jsii.Strings("*"),
	}), nil)
	for _, address := range s.Notify.AlarmEmail {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(address), nil))
	}
	return Alerts{Topic: topic, Key: key, Chat: subscribeChats(stack, scope, s.Notify, topic)}
}

// subscribeChats lets Amazon Q Developer in chat applications post what is published. The channels may read alarms and
// do nothing else.
func subscribeChats(stack awscdk.Stack, scope constructs.Construct, n Notify, topic awssns.Topic) bool {
	if n.SlackChannel == "" && n.TeamsChannel == "" {
		return false
	}
	role := awsiam.NewRole(scope, jsii.String("ChatRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("chatbot.amazonaws.com"), nil),
		Description: jsii.String("poolkeeper: lets a chat channel read the alarms that it is notified of"),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("cloudwatch:DescribeAlarms"), Resources: jsii.Strings("*"),
	}))
	guardrails := jsii.Strings("arn:" + *stack.Partition() + ":iam::aws:policy/CloudWatchReadOnlyAccess")
	name := jsii.String(*stack.StackName() + "-" + *stack.Region()) // unique in the account, not in the Region only
	if n.SlackChannel != "" {
		awschatbot.NewCfnSlackChannelConfiguration(scope, jsii.String("Slack"),
			&awschatbot.CfnSlackChannelConfigurationProps{
				ConfigurationName: name, IamRoleArn: role.RoleArn(), GuardrailPolicies: guardrails,
				SlackWorkspaceId: jsii.String(n.SlackWorkspace), SlackChannelId: jsii.String(n.SlackChannel),
				SnsTopicArns: &[]any{topic.TopicArn()},
			})
	}
	if n.TeamsChannel != "" {
		awschatbot.NewCfnMicrosoftTeamsChannelConfiguration(scope, jsii.String("Teams"),
			&awschatbot.CfnMicrosoftTeamsChannelConfigurationProps{
				ConfigurationName: name, IamRoleArn: role.RoleArn(), GuardrailPolicies: guardrails,
				TeamsTenantId: jsii.String(n.TeamsTenant), TeamId: jsii.String(n.TeamsTeam),
				TeamsChannelId: jsii.String(n.TeamsChannel), SnsTopicArns: &[]*string{topic.TopicArn()},
			})
	}
	return true
}
