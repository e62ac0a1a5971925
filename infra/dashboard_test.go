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
