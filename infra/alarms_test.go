package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// alarmNames are all alarms; of those that are true, people are notified of the end too. That a count of drift is back
// at 0 does not mean that the pool is as required.
var alarmNames = map[string]bool{
	"NotFixed": false, "DriftFound": false, "NotificationFailed": false, "UndetectedDrift": false, "LedgerFailed": false,
	"Failing": false, "DeadLetter": true, "OldestMessage": true, "Throttled": true, "Silent": true,
}

// alarmsOf returns the alarms by their names.
func alarmsOf(tpl template) map[string]resource {
	all := map[string]resource{}
	for id, r := range tpl.of("AWS::CloudWatch::Alarm") {
		all[strings.TrimPrefix(plain(id), "Alarms")] = r
	}
	return all
}

// TestAlarmsNotify: every alarm publishes to the topic, and the topic and its key let it; so do the rules of the tamper
// alert.
func TestAlarmsNotify(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"enforce", "audit", "everything"} {
		tpl := templateOf(t, "", modes[name])
		topic, key := idOf(t, tpl, "AlertsTopic"), idOf(t, tpl, "AlertsKey")
		if got := written(at(tpl.Resources[topic].Properties, "KmsMasterKeyId")); got != "${AlertsKey.Arn}" {
			t.Errorf("%s: the topic is encrypted with %s", name, got)
		}
		alarms := alarmsOf(tpl)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(alarmNames)), slices.Sorted(maps.Keys(alarms))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for id, alarm := range alarms {
			want := any([]any{map[string]any{"Ref": topic}})
			if diff := cmp.Diff(want, at(alarm.Properties, "AlarmActions")); diff != "" {
				t.Errorf("%s: %s does not publish to the topic (-want +got):\n%s", name, id, diff)
			}
			if ends := at(alarm.Properties, "OKActions"); (ends != nil) != alarmNames[id] {
				t.Errorf("%s: the end of %s is notified: %v", name, id, ends)
			}
			if text, _ := at(alarm.Properties, "AlarmDescription").(string); len(text) < 40 {
				t.Errorf("%s: %s says %q", name, id, text)
			}
		}
		var policy any
		for _, p := range tpl.of("AWS::SNS::TopicPolicy") {
			policy = at(p.Properties, "PolicyDocument", "Statement")
		}
		keyPolicy := at(tpl.Resources[key].Properties, "KeyPolicy", "Statement")
		ours := map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}}
		account := map[string]any{"StringEquals": ours}
		rules := map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": tpl.tamperRules()}}
		expectAllowed(t, policy, "cloudwatch.amazonaws.com", account, "sns:Publish")
		expectAllowed(t, policy, "events.amazonaws.com", rules, "sns:Publish")
		expectAllowed(t, keyPolicy, "cloudwatch.amazonaws.com", account, "kms:Decrypt", "kms:GenerateDataKey*")
		expectAllowed(t, keyPolicy, "events.amazonaws.com", nil, "kms:Decrypt", "kms:GenerateDataKey*")
		if len(tpl.tamperRules()) != 2 {
			t.Errorf("%s: the tamper alert has %v", name, tpl.tamperRules())
		}
		for _, s := range policy.([]any) {
			if at(s, "Effect") == "Allow" && at(s, "Condition") == nil {
				t.Errorf("%s: anybody's service may publish: %v", name, s)
			}
		}
	}
}

// metricsOf returns the metrics of an alarm, "name queue statistic" each.
func metricsOf(alarm resource) []string {
	stats := []any{alarm.Properties}
	if several, ok := at(alarm.Properties, "Metrics").([]any); ok {
		stats = nil
		for _, m := range several {
			if stat, ok := at(m, "MetricStat").(map[string]any); ok {
				metric := maps.Clone(at(stat, "Metric").(map[string]any))
				metric["Statistic"] = stat["Stat"]
				stats = append(stats, metric)
			}
		}
	}
	var all []string
	for _, stat := range stats {
		on := written(at(at(stat, "Dimensions").([]any)[0], "Value"))
		all = append(all, fmt.Sprint(at(stat, "MetricName"), " ", on, " ", at(stat, "Statistic")))
	}
	slices.Sort(all)
	return all
}

// TestReadmeCountsAlarms: an alarm is billed for each of its metrics.
func TestReadmeCountsAlarms(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	alarms, metrics := alarmsOf(templateOf(t, "", nil)), 0
	for name, alarm := range alarms {
		metrics += len(metricsOf(alarm))
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("the README does not explain %s", name)
		}
	}
	row := fmt.Sprintf("| %d alarms on %d metrics, 1 key | $%.2f |", len(alarms), metrics, 0.1*float64(metrics)+1)
	if !strings.Contains(string(readme), row) {
		t.Errorf("the README lacks the row %s", row)
	}
}

// TestQueueAlarms: one message in the dead-letter queue is reported, and a message that waits for too long.
func TestQueueAlarms(t *testing.T) {
	t.Parallel()
	alarms := alarmsOf(templateOf(t, "", nil))
	for name, want := range map[string][]string{
		"DeadLetter": {"ApproximateNumberOfMessagesVisible ${QueuesDeadLetter.QueueName} Maximum"},
		"OldestMessage": {"ApproximateAgeOfOldestMessage ${QueuesChanges.QueueName} Maximum",
			"ApproximateAgeOfOldestMessage ${QueuesScans.QueueName} Maximum"},
	} {
		if diff := cmp.Diff(want, metricsOf(alarms[name])); diff != "" || alarms[name].Properties["Threshold"] != 1.0 {
			t.Errorf("%s from %v (-want +got):\n%s", name, alarms[name].Properties["Threshold"], diff)
		}
	}
	text := fmt.Sprint(alarms["OldestMessage"].Properties["Metrics"])
	if !strings.Contains(text, "IF(FILL(changes, 0) > 900 OR FILL(scans, 0) > 7200, 1, 0)") {
		t.Errorf("OldestMessage is %s", text)
	}
}

// TestSilentAlarm: it begins after two periods of the scan without any invocation, and missing data counts as silence.
func TestSilentAlarm(t *testing.T) {
	t.Parallel()
	for hours, want := range map[string]float64{"1": 2, "6": 12, "84": 168} {
		p := alarmsOf(templateOf(t, "", map[string]any{"scanHours": hours}))["Silent"].Properties
		got := fmt.Sprint(p["MetricName"], p["Period"], p["Threshold"], p["EvaluationPeriods"], p["TreatMissingData"],
			p["ComparisonOperator"])
		if got != fmt.Sprint("Invocations", 3600.0, 1.0, want, "breaching", "LessThanThreshold") {
			t.Errorf("every %s hours: %s", hours, got)
		}
	}
}

// TestOutcomeAlarms: the alarms count the outcomes that people have to act on, and those that changed a pool away from
// the baseline, by the metrics that the function reports.
func TestOutcomeAlarms(t *testing.T) {
	t.Parallel()
	if namespace != report.Namespace {
		t.Errorf("the alarms use the namespace %s, the function %s", namespace, report.Namespace)
	}
	alarms := alarmsOf(templateOf(t, "", nil))
	for name, outcomes := range map[string][]any{
		"NotFixed":   listOf[any](outcome.Partial, outcome.Unconverged, outcome.Unfixable),
		"DriftFound": listOf[any](outcome.Drifted, outcome.Remediated),
	} {
		var want []string
		for _, outcome := range outcomes {
			text := fmt.Sprint(outcome)
			want = append(want, strings.ToUpper(text[:1])+text[1:]+" ${KeeperFunction7330A899} Sum")
		}
		if diff := cmp.Diff(want, metricsOf(alarms[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
