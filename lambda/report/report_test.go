package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"poolkeeper/baseline"
	"poolkeeper/lambda/outcome"
)

var update = flag.Bool("update", false, "write the goldens anew")

// outcomes are the outcomes in the goldens, by name. A golden holds an outcome, and then each of its texts.
var outcomes = sync.OnceValue(func() map[string]outcome.Outcome {
	all := map[string]outcome.Outcome{}
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		content, err := os.ReadFile(file)
		_, section, _ := strings.Cut(string(content), "-- outcome.json --\n")
		section, _, _ = strings.Cut(section, "-- mail.txt --\n")
		var kept struct {
			outcome.Outcome
			Details outcome.Details
			Sources map[string]baseline.Position // of the drifts, by setting
		}
		if err := errors.Join(err, json.Unmarshal([]byte(section), &kept)); err != nil {
			panic(file + ": " + err.Error())
		}
		out := kept.Outcome
		out.Details, out.Writes = kept.Details, append([]string{}, out.Writes...)
		for i := range out.Drifts {
			out.Drifts[i].Source = kept.Sources[out.Drifts[i].Setting]
		}
		all[strings.TrimSuffix(filepath.Base(file), ".txtar")] = out
	}
	return all
})

// found is the first finding of a golden.
func found(name string) outcome.Finding { return outcomes()[name].Drifts[0] }

// ended is another outcome of the event of the goldens.
func ended(ending outcome.Ending, reason string, drifts ...outcome.Finding) outcome.Outcome {
	out := outcomes()["unchanged"]
	out.Outcome, out.Reason, out.Drifts = ending, reason, drifts
	return out
}

// noon is the time of the event.
var noon = outcomes()["unchanged"].Cause.Time

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{"absent": nil, "ACTIVE": "ACTIVE", `"\x1b[2Jgone\n"`: "\x1b[2Jgone\n",
		`["a"]`: []any{"a"}, "12": json.Number("12"), "true": true,
		`{"From":"Example <a@example.com>"}`: map[string]any{"From": "Example <a@example.com>"},
		`["\u009b2J\u202e\udb40\udc01é"]`:    []any{"\u009b2J\u202e\U000e0001é"}} {
		if got := Value(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestLogScan(t *testing.T) {
	t.Parallel()
	for level, scans := range map[string][]outcome.ScanResult{
		"INFO":  {{Outcome: outcome.Scanned, Pools: 1}, {Outcome: outcome.Ignored}},
		"ERROR": {{Outcome: outcome.Deferred}},
	} {
		for _, scan := range scans {
			var b bytes.Buffer
			LogScan(t.Context(), slog.New(slog.NewJSONHandler(&b, nil)), scan)
			if !bytes.Contains(b.Bytes(), []byte(`"level":"`+level+`"`)) {
				t.Errorf("%+v: %s", scan, b.Bytes())
			}
		}
	}
}
