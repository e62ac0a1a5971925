package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// Frequent questions about the log. The dashboard shows the query results and links to Logs Insights.
var questions = []struct{ title, query string }{
	{"Who changed what",
		"fields @timestamp, outcome, user_pool_id, cause.event_name, cause.actor, cause.source_ip\n" +
			"| filter msg = 'reconciled' and outcome not in ['unchanged', 'ignored']\n" +
			"| sort @timestamp desc\n| limit 50"},
	{"Why was this not fixed", "fields @timestamp, outcome, user_pool_id, reason\n" +
		"| filter outcome in ['partial', 'unfixable', 'unconverged', 'deferred'] or msg = 'cannot start'\n" +
		"| sort @timestamp desc\n| limit 50"},
	{"Pools out of compliance", "filter msg = 'reconciled' and outcome != 'ignored'\n" +
		"| stats latest(outcome) as last, latest(@timestamp) as seen by user_pool_id\n" +
		"| filter last in ['partial', 'unfixable', 'unconverged', 'drifted', 'deferred']\n| sort seen desc"},
}

// addDashboard adds the dashboard: current problems, times to fix, events, the health of the function, and log
// queries.
func (d *deployment) addDashboard(id string, rule awsevents.Rule, alarms []interfacesawscloudwatch.IAlarmRef) {
	keeper, queues := d.keeper, d.queues
	hourly := &awscloudwatch.MetricOptions{Period: minutes(60)}
	matched := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/Events"), MetricName: jsii.String("MatchedEvents"), Label: jsii.String("events"),
		DimensionsMap: &map[string]*string{"RuleName": rule.RuleName()}, Statistic: jsii.String("Sum"), Period: minutes(60),
	})
	own := keeper.metric
	waiting := func(label string) *awscloudwatch.MetricOptions {
		return &awscloudwatch.MetricOptions{Period: minutes(60), Statistic: jsii.String("Maximum"), Label: jsii.String(label)}
	}
	awscloudwatch.NewDashboard(d.scope(id), jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DefaultInterval: awscdk.Duration_Days(jsii.Number(7)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
				Title: jsii.String("Alarms"), Alarms: &alarms, Width: jsii.Number(24), Height: jsii.Number(3),
			})},
			{
				graph("Time to detect and to restore, seconds",
					own("TimeToDetect", "p90"), own("TimeToRestore", "p50"), own("TimeToRestore", "p99")),
				graph("Drifts by rule", byDimension(keeper, "Drifts", "Rule")),
			},
			{graph("Outcomes", byDimension(keeper, "Events", "Outcome")), answer(keeper, 2, 12, 7)},
			{
				graph("Events and invocations", matched, keeper.Function.MetricInvocations(hourly),
					keeper.Function.MetricErrors(hourly), keeper.Function.MetricThrottles(hourly)),
				graph("Messages in the queues",
					queues.Changes.MetricApproximateNumberOfMessagesVisible(waiting("changes")),
					queues.Scans.MetricApproximateNumberOfMessagesVisible(waiting("scans")),
					queues.DeadLetter.MetricApproximateNumberOfMessagesVisible(waiting("dead letters"))),
			},
			{
				graph("Calls to Cognito", own("ApiCalls", "Sum"), own("Throttled", "Sum")),
				graph("Undetected drift, lost updates",
					own("UndetectedDrift", "Sum"), own("LostUpdates", "Sum"), own("LedgerFailed", "Sum")),
			},
			{answer(keeper, 0, 24, 6)}, {answer(keeper, 1, 24, 6)},
		},
	})
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Left: &metrics, LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0)},
		Width: jsii.Number(12), Height: jsii.Number(7), Period: minutes(60), Statistic: jsii.String("Sum"),
	})
}

// byDimension is a metric of the function with one line for each value of a dimension.
func byDimension(keeper Keeper, name, dimension string) awscloudwatch.IMetric {
	return expression("", 60, fmt.Sprintf(`SEARCH('{%s,Function,%s} MetricName="%s" Function="%s"', 'Sum', 3600)`,
		namespace, dimension, name, *keeper.Function.FunctionName()), map[string]awscloudwatch.IMetric{})
}

// answer returns a widget with the log query of a question.
func answer(keeper Keeper, question int, width, height float64) awscloudwatch.IWidget {
	return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{
		Title: jsii.String(questions[question].title), QueryString: jsii.String(questions[question].query),
		LogGroupNames: &[]*string{keeper.Log.LogGroupName()}, Width: jsii.Number(width), Height: jsii.Number(height),
	})
}
