package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// namespace is the namespace of the function's own metrics.
const namespace = "poolkeeper"

// An alarm notifies people when its metric reaches 1 and when it returns to 0.
type alarm struct {
	name, meaning string
	metric        awscloudwatch.IMetric
	periods       int // consecutive periods at 0 after which the alarm ends
}

// silent is the alarm with the opposite condition: its metric was 0 in all its periods.
const silent = "Silent"

// addAlarms adds the alarms, which notify the topic, and returns them for the dashboard.
func (d *deployment) addAlarms(id string) []interfacesawscloudwatch.IAlarmRef {
	scope := d.scope(id)
	var all []interfacesawscloudwatch.IAlarmRef
	for _, a := range d.alarms() {
		props := &awscloudwatch.AlarmProps{
			Metric: a.metric, Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(a.periods),
			AlarmDescription:  jsii.String(fmt.Sprintf("%s What to do: infra/RUNBOOK.md, section %s.", a.meaning, a.name)),
			DatapointsToAlarm: jsii.Number(1), TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		}
		if a.name == silent {
			props.DatapointsToAlarm, props.TreatMissingData = nil, awscloudwatch.TreatMissingData_BREACHING
			props.ComparisonOperator = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
		}
		made := awscloudwatch.NewAlarm(scope, jsii.String(a.name), props)
		action := awscloudwatchactions.NewSnsAction(d.alerts.Topic)
		if a.name == "NotificationFailed" { // do not use the channel that failed
			action = awscloudwatchactions.NewSnsAction(d.alerts.Mail)
		}
		made.AddAlarmAction(action)
		made.AddOkAction(action)
		// The dashboard refers to it by name, because AWS emulators do not support alarm ARNs.
		all = append(all, awscloudwatch.Alarm_FromAlarmName(scope, jsii.String(a.name+"ByName"), made.AlarmName()))
	}
	return all
}

// alarms returns all alarms. An alarm on a metric of the function ends only after a whole scan without a new report,
// because the metric returns to 0 while the pool may still be wrong.
func (d *deployment) alarms() []alarm {
	scan, queues := d.ScanHours+1, d.queues
	sum := func(name string) awscloudwatch.IMetric { return d.keeper.metric(name, "Sum") }
	hour := &awscloudwatch.MetricOptions{Period: minutes(60)}
	maximum := &awscloudwatch.MetricOptions{Period: minutes(5), Statistic: jsii.String("Maximum")}
	// A metric without data counts as 0.
	notFixed := expression("not fixed", 60,
		"FILL(drifted, 0) + FILL(partial, 0) + FILL(unconverged, 0) + FILL(unfixable, 0)",
		map[string]awscloudwatch.IMetric{"drifted": sum("Drifted"), "partial": sum("Partial"),
			"unconverged": sum("Unconverged"), "unfixable": sum("Unfixable")})
	const maxChangeAge, maxScanAge = 15 * 60, 2 * 60 * 60 // in seconds
	tooOld := expression("oldest message", 5, fmt.Sprintf(
		"IF(FILL(changes, 0) > %d OR FILL(scans, 0) > %d, 1, 0)", maxChangeAge, maxScanAge),
		map[string]awscloudwatch.IMetric{
			"changes": queues.Changes.MetricApproximateAgeOfOldestMessage(maximum),
			"scans":   queues.Scans.MetricApproximateAgeOfOldestMessage(maximum),
		})
	return []alarm{
		{"NotFixed", "A user pool has drift that poolkeeper did not fix, because it could not or because it may only " +
			"report it. Or a watched resource was changed.", notFixed, scan},
		{"NotificationFailed", "The function could not send a notification.", sum("NotificationsFailed"), scan},
		{"UndetectedDrift", "A scan found drift that no event had reported. Check the trail, its event delivery and the " +
			"rule.", sum("UndetectedDrift"), scan},
		{"LedgerFailed", "The function could not read or write its ledger. Pools are still fixed, but writes in the " +
			"meantime are not recorded.", sum("LedgerFailed"), scan},
		{"DeadLetter", "A message could not be delivered, or failed 20 times. The next scan will read every pool.",
			queues.DeadLetter.MetricApproximateNumberOfMessagesVisible(maximum), 1},
		{"OldestMessage", "A change has waited for more than 15 minutes, or a pool of a scan for more than 2 hours: the " +
			"function does not start, fails, or cannot keep up.", tooOld, 1},
		// The period is an hour, because alarms with shorter periods cover at most a day.
		{silent, fmt.Sprintf("poolkeeper has received no event and no scan for %d hours: its schedule, its rule, a queue, "+
			"the function or the trail is missing.", 2*d.ScanHours), d.keeper.Function.MetricInvocations(hour), 2 * d.ScanHours},
	}
}

func minutes(n int) awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(n)) }

// metric returns a metric that the function reports itself, with a period of an hour.
func (k Keeper) metric(name, statistic string) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(namespace), MetricName: jsii.String(name), Label: jsii.String(name),
		DimensionsMap: &map[string]*string{"Function": k.Function.FunctionName()},
		Statistic:     jsii.String(statistic), Period: minutes(60),
	})
}

// expression returns a metric that is computed from others.
func expression(label string, period int, of string, metrics map[string]awscloudwatch.IMetric) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(of), UsingMetrics: &metrics, Label: jsii.String(label), Period: minutes(period),
	})
}
