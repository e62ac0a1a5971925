package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// The questions that people ask of the log; they are saved in Logs Insights too.
var questions = []struct{ id, title, query string }{
	{"WhoChangedWhat", "Who changed what", "fields @timestamp, outcome, user_pool_id, cause.event_name, cause.actor, cause.source_ip\n" +
		"| filter msg = 'reconciled' and outcome not in ['unchanged', 'ignored']\n| sort @timestamp desc\n| limit 50"},
	{"WhyNotFixed", "Why was this not fixed", "fields @timestamp, outcome, user_pool_id, reason\n" +
		"| filter outcome in ['partial', 'unfixable', 'unconverged', 'deferred'] or msg = 'cannot start'\n| sort @timestamp desc\n| limit 50"},
	{"OutOfCompliance", "Pools out of compliance", "filter msg = 'reconciled' and outcome != 'ignored'\n" +
		"| stats latest(outcome) as last, latest(@timestamp) as seen by user_pool_id\n| filter last in ['partial', 'unfixable', 'unconverged', 'drifted', 'deferred']\n| sort seen desc"},
}

// NewDashboard makes the one picture: what is wrong now, how fast it was put right, what happened, how the function does, and the lines of the log that people ask for.
func NewDashboard(stack awscdk.Stack, id string, keeper Keeper, rule awsevents.Rule, alarms []interfacesawscloudwatch.IAlarmRef, queues []Queue) awscloudwatch.Dashboard {
	scope := constructs.NewConstruct(stack, jsii.String(id))
	region, name, group := *stack.Region(), *stack.StackName(), keeper.Log.LogGroupName()
	hours := awscdk.Duration_Hours(jsii.Number(1))
	hourly := &awscloudwatch.MetricOptions{Period: hours}
	matched := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{Namespace: jsii.String("AWS/Events"), MetricName: jsii.String("MatchedEvents"), Label: jsii.String("events"),
		DimensionsMap: &map[string]*string{"RuleName": rule.RuleName()}, Statistic: jsii.String("Sum"), Period: hours})
	var letters []awscloudwatch.IMetric
	for _, q := range queues {
		letters = append(letters, q.Queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Period: hours, Statistic: jsii.String("Maximum"), Label: jsii.String(q.Meaning)}))
	}
	searched := func(label, metric, dimension string) awscloudwatch.IMetric {
		return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{Label: jsii.String(label), Period: hours, UsingMetrics: &map[string]awscloudwatch.IMetric{},
			Expression: jsii.String("SEARCH('{" + namespace + ",Function," + dimension + "} MetricName=\"" + metric + "\" Function=\"" + *keeper.Name + "\"', 'Sum', 3600)")})
	}
	asked := func(i int, width, height float64) awscloudwatch.IWidget {
		return awscloudwatch.NewLogQueryWidget(&awscloudwatch.LogQueryWidgetProps{Title: jsii.String(questions[i].title), Width: jsii.Number(width), Height: jsii.Number(height),
			LogGroupNames: &[]*string{group}, QueryString: jsii.String(questions[i].query)})
	}
	graph := func(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
		return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Title: jsii.String(title), Left: &metrics,
			LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0)}, Width: jsii.Number(12), Height: jsii.Number(7), Period: hours, Statistic: jsii.String("Sum")})
	}
	links := "### Ask the log\n\n"
	for _, q := range questions {
		saved := awslogs.NewCfnQueryDefinition(scope, jsii.String(q.id), &awslogs.CfnQueryDefinitionProps{Name: jsii.String(name + "/" + q.title), QueryString: jsii.String(q.query),
			LogGroupNames: &[]any{group}})
		links += "- [" + q.title + "](" + link(region, q.query, *saved.Ref(), *group) + ")\n"
	}
	return awscloudwatch.NewDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DefaultInterval: awscdk.Duration_Days(jsii.Number(7)),
		Widgets: &[]*[]awscloudwatch.IWidget{
			{awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{Title: jsii.String("Alarms"), Alarms: &alarms, Width: jsii.Number(24), Height: jsii.Number(3)})},
			{
				graph("Time to detect and to restore, seconds", told(keeper, "TimeToDetect", "p90", hours), told(keeper, "TimeToRestore", "p50", hours), told(keeper, "TimeToRestore", "p99", hours)),
				graph("Drifts by rule", searched("", "Drifts", "Rule")),
			},
			{graph("Outcomes", searched("", "Events", "Outcome")), asked(2, 12, 7)},
			{
				graph("Events and invocations", matched, keeper.Function.MetricInvocations(hourly), keeper.Function.MetricErrors(hourly), keeper.Function.MetricThrottles(hourly)),
				graph("Dead letters", letters...),
			},
			{
				graph("Calls to Cognito", told(keeper, "ApiCalls", "Sum", hours), told(keeper, "Throttled", "Sum", hours)),
				graph("Missed events, lost updates", told(keeper, "MissedEvents", "Sum", hours), told(keeper, "LostUpdates", "Sum", hours), told(keeper, "LedgerFailed", "Sum", hours)),
			},
			{awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{
				Width: jsii.Number(24), Height: jsii.Number(7), Markdown: jsii.String(links + "\nThey are saved in Logs Insights under `" + name + "`, and two of them are answered below.\n\n### Look before you write\n\n`poolkeeper plan --all` shows what is not as required; `poolkeeper apply` writes it.")})},
			{asked(0, 24, 6)},
			{asked(1, 24, 6)},
		},
	})
}

// link leads to a saved question in the console. The console writes its own query into the address in two steps: what is no letter or digit becomes a star and two digits, then what delimits is
// escaped twice over with a dollar sign, so that nothing is left that Markdown could take for its own. The group and the question's id, which only the deployment knows, hold nothing to escape.
func link(region, query, id, group string) string {
	var text strings.Builder
	for _, b := range []byte(query) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '.' || b == '-' {
			text.WriteByte(b)
		} else {
			fmt.Fprintf(&text, "*%02x", b)
		}
	}
	detail := "~(end~0~start~-604800~timeType~'RELATIVE~unit~'seconds~editorString~'" + text.String() + "~queryId~'" + id + "~source~(~'" + group + "))"
	return "https://" + region + "." + console(region) + "/cloudwatch/home?region=" + region + "#logsV2:logs-insights$3FqueryDetail$3D" + strings.NewReplacer("~", "$257E", "(", "$2528", ")", "$2529", "'", "$2527").Replace(detail)
}

// console is where the console of a Region's partition is. A Region that only the deployment knows is taken for one of the first partition.
func console(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "console.amazonaws.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "console.amazonaws-us-gov.com"
	default:
		return "console.aws.amazon.com"
	}
}
