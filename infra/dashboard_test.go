package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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

// TestDashboard: no widget covers another.
func TestDashboard(t *testing.T) {
	t.Parallel()
	covered := map[[2]int]bool{}
	for _, w := range widgetsOf(t) {
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				if covered[[2]int{x, y}] || x > 23 {
					t.Fatalf("%v covers another widget, or the edge, at %d, %d", w.Properties["title"], x, y)
				}
				covered[[2]int{x, y}] = true
			}
		}
	}
	if len(covered) == 0 {
		t.Error("the dashboard is empty")
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
