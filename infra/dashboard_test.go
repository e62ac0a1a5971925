package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A widget is one of a dashboard.
type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          map[string]any
}

// widgetsOf returns the widgets of the one dashboard.
func widgetsOf(t *testing.T) []widget {
	t.Helper()
	dashboards := templateOf(t, "", nil).of("AWS::CloudWatch::Dashboard")
	if len(dashboards) != 1 {
		t.Fatalf("%d dashboards", len(dashboards))
	}
	var body struct{ Widgets []widget }
	for id, d := range dashboards {
		if err := json.Unmarshal([]byte(written(d.Properties["DashboardBody"])), &body); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	return body.Widgets
}

// TestDashboard: the dashboard shows what it has to, and no widget covers another.
func TestDashboard(t *testing.T) {
	t.Parallel()
	shows := map[string]string{}
	var titles []string
	covered := map[[2]int]bool{}
	for _, w := range widgetsOf(t) {
		title, _ := w.Properties["title"].(string)
		titles = append(titles, w.Type+" "+title)
		text, err := json.Marshal(w.Properties)
		if err != nil {
			t.Fatal(err)
		}
		shows[title] = string(text)
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				if covered[[2]int{x, y}] || x > 23 {
					t.Fatalf("%q covers another widget, or the edge, at %d, %d", title, x, y)
				}
				covered[[2]int{x, y}] = true
			}
		}
	}
	want := []string{
		"alarm Alarms", "metric Time to detect and to restore, seconds", "metric Drifts by rule", "metric Outcomes",
		"log Pools out of compliance", "metric Events and invocations", "metric Messages in the queues",
		"metric Calls to Cognito", "metric Undetected drift, lost updates", "log Who changed what",
		"log Why was this not fixed",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for title, parts := range map[string][]string{
		"Undetected drift, lost updates":         {`"UndetectedDrift"`, `"LostUpdates"`, `"LedgerFailed"`, `"Sum"`},
		"Time to detect and to restore, seconds": {`"TimeToRestore"`, `"TimeToDetect"`, `"p50"`, `"p99"`, `"poolkeeper"`},
		"Drifts by rule":                         {`{poolkeeper,Function,Rule} MetricName=\"Drifts\"`},
		"Outcomes":                               {`{poolkeeper,Function,Outcome} MetricName=\"Events\"`},
		"Messages in the queues": {"ApproximateNumberOfMessagesVisible", "${QueuesChanges.QueueName}",
			"${QueuesScans.QueueName}", "${QueuesDeadLetter.QueueName}"},
		"Calls to Cognito":        {`"ApiCalls"`, `"Throttled"`},
		"Pools out of compliance": {"SOURCE '${KeeperLog", "latest(outcome)"},
	} {
		for _, part := range parts {
			if !strings.Contains(shows[title], part) {
				t.Errorf("%q lacks %s:\n%s", title, part, shows[title])
			}
		}
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
