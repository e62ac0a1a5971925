package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/outcome"
	"poolkeeper/lambda/report"
)

// alarmsOf returns the alarms by their names.
func alarmsOf(tpl template) map[string]resource {
	all := map[string]resource{}
	for id, r := range tpl.of("AWS::CloudWatch::Alarm") {
		all[strings.TrimPrefix(plain(id), "Alarms")] = r
	}
	return all
}

// metricsOf returns the names of the metrics of an alarm.
func metricsOf(alarm resource) []string {
	several, ok := at(alarm.Properties, "Metrics").([]any)
	if !ok {
		return []string{fmt.Sprint(alarm.Properties["MetricName"])}
	}
	var all []string
	for _, m := range several {
		if name := at(m, "MetricStat", "Metric", "MetricName"); name != nil {
			all = append(all, name.(string))
		}
	}
	return slices.Sorted(slices.Values(all))
}

// TestAlarmsAreExplained: each alarm names its section of the runbook, and the README has it and what all of them cost:
// an alarm is billed for each of its metrics. So has the runbook the outcomes that people are notified of.
func TestAlarmsAreExplained(t *testing.T) {
	t.Parallel()
	runbook, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := []any{outcome.Deferred, outcome.Unconverged, outcome.Partial, outcome.Unfixable, outcome.Remediated,
		outcome.Drifted, "TamperAlert"}
	alarms, metrics := alarmsOf(templateOf(t, "", nil)), 0
	for name, alarm := range alarms {
		metrics += len(metricsOf(alarm))
		sections = append(sections, name)
		text, _ := at(alarm.Properties, "AlarmDescription").(string)
		if !strings.HasSuffix(text, " What to do: infra/RUNBOOK.md, section "+name+".") ||
			!strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("%s says %q, or the README does not explain it", name, text)
		}
	}
	for _, section := range sections {
		if !strings.Contains(string(runbook), fmt.Sprintf("\n### %s\n", section)) {
			t.Errorf("the runbook has no section for %s", section)
		}
	}
	row := fmt.Sprintf("| %d alarms on %d metrics, 1 key | $%.2f |", len(alarms), metrics, 0.1*float64(metrics)+1)
	if !strings.Contains(string(readme), row) {
		t.Errorf("the README lacks the row %s", row)
	}
}

// TestAlarmsNotify: each alarm publishes its begin and its end, that of a failed notification to another topic than the
// one that failed. Silence is two scans without an invocation, which CloudWatch counts for at most seven days.
func TestAlarmsNotify(t *testing.T) {
	t.Parallel()
	alarms := alarmsOf(templateOf(t, "", map[string]any{"scanHours": "84"}))
	for name, alarm := range alarms {
		topic := "${AlertsTopic}"
		if name == "NotificationFailed" {
			topic = "${AlertsMail}"
		}
		for _, end := range []string{"AlarmActions", "OKActions"} {
			if to, _ := alarm.Properties[end].([]any); len(to) != 1 || plain(written(to[0])) != topic {
				t.Errorf("the %s of %s: %v", end, name, to)
			}
		}
	}
	silent := alarms["Silent"].Properties
	if silent["EvaluationPeriods"] != 168.0 || silent["TreatMissingData"] != "breaching" || len(alarms) != 7 {
		t.Errorf("of %d alarms, the one of silence is %v", len(alarms), silent)
	}
}

// TestOutcomeAlarms: an alarm counts the outcomes that leave a pool different from the baseline, by the metrics that
// the function reports.
func TestOutcomeAlarms(t *testing.T) {
	t.Parallel()
	if namespace != report.Namespace {
		t.Errorf("the alarms use the namespace %s, the function %s", namespace, report.Namespace)
	}
	var want []string
	for _, ending := range []outcome.Ending{outcome.Drifted, outcome.Partial, outcome.Unconverged, outcome.Unfixable} {
		want = append(want, strings.ToUpper(string(ending[:1]))+string(ending[1:]))
	}
	if diff := cmp.Diff(want, metricsOf(templateOf(t, "", nil).one(t, "AlarmsNotFixed"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// logFields returns the fields of the log's lines.
func logFields(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../lambda/report/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	known := map[string]bool{"@timestamp": true, "last": true, "seen": true}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, log, _ := strings.Cut(string(text), "-- log.json --\n")
		log, _, _ = strings.Cut(log, "\n")
		var line map[string]any
		if err := json.Unmarshal([]byte(log), &line); err != nil {
			t.Fatal(err)
		}
		for key, v := range line {
			known[key] = true
			if object, ok := v.(map[string]any); ok {
				for below := range object {
					known[key+"."+below] = true
				}
			}
		}
	}
	return known
}

// TestQuestionsFitTheLog: the questions ask for fields of the log's lines, and for every outcome that people are
// notified of.
func TestQuestionsFitTheLog(t *testing.T) {
	t.Parallel()
	known := logFields(t)
	for _, word := range strings.Fields("fields filter sort desc limit stats latest as by in not and or") {
		known[word] = true
	}
	for _, q := range questions {
		text := regexp.MustCompile(`'[^']*'`).ReplaceAllString(q.query, "")
		for _, word := range regexp.MustCompile(`@?[a-z_]+(\.[a-z_]+)?`).FindAllString(text, -1) {
			if !known[word] {
				t.Errorf("%q asks for %s, which no line of the log has", q.title, word)
			}
		}
	}
	for i, want := range []string{
		"", "deferred unconverged partial unfixable", "deferred unconverged partial unfixable drifted",
	} {
		for _, outcome := range []string{"deferred", "unconverged", "partial", "unfixable", "remediated", "drifted"} {
			named := strings.Contains(questions[i].query, "'"+outcome+"'")
			if named != slices.Contains(strings.Fields(want), outcome) {
				t.Errorf("%q names %s: %v", questions[i].title, outcome, named)
			}
		}
	}
}
