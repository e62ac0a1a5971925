package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/lambda/reconcile"
	"poolkeeper/lambda/report"
)

// TestDashboard holds the picture to what it has to show.
func TestDashboard(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	dashboards := tpl.of("AWS::CloudWatch::Dashboard")
	if len(dashboards) != 1 {
		t.Fatalf("%d dashboards", len(dashboards))
	}
	for id, d := range dashboards {
		body := written(d.Properties["DashboardBody"])
		var dashboard struct {
			Widgets []struct {
				Type       string
				X, Y       int
				Width      int
				Height     int
				Properties map[string]any
			}
		}
		if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
			t.Fatalf("%s: %v\n%s", id, err, body)
		}
		shows := map[string]string{}
		var titles []string
		taken := map[[2]int]bool{}
		for _, w := range dashboard.Widgets {
			title, _ := w.Properties["title"].(string)
			titles = append(titles, w.Type+" "+title)
			text, err := json.Marshal(w.Properties)
			if err != nil {
				t.Fatal(err)
			}
			shows[title] = string(text)
			for x := w.X; x < w.X+w.Width; x++ {
				for y := w.Y; y < w.Y+w.Height; y++ {
					if place := [2]int{x, y}; taken[place] || x > 23 {
						t.Fatalf("%q stands where another does, or beyond the edge: %v", title, place)
					} else {
						taken[place] = true
					}
				}
			}
		}
		want := []string{"alarm Alarms", "metric Time to detect and to restore, seconds", "metric Drifts by rule", "metric Outcomes", "log Pools out of compliance", "metric Events and invocations",
			"metric Dead letters", "metric Calls to Cognito", "metric Missed events, lost updates", "text ", "log Who changed what", "log Why was this not fixed"}
		if diff := cmp.Diff(want, titles); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for title, parts := range map[string][]string{
			"Missed events, lost updates":            {`"MissedEvents"`, `"LostUpdates"`, `"LedgerFailed"`, `"Sum"`},
			"Time to detect and to restore, seconds": {`"TimeToRestore"`, `"TimeToDetect"`, `"p50"`, `"p99"`, `"poolkeeper"`},
			"Drifts by rule":                         {`{poolkeeper,Function,Rule} MetricName=\"Drifts\"`},
			"Outcomes":                               {`{poolkeeper,Function,Outcome} MetricName=\"Events\"`},
			"Dead letters":                           {"ApproximateNumberOfMessagesVisible", "${Undelivered.QueueName}", "${Unswept.QueueName}", "${Failed.QueueName}"},
			"Calls to Cognito":                       {`"ApiCalls"`, `"Throttled"`},
			"Pools out of compliance":                {"SOURCE '${KeeperLog", "latest(outcome)"},
		} {
			for _, part := range parts {
				if !strings.Contains(shows[title], part) {
					t.Errorf("%q lacks %s:\n%s", title, part, shows[title])
				}
			}
		}
	}
}

// TestQuestionsAreSaved: each question is saved for the function's log, the dashboard leads to it, and the console reads back from the link what was asked.
func TestQuestionsAreSaved(t *testing.T) {
	t.Parallel()
	tpl := templateOf(t, "", nil)
	var markdown string
	for _, d := range tpl.of("AWS::CloudWatch::Dashboard") {
		var dashboard struct {
			Widgets []struct{ Properties struct{ Markdown string } }
		}
		if err := json.Unmarshal([]byte(written(d.Properties["DashboardBody"])), &dashboard); err != nil {
			t.Fatal(err)
		}
		for _, w := range dashboard.Widgets {
			markdown += w.Properties.Markdown
		}
	}
	links := map[string]string{}
	for _, m := range regexp.MustCompile(`- \[([^\]]+)\]\(([^() ]+)\)\n`).FindAllStringSubmatch(markdown, -1) {
		links[m[1]] = m[2]
	}
	saved := tpl.of("AWS::Logs::QueryDefinition")
	if len(saved) != len(questions) || len(links) != len(questions) {
		t.Errorf("%d questions, %d saved, %d links", len(questions), len(saved), len(links))
	}
	for _, q := range questions {
		found := ""
		for id, s := range saved {
			if s.Properties["Name"] == "poolkeeper/"+q.title && s.Properties["QueryString"] == q.query && written(at(s.Properties, "LogGroupNames").([]any)[0]) == "${KeeperLog94737A1E}" {
				found = id
			}
		}
		place, detail, _ := strings.Cut(links[q.title], "#logsV2:logs-insights$3FqueryDetail$3D")
		for range 2 {
			text, err := url.PathUnescape(regexp.MustCompile(`\$([0-9A-F]{2})`).ReplaceAllString(detail, "%$1"))
			if err != nil {
				t.Fatal(err)
			}
			detail = text
		}
		query := regexp.MustCompile(`editorString~'([^~]*)~queryId~'([^~]*)~source~\(~'([^~]*)\)\)$`).FindStringSubmatch(detail)
		if query == nil || found == "" {
			t.Fatalf("%q is saved as %q and leads to %s", q.title, found, detail)
		}
		text, err := url.PathUnescape(strings.ReplaceAll(query[1], "*", "%"))
		if err != nil || text != q.query || !strings.Contains(query[2], strings.TrimRight(found, "0123456789ABCDEF")) || query[3] != "${KeeperLog94737A1E}" || place != "https://${Region}.console.aws.amazon.com/cloudwatch/home?region=${Region}" {
			t.Errorf("%q leads to %s %q (%v)", q.title, place, query, err)
		}
	}
}

// TestLinksLeadToTheConsole of the partition that the Region is of.
func TestLinksLeadToTheConsole(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"eu-west-1": "https://eu-west-1.console.aws.amazon.com/", "cn-north-1": "https://cn-north-1.console.amazonaws.cn/", "us-gov-west-1": "https://us-gov-west-1.console.amazonaws-us-gov.com/"} {
		if got := link(region, "query", "id", "group"); !strings.HasPrefix(got, want) {
			t.Errorf("%s leads to %s", region, got)
		}
	}
}

// TestQuestionsFitTheLog: what the questions ask for is what the log's lines hold, and they ask for every outcome that a person has to know of.
func TestQuestionsFitTheLog(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../lambda/report/testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"@timestamp": true, "last": true, "seen": true}
	for _, file := range files {
		if strings.Count(filepath.Base(file), ".") > 1 {
			continue // no line of the log
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var line map[string]any
		if err := json.Unmarshal(text, &line); err != nil {
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
	asked := regexp.MustCompile(`@?[a-z_]+(\.[a-z_]+)?`)
	for _, q := range questions {
		plain := regexp.MustCompile(`'[^']*'`).ReplaceAllString(q.query, "")
		for _, word := range asked.FindAllString(plain, -1) {
			if !known[word] && !slices.Contains([]string{"fields", "filter", "sort", "desc", "limit", "stats", "latest", "as", "by", "in", "not", "and", "or"}, word) {
				t.Errorf("%q asks for %s, which no line of the log has", q.title, word)
			}
		}
		for _, word := range []reconcile.Word{reconcile.Deferred, reconcile.Unconverged, reconcile.Partial, reconcile.Unfixable, reconcile.Remediated, reconcile.Drifted} {
			named := strings.Contains(q.query, "'"+string(word)+"'")
			left := report.Level(word) >= 8
			if q.id == "WhyNotFixed" && left != named || q.id == "OutOfCompliance" && (left || word == reconcile.Drifted) != named || q.id == "WhoChangedWhat" && named {
				t.Errorf("%q names %s: %v", q.title, word, named)
			}
		}
	}
}
