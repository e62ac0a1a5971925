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

// alarmNames are all alarms.
const alarmNames = "DeadLetter LedgerFailed NotFixed NotificationFailed OldestMessage Silent UndetectedDrift"

// alarmsOf returns the alarms by their names.
func alarmsOf(tpl template) map[string]resource {
	all := map[string]resource{}
	for id, r := range tpl.of("AWS::CloudWatch::Alarm") {
		all[strings.TrimPrefix(plain(id), "Alarms")] = r
	}
	return all
}

// TestAlarmsNotify: every alarm publishes its begin and its end to the topic, that of a failed notification to the
// other one, and the topics and the key let them; so do the rules of the tamper alert. Each alarm names a section of
// the runbook.
func TestAlarmsNotify(t *testing.T) {
	t.Parallel()
	runbook, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"enforce", "audit", "everything"} {
		tpl := templateOf(t, "", modes[name])
		encrypted := tpl.Resources[idOf(t, tpl, "AlertsTopic")].Properties["KmsMasterKeyId"]
		if got := written(encrypted); got != "${AlertsKey.Arn}" {
			t.Errorf("%s: the topic is encrypted with %s", name, got)
		}
		alarms := alarmsOf(tpl)
		if got := strings.Join(slices.Sorted(maps.Keys(alarms)), " "); got != alarmNames {
			t.Errorf("%s: the alarms are %s", name, got)
		}
		for id, alarm := range alarms {
			topic := idOf(t, tpl, "AlertsTopic")
			if id == "NotificationFailed" {
				topic = idOf(t, tpl, "AlertsMail")
			}
			want := any([]any{map[string]any{"Ref": topic}})
			if !cmp.Equal(want, at(alarm.Properties, "AlarmActions")) || !cmp.Equal(want, at(alarm.Properties, "OKActions")) {
				t.Errorf("%s: %s publishes %v", name, id, alarm.Properties)
			}
			text, _ := at(alarm.Properties, "AlarmDescription").(string)
			if !strings.HasSuffix(text, " What to do: infra/RUNBOOK.md, section "+id+".") ||
				!strings.Contains(string(runbook), "\n### "+id+"\n") {
				t.Errorf("%s: %s says %q", name, id, text)
			}
		}
		ours := map[string]any{"aws:SourceAccount": map[string]any{"Ref": "AWS::AccountId"}}
		account := map[string]any{"StringEquals": ours}
		for topic, rules := range map[string][]any{
			"AlertsTopic": tpl.ruleARNs("TamperAlertFooting", "TamperAlertReports", "TamperAlertWiring"),
			"AlertsMail":  tpl.ruleARNs("TamperAlertDeployed"),
		} {
			policy := topicPolicy(tpl, topic)
			expectAllowed(t, policy, "cloudwatch.amazonaws.com", account, "sns:Publish")
			expectAllowed(t, policy, "events.amazonaws.com", from(rules), "sns:Publish")
			for _, s := range policy {
				if at(s, "Effect") == "Allow" && at(s, "Condition") == nil {
					t.Errorf("%s: anybody's service may publish: %v", name, s)
				}
			}
		}
		key := at(tpl.Resources[idOf(t, tpl, "AlertsKey")].Properties, "KeyPolicy", "Statement")
		expectAllowed(t, key, "cloudwatch.amazonaws.com", account, "kms:Decrypt", "kms:GenerateDataKey*")
		expectAllowed(t, key, "events.amazonaws.com", nil, "kms:Decrypt", "kms:GenerateDataKey*")
	}
}

func topicPolicy(tpl template, topic string) []any {
	for _, p := range tpl.of("AWS::SNS::TopicPolicy") {
		if strings.HasPrefix(written(at(p.Properties, "Topics").([]any)[0]), "${"+topic) {
			return at(p.Properties, "PolicyDocument", "Statement").([]any)
		}
	}
	return nil
}

// from is the condition that a statement is for these sources only.
func from(sources []any) map[string]any {
	return map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": sources}}
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

// TestRunbook: the outcomes that people are notified of have a section.
func TestRunbook(t *testing.T) {
	t.Parallel()
	runbook, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, ending := range []any{outcome.Deferred, outcome.Unconverged, outcome.Partial, outcome.Unfixable,
		outcome.Remediated, outcome.Drifted, "TamperAlert"} {
		if !strings.Contains(string(runbook), fmt.Sprintf("\n### %s\n", ending)) {
			t.Errorf("it has no section for %s", ending)
		}
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

// TestOutcomeAlarms: an alarm counts the outcomes that leave a pool different from the baseline, by the metrics that
// the function reports. It begins at once, and ends after a whole scan without any.
func TestOutcomeAlarms(t *testing.T) {
	t.Parallel()
	if namespace != report.Namespace {
		t.Errorf("the alarms use the namespace %s, the function %s", namespace, report.Namespace)
	}
	alarms := alarmsOf(templateOf(t, "", nil))
	var want []string
	for _, ending := range []any{outcome.Drifted, outcome.Partial, outcome.Unconverged, outcome.Unfixable} {
		text := fmt.Sprint(ending)
		want = append(want, strings.ToUpper(text[:1])+text[1:]+" ${KeeperFunction7330A899} Sum")
	}
	if diff := cmp.Diff(want, metricsOf(alarms["NotFixed"])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"NotFixed", "NotificationFailed", "UndetectedDrift", "LedgerFailed"} {
		p := alarms[name].Properties
		if p["EvaluationPeriods"] != 7.0 || p["DatapointsToAlarm"] != 1.0 || p["TreatMissingData"] != "notBreaching" {
			t.Errorf("%s: %v", name, p)
		}
	}
}
