package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	// namespace is that of the function's own metrics.
	namespace = "poolkeeper"
	// The oldest message of a queue may be so many seconds old.
	maxChangeAge, maxScanAge = 15 * 60, 2 * 60 * 60
)

// An alarm notifies people once the metric reaches the threshold for a number of periods.
type alarm struct {
	name, meaning string
	metric        awscloudwatch.IMetric
	threshold     int // 0 is less than 1
	periods       int
	// ends says that the end is notified too, as it means that all is well. The counts of drift return to 0 by
	// themselves, while the pool is as wrong as before.
	ends bool
}

// NewAlarms makes the alarms, which notify the topic, and returns them for the dashboard.
func NewAlarms(
	stack awscdk.Stack, id string, s Settings, keeper Keeper, alerts Alerts, queues Queues,
) []interfacesawscloudwatch.IAlarmRef {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	action := awscloudwatchactions.NewSnsAction(alerts.Topic)
	var all []interfacesawscloudwatch.IAlarmRef
	for _, a := range append(outcomeAlarms(keeper), deliveryAlarms(s, keeper, queues)...) {
		props := &awscloudwatch.AlarmProps{
			Metric: a.metric, AlarmDescription: jsii.String(a.meaning), Threshold: jsii.Number(a.threshold),
			EvaluationPeriods:  jsii.Number(a.periods),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		}
		if a.threshold == 0 {
			props.Threshold = jsii.Number(1)
			props.ComparisonOperator = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
			props.TreatMissingData = awscloudwatch.TreatMissingData_BREACHING
		}
		made := awscloudwatch.NewAlarm(scope, jsii.String(a.name), props)
		made.AddAlarmAction(action)
		if a.ends {
			made.AddOkAction(action)
		}
		// The dashboard refers to it by name: servers that stand in for AWS know no ARNs of alarms.
		all = append(all, awscloudwatch.Alarm_FromAlarmName(scope, jsii.String(a.name+"ByName"), made.AlarmName()))
	}
	return all
}

// outcomeAlarms are those of what the function reports itself.
func outcomeAlarms(keeper Keeper) []alarm {
	five := minutes(5)
	return []alarm{
		{name: "NotFixed", threshold: 1, periods: 1, metric: sum(keeper, "not fixed", "Unfixable", "Partial", "Unconverged"),
			meaning: "A user pool differs from the baseline, and poolkeeper could not fix it. The log says which pool and " +
				"why. `poolkeeper plan --all` shows all that differs."},
		{name: "DriftFound", threshold: 1, periods: 1, metric: sum(keeper, "drift found", "Remediated", "Drifted"),
			meaning: "Somebody changed a user pool so that it differed from the baseline. It was fixed, or only reported in " +
				"audit mode. The log says who and what. `poolkeeper plan --all` shows all that still differs."},
		{name: "NotificationFailed", threshold: 1, periods: 1, metric: metric(keeper, "NotificationsFailed", "Sum", five),
			meaning: "The function could not send a message about what it did. The log has the outcome, and why the message " +
				"failed."},
		{name: "UndetectedDrift", threshold: 1, periods: 1, metric: metric(keeper, "UndetectedDrift", "Sum", five),
			meaning: "A scan found drift that no event had reported: the trail, its delivery or the rule has a gap. The log " +
				"says which user pool, and since when."},
		{name: "LedgerFailed", threshold: 1, periods: 1, metric: metric(keeper, "LedgerFailed", "Sum", five),
			meaning: "The function could not read or write its ledger. Pools are fixed all the same, but what is written " +
				"meanwhile has no record. The log says which call failed, and why."},
	}
}

// deliveryAlarms are those of the way to the function.
func deliveryAlarms(s Settings, keeper Keeper, queues Queues) []alarm {
	five := &awscloudwatch.MetricOptions{Period: minutes(5)}
	hour := &awscloudwatch.MetricOptions{Period: minutes(60)}
	maximum := &awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Maximum")}
	tooOld := awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(fmt.Sprintf(
			"IF(FILL(changes, 0) > %d OR FILL(scans, 0) > %d, 1, 0)", maxChangeAge, maxScanAge)),
		UsingMetrics: &map[string]awscloudwatch.IMetric{
			"changes": queues.Changes.MetricApproximateAgeOfOldestMessage(maximum),
			"scans":   queues.Scans.MetricApproximateAgeOfOldestMessage(maximum),
		},
		Label: jsii.String("oldest message"), Period: minutes(5),
	})
	return []alarm{
		{name: "DeadLetter", threshold: 1, periods: 1, ends: true,
			metric: queues.DeadLetter.MetricApproximateNumberOfMessagesVisible(maximum),
			meaning: "A message could not be delivered, or failed 20 times. The next scan reads every pool anyway. The " +
				"messages in the dead-letter queue show what failed: redrive or purge them."},
		{name: "OldestMessage", threshold: 1, periods: 1, ends: true, metric: tooOld,
			meaning: "A change has waited for more than 15 minutes, or a pool of a scan for more than 2 hours: the function " +
				"does not start, or cannot keep up."},
		{name: "Failing", threshold: 3, periods: 1, metric: keeper.Function.MetricErrors(five),
			meaning: "The function failed three times within five minutes: it cannot start, or does not end in time. The log " +
				"says why."},
		{name: "Throttled", threshold: 1, periods: 3, ends: true, metric: keeper.Function.MetricThrottles(five),
			meaning: "The account has had no concurrency for the function for a quarter of an hour: remediations wait."},
		// Periods of an hour, for an alarm covers a week at most, and a day at most with shorter periods.
		{name: "Silent", periods: 2 * s.ScanHours, ends: true, metric: keeper.Function.MetricInvocations(hour),
			meaning: fmt.Sprintf("poolkeeper has received no event and no scan for %d hours: its schedule, its rule, a queue, "+
				"the function or the trail is gone.", 2*s.ScanHours)},
	}
}

func minutes(n int) awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(n)) }

// metric is one of those that the function reports itself.
func metric(keeper Keeper, name, statistic string, period awscdk.Duration) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(namespace), MetricName: jsii.String(name), Label: jsii.String(name),
		Statistic: jsii.String(statistic), Period: period, DimensionsMap: &map[string]*string{"Function": keeper.Name},
	})
}

// sum adds up several of them in five minutes. One without data counts as 0.
func sum(keeper Keeper, label string, names ...string) awscloudwatch.IMetric {
	metrics := map[string]awscloudwatch.IMetric{}
	var terms []string
	for _, name := range names {
		id := strings.ToLower(name)
		metrics[id] = metric(keeper, name, "Sum", minutes(5))
		terms = append(terms, "FILL("+id+", 0)")
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression:   jsii.String(strings.Join(terms, " + ")),
		UsingMetrics: &metrics, Label: jsii.String(label), Period: minutes(5),
	})
}
