package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewAlarms makes the alarms. Each goes to the topic when it begins. The end of one is told only where it means that all is well again: the counts of
// drifts fall back to nothing by themselves, and the pool is as wrong as before.
func NewAlarms(stack awscdk.Stack, id string, s Settings, keeper Keeper, alerts Alerts, queues map[string]Queue) []interfacesawscloudwatch.IAlarmRef {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	action := awscloudwatchactions.NewSnsAction(alerts.Topic)
	var all []interfacesawscloudwatch.IAlarmRef
	add := func(name, means string, metric awscloudwatch.IMetric, props awscloudwatch.AlarmProps) awscloudwatch.Alarm {
		props.Metric = metric
		props.AlarmDescription = jsii.String(means)
		if props.TreatMissingData == "" {
			props.TreatMissingData = awscloudwatch.TreatMissingData_NOT_BREACHING
		}
		alarm := awscloudwatch.NewAlarm(scope, jsii.String(name), &props)
		alarm.AddAlarmAction(action)
		// For the dashboard, by its name: servers that stand in for AWS know alarms' names, but not their ARNs.
		all = append(all, awscloudwatch.Alarm_FromAlarmName(scope, jsii.String(name+"ByName"), alarm.AlarmName()))
		return alarm
	}
	once := func() awscloudwatch.AlarmProps {
		return awscloudwatch.AlarmProps{Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD}
	}
	add("LeftWrong", "A user pool is not as the baseline says, and poolkeeper could not put it right: the log says which, and why.",
		count(scope, "LeftWrong", keeper, *stack.StackName(), "unfixable", "partial", "unconverged"), once())
	add("DriftFound", "Somebody took a user pool away from the baseline. It was put right, or left in audit mode: the log says who and what.",
		count(scope, "DriftFound", keeper, *stack.StackName(), "remediated", "drifted"), once())
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		add(name, queues[name].Meaning+" lie in the queue "+name+". The next sweep looks at every pool anyway; the messages say what failed, and are purged by hand.",
			queues[name].Queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Maximum")}), once()).
			AddOkAction(action)
	}
	five := &awscloudwatch.MetricOptions{Period: minutes(5)}
	failing := once()
	failing.Threshold = jsii.Number(3)
	add("Failing", "The function failed three times within five minutes: it cannot start, or Cognito refuses it again and again. The log says why.",
		keeper.Function.MetricErrors(five), failing)
	throttled := once()
	throttled.EvaluationPeriods, throttled.DatapointsToAlarm = jsii.Number(3), jsii.Number(3)
	add("Throttled", "Lambda has had no room for the function for a quarter of an hour: remediations wait.", keeper.Function.MetricThrottles(five), throttled).AddOkAction(action)

	// Periods of an hour, for an alarm looks back no longer than a week, and no longer than a day with shorter ones.
	add("Silent", fmt.Sprintf("poolkeeper has seen no event and no sweep for %d hours: its schedule, its rule, its function or the trail is gone.", 2*s.SweepHours),
		keeper.Function.MetricInvocations(&awscloudwatch.MetricOptions{Period: awscdk.Duration_Hours(jsii.Number(1))}),
		awscloudwatch.AlarmProps{Threshold: jsii.Number(1), ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
			EvaluationPeriods: jsii.Number(2 * s.SweepHours), TreatMissingData: awscloudwatch.TreatMissingData_BREACHING}).AddOkAction(action)

	return all
}

func minutes(n int) awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(n)) }

// count makes a metric of the lines of the log that tell one of the outcomes.
func count(scope constructs.Construct, name string, keeper Keeper, stack string, outcomes ...string) awscloudwatch.IMetric {
	var any []awslogs.JsonPattern
	for _, word := range outcomes {
		any = append(any, awslogs.FilterPattern_StringValue(jsii.String("$.outcome"), jsii.String("="), jsii.String(word)))
	}
	filter := awslogs.NewMetricFilter(scope, jsii.String(name+"Count"), &awslogs.MetricFilterProps{
		LogGroup:        keeper.Log,
		FilterPattern:   awslogs.FilterPattern_Any(any...),
		MetricNamespace: jsii.String("poolkeeper/" + stack),
		MetricName:      jsii.String(name),
		MetricValue:     jsii.String("1"),
		DefaultValue:    jsii.Number(0),
	})
	return filter.Metric(&awscloudwatch.MetricOptions{Statistic: jsii.String("Sum"), Period: minutes(5)})
}
