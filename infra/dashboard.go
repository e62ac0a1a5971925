package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewDashboard makes the one picture: what is wrong now, what happened, how the function does, and the lines of the log that people ask for.
func NewDashboard(stack awscdk.Stack, id string, keeper Keeper, rule awsevents.Rule, alarms []interfacesawscloudwatch.IAlarmRef) awscloudwatch.Dashboard {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	hours := awscdk.Duration_Hours(jsii.Number(1))
	hourly := &awscloudwatch.MetricOptions{Period: hours}
	matched := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{Namespace: jsii.String("AWS/Events"), MetricName: jsii.String("MatchedEvents"), Label: jsii.String("events"),
		DimensionsMap: &map[string]*string{"RuleName": rule.RuleName()}, Statistic: jsii.String("Sum"), Period: hours})
	asked := func(title string, lines ...string) awscloudwatch.IWidget {
		return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{Title: jsii.String(title), Width: jsii.Number(24), Height: jsii.Number(6),
			LogGroupNames: &[]*string{keeper.Log.LogGroupName()}, QueryLines: jsii.Strings(lines...)})
	}
	return awscloudwatch.NewDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DefaultInterval: awscdk.Duration_Days(jsii.Number(7)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{Title: jsii.String("Alarms"), Alarms: &alarms, Width: jsii.Number(24), Height: jsii.Number(3)})},
			{
				awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{Title: jsii.String("Outcomes"), Width: jsii.Number(12), Height: jsii.Number(7),
					View: awscloudwatch.LogQueryVisualizationType_STACKEDAREA, LogGroupNames: &[]*string{keeper.Log.LogGroupName()},
					QueryLines: jsii.Strings("filter msg = 'reconciled'", "stats count(*) by bin(1h), outcome")}),
				graph("Events and invocations", matched, keeper.Function.MetricInvocations(hourly), keeper.Function.MetricErrors(hourly), keeper.Function.MetricThrottles(hourly)),
			},
			{asked("What was changed, by whom", "fields @timestamp, outcome, user_pool_id, cause.event_name, cause.actor, cause.source_ip",
				"filter msg = 'reconciled' and outcome not in ['unchanged', 'ignored']", "sort @timestamp desc", "limit 50")},
			{asked("What could not be put right, and why", "fields @timestamp, outcome, user_pool_id, reason",
				"filter outcome in ['partial', 'unfixable', 'unconverged', 'deferred'] or msg = 'cannot start'", "sort @timestamp desc", "limit 50")},
		},
	})
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Title: jsii.String(title), Left: &metrics,
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0)}, Width: jsii.Number(12), Height: jsii.Number(7), Period: awscdk.Duration_Hours(jsii.Number(1)), Statistic: jsii.String("Sum")})
}
