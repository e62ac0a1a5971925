package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewAlarms makes the alarms. Each goes to the topic when it begins. The end of one is told only where it means that all is well again: the counts of
// drifts fall back to nothing by themselves, and the pool is as wrong as before.
func NewAlarms(stack awscdk.Stack, id string, s Settings, keeper Keeper, alerts Alerts, queues map[string]Queue) []interfacesawscloudwatch.IAlarmRef {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	action := awscloudwatchactions.NewSnsAction(alerts.Topic)
	five := awscdk.Duration_Minutes(jsii.Number(5))
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
	add("LeftWrong", "A user pool is not as the baseline says, and poolkeeper could not put it right: the log says which, and why, and `poolkeeper plan --all` shows all that is left.",
		together(keeper, five, "left wrong", "Unfixable", "Partial", "Unconverged"), once())
	add("DriftFound", "Somebody took a user pool away from the baseline. It was put right, or left in audit mode: the log says who and what, and `poolkeeper plan --all` shows all that is left.",
		together(keeper, five, "drift found", "Remediated", "Drifted"), once())
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		add(name, queues[name].Meaning+" lie in the queue "+name+". The next sweep looks at every pool anyway; the messages say what failed, and are purged by hand.",
			queues[name].Queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Period: five, Statistic: jsii.String("Maximum")}), once()).
			AddOkAction(action)
	}
	add("Untold", "The function could not send a message of what it did. The pool is as its outcome says: the log has it, and why the message failed.",
		told(keeper, "NotificationsFailed", "Sum", five), once())
	if s.Ledger {
		add("MissedEvents", "A sweep found drift that no event had told of: the trail, its delivery or the rule has a gap. The log says which user pool, and since when.",
			told(keeper, "MissedEvents", "Sum", five), once())
		add("LedgerFailed", "The function could not read or write its ledger. Pools are put right all the same, but duplicates of events are handled again, and what is written meanwhile stands in no record. The log says which call failed, and why.",
			told(keeper, "LedgerFailed", "Sum", five), once())
	}
	failing := once()
	failing.Threshold = jsii.Number(3)
	add("Failing", "The function failed three times within five minutes: it cannot start, or Cognito refuses it again and again. The log says why.",
		keeper.Function.MetricErrors(&awscloudwatch.MetricOptions{Period: five}), failing)
	throttled := once()
	throttled.EvaluationPeriods, throttled.DatapointsToAlarm = jsii.Number(3), jsii.Number(3)
	add("Throttled", "Lambda has had no room for the function for a quarter of an hour: remediations wait.", keeper.Function.MetricThrottles(&awscloudwatch.MetricOptions{Period: five}), throttled).AddOkAction(action)

	// Periods of an hour, for an alarm looks back no longer than a week, and no longer than a day with shorter ones.
	add("Silent", fmt.Sprintf("poolkeeper has seen no event and no sweep for %d hours: its schedule, its rule, its function or the trail is gone.", 2*s.SweepHours),
		keeper.Function.MetricInvocations(&awscloudwatch.MetricOptions{Period: awscdk.Duration_Hours(jsii.Number(1))}),
		awscloudwatch.AlarmProps{Threshold: jsii.Number(1), ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
			EvaluationPeriods: jsii.Number(2 * s.SweepHours), TreatMissingData: awscloudwatch.TreatMissingData_BREACHING}).AddOkAction(action)

	return all
}

// namespace is that of the function's own metrics.
const namespace = "poolkeeper"

// told is one of the metrics that the function tells of itself.
func told(keeper Keeper, name, statistic string, period awscdk.Duration) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{Namespace: jsii.String(namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic), Period: period,
		DimensionsMap: &map[string]*string{"Function": keeper.Name}, Label: jsii.String(name)})
}

// together adds several of them up. One that tells nothing counts as none.
func together(keeper Keeper, period awscdk.Duration, label string, names ...string) awscloudwatch.IMetric {
	metrics := map[string]awscloudwatch.IMetric{}
	var terms []string
	for _, name := range names {
		id := strings.ToLower(name)
		metrics[id] = told(keeper, name, "Sum", period)
		terms = append(terms, "FILL("+id+", 0)")
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{Expression: jsii.String(strings.Join(terms, " + ")), UsingMetrics: &metrics, Label: jsii.String(label), Period: period})
}
